// The README's pictures, from the key screens on a server of their own: `node e2e/pictures.mjs`. Everything in them is the
// same at each run, so that a picture changes with the app alone.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { furnish, SCREENS, show } from "./screens.mjs";
import { ADMIN, Api, Server } from "./server.mjs";
import { Stage } from "./stage.mjs";

const folder = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));

/** Runs in the page: it is always the same time of the day there. */
function stopClock() {
  const real = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, "format").get;
  Object.defineProperty(Intl.DateTimeFormat.prototype, "format", {
    configurable: true,
    get() {
      const write = real.call(this);
      return (time) => (this.resolvedOptions().minute && !this.resolvedOptions().day ? "09:41" : write(time));
    },
  });
}

const PICTURES = [
  { name: "thread", screen: "thread", options: {} },
  { name: "search", screen: "search", options: {} },
  { name: "phone", screen: "room", options: { phone: true, dark: true } },
];

const server = await Server.start();
const browser = await launch();
try {
  const admin = await Api.login(server.url, ADMIN.username, ADMIN.password);
  const stage = new Stage(browser, server, admin);
  const scene = await furnish(stage, "");
  // What was read opens at its end.
  await scene.ana.api.post("subscriptions.read", { rid: scene.room.id });
  for (const { name, screen, options } of PICTURES) {
    const person = await stage.as(scene.ana, { ...options, path: null });
    await person.page.addInitScript(stopClock);
    await show(
      person,
      SCREENS.find((one) => one.name === screen),
      scene,
      "en",
    );
    await person.page.locator("#messages img[loading]").last().waitFor();
    // What was fetched late stands.
    await person.page.waitForLoadState("networkidle");
    writeFileSync(`${folder}${name}.png`, await person.page.screenshot({ caret: "hide", animations: "disabled" }));
    console.log(`${folder}${name}.png`);
    await person.leave();
  }
  await stage.close();
} finally {
  await browser.close();
  await server.stop();
}
