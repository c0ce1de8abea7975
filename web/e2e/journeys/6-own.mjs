// What somebody chooses for oneself.
import { png } from "../png.mjs";
import { totp } from "../totp.mjs";
import { equal, until } from "../stage.mjs";

/** The toast or status that says so. */
const note = (person, text) => person.page.getByRole("status").filter({ hasText: text });

async function section(person, name) {
  await person.page.getByRole("navigation", { name: "Kinds of preferences" }).getByRole("link", { name }).click();
  await person.sees(person.page.getByRole("heading", { name, level: 2 }));
}

export default [
  {
    name: "a profile: picture, status text, name; an address is changed with the password alone",
    shows: [52],
    async run(stage) {
      const ana = await stage.person("Ana");
      const ben = await stage.person("Ben", { path: null });
      const { room } = await ana.api.post("im.create", { username: ben.username });
      await ana.api.say(room.rid ?? room._id, "hello");
      await ben.open("/");
      const { page } = ana;
      ana.expect(/status of 400/);
      await ana.button(/account$/).click();
      await page.getByRole("menuitem", { name: "Preferences" }).click();
      await ana.sees(page.getByRole("heading", { name: "Profile" }));
      await ana.check();
      await ana.shot("preferences");
      const chooser = page.waitForEvent("filechooser");
      await ana.button("Choose a picture").click();
      await (await chooser).setFiles({ name: "me.png", mimeType: "image/png", buffer: png(64, 64) });
      await ana.sees(note(ana, "Your picture was changed."));
      await ana.sees(ana.button("Remove the picture"));
      await page.getByLabel("Presence").selectOption({ label: "Busy" });
      await page.getByLabel("What you are doing").fill("On the line 4");
      await page.getByLabel("Clear it").selectOption({ label: "After one hour" });
      await ana.button("Set the status").click();
      await ana.sees(note(ana, "Your status was set."));
      // The other side sees the shape with its name, and the text.
      await ben.row("Ana").click();
      await ben.sees(ben.page.getByRole("main").getByText("On the line 4"));
      await ben.sees(ben.page.getByRole("img", { name: "Busy" }));
      await page.getByLabel("Name", { exact: true }).fill("Ana Lovelace");
      await page.getByLabel("E-mail", { exact: true }).fill(`new-${ana.username}@example.org`);
      await page.getByLabel("Current password").fill("not it");
      await ana.button("Save").click();
      await ana.sees(page.getByText("The password is not right."));
      await page.getByLabel("Current password").fill(ana.password);
      await ana.button("Save").click();
      await ana.sees(note(ana, "Your profile was saved."));
      const { name, emails } = await ana.api.get("me");
      equal([name, emails[0].address], ["Ana Lovelace", `new-${ana.username}@example.org`]);
    },
  },
  {
    name: "theme, density and language are in force at once, and the account keeps them",
    shows: [58],
    async run(stage) {
      const ana = await stage.person("Ana", { path: "/settings/look" });
      const { page } = ana;
      await page.getByLabel("Theme").selectOption({ label: "Dark" });
      await page.getByLabel("Density").selectOption({ label: "Compact" });
      equal(await page.evaluate(() => ({ ...document.documentElement.dataset })), {
        theme: "dark",
        density: "compact",
      });
      await ana.check();
      await page.getByLabel("Language").selectOption({ label: "Français" });
      await ana.sees(page.getByRole("heading", { name: "Apparence et langue" }));
      equal(await page.evaluate(() => document.documentElement.lang), "fr");
      await ana.check();
      await until("the account knows it", async () => {
        const { settings } = await ana.api.get("me");
        return settings.preferences.language === "fr" && settings.preferences.themeAppearence === "dark";
      });
      await page.reload();
      await ana.sees(page.getByRole("heading", { name: "Apparence et langue" }));
      await page.getByLabel("Thème").selectOption({ label: "Contraste élevé" });
      await ana.check();
    },
  },
  {
    name: "what one is told of: in general, by keyword, in quiet hours, and for one room",
    shows: [47, 48],
    async run(stage) {
      const ana = await stage.person("Ana", { path: null });
      const ben = await stage.account("Ben");
      const room = await stage.room(ana, [ben]);
      await ana.context.grantPermissions(["notifications"]);
      await ana.page.addInitScript(() => {
        window.told = [];
        const Real = window.Notification;
        window.Notification = class {
          static permission = "granted";
          static requestPermission = () => Promise.resolve("granted");
          constructor(title, options) {
            window.told.push(options.body);
          }
          close() {}
        };
        window.Notification.prototype.real = Real;
        document.hasFocus = () => false;
      });
      await ana.open("/settings/notifications");
      const { page } = ana;
      const told = () => page.evaluate(() => window.told);
      await ana.sees(page.getByText("Notifications are on in this browser."));
      await ana.check();
      await ana.shot("notifications");
      await page.getByLabel("On the screen").selectOption({ label: "Mentions and direct messages" });
      await ana.sees(note(ana, "Saved."));
      await page.getByLabel("Keyword", { exact: true }).fill("tramway");
      await ana.button("Add the keyword").click();
      await ana.sees(ana.button("Remove tramway"));
      await until("the keyword is kept", async () =>
        ((await ana.api.get("me")).settings.preferences.highlights ?? []).includes("tramway"),
      );
      await ben.api.say(room.id, "nothing of note");
      await ben.api.say(room.id, "the Tramway is late");
      await until("the keyword was told of", async () => (await told()).some((text) => /Tramway/.test(text)));
      equal(
        (await told()).some((text) => /of note/.test(text)),
        false,
        "told of the rest",
      );
      // The whole day is quiet.
      await page.getByLabel("Keep quiet hours").check();
      await page.getByLabel("From").fill("00:00");
      await page.getByLabel("Until").fill("23:59");
      await until("the quiet hours are kept", async () => {
        const { quietFrom, quietUntil } = (await ana.api.get("me")).settings.preferences;
        return quietFrom === "00:00" && quietUntil === "23:59";
      });
      await ben.api.say(room.id, "tramway in the quiet");
      await page.getByLabel("Keep quiet hours").uncheck();
      await until("the quiet hours are over", async () => !(await ana.api.get("me")).settings.preferences.quietFrom);
      // One room differs.
      await ana.open(room.path);
      await ana.button("More about this room").click();
      await page.getByRole("menuitem", { name: "Notifications" }).click();
      await page.getByLabel("On the screen").selectOption({ label: "All messages" });
      await until("the room's choice is kept", async () => {
        const { subscription } = await ana.api.get(`subscriptions.getOne?roomId=${room.id}`);
        return subscription.desktopNotifications === "all";
      });
      await ben.api.say(room.id, "now everything is told");
      await until("everything is told", async () => (await told()).some((text) => /now everything/.test(text)));
      equal(
        (await told()).some((text) => /in the quiet/.test(text)),
        false,
        "told in quiet hours",
      );
      await ana.open("/settings/notifications");
      await ana.sees(page.getByRole("link", { name: `Change the notifications of ${room.name}` }));
    },
  },
  {
    name: "a second factor is set up by picture or key, with recovery codes that sign in once",
    shows: [4],
    async run(stage) {
      const ana = await stage.person("Ana", { path: "/settings/security" });
      const { page } = ana;
      ana.expect(/status of 40[01]/);
      await ana.button("Set it up").click();
      await ana.sees(page.getByRole("img", { name: "Code for the authenticator app" }));
      const secret = await page.getByRole("code").first().innerText();
      await ana.check();
      await ana.shot("second-factor-setup");
      await page.getByLabel("Six-digit code").fill("000000");
      await ana.button("Turn it on").click();
      await ana.sees(page.getByText("That code is not right."));
      await page.getByLabel("Six-digit code").fill(totp(secret));
      await ana.button("Turn it on").click();
      const codes = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
      await ana.sees(codes);
      const [first] = await codes.allInnerTexts();
      await ana.button("I kept them").click();
      await ana.sees(page.getByText(/\d+ recovery codes are left/));
      const visitor = await stage.visitor();
      visitor.expect(/status of 401/);
      await visitor.open("/login");
      await visitor.page.getByLabel("User name or e-mail").fill(ana.username);
      await visitor.page.getByLabel("Password", { exact: true }).fill(ana.password);
      await visitor.page.getByRole("button", { name: "Sign in" }).click();
      await visitor.button("Use a recovery code").click();
      await visitor.page.getByLabel("Recovery code").fill(first);
      await visitor.button("Continue").click();
      await visitor.sees(visitor.inbox);
      await ana.button("Turn it off").click();
      await page.getByLabel("Code", { exact: true }).fill(totp(secret, Date.now() + 30_000));
      await ana.button("Turn it off").click();
      await ana.sees(ana.button("Set it up"));
    },
  },
  {
    name: "sessions are listed and ended; a new password ends the others; a token is shown once",
    shows: [7],
    async run(stage) {
      const ana = await stage.person("Ana", { path: "/settings/security" });
      const { page } = ana;
      ana.expect(/status of 40[01]/);
      const other = await stage.visitor({ phone: true });
      other.expect(/status of 401/);
      await other.open("/login");
      await other.page.getByLabel("User name or e-mail").fill(ana.username);
      await other.page.getByLabel("Password", { exact: true }).fill(ana.password);
      await other.page.getByRole("button", { name: "Sign in" }).click();
      await other.sees(other.inbox);
      await page.reload();
      await ana.sees(page.getByText("this one"));
      await ana.sees(page.getByText(/^last used /));
      await ana.check();
      await ana.button("Sign out everywhere else").click();
      await other.sees(other.page.getByRole("heading", { name: "Sign in" }));
      await page.getByLabel("Current password").fill("not it");
      await page.getByLabel("New password").fill("another word 22");
      await ana.button("Change the password").click();
      await ana.sees(page.getByText("The password is not right."));
      await page.getByLabel("Current password").fill(ana.password);
      await ana.button("Change the password").click();
      await ana.sees(note(ana, "Your password was changed."));
      await section(ana, "Access tokens");
      await page.getByLabel("What it is for").fill("nightly report");
      await ana.button("Make the token").click();
      // Whoever made an account long ago is asked who is there; a fresh one is not.
      const token = await page.getByRole("code").first().innerText();
      await ana.check();
      const headers = { "X-Auth-Token": token, "X-User-Id": ana.id };
      const answer = await fetch(`${stage.url}/api/v1/me`, { headers });
      equal(answer.status, 200, "what the token opens");
      await page.reload();
      await ana.sees(ana.button("Remove nightly report"));
      equal(await page.getByText(token).count(), 0, "the token after a reload");
      await ana.button("Remove nightly report").click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await ana.sees(page.getByText("None yet."));
      equal((await fetch(`${stage.url}/api/v1/me`, { headers })).status, 401, "the removed token");
    },
  },
  {
    name: "preferences on a phone, in French",
    shows: [57],
    async run(stage) {
      const ana = await stage.person("Ana", { phone: true, locale: "fr-FR", path: "/settings/profile" });
      await ana.sees(ana.page.getByRole("heading", { name: "Profil" }));
      for (const section of ["look", "notifications", "security", "tokens"]) {
        await ana.open(`/settings/${section}`);
        await ana.sees(ana.page.getByRole("heading", { level: 2 }));
        equal(await ana.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "it fits");
        await ana.check();
        await ana.shot(`phone-${section}`);
      }
    },
  },
  {
    name: "sections of the list of rooms, closed and opened, which another device knows too",
    shows: [9],
    async run(stage) {
      const ana = await stage.person("Ana", { path: null });
      const ben = await stage.account("Ben");
      const room = await stage.room(ana, [ben]);
      const secret = await stage.room(ana, [ben], { group: true });
      await ana.open("/settings/look");
      await ana.page.getByLabel("A section for each kind of room").check();
      const head = (name) => ana.inbox.getByRole("button", { name });
      await ana.sees(head(/^Private rooms/));
      await ana.sees(ana.row(secret.name));
      await head(/^Private rooms/).press("Enter");
      await ana.seesNot(ana.row(secret.name));
      await ana.sees(ana.row(room.name));
      await ben.api.say(secret.id, "psst");
      await ana.sees(head(/^Private rooms 1 unread/));
      await ana.check();
      await until("the account knows it", async () => {
        const { inboxClosed = [] } = (await ana.api.get("me")).settings.preferences;
        return inboxClosed.includes("groups");
      });
      await ana.page.reload();
      await ana.sees(head(/^Private rooms/));
      equal(await ana.row(secret.name).count(), 0, "rooms in the closed section");
      await head(/^Private rooms/).click();
      await ana.sees(ana.row(secret.name));
    },
  },
];
