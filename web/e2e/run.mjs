// Journeys through the app in Chromium against the real server. Each names the behaviours that it shows by their
// numbers; `node e2e/run.mjs WORD` runs those whose name or file contains the word.
import { readdirSync } from "node:fs";
import { launch } from "./browser.mjs";
import { ADMIN, Api, Server } from "./server.mjs";
import { Seats } from "./seats.mjs";
import { Stage } from "./stage.mjs";

const wanted = process.argv[2] ?? "";
// A microphone that hears a tone, and no question about it.
const SOUND = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
const LONGEST = 480_000;
// Who plays waits for the server and the screen half of the time: with four, two cores are busy.
const PLAYERS = Number(process.env.PARLOR_PLAYERS ?? 4);

const folder = new URL("./journeys/", import.meta.url);
const journeys = [];
for (const file of readdirSync(folder).sort()) {
  const module = await import(new URL(file, folder));
  journeys.push(...module.default.map((journey) => ({ ...journey, file })));
}
const chosen = journeys.filter(({ name, file }) => name.includes(wanted) || file.includes(wanted));

const server = await Server.start();
const browser = await launch(SOUND);
const admin = await Api.login(server.url, ADMIN.username, ADMIN.password);
const seats = new Seats(browser, server.url, 2 * PLAYERS);
let failed = 0;
// What failed beside another journey is played once more, alone; the summary names it, so that it is looked into.
const again = [];
const shown = new Set();

async function play(journey, last) {
  const { name, shows, run, axe } = journey;
  const began = Date.now();
  const stage = new Stage(browser, server, admin, seats);
  const took = () => `${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s`;
  let late;
  let well = false;
  const limit = new Promise((_, reject) => (late = setTimeout(() => reject(new Error("took too long")), LONGEST)));
  try {
    await Promise.race([run(stage).then(() => stage.finish({ axe })), limit]);
    for (const number of shows) shown.add(number);
    well = true;
    console.log(`    ok  ${took()}  ${name} [${shows.join(" ")}]`);
  } catch (error) {
    if (last) failed += 1;
    else again.push(journey);
    console.log(`FAILED  ${took()}  ${name}\n    ${error.stack ?? error}`);
    for (const { complaints, refusals } of stage.people) {
      for (const line of [...complaints, ...refusals]) console.log(`    ${line}`);
    }
    for (const [at, person] of stage.people.entries())
      await person.shot(`failed-${again.length + failed}-${at}`).catch(() => null);
  } finally {
    clearTimeout(late);
    await stage.close({ failed: !well }).catch(() => null);
  }
}

const waiting = [...chosen];
const players = Array.from({ length: PLAYERS }, async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await play(next, false);
});
await Promise.all(players);
const second = again.slice(0, 5);
for (const journey of second) await play(journey, true);
failed += again.length - second.length;
await browser.close();
await server.stop();
const numbers = [...shown].sort((a, b) => a - b);
console.log(
  `\n${chosen.length - failed} of ${chosen.length} journeys, ${numbers.length} behaviours: ${numbers.join(" ")}`,
);
if (again.length > 0) console.log(`Played twice: ${again.map(({ name }) => name).join("; ")}`);
process.exit(failed > 0 ? 1 : 0);
