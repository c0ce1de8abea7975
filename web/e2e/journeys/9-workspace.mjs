// Administration: settings, roles, integrations, invites, emoji, reports, the log, health.
import { createServer } from "node:http";
import { looks } from "../looks.mjs";
import { equal, until } from "../stage.mjs";

const dialog = (person, name) => person.page.getByRole("dialog", { name });
const asks = (person) => person.page.getByRole("alertdialog");
const rows = (person, name) => person.page.getByRole("list", { name }).getByRole("link");
const fresh = (word) => `${word}${Date.now() % 10_000_000}`;

async function administrator(stage, path, heading) {
  const person = await stage.person("boss", { admin: true, path });
  await person.sees(person.page.getByRole("heading", { name: heading, level: 1 }));
  return person;
}

/** Types into a field that offers what it finds, and takes the first. */
async function pick(person, label, text, within = person.page) {
  await within.getByLabel(label, { exact: true }).fill(text);
  await within
    .getByRole("list", { name: `Found: ${label}` })
    .getByRole("button")
    .first()
    .click();
}

/** The title of the page, in whichever language. */
const titled = (person) => () => person.sees(person.page.getByRole("heading", { level: 1 }));

/** A small picture. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FAAhKDveksOjmAAAAAElFTkSuQmCC",
  "base64",
);

export default [
  {
    name: "administration of settings: searched, changed, refused by the server, reset, not left by mistake",
    shows: [62],
    async run(stage) {
      const boss = await administrator(stage, "/admin/settings", "Settings");
      const { page } = boss;
      boss.expect(/status of 400/);
      await page.getByLabel("Find settings").fill("topic of nothing");
      await boss.sees(page.getByText("0 settings", { exact: true }));
      await page.getByLabel("Find settings").fill("QuoteChainLimit");
      const limit = page.getByRole("spinbutton");
      await limit.fill("5");
      await boss.sees(page.getByText("1 change is not saved yet."));
      // A detour asks first.
      const nav = page.getByRole("navigation", { name: "Administration" });
      await nav.getByRole("link", { name: "Rooms" }).click();
      await boss.sees(asks(boss).getByText("will be lost"));
      await boss.button("Cancel", asks(boss)).click();
      await boss.button("Save changes").click();
      await boss.sees(page.getByText("1 setting saved; in force at once."));
      const { value } = await stage.admin.get("settings/Message_QuoteChainLimit");
      equal(value, 5, "the setting");
      await boss.sees(page.getByText("Changed", { exact: true }));
      // What the server can't take stands at its field.
      await limit.fill("");
      await boss.button("Save changes").click();
      await boss.sees(page.getByRole("alert").filter({ hasText: "must be a number" }));
      await boss.check();
      await boss.button("Discard").click();
      await page.getByRole("button", { name: /^Reset to default: / }).click();
      await boss.button("Save changes").click();
      await boss.seesNot(page.getByText("Changed", { exact: true }));
      // What is secret is written and never read.
      await page.getByLabel("Find settings").fill("SMTP_Password");
      const secret = page.getByLabel("Password of the mail server", { exact: true });
      equal(await secret.inputValue(), "", "the secret shown");
      await secret.fill("hush hush");
      await boss.button("Save changes").click();
      await boss.sees(page.getByText("Set, and not shown."));
      equal(await secret.inputValue(), "", "the secret shown");
      await stage.admin.post("settings/SMTP_Password", { value: "" });
      await page.getByLabel("Find settings").fill("");
      await page.getByRole("link", { name: /^Messages/ }).click();
      await boss.sees(page.getByRole("heading", { name: "Messages", level: 1 }));
      await looks(boss, titled(boss), "admin-settings");
    },
  },
  {
    name: "administration of permissions: one stop of Tab, a change reaches people who look at it",
    shows: [63],
    async run(stage) {
      const ana = await stage.person("Ana", { path: null });
      const { name } = await stage.admin.post("roles.create", { name: fresh("drill") }).then(({ role }) => role);
      await stage.admin.post("roles.addUserToRole", { roleName: name, username: ana.username });
      await ana.open("/");
      await ana.sees(ana.row("general"));
      const boss = await administrator(stage, "/admin/roles", "Roles and permissions");
      const { page } = boss;
      await page.getByLabel("Find permissions").fill("view-statistics");
      await page.getByLabel("Roles shown").selectOption(name);
      const cell = page.getByRole("checkbox", { name: `view-statistics for ${name}` });
      await boss.sees(cell);
      await page.getByLabel("Roles shown").focus();
      await page.keyboard.press("Tab");
      await until("the cell has the focus", () => cell.evaluate((one) => one === document.activeElement));
      await page.keyboard.press("Space");
      await until("it is given", () => cell.isChecked());
      // Live, without a reload.
      await until("Ana may look after the server", async () => {
        await ana.button(/account$/).click();
        await ana.sees(ana.page.getByRole("menuitem", { name: "Sign out" }));
        const there = await ana.page.getByRole("menuitem", { name: "Administration" }).count();
        await ana.page.keyboard.press("Escape");
        return there === 1;
      });
      await page.getByLabel("Find permissions").fill("access-permissions");
      await page.getByLabel("Roles shown").selectOption("Roles of the workspace");
      await page.getByRole("checkbox", { name: "access-permissions for admin" }).click();
      await boss.sees(asks(boss).getByText("Everybody with the role admin loses this at once"));
      await boss.button("Cancel", asks(boss)).click();
      await page.getByLabel("Find permissions").fill("");
      const grid = page.getByRole("grid");
      await grid.getByRole("checkbox").first().focus();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowRight");
      await until("the arrows lead on", () =>
        page.evaluate(() => document.activeElement?.getAttribute("aria-label")?.startsWith("access-marketplace")),
      );
      await page.keyboard.press("Control+End");
      await until("the last row", () =>
        page.evaluate(() => document.activeElement?.matches("[role=row]:last-child *")),
      );
      await page.getByLabel("Roles shown").selectOption("Roles in rooms");
      await looks(boss, titled(boss), "admin-permissions");
    },
  },
  {
    name: "administration of roles: made, given, ruled in one room, explained, deleted",
    shows: [63],
    async run(stage) {
      const otto = await stage.account("Otto");
      const room = await stage.room(otto);
      const boss = await administrator(stage, "/admin/roles/list", "Roles and permissions");
      const { page } = boss;
      const name = fresh("curator");
      await boss.button("New role").click();
      const make = dialog(boss, "New role");
      await make.getByLabel("Name").fill(name);
      await make.getByLabel("Description").fill("Keeps things in order");
      await boss.button("Create the role", make).click();
      await rows(boss, "Roles").filter({ hasText: name }).click();
      const one = dialog(boss, name);
      await pick(boss, "Give it to", otto.username, one);
      await boss.button("Give the role", one).click();
      await boss.sees(one.getByRole("listitem").filter({ hasText: `@${otto.username}` }));
      await boss.check();
      await boss.button("Close", one).click();
      await page.getByRole("link", { name: "In one room" }).click();
      await pick(boss, "Room", room.name);
      await boss.sees(page.getByText("No rule of its own"));
      await pick(boss, "Permission", "mention-all");
      for (const role of ["admin", "moderator", "owner", "user"])
        await page.getByRole("checkbox", { name: role, exact: true }).uncheck();
      await page.getByRole("checkbox", { name, exact: true }).check();
      await boss.button("Set the rule").click();
      await boss.sees(page.getByText("1 rule of its own"));
      await boss.check();
      await page.getByRole("link", { name: "Why?" }).click();
      await pick(boss, "Who", otto.username);
      await pick(boss, "Permission", "mention-all");
      await pick(boss, "Room", room.name);
      await boss.button("Explain").click();
      await boss.sees(page.getByRole("heading", { name: /^Allowed: Otto has mention-all/ }));
      await boss.sees(page.getByText("as this room’s own rule says"));
      await looks(boss, titled(boss), "admin-explain");
      await boss.open("/admin/roles/list?locale=en");
      await rows(boss, "Roles").filter({ hasText: name }).click();
      boss.expect(/status of 400/);
      await boss.button("Delete the role", one).click();
      await boss.button("Delete the role", asks(boss)).click();
      await boss.sees(asks(boss).getByText("take it from everybody first"));
      await boss.button("Cancel", asks(boss)).click();
      await boss.button("Take it away from Otto", one).click();
      await boss.sees(one.getByText("Nobody", { exact: true }));
      await boss.button("Delete the role", one).click();
      await boss.button("Delete the role", asks(boss)).click();
      await boss.seesNot(rows(boss, "Roles").filter({ hasText: name }));
      await boss.seesNot(asks(boss));
    },
  },
  {
    name: "administration of integrations: a webhook in is ready to copy, its token is shown once",
    shows: [64],
    async run(stage) {
      const boss = await administrator(stage, "/admin/integrations", "Integrations");
      const { page } = boss;
      const otto = await stage.account("Otto");
      const room = await stage.room(otto);
      await boss.button("New incoming").click();
      const make = dialog(boss, "New incoming");
      await make.getByLabel("Name", { exact: true }).fill("Deploys");
      await make.getByLabel("Rooms").fill(`#${room.name}`);
      await make.getByLabel("Posts as").fill(otto.username);
      await boss.button("Create the integration", make).click();
      await boss.sees(asks(boss).getByText("the token is shown only this once"));
      await boss.check();
      await boss.button("Copy: Command", asks(boss)).click();
      const line = await page.evaluate(() => navigator.clipboard.readText());
      if (!/^curl -X POST http:\/\/127\.0\.0\.1:\d+\/hooks\/\w+\/\w+ /.test(line)) throw new Error(line);
      await boss.button("Send a test", asks(boss)).click();
      await boss.sees(page.getByText("The test message was posted."));
      const { messages } = await otto.api.get(`channels.messages?roomId=${room.id}`);
      if (!messages.some(({ msg }) => msg.includes("A test of the integration Deploys"))) throw new Error("no message");
      await boss.button("I have kept it").click();
      await boss.open("/admin/integrations");
      await rows(boss, "Integrations")
        .filter({ hasText: `#${room.name}` })
        .click();
      const one = dialog(boss, "Deploys");
      await boss.sees(one.getByText("can’t be shown again"));
      equal(await one.getByText("/TOKEN").count(), 1, "the placeholder");
      await one.getByRole("checkbox", { name: "Switched on" }).uncheck();
      await boss.button("Save changes", one).click();
      await boss.sees(page.getByText("Saved."));
      await boss.button("Delete the integration", one).click();
      await boss.button("Delete the integration", asks(boss)).click();
      await boss.seesNot(rows(boss, "Integrations").filter({ hasText: `#${room.name}` }));
    },
  },
  {
    name: "administration of integrations: a webhook out is tested, its calls are listed and repeated",
    shows: [64],
    async run(stage) {
      const calls = [];
      const sink = createServer((request, response) => {
        calls.push(request.url);
        request.resume();
        response.writeHead(calls.length === 1 ? 200 : 202).end();
      });
      await new Promise((resolve) => sink.listen(0, "127.0.0.1", resolve));
      try {
        await stage.admin.post("settings/SSRF_Allowlist", { value: ["127.0.0.1"] });
        const boss = await administrator(stage, "/admin/integrations/new-outgoing", "Integrations");
        const { page } = boss;
        const make = dialog(boss, "New outgoing");
        await make.getByLabel("Name", { exact: true }).fill("Watcher");
        await make.getByLabel("Rooms").fill("#general");
        await make.getByLabel("Addresses that are called").fill(`http://127.0.0.1:${sink.address().port}/seen`);
        await make.getByLabel("Signing secret").fill("a very secret secret");
        await boss.button("Create the integration", make).click();
        await boss.button("I have kept it", asks(boss)).click();
        await rows(boss, "Integrations").filter({ hasText: "Watcher" }).first().click();
        const one = dialog(boss, "Watcher");
        await boss.button("Send a test", one).click();
        await boss.sees(one.getByText("Answer 200"));
        await one
          .getByRole("button", { name: /^Repeat the call of/ })
          .first()
          .click();
        await boss.sees(one.getByText("Answer 202"));
        equal(calls, ["/seen", "/seen"], "calls");
        await looks(
          boss,
          (locale) => boss.sees(page.getByRole("dialog", { name: locale === "en" ? "Watcher" : /./ })),
          "admin-webhook",
        );
        await boss.open("/admin/integrations?locale=en");
        await rows(boss, "Integrations").filter({ hasText: "Watcher" }).first().click();
        await boss.button("Clear the log", one).click();
        await boss.button("Clear the log", asks(boss)).click();
        await boss.sees(one.getByText("No call yet."));
        await boss.button("Delete the integration", one).click();
        await boss.button("Delete the integration", asks(boss)).click();
        await boss.seesNot(asks(boss));
      } finally {
        sink.close();
      }
    },
  },
  {
    name: "administration of applications: made, its secret shown once, deleted",
    shows: [],
    async run(stage) {
      const boss = await administrator(stage, "/admin/apps", "Applications");
      const { page } = boss;
      const name = fresh("app");
      await boss.button("New application").click();
      const make = dialog(boss, "New application");
      await make.getByLabel("Name", { exact: true }).fill(name);
      await make.getByLabel("Addresses to come back to").fill("https://app.example/callback");
      await boss.button("Create the application", make).click();
      await boss.sees(asks(boss).getByText("shown only this once"));
      await boss.check();
      await boss.button("Copy: Client secret", asks(boss)).click();
      equal((await page.evaluate(() => navigator.clipboard.readText())).length > 20, true, "a secret");
      await boss.button("I have kept it", asks(boss)).click();
      await rows(boss, "Applications").filter({ hasText: name }).click();
      const one = dialog(boss, name);
      await boss.sees(one.getByRole("heading", { name: "Client ID" }));
      equal(await one.getByRole("heading", { name: "Client secret" }).count(), 0, "the secret shown again");
      await looks(boss, () => boss.sees(page.getByRole("dialog", { name })), "admin-apps");
      await boss.open("/admin/apps?locale=en");
      await rows(boss, "Applications").filter({ hasText: name }).click();
      await boss.button("Delete the application", one).click();
      await boss.button("Delete the application", asks(boss)).click();
      await boss.seesNot(rows(boss, "Applications").filter({ hasText: name }));
    },
  },
  {
    name: "administration of invites: a link is made, brings somebody in, and is revoked",
    shows: [60],
    async run(stage) {
      const room = await stage.room({ api: stage.admin, username: "boss" }, [], { name: fresh("door") });
      const boss = await administrator(stage, "/admin/invites", "Invites");
      const { page } = boss;
      await boss.button("New invite").click();
      const make = dialog(boss, "New invite");
      await pick(boss, "Room", room.name, make);
      await make.getByLabel("Works for").selectOption("1 day");
      await boss.button("Create the link", make).click();
      await boss.sees(make.getByText("Whoever opens this link joins the room."));
      await boss.check();
      await boss.button("Copy: Invite link", make).click();
      const link = await page.evaluate(() => navigator.clipboard.readText());
      await boss.button("Close", make).last().click();
      const ana = await stage.person("Ana", { path: new URL(link).pathname });
      await ana.sees(ana.row(room.name));
      await page.reload();
      const row = page.getByRole("list", { name: "Invites" }).getByRole("listitem").filter({ hasText: room.name });
      await boss.sees(row.getByText(/used once/));
      await looks(boss, titled(boss), "admin-invites");
      await boss.open("/admin/invites?locale=en");
      await row.getByRole("button", { name: /^Revoke/ }).click();
      await boss.button("Revoke", asks(boss)).click();
      await boss.seesNot(row);
      const bob = await stage.person("Bob", { path: null });
      bob.expect(/status of 400/);
      await bob.open(new URL(link).pathname);
      await bob.seesNot(bob.row(room.name));
    },
  },
  {
    name: "administration of emoji: added, used, renamed, deleted",
    shows: [39],
    async run(stage) {
      const boss = await administrator(stage, "/admin/emoji/new", "Custom emoji");
      const { page } = boss;
      const name = fresh("party");
      const make = dialog(boss, "New emoji");
      await make.getByLabel("Name", { exact: true }).fill(name);
      await make.getByLabel("Picture").setInputFiles({ name: "party.png", mimeType: "image/png", buffer: PNG });
      await boss.button("Add the emoji", make).click();
      await boss.sees(page.getByText("Saved."));
      await page.getByLabel("Find by name").fill(name);
      await boss.sees(page.getByText("1 emoji", { exact: true }));
      const served = await fetch(`${stage.url}/emoji-custom/${name}.png`);
      equal(served.headers.get("content-type"), "image/png", "the picture");
      await looks(boss, titled(boss), "admin-emoji");
      await boss.open("/admin/emoji?locale=en");
      await page.getByLabel("Find by name").fill(name);
      await rows(boss, "Custom emoji").first().click();
      const one = dialog(boss, `:${name}:`);
      await one.getByLabel("Other names").fill(`${name}too`);
      await boss.button("Save changes", one).click();
      await boss.sees(rows(boss, "Custom emoji").filter({ hasText: `:${name}too:` }));
      await rows(boss, "Custom emoji").first().click();
      await boss.button("Delete", one).click();
      await boss.sees(asks(boss).getByText("can’t be undone"));
      await boss.button("Delete", asks(boss)).click();
      await boss.sees(page.getByText("No custom emoji yet, or none fits this."));
    },
  },
  {
    name: "administration of reports: dismissed, messages deleted, the account switched off",
    shows: [60],
    async run(stage) {
      const rude = await stage.account("Rudolf");
      const witness = await stage.account("Wanda");
      const room = await stage.room(witness, [rude]);
      const [first, second] = [await rude.api.say(room.id, "mild words"), await rude.api.say(room.id, "rude words")];
      for (const { _id } of [first, second])
        await witness.api.post("chat.reportMessage", { messageId: _id, description: "not nice" });
      const boss = await administrator(stage, "/admin/reports", "Reports");
      const { page } = boss;
      await rows(boss, "Reports").filter({ hasText: "Rudolf" }).first().click();
      const one = dialog(boss, "Reports of Rudolf");
      await boss.sees(one.getByText("Wanda: “not nice”").first());
      await boss.button("Dismiss the reports of: mild words", one).click();
      await boss.seesNot(one.getByText("mild words"));
      await looks(boss, () => boss.sees(page.getByRole("dialog").getByRole("listitem")), "admin-reports");
      await boss.open("/admin/reports?locale=en");
      await rows(boss, "Reports").filter({ hasText: "Rudolf" }).first().click();
      await boss.button("Delete the messages", one).click();
      await boss.sees(asks(boss).getByText("disappear from their rooms"));
      await boss.button("Delete the messages", asks(boss)).click();
      await boss.seesNot(asks(boss));
      const { messages } = await witness.api.get(`channels.messages?roomId=${room.id}`);
      equal(
        messages.filter(({ msg }) => /words/.test(msg)).map(({ msg }) => msg),
        ["mild words"],
        "messages",
      );
      await witness.api.post("moderation.reportUser", { userId: rude.id, description: "again" });
      await page.getByLabel("Reported").selectOption("People");
      await rows(boss, "Reports").filter({ hasText: "Rudolf" }).first().click();
      await boss.sees(one.getByText("Wanda: “again”"));
      await boss.button("Deactivate the account", one).click();
      await boss.button("Deactivate the account", asks(boss)).click();
      await boss.seesNot(asks(boss));
      const { user } = await stage.admin.get(`users.info?userId=${rude.id}`);
      equal(user.active, false, "active");
    },
  },
  {
    name: "administration: the log says who did what, narrowed by kind and word",
    shows: [65],
    async run(stage) {
      const name = fresh("logged");
      await stage.admin.post("users.create", { name, username: name, email: `${name}@example.org` });
      const boss = await administrator(stage, "/admin/audit", "Audit log");
      const { page } = boss;
      await page.getByLabel("Find in the log").fill(name);
      await boss.sees(page.getByText("1 entry", { exact: true }));
      await boss.sees(page.getByRole("list", { name: "Audit log" }).getByText("Account made"));
      await page.getByLabel("Kind").selectOption("Settings");
      await boss.sees(page.getByText("Nothing is written down that fits this."));
      await page.getByLabel("Kind").selectOption("Accounts");
      await page.getByLabel("Until").fill("2020-01-01");
      await boss.sees(page.getByText("Nothing is written down that fits this."));
      await page.getByLabel("Until").fill("");
      await page.getByLabel("Find in the log").fill("");
      await boss.sees(page.getByRole("list", { name: "Audit log" }).getByRole("listitem"));
      await looks(boss, () => boss.sees(page.getByRole("listitem").filter({ hasText: "@boss" })), "admin-audit");
    },
  },
  {
    name: "administration: health and the commands at the machine",
    shows: [65],
    async run(stage) {
      const boss = await administrator(stage, "/admin/health", "Health");
      const { page } = boss;
      await boss.sees(page.getByText("The server answers."));
      await boss.sees(page.getByText("Live connections", { exact: true }));
      await boss.sees(page.getByText(/^(SQLite|PostgreSQL)$/));
      for (const fact of ["Version of Parlor", "Waiting for the database", "Stored on the server", "Last backup"])
        await boss.sees(page.getByText(fact, { exact: true }));
      await boss.button("Refresh").click();
      await looks(boss, () => boss.sees(page.getByRole("heading", { level: 2 })), "admin-health");
      await boss.open("/admin/data?locale=en");
      await boss.sees(page.getByRole("heading", { name: "Backups", exact: true }));
      await boss.button("Copy: Backup to another place").click();
      equal(
        await page.evaluate(() => navigator.clipboard.readText()),
        "parlor backup /var/backups/parlor-$(date +%F)",
        "the command",
      );
      await looks(boss, () => boss.sees(page.getByRole("heading", { level: 2 })), "admin-data");
    },
  },
];
