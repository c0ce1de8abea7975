// What a reader waits for, in Chromium against the real server, as a table in Markdown:
// `node e2e/measure.mjs [MESSAGES] [ROOMS] [SECONDS]`. Figures are worth something on a machine that does nothing else;
// the machine's load is written beside them.
import { accessSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { chromium } from "playwright-core";
import { ADMIN, Api, Server } from "./server.mjs";
import { Stage } from "./stage.mjs";

const [messages = 100_000, rooms = 1_000, seconds = 60] = process.argv.slice(2).map(Number);
const RUNS = 5;
const SLOW = 4;

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const program = places.find((place) => {
  try {
    accessSync(place);
    return true;
  } catch {
    return false;
  }
});
const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
const rows = [];
const row = (what, value, target) => {
  rows.push(`| ${what} | ${value} | ${target} |`);
  console.log(rows.at(-1));
};
const ms = (value) => `${Math.round(value)} ms`;

/** Does `work` for each number, some at a time. */
async function many(count, work, width = 24) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Frames while something goes on: their times. */
const frames = (page, run) =>
  page.evaluate(async (source) => {
    const times = [];
    let last = performance.now();
    let going = true;
    const tick = (now) => {
      times.push(now - last);
      last = now;
      if (going) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    await new Function(`return (${source})()`)();
    going = false;
    return times.slice(2);
  }, String(run));

const server = await Server.start();
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const admin = await Api.login(server.url, ADMIN.username, ADMIN.password);
  const stage = new Stage(browser, server, admin);
  const ana = await stage.person("Ana", { path: null });
  const bob = await stage.account("Bob");
  const room = await stage.room(ana, [bob], { name: "long" });
  const other = await stage.room(ana, [bob], { name: "short" });
  for (let at = 0; at < 20; at += 1) await bob.api.say(other.id, `short ${at}`);
  await many(messages, (at) => bob.api.say(room.id, `message ${at} with *some* words and a :smile:`));
  const load = () => loadavg()[0].toFixed(1);
  const begins = load();

  const cold = [];
  const warm = [];
  for (let at = 0; at < RUNS; at += 1) {
    const began = performance.now();
    await ana.open(room.path);
    await ana.sees(ana.feed.getByRole("article").last());
    (at === 0 ? cold : warm).push(performance.now() - began);
  }
  row("messages shown, first load, loopback", ms(cold[0]), "800 ms");
  row(`messages shown, reload (median of ${RUNS - 1})`, ms(median(warm)), "700 ms");

  const switches = [];
  for (let at = 0; at < 20; at += 1) {
    const [name, text] = at % 2 ? ["long", /message/] : ["short", /short/];
    const began = performance.now();
    await ana.row(name).first().click();
    await ana.sees(ana.message(text));
    switches.push(performance.now() - began);
  }
  row(
    "room switch, loaded before (p95 of 20, with the driver's own time)",
    ms(switches.sort((a, b) => a - b)[18]),
    "100 ms",
  );

  await ana.row("long").first().click();
  await ana.sees(ana.message(/message/));
  const client = await ana.context.newCDPSession(ana.page);
  await client.send("Emulation.setCPUThrottlingRate", { rate: SLOW });
  await ana.composer.click();
  const keys = await frames(ana.page, async () => {
    const area = document.querySelector("#composer textarea");
    const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    for (let at = 0; at < 40; at += 1) {
      set.call(area, `${area.value}x`);
      area.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise(requestAnimationFrame);
    }
  });
  row(`key press to next frame, ${SLOW}x slower (p95 of 40)`, ms(keys.sort((a, b) => a - b)[37] ?? 0), "50 ms");
  await ana.composer.fill("");

  const scrolled = await frames(ana.page, async () => {
    const box = document.querySelector("#messages");
    const inner = [box, ...box.querySelectorAll("*")].find((one) => one.scrollHeight > one.clientHeight + 100);
    for (let at = 0; at < 240; at += 1) {
      inner.scrollBy(0, -60);
      await new Promise(requestAnimationFrame);
    }
  });
  const total = scrolled.reduce((sum, one) => sum + one, 0);
  row(
    `scrolling up in ${messages} messages, ${SLOW}x slower`,
    `${Math.round((1000 * scrolled.length) / total)} fps`,
    "50 fps",
  );
  row("its frames, p95", ms(scrolled.sort((a, b) => a - b)[Math.floor(scrolled.length * 0.95)] ?? 0), "40 ms");
  await client.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  row("elements in the page", String(await ana.page.evaluate(() => document.querySelectorAll("*").length)), "2,000");

  await ana.page.evaluate(() => {
    window.long = [];
    new PerformanceObserver((list) => list.getEntries().forEach((one) => window.long.push(one.duration))).observe({
      type: "longtask",
    });
  });
  const began = Date.now();
  let sent = 0;
  while (Date.now() - began < seconds * 1000) {
    const due = Math.floor(((Date.now() - began) / 1000) * 50) - sent;
    await Promise.all(Array.from({ length: Math.min(due, 50) }, () => bob.api.say(room.id, `burst ${sent++}`)));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const longest = await ana.page.evaluate(() => Math.max(0, ...window.long));
  const rate = Math.round(sent / seconds);
  row(`${rate} messages a second into the open room for ${seconds} s: longest task`, ms(longest), "200 ms");

  await many(rooms, (at) => stage.room(ana, [bob], { name: `inbox-${at}` }), 8);
  const inbox = [];
  for (let at = 0; at < 3; at += 1) {
    const start = performance.now();
    await ana.open("/");
    await ana.sees(ana.inbox.getByRole("link").nth(5));
    inbox.push(performance.now() - start);
  }
  row(`list of ${rooms} rooms shown (median of 3)`, ms(median(inbox)), "–");
  const live = new AbortController();
  const told = (async () => {
    for (let at = 0; !live.signal.aborted; at += 1) {
      await bob.api.say(room.id, `update ${at}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const listed = await frames(ana.page, async () => {
    const list = document.querySelector("nav [role=list]");
    for (let at = 0; at < 240; at += 1) {
      list.scrollBy(0, 80);
      await new Promise(requestAnimationFrame);
    }
  });
  live.abort();
  await told;
  const whole = listed.reduce((sum, one) => sum + one, 0);
  row(`scrolling ${rooms} rooms, 20 updates a second`, `${Math.round((1000 * listed.length) / whole)} fps`, "50 fps");
  console.log(`\n${cpus().length} cores, load ${begins} at the beginning and ${load()} at the end.`);
  await stage.close();
} finally {
  await browser.close();
  await server.stop();
}
