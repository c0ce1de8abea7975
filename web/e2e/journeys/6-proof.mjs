// Before something grave the server asks who is there.
import { createHash } from "node:crypto";
import { fits } from "../looks.mjs";
import { Post } from "../post.mjs";
import { ADMIN, Api, Server } from "../server.mjs";
import { Stage, until } from "../stage.mjs";
import { totp } from "../totp.mjs";

const asked = (person) => person.page.getByRole("dialog", { name: "Is it you?" });

/** Sets up an authenticator app, which asks for the password first. Gives its secret and the recovery codes. */
async function enrol(boss) {
  const { page } = boss;
  await boss.button("Set it up").click();
  await boss.sees(asked(boss));
  await boss.button("Cancel", asked(boss)).click();
  await boss.seesNot(asked(boss));
  await until("the focus is back", () => boss.button("Set it up").evaluate((one) => one === document.activeElement));
  await boss.button("Set it up").click();
  const password = asked(boss).getByLabel("Password", { exact: true });
  await password.fill("not it");
  await password.press("Enter");
  await boss.sees(asked(boss).getByRole("alert").filter({ hasText: "The password is not right." }));
  await boss.check();
  await password.fill(ADMIN.password);
  await boss.button("Continue", asked(boss)).click();
  await boss.seesNot(asked(boss));
  const secret = await page.getByRole("code").first().innerText();
  await page.getByLabel("Six-digit code").fill(totp(secret));
  await boss.button("Turn it on").click();
  const codes = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await boss.sees(codes);
  return { secret, codes: await codes.allInnerTexts() };
}

async function token(person, name, locale = "en") {
  await person.open(`/settings/tokens?locale=${locale}`);
  const what = person.page.getByRole("main").getByRole("textbox").first();
  await what.fill(name);
  await what.press("Enter");
}

/** Each grave step asks: nobody is believed for a while. */
async function strict({ browser }, run) {
  const post = await Post.open();
  const server = await Server.start({
    env: {
      MAIL_URL: post.url,
      OVERWRITE_SETTING_From_Email: "Parlor <chat@example.org>",
      OVERWRITE_SETTING_Accounts_TwoFactorAuthentication_RememberFor: "0",
    },
  });
  const stage = new Stage(browser, server, await Api.login(server.url, ADMIN.username, ADMIN.password));
  try {
    await run(stage, post);
    await stage.finish();
  } finally {
    await stage.close();
    await server.stop();
    post.close();
  }
}

async function byApp(stage, vera) {
  const boss = await stage.person("boss", { admin: true, path: "/settings/security" });
  boss.expect(/status of 40[01]/);
  const { page } = boss;
  const { secret, codes } = await enrol(boss);
  const recover = async () => {
    await boss.button("Use a recovery code", asked(boss)).click();
    await asked(boss).getByLabel("Recovery code").fill(codes.shift());
    await boss.button("Continue", asked(boss)).click();
  };
  await token(boss, "nightly report");
  const code = asked(boss).getByLabel("Six-digit code");
  await code.fill("000000");
  await boss.sees(asked(boss).getByRole("alert").filter({ hasText: "That code is not right." }));
  await code.fill(totp(secret, Date.now() + 30_000));
  await boss.sees(page.getByRole("code"));
  await boss.seesNot(asked(boss));
  // Within another dialog: who would not answer is back in it, and nothing was done.
  await boss.open(`/admin/users/${vera.id}`);
  const ask = page.getByRole("alertdialog");
  await boss.button("Reset two-factor").click();
  await boss.button("Reset two-factor", ask).click();
  await boss.button("Cancel", asked(boss)).click();
  await boss.seesNot(asked(boss));
  await boss.button("Reset two-factor", ask).click();
  await recover();
  await boss.seesNot(ask);
  await boss.sees(page.getByText("Done.").first());
  // In another language, on a phone.
  await page.setViewportSize({ width: 360, height: 640 });
  await token(boss, "another", "fr");
  await boss.sees(page.getByRole("dialog", { name: "Est-ce bien vous ?" }));
  await fits(boss, "the question in French");
}

async function byMail(stage, post, nora) {
  const digest = createHash("sha256").update(nora.password).digest("hex");
  const proof = { "x-2fa-code": digest, "x-2fa-method": "password" };
  await nora.api.call("POST", "users.2fa.enableEmail", {}, proof);
  const person = await stage.as(nora, { path: null, dark: true });
  person.expect(/status of 40[01]/);
  await token(person, "my own");
  const sent = () => post.letters.flatMap((text) => text.match(/\b\d{6}\b/g) ?? []);
  await until("the code came", () => sent().length === 1);
  await person.check();
  const code = asked(person).getByLabel("Six-digit code");
  const [right] = sent();
  await code.fill(right === "123456" ? "654321" : "123456");
  await person.sees(asked(person).getByRole("alert").filter({ hasText: "That code is not right." }));
  await person.button("Send it again", asked(person)).click();
  await person.sees(asked(person).getByRole("status").filter({ hasText: "A new code is on its way." }));
  await code.fill(right);
  await person.sees(person.page.getByRole("code"));
  await person.sees(person.button("Remove my own"));
}

export default [
  {
    name: "codes by e-mail are switched on with the password, and off with a code that came",
    shows: [],
    run: (stage) =>
      strict(stage, async (own, post) => {
        const ana = await own.person("Ana", { path: "/settings/security" });
        ana.expect(/status of 40[01]/);
        await ana.button("Send me codes").click();
        await asked(ana).getByLabel("Password", { exact: true }).fill(ana.password);
        await ana.button("Continue", asked(ana)).click();
        await ana.sees(ana.button("Stop sending codes"));
        await ana.page.reload();
        await ana.sees(ana.button("Stop sending codes"));
        await ana.check();
        await ana.button("Stop sending codes").click();
        const code = () => post.letters.map((text) => /^\d{6}\r?$/m.exec(text)?.[0].trim()).find(Boolean);
        await until("a letter with a code", code);
        await asked(ana).getByRole("textbox").fill(code());
        await ana.sees(ana.button("Send me codes"));
      }),
  },
  {
    name: "before something grave one is asked who is there, and what was begun goes on with the answer",
    shows: [4, 60, 62],
    run: (outer) =>
      strict(outer, async (stage, post) => {
        const [vera, nora] = [await stage.account("Vera"), await stage.account("Nora")];
        await Promise.all([byApp(stage, vera), byMail(stage, post, nora)]);
      }),
  },
];
