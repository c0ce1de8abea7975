// Signing in by a provider: a real OpenID issuer, in the same browser.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { ADMIN, Api, Server } from "../server.mjs";
import { equal, Stage, until } from "../stage.mjs";

/** Its packages are those of the Node clients. */
const ISSUER = new URL("../../../tests/clients/node/oidc-issuer.mjs", import.meta.url).pathname;
const SETTING = "Accounts_OAuth_Custom-Acme";

/** The issuer, with Parlor as its one client. It ends with its input. */
async function issuer(server, accounts) {
  const clients = [
    {
      client_id: "parlor",
      client_secret: "only for tests",
      scope: "openid email profile",
      redirect_uris: [`${server.url}/_oauth/acme`],
      grant_types: ["authorization_code"],
    },
  ];
  const program = spawn("node", [ISSUER, JSON.stringify(clients), JSON.stringify(accounts)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(program, "exit").then(() => Promise.reject(new Error("the issuer did not start")));
  const lines = createInterface({ input: program.stdout });
  const [url] = await Promise.race([once(lines, "line"), ended]);
  ended.catch(() => undefined);
  return { url, close: () => program.stdin.end() };
}

/** Opens the login page and goes to the provider. */
async function leaveBy(person, path = "/login") {
  // What the provider's pages fetch from elsewhere is no part of this.
  await person.context.route(/^https:/, (route) => route.fulfill({ contentType: "text/css", body: "" }));
  await person.open(path);
  await person.button("Sign in with Acme").click();
  await person.sees(person.page.getByPlaceholder(/login/i));
}

async function agreeAs(person, name) {
  const { page } = person;
  await page.getByPlaceholder(/login/i).fill(name);
  await page.getByPlaceholder(/password/i).fill("any");
  await person.button("Sign-in").click();
  await person.button("Continue").click();
}

const kept = (person) => person.page.evaluate(() => localStorage.getItem("Meteor.loginToken"));

export default [
  {
    name: "a provider signs in whom it knows, and nobody gets in whom it refuses or whose address is another's",
    shows: [],
    async run({ browser }) {
      const server = await Server.start({ env: { OVERWRITE_SETTING_SSRF_Allowlist: "127.0.0.1" } });
      const stage = new Stage(browser, server, await Api.login(server.url, ADMIN.username, ADMIN.password));
      let provider;
      try {
        const mina = await stage.account("Mina");
        const person = (name) => ({ email: `${name}@example.org`, email_verified: true, preferred_username: name });
        provider = await issuer(server, { ann: { ...person("ann"), name: "Ann Lee" }, mina: person(mina.username) });
        await stage.admin.post("settings.addCustomOAuth", { name: "acme" });
        const settings = {
          "-issuer": provider.url,
          "-id": "parlor",
          "-secret": "only for tests",
          "-button_label_text": "Acme",
          "": true,
        };
        for (const [part, value] of Object.entries(settings)) {
          await stage.admin.post(`settings/${SETTING}${part}`, { value });
        }
        const room = await stage.room(mina);
        await mina.api.say(room.id, "what the link is about");

        // In, and on to what was asked for.
        const ann = await stage.visitor();
        await leaveBy(ann, room.path);
        await agreeAs(ann, "ann");
        await ann.sees(ann.message("what the link is about"));
        const me = await ann.page.evaluate(() => localStorage.getItem("Meteor.userId"));
        const { user } = await stage.admin.get(`users.info?userId=${me}`);
        equal([user.username, user.name], ["ann", "Ann Lee"], "the account");

        // The provider says no.
        const other = await stage.visitor();
        other.expect(/status of 400/);
        await leaveBy(other);
        await other.page.getByRole("link", { name: /cancel/i }).click();
        await other.sees(other.page.getByRole("alert").filter({ hasText: "did not sign you in" }));
        equal(await kept(other), null, "the token of whom the provider refused");

        // The address is that of an account with a password, and nobody has linked the two.
        const stranger = await stage.visitor();
        stranger.expect(/status of 403/);
        await leaveBy(stranger);
        await agreeAs(stranger, "mina");
        await stranger.sees(
          stranger.page.getByRole("alert").filter({ hasText: "an account with this address already" }),
        );
        equal(await kept(stranger), null, "the token of somebody else's account");

        // What the page of return left was good once: coming back to it leads nowhere.
        await stranger.page.reload();
        await until("the form is shown", () => stranger.page.getByLabel("User name or e-mail").isVisible());
        equal(await kept(stranger), null, "the token after another try");

        // Where the rules say that a proved address is the same person's, it is that account.
        await stage.admin.post(`settings/${SETTING}-merge_users`, { value: true });
        await stage.admin.post("settings/Accounts_OAuth_Merge_Users_With_Password", { value: true });
        const linked = await stage.visitor({ phone: true });
        await leaveBy(linked, room.path);
        await agreeAs(linked, "mina");
        await linked.sees(linked.message("what the link is about"));
        equal(await linked.page.evaluate(() => localStorage.getItem("Meteor.userId")), mina.id, "whose account it is");
        const { services } = await mina.api.get("users.linkedServices");
        equal(services, ["acme"], "what the account is linked to");
        await stage.finish();
      } finally {
        await stage.close();
        await server.stop();
        provider?.close();
      }
    },
  },
];
