// First run and signing in.
import { Post } from "../post.mjs";
import { ADMIN, Api, Server } from "../server.mjs";
import { equal, Stage, until } from "../stage.mjs";
import { totp } from "../totp.mjs";

async function signIn(person, { username, password }) {
  await person.page.getByLabel("User name or e-mail").fill(username);
  await person.page.getByLabel("Password", { exact: true }).fill(password);
  await person.page.getByRole("button", { name: "Sign in" }).click();
}

export default [
  {
    name: "a lost password is renewed by the link of a letter, and an address proved by another",
    shows: [],
    async run({ browser }) {
      const post = await Post.open();
      const server = await Server.start({
        env: { MAIL_URL: post.url, OVERWRITE_SETTING_From_Email: "Parlor <chat@example.org>" },
      });
      const stage = new Stage(browser, server, await Api.login(server.url, ADMIN.username, ADMIN.password));
      try {
        const ana = await stage.account("Ana");
        const person = await stage.visitor();
        const { page } = person;
        person.expect(/status of 40[01]/);
        await person.open("/login");
        await page.getByRole("link", { name: "Forgot your password?" }).click();
        await page.getByLabel("E-mail").fill(`${ana.username}@example.org`);
        await person.button("Send me a mail").click();
        await person.sees(page.getByRole("status").filter({ hasText: "a mail is on its way" }));
        await until("the letter came", () => post.link("/reset-password/"));
        await person.open(post.link("/reset-password/"));
        await person.check();
        await person.shot("reset");
        await page.getByLabel("New password").fill("a fresh word 9");
        await person.button("Change the password").click();
        await person.sees(person.row("general"));
        // Good once.
        const other = await stage.visitor({ phone: true });
        other.expect(/status of 40[01]/);
        await other.open(post.link("/reset-password/"));
        await other.page.getByLabel("New password").fill("an older word 9");
        await other.button("Change the password").click();
        await other.sees(other.page.getByRole("alert").filter({ hasText: "not good any more" }));
        const again = await Api.login(server.url, ana.username, "a fresh word 9");
        await again.post("users.sendConfirmationEmail", { email: `${ana.username}@example.org` }).catch(() => null);
        await other.open("/verify-email/guess");
        await other.sees(other.page.getByRole("alert").filter({ hasText: "not good any more" }));
        await stage.admin.post("users.update", { userId: ana.id, data: { verified: false } });
        await again.post("users.sendConfirmationEmail", { email: `${ana.username}@example.org` });
        await until("the second letter came", () => post.link("/verify-email/"));
        await other.open(post.link("/verify-email/"));
        await other.sees(other.page.getByRole("status").filter({ hasText: "address is verified" }));
        await stage.finish();
      } finally {
        await stage.close();
        await server.stop();
        post.close();
      }
    },
  },
  {
    name: "a fresh server is set up in three steps, and never again",
    shows: [1, 2],
    async run(stage) {
      const fresh = await Server.start({ fresh: true });
      try {
        const ada = await stage.visitor();
        // The server of this journey ends before its pages do.
        ada.expect(/WebSocket connection|ERR_CONNECTION_REFUSED/);
        const { page } = ada;
        await page.goto(fresh.url);
        await ada.sees(page.getByRole("heading", { name: "Administrator" }));
        await ada.check();
        await ada.shot("setup");
        await page.getByLabel("Your name").fill("Ada");
        await page.getByLabel("User name").fill("ada");
        await page.getByLabel("E-mail").fill("ada@example.org");
        await page.getByLabel("Password", { exact: true }).fill("a good password 1");
        await ada.button("Continue").click();
        await ada.sees(page.getByRole("heading", { name: "Organisation" }));
        await page.getByLabel("Name of your organisation").fill("Analytical Society");
        await ada.button("Continue").click();
        await ada.sees(page.getByRole("heading", { name: "First rooms" }));
        await page.getByRole("checkbox", { name: "#random" }).uncheck();
        await ada.button("Finish").click();
        await ada.sees(ada.message("Welcome to Analytical Society!"));
        await ada.sees(ada.message("Invite people with this link"));
        await ada.sees(ada.row("announcements"));
        await page.goto(`${fresh.url}/setup`);
        await until("the set-up is closed", () => !page.url().includes("/setup"));
        const other = await stage.visitor();
        await other.page.goto(`${fresh.url}/setup`);
        await other.sees(other.page.getByRole("heading", { name: "Sign in" }));
      } finally {
        await fresh.stop();
      }
    },
  },
  {
    name: "signing in: a wrong password keeps the name, a right one leads to the message that was asked for",
    shows: [3, 5, 6],
    async run(stage) {
      const ana = await stage.account("Ana");
      const room = await stage.room(ana);
      const { _id } = await ana.api.say(room.id, "the very message");
      const person = await stage.visitor();
      const { page } = person;
      person.expect(/status of 401/);
      await page.goto(`${room.path}?msg=${_id}`);
      const name = page.getByLabel("User name or e-mail");
      const password = page.getByLabel("Password", { exact: true });
      equal(await name.getAttribute("autocomplete"), "username");
      equal(await password.getAttribute("autocomplete"), "current-password");
      await person.check();
      await signIn(person, { ...ana, password: "wrong" });
      await person.sees(page.getByRole("alert").filter({ hasText: "not right" }));
      equal(await name.inputValue(), ana.username);
      await until("the password is focused", () => password.evaluate((field) => field === document.activeElement));
      await page.evaluate((text) => navigator.clipboard.writeText(text), ana.password);
      await password.press("ControlOrMeta+v");
      await person.button("Show").click();
      equal(await password.inputValue(), ana.password, "what was pasted");
      await password.press("Enter");
      await person.sees(person.message("the very message"));
    },
  },
  {
    name: "whoever guesses too often is told until when signing in is blocked",
    shows: [5],
    async run(stage) {
      const { username } = await stage.account("Ana");
      for (let blocked = false; !blocked;)
        await Api.login(stage.url, username, "a guess").catch(
          (error) => (blocked = /login-blocked/.test(error.message)),
        );
      const person = await stage.visitor();
      person.expect(/status of 401/);
      await person.open("/login");
      await signIn(person, { username, password: "a guess" });
      await person.sees(person.page.getByRole("alert").filter({ hasText: /blocked until \d\d:\d\d/ }));
    },
  },
  {
    name: "a second factor is asked for, and six digits go off by themselves",
    shows: [4],
    async run(stage) {
      const ana = await stage.account("Tom");
      const call = async (method, ...params) => {
        const message = JSON.stringify({ msg: "method", id: "1", method, params });
        const answer = JSON.parse((await ana.api.post(`method.call/${method}`, { message })).message);
        if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
        return answer.result;
      };
      const { secret } = await call("2fa:enable");
      await call("2fa:validateTempToken", totp(secret));
      const person = await stage.visitor();
      person.expect(/status of 401/);
      await person.open("/login");
      await signIn(person, ana);
      const code = person.page.getByLabel("Six-digit code");
      await person.sees(code);
      equal(await code.getAttribute("inputmode"), "numeric");
      equal(await code.getAttribute("autocomplete"), "one-time-code");
      await person.check();
      await person.shot("second-factor");
      await code.fill("000000");
      await person.sees(person.page.getByRole("alert").filter({ hasText: "not right" }));
      // A code is good once: the one of the next half minute is still unspent.
      await code.fill(totp(secret, Date.now() + 30_000));
      await person.sees(person.inbox);
    },
  },
  {
    name: "an account is made where the workspace allows it, and what is wrong stands at its field",
    shows: [],
    async run(stage) {
      const person = await stage.visitor();
      const { page } = person;
      person.expect(/status of 400/);
      await person.open("/login");
      await page.getByRole("link", { name: "Create an account" }).click();
      await page.getByLabel("Your name").fill("New Person");
      await page.getByLabel("User name").fill("boss");
      await page.getByLabel("E-mail").fill("new@example.org");
      await page.getByLabel("Password", { exact: true }).fill("pass word 123");
      await person.check();
      await person.button("Create the account").click();
      await person.sees(page.getByText("That user name is taken."));
      await page.getByLabel("User name").fill("newcomer");
      await person.button("Create the account").click();
      await person.sees(person.row("general"));
    },
  },
  {
    name: "signing out in one tab ends the session",
    shows: [],
    async run(stage) {
      const ana = await stage.person("Ana");
      await ana.button(/account$/).click();
      await ana.page.getByRole("menuitem", { name: "Sign out" }).click();
      await ana.sees(ana.page.getByRole("heading", { name: "Sign in" }));
      const kept = await ana.page.evaluate(() => localStorage.getItem("Meteor.loginToken"));
      equal(kept, null, "the kept token");
    },
  },
];
