// Administration: people and rooms; who may not see it.
import { readFileSync } from "node:fs";
import { looks } from "../looks.mjs";
import { equal, until } from "../stage.mjs";
import { Api } from "../server.mjs";

const PAGES = [
  "users",
  "rooms",
  "roles",
  "roles/list",
  "roles/room",
  "roles/explain",
  "settings",
  "integrations",
  "invites",
  "emoji",
  "reports",
  "audit",
  "health",
  "data",
];

/** The rows of a long list. */
const rows = (person, name) => person.page.getByRole("list", { name }).getByRole("link");
const dialog = (person, name) => person.page.getByRole("dialog", { name });
const asks = (person) => person.page.getByRole("alertdialog");

async function administrator(stage, path, heading) {
  const person = await stage.person("boss", { admin: true, path });
  await person.sees(person.page.getByRole("heading", { name: heading, level: 1 }));
  return person;
}

export default [
  {
    name: "administration is not shown to a plain member, wherever the door is tried",
    shows: [],
    async run(stage) {
      const ana = await stage.person("Ana");
      await ana.button(/account$/).click();
      await ana.sees(ana.page.getByRole("menuitem", { name: "Sign out" }));
      equal(await ana.page.getByRole("menuitem", { name: "Administration" }).count(), 0, "items");
      await ana.page.keyboard.press("Escape");
      for (const page of ["", ...PAGES.map((one) => `/${one}`)]) {
        await ana.open(`/admin${page}`);
        await ana.sees(ana.page.getByRole("heading", { name: "This is not open to you" }));
        equal(await ana.page.getByRole("navigation", { name: "Administration" }).count(), 0, "navigation");
      }
      await ana.page.getByRole("link", { name: "Back to the chat" }).last().click();
      await ana.sees(ana.page.getByRole("heading", { name: "Welcome" }));
    },
  },
  {
    name: "administration of users: made, found, changed, given roles, switched off and on",
    shows: [60],
    async run(stage) {
      const boss = await administrator(stage, "/", "Welcome");
      const { page } = boss;
      await boss.button(/account$/).click();
      await page.getByRole("menuitem", { name: "Administration" }).click();
      await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "Users" }).click();
      await boss.sees(page.getByRole("heading", { name: "Users", level: 1 }));
      await boss.button("New user").click();
      const make = dialog(boss, "New user");
      const username = `newcomer${Date.now() % 1_000_000}`;
      await make.getByLabel("Name", { exact: true }).fill("Nora Newcomer");
      await make.getByLabel("User name").fill("boss");
      await make.getByLabel("E-mail", { exact: true }).fill(`${username}@example.org`);
      await make.getByLabel("Password", { exact: true }).fill("pass word 123");
      await make.getByRole("checkbox", { name: /new password must be chosen/ }).uncheck();
      boss.expect(/status of 400/);
      await boss.button("Create the user", make).click();
      await boss.sees(make.getByText("This user name is taken or not valid."));
      await make.getByLabel("User name").fill(username);
      await boss.button("Create the user", make).click();
      const nora = dialog(boss, "Nora Newcomer");
      await boss.sees(nora);
      await boss.check();
      // What is changed is in force.
      await nora.getByLabel("Nickname").fill("No");
      await nora.getByRole("checkbox", { name: "moderator" }).count();
      await nora.getByRole("checkbox", { name: "guest" }).check();
      await boss.button("Save changes", nora).click();
      await boss.sees(page.getByText("Saved."));
      const api = await Api.login(stage.url, username, "pass word 123");
      equal(api.me.roles.sort(), ["guest", "user"], "roles");
      await boss.button("Deactivate", nora).click();
      await boss.sees(asks(boss).getByText("They are signed out at once"));
      await boss.check();
      await boss.button("Deactivate", asks(boss)).click();
      await boss.sees(nora.getByRole("button", { name: "Activate", exact: true }));
      await api.get("me").then(
        () => Promise.reject(new Error("a deactivated account still reads")),
        () => undefined,
      );
      await page.keyboard.press("Escape");
      await page.getByLabel("State").selectOption("Deactivated");
      await page.getByLabel("Find users").fill(username);
      await boss.sees(page.getByText("1 user", { exact: true }));
      await rows(boss, "Users").first().press("Enter");
      await boss.button("Activate", nora).click();
      await boss.button("Activate", asks(boss)).click();
      await boss.sees(nora.getByRole("button", { name: "Deactivate", exact: true }));
      await Api.login(stage.url, username, "pass word 123");
      await page.keyboard.press("Escape");
      await boss.sees(page.getByText("Nobody fits this."));
    },
  },
  {
    name: "administration of users: signed out everywhere, second factor reset, deleted with the messages kept",
    shows: [60],
    async run(stage) {
      const other = await stage.account("Vera");
      const room = await stage.room(other);
      await stage.admin.post("channels.join", { roomId: room.id });
      await stage.admin.post("channels.addOwner", { roomId: room.id, userId: stage.admin.session.userId });
      await other.api.say(room.id, "words that outlive their writer");
      const boss = await administrator(stage, `/admin/users/${other.id}`, "Users");
      const { page } = boss;
      const vera = dialog(boss, "Vera");
      boss.expect(/status of (400|401)/);
      await boss.button("Sign out everywhere", vera).click();
      await boss.button("Sign out everywhere", asks(boss)).click();
      await boss.sees(page.getByText("Done.").first());
      await other.api.get("me").then(
        () => Promise.reject(new Error("the session still counts")),
        () => undefined,
      );
      await boss.button("Reset two-factor", vera).click();
      await boss.button("Reset two-factor", asks(boss)).click();
      const proof = dialog(boss, "Is it you?");
      await proof.getByLabel("Password", { exact: true }).fill(boss.password);
      await boss.button("Continue", proof).click();
      await boss.seesNot(asks(boss));
      await boss.button("Delete the account", vera).click();
      await asks(boss).getByLabel("What becomes of the messages").selectOption("They stay, with the name");
      await boss.sees(asks(boss).getByText("They go on to be shown as written by Vera."));
      await boss.check();
      await boss.button("Delete the account", asks(boss)).click();
      await boss.sees(page.getByText("The account is deleted."));
      await page.getByLabel("Find users").fill(other.username);
      await boss.sees(page.getByText("Nobody fits this."));
      await boss.open(room.path);
      await boss.sees(boss.message("words that outlive their writer"));
    },
  },
  {
    name: "administration of users: several are chosen and switched off at once, and it is taken back",
    shows: [60],
    async run(stage) {
      const lot = `bulk${Date.now() % 1_000_000}`;
      const people = [await stage.account(`${lot} one`), await stage.account(`${lot} two`)];
      const boss = await administrator(stage, "/admin/users", "Users");
      const { page } = boss;
      await page.getByLabel("Find users").fill(lot);
      await boss.sees(page.getByText("2 users", { exact: true }));
      for (const { name } of people) await page.getByRole("checkbox", { name: `Choose ${name}` }).check();
      await boss.sees(page.getByText("2 users chosen"));
      await boss.check();
      await boss.button("Deactivate").click();
      await boss.button("Deactivate", asks(boss)).click();
      await boss.sees(page.getByText("2 accounts were deactivated."));
      const active = () =>
        Promise.all(people.map(async ({ id }) => (await stage.admin.get(`users.info?userId=${id}`)).user.active));
      equal(await active(), [false, false], "active");
      await boss.button("Undo").click();
      await boss.sees(page.getByText("2 accounts were activated."));
      equal(await active(), [true, true], "active");
      // A role for all of them: who has it already is left out.
      await stage.admin.post("roles.addUserToRole", { roleId: "guest", username: people[0].username });
      await page.getByLabel("State").selectOption("Active");
      await boss.sees(page.getByText("2 users", { exact: true }));
      for (const { name } of people) await page.getByRole("checkbox", { name: `Choose ${name}` }).check();
      await boss.button("Give a role").click();
      await asks(boss).getByLabel("Role").selectOption("guest");
      await boss.sees(asks(boss).getByRole("heading", { name: "Give 1 person the role guest?" }));
      await boss.check();
      await boss.button("Give a role", asks(boss)).click();
      await boss.sees(page.getByText("1 person was given the role guest."));
      const roles = async () =>
        (await Promise.all(people.map(({ id }) => stage.admin.get(`users.info?userId=${id}`)))).map(({ user }) =>
          user.roles.includes("guest"),
        );
      equal(await roles(), [true, true], "guests");
      await boss.button("Undo").click();
      await boss.sees(page.getByText("The role guest was taken from 1 person."));
      equal(await roles(), [true, false], "guests");
    },
  },
  {
    name: "administration of users: a long list is one stop of Tab, arrows go within, in all looks",
    shows: [60],
    async run(stage) {
      const lot = `lot${Date.now() % 1_000_000}x`;
      const names = Array.from({ length: 120 }, (_, at) => `${lot}${String(at).padStart(3, "0")}`);
      for (let at = 0; at < names.length; at += 20) {
        await Promise.all(
          names
            .slice(at, at + 20)
            .map((username) =>
              stage.admin.post("users.create", { username, name: username, email: `${username}@example.org` }),
            ),
        );
      }
      const boss = await administrator(stage, "/admin/users", "Users");
      const { page } = boss;
      await page.getByLabel("Find users").fill(lot);
      await boss.sees(page.getByText("120 users", { exact: true }));
      await boss.sees(rows(boss, "Users").filter({ hasText: `@${lot}000` }));
      await page.getByLabel("Order").focus();
      await page.keyboard.press("Tab");
      const focused = () => page.evaluate(() => document.activeElement?.closest("a")?.textContent ?? "");
      await until("the first row has the focus", async () => (await focused()).includes(`@${lot}000`));
      await page.keyboard.press("ArrowDown");
      await until("the second row has the focus", async () => (await focused()).includes(`@${lot}001`));
      await page.keyboard.press("End");
      await until("the last row has the focus", async () => (await focused()).includes(`@${lot}119`));
      const held = await rows(boss, "Users").count();
      if (held > 60) throw new Error(`${held} rows at once: the list is not virtual`);
      await page.keyboard.press("Home");
      await until("the first row again", async () => (await focused()).includes(`@${lot}000`));
      await looks(boss, (locale) => boss.sees(rows(boss, locale === "fr" ? "Utilisateurs" : /./)), "admin-users");
    },
  },
  {
    name: "administration of rooms: changed, archived and deleted without being in them",
    shows: [61],
    async run(stage) {
      const owner = await stage.account("Otto");
      const member = await stage.account("Mia");
      const room = await stage.room(owner, [member], { group: true });
      const boss = await administrator(stage, "/admin/rooms", "Rooms");
      const { page } = boss;
      await page.getByLabel("Find rooms").fill(room.name);
      await page.getByLabel("Kind").selectOption("Private group");
      await boss.sees(page.getByText("1 room", { exact: true }));
      await rows(boss, "Rooms").first().click();
      const one = dialog(boss, room.name);
      await one.getByLabel("Topic").fill("Kept tidy from outside");
      await boss.button("Save changes", one).click();
      await boss.sees(page.getByText("Saved."));
      const info = await owner.api.get(`rooms.info?roomId=${room.id}`);
      equal(info.room.topic, "Kept tidy from outside", "topic");
      // Members are looked after without being one.
      await boss.button("Actions for Mia", one).click();
      await page.getByRole("menuitem", { name: "Make moderator" }).click();
      await boss.sees(one.getByRole("listitem").filter({ hasText: "Mia" }).getByText("Moderator"));
      await boss.button("Actions for Mia", one).click();
      await page.getByRole("menuitem", { name: "Make owner" }).click();
      await boss.sees(one.getByRole("listitem").filter({ hasText: "Mia" }).getByText("Owner"));
      await boss.check();
      // How long its messages stay.
      await one.getByLabel("A rule of its own").check();
      await one.getByLabel("Remove old messages").check();
      await one.getByLabel("Days").fill("90");
      await one.getByLabel("Pinned messages stay").check();
      await boss.check();
      await boss.button("Save the rule", one).click();
      await until("the rule is kept", async () => {
        const { retention } = await stage.admin.get(`rooms.adminRooms.getRoom?rid=${room.id}`);
        return retention?.overrideGlobal && retention.maxAge === 90 && retention.excludePinned;
      });
      await boss.sees(one.getByText("A private room is exported by one of its members."));
      await boss.button("Archive", one).click();
      await boss.sees(asks(boss).getByText("Nobody can write there any more"));
      await boss.button("Archive", asks(boss)).click();
      await boss.sees(one.getByRole("button", { name: "Unarchive" }));
      await boss.button("Delete the room", one).click();
      await boss.sees(asks(boss).getByText("the membership of 2 people"));
      await boss.check();
      await boss.button("Delete the room", asks(boss)).click();
      await boss.sees(page.getByText("The room is deleted."));
      await boss.sees(page.getByText("No room fits this."));
    },
  },
  {
    name: "administration of rooms: what was said in one is exported, and the log tells of it",
    shows: [61, 65],
    async run(stage) {
      const owner = await stage.account("Otto");
      const room = await stage.room(owner);
      await owner.api.say(room.id, "to be kept elsewhere");
      const boss = await administrator(stage, `/admin/rooms/${room.id}`, "Rooms");
      const { page } = boss;
      // Until the archive is there, its address is not.
      boss.expect(/status of 404/);
      const one = dialog(boss, room.name);
      await one.getByLabel("Format").selectOption("Data (JSON)");
      await boss.button("Make the export", one).click();
      const link = one.getByRole("link", { name: "Download the export" });
      await boss.sees(link);
      await boss.check();
      const comes = page.waitForEvent("download");
      await link.click();
      const bytes = readFileSync(await (await comes).path());
      equal(bytes.subarray(0, 2).toString(), "PK", "a ZIP archive");
      await boss.open("/admin/audit");
      await page.getByLabel("Find in the log").fill(room.id);
      await boss.sees(
        page
          .getByRole("list", { name: "Audit log" })
          .getByRole("listitem")
          .filter({ hasText: /export/i }),
      );
    },
  },
  {
    name: "administration of rooms in all looks",
    shows: [61],
    async run(stage) {
      const owner = await stage.account("Otto");
      await stage.room(owner, [], { name: `looks-${Date.now()}` });
      const boss = await administrator(stage, "/admin/rooms", "Rooms");
      await boss.sees(rows(boss, "Rooms"));
      await looks(boss, (locale) => boss.sees(rows(boss, locale === "fr" ? "Salons" : /./)), "admin-rooms");
    },
  },
  {
    name: "an administrator makes a backup, reads the log as it comes and finds past imports",
    shows: [65],
    async run(stage) {
      const boss = await administrator(stage, "/admin/data", "Backup, import, logs");
      const { page } = boss;
      await boss.sees(page.getByText("No backup was made here yet.").or(page.getByText(/^Last backup:/)));
      await boss.button("Back up now").click();
      await boss.sees(page.getByText(/^Last backup:/));
      const backups = page.getByRole("list", { name: "Backups on the server" }).getByRole("listitem");
      await boss.sees(backups.filter({ hasText: /\d file/ }));
      const log = page.getByRole("list", { name: "Log" });
      await page.getByRole("searchbox", { name: "Search" }).fill("backup was made");
      await boss.sees(log.getByRole("listitem").filter({ hasText: "a backup was made" }));
      await page.getByRole("combobox", { name: "At least" }).selectOption("Errors");
      await boss.seesNot(log.getByRole("listitem").filter({ hasText: "a backup was made" }));
      await boss.sees(page.getByText("Nothing was imported yet."));
      await looks(boss, () => boss.sees(page.getByRole("heading", { level: 1 })), "data");
    },
  },
];
