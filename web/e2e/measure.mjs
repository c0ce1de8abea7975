// What a reader waits for, in Chromium against the real server, as a table in Markdown:
// `node e2e/measure.mjs [MESSAGES] [ROOMS] [SECONDS]`. Times are worth something on a machine that does nothing else:
// its load is written beside them. What the page's own thread did (its CPU, layouts, styles) is worth something
// everywhere. `PARLOR_PROFILES=FOLDER` keeps a CPU profile of each row.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "./browser.mjs";
import { ADMIN, Api, Server } from "./server.mjs";
import { Stage } from "./stage.mjs";

const given = process.argv.slice(2).map(Number);
const [messages = 100_000, rooms = 1_000, seconds = 60] = given;
const RUNS = 5;
const SLOW = 4;
const RATE = 50;

const sorted = (all) => [...all].sort((a, b) => a - b);
const part = (all, share) => sorted(all)[Math.min(all.length - 1, Math.floor(all.length * share))] ?? Number.NaN;
const median = (all) => part(all, 0.5);
const ms = (value) => `${Math.round(value)} ms`;
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
const load = () => loadavg()[0].toFixed(1);

console.log("| what | seen | limit | the page's thread | load |\n|---|---|---|---|---|");
const row = (what, value, limit, work = "") => console.log(`| ${what} | ${value} | ${limit} | ${work} | ${load()} |`);

/** Rooms and messages by the importer, while the server is down: many in little time. */
async function fill(server, ana, bob) {
  const folder = mkdtempSync(join(tmpdir(), "parlor-fill-"));
  const now = Math.floor(Date.now() / 1000);
  const say = (from, place, message, age) => ({ from, ...place, message, timestamp: now - age });
  const long = Array.from({ length: messages }, (_, at) =>
    say(bob.username, { team: "long" }, `message ${at} with *some* words and a :smile:`, 3600 + (messages - at)),
  );
  const short = Array.from({ length: 20 }, (_, at) => say(bob.username, { team: "short" }, `short ${at}`, 3500 - at));
  const groups = Array.from({ length: rooms }, (_, at) => ({
    name: `inbox-${at}`,
    members: [ana.username, bob.username],
  }));
  const first = groups.map(({ name }, at) => say(bob.username, { group: name }, `hello ${at}`, 9_000_000 + at * 60));
  const enter = ["long", "short"].map((team) => say(ana.username, { team }, "I am here", 9_999_999));
  writeFileSync(join(folder, "chat_groups.json"), JSON.stringify({ groups }));
  writeFileSync(
    join(folder, "chat_messages.json"),
    JSON.stringify({ messages: [...enter, ...first, ...long, ...short] }),
  );
  await server.halt();
  const done = spawnSync(server.program, ["import", "showwise", "--data", server.data, folder], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  if (done.status !== 0) throw new Error(`the importer: ${done.stderr}`);
  await server.run();
}

/** What the page's thread did meanwhile: CPU, layouts, calculations of styles, long tasks. */
async function cost(page, client, name, run) {
  const folder = process.env.PARLOR_PROFILES;
  const read = async () =>
    Object.fromEntries((await client.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
  if (folder) {
    await client.send("Profiler.enable");
    await client.send("Profiler.setSamplingInterval", { interval: 250 });
    await client.send("Profiler.start");
  }
  const before = await read();
  const result = await run();
  const after = await read();
  if (folder) {
    const { profile } = await client.send("Profiler.stop");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
  }
  const diff = (key) => after[key] - before[key];
  const cpu = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"].map(
    (key) => 1000 * diff(key),
  );
  const work = `${ms(cpu[0])} CPU, of it script ${ms(cpu[1])}, layout ${ms(cpu[2])} (${diff("LayoutCount")}), styles ${ms(cpu[3])} (${diff("RecalcStyleCount")})`;
  return { result, work, cpu: cpu[0] };
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
const rate = (times) => `${Math.round((1000 * times.length) / times.reduce((sum, one) => sum + one, 0))} fps`;

// Nobody may send 50 messages a second otherwise.
const server = await Server.start({ env: { PARLOR_SEND_RATE: "0" } });
const browser = await launch();
try {
  const began = performance.now();
  let admin = await Api.login(server.url, ADMIN.username, ADMIN.password);
  const [anna, bob] = [
    await new Stage(browser, server, admin).account("Ana"),
    await new Stage(browser, server, admin).account("Bob"),
  ];
  await fill(server, anna, bob);
  admin = await Api.login(server.url, ADMIN.username, ADMIN.password);
  const stage = new Stage(browser, server, admin);
  console.error(`filled with ${messages} messages and ${rooms} rooms in ${ms(performance.now() - began)}`);
  const { update } = await anna.api.get("subscriptions.get");
  const room = (name) => update.find((sub) => sub.fname === name || sub.name === name);
  const [long, short] = [room("long"), room("short")];
  for (const { rid } of [long, short]) await anna.api.post("subscriptions.read", { rid });
  const path = ({ t, name }) => `/${t === "c" ? "channel" : "group"}/${name}`;

  // As somebody opens the app for the first time: nothing of it is in the cache.
  const firsts = [];
  for (let at = 0; at < RUNS; at += 1) {
    const other = await stage.as(anna, { path: null });
    const start = performance.now();
    await other.open(path(long));
    await other.sees(other.feed.getByRole("article").last());
    firsts.push(performance.now() - start);
    await other.context.close();
  }
  const ana = await stage.as(anna, { path: null });
  const client = await ana.context.newCDPSession(ana.page);
  await client.send("Performance.enable", { timeDomain: "threadTicks" });
  const first = await cost(ana.page, client, "first", async () => {
    await ana.open(path(long));
    await ana.sees(ana.feed.getByRole("article").last());
  });
  row(
    `messages shown, first load, loopback, ${rooms} rooms (median of ${RUNS})`,
    ms(median(firsts)),
    "800 ms",
    first.work,
  );
  const warm = [];
  for (let at = 0; at < RUNS; at += 1) {
    const start = performance.now();
    await ana.page.reload();
    await ana.sees(ana.feed.getByRole("article").last());
    warm.push(performance.now() - start);
  }
  row(`messages shown, reload (median of ${RUNS})`, ms(median(warm)), "700 ms");

  // Measured in the page, from the click to the frame that shows the other room.
  const change = (name) =>
    ana.page.evaluate(async (to) => {
      const link = [...document.querySelectorAll("nav [role=listitem] a")].find((one) =>
        one.pathname.endsWith(`/${to}`),
      );
      const start = performance.now();
      link.click();
      const shown = () =>
        [...document.querySelectorAll("#messages article")].at(-1)?.textContent.includes(to.slice(0, 5));
      while (!shown() && performance.now() - start < 10_000) await new Promise(requestAnimationFrame);
      return performance.now() - start;
    }, name);
  const names = [short.name, long.name];
  await bob.api.say(long.rid, "message at the end, for long");
  await ana.sees(ana.message("for long"));
  for (const name of names) await change(name);
  const switches = await cost(ana.page, client, "switch", async () => {
    const all = [];
    for (let at = 0; at < 20; at += 1) all.push(await change(names[at % 2]));
    return all;
  });
  row(
    "room switch, loaded before (p95 of 20)",
    ms(part(switches.result, 0.95)),
    "100 ms",
    `${ms(switches.cpu / 20)} CPU each; ${switches.work}`,
  );

  await change(long.name);
  await client.send("Emulation.setCPUThrottlingRate", { rate: SLOW });
  await ana.composer.click();
  const keys = await cost(ana.page, client, "keys", () =>
    frames(ana.page, async () => {
      const area = document.querySelector("#composer textarea");
      const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
      for (let at = 0; at < 40; at += 1) {
        set.call(area, `${area.value}x`);
        area.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
      }
    }),
  );
  row(`key press to next frame, ${SLOW}x slower (p95 of 40)`, ms(part(keys.result, 0.95)), "50 ms", keys.work);
  await ana.composer.fill("");

  const scrolled = await cost(ana.page, client, "scroll", () =>
    frames(ana.page, async () => {
      const box = document.querySelector("#messages");
      const inner = [box, ...box.querySelectorAll("*")].find((one) => one.scrollHeight > one.clientHeight + 100);
      for (let at = 0, from = performance.now(); at < 240 && performance.now() < from + 20_000; at += 1) {
        inner.scrollBy(0, -60);
        await new Promise(requestAnimationFrame);
      }
    }),
  );
  row(`scrolling up in ${messages} messages, ${SLOW}x slower`, rate(scrolled.result), "50 fps", scrolled.work);
  row("its frames, p95", ms(part(scrolled.result, 0.95)), "40 ms");
  await client.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  row("elements in the page", String(await ana.page.evaluate(() => document.querySelectorAll("*").length)), "2,000");

  await ana.page.evaluate(() => {
    window.long = [];
    new PerformanceObserver((list) => list.getEntries().forEach((one) => window.long.push(one.duration))).observe({
      type: "longtask",
    });
  });
  let sent = 0;
  const burst = await cost(ana.page, client, "burst", async () => {
    const start = Date.now();
    const open = new Set();
    while (Date.now() - start < seconds * 1000) {
      const due = Math.floor(((Date.now() - start) / 1000) * RATE) - sent;
      for (let at = 0; at < due && open.size < 200; at += 1) {
        const one = bob.api.say(long.rid, `burst ${sent++}`).finally(() => open.delete(one));
        open.add(one);
      }
      await pause(20);
    }
    await Promise.all(open);
  });
  const tasks = await ana.page.evaluate(() => window.long);
  row(
    `${Math.round(sent / seconds)} messages a second into the open room for ${seconds} s: longest task (of ${tasks.length} over 50 ms)`,
    ms(Math.max(0, ...tasks)),
    "200 ms",
    `${(burst.cpu / sent).toFixed(1)} ms CPU a message; ${burst.work}`,
  );

  const inbox = [];
  for (let at = 0; at < 3; at += 1) {
    const start = performance.now();
    await ana.open("/");
    await ana.sees(ana.inbox.getByRole("link").nth(5));
    inbox.push(performance.now() - start);
  }
  row(`list of ${rooms} rooms shown (median of 3)`, ms(median(inbox)), "–");
  const busy = update.filter(({ name, fname }) => [name, fname].some((one) => /^inbox-/.test(one))).slice(0, 50);
  if (busy.length === 0) throw new Error("none of the rooms of the list was imported");
  const live = new AbortController();
  let told = 0;
  const telling = (async () => {
    const start = Date.now();
    const open = new Set();
    while (!live.signal.aborted) {
      const due = Math.floor(((Date.now() - start) / 1000) * 20) - told;
      for (let at = 0; at < due && open.size < 60; at += 1) {
        const one = bob.api.say(busy[told++ % busy.length].rid, `update ${told}`).finally(() => open.delete(one));
        open.add(one);
      }
      await pause(20);
    }
    await Promise.all(open);
  })();
  const listed = await cost(ana.page, client, "list", () =>
    frames(ana.page, async () => {
      const list = document.querySelector("nav [role=list]");
      for (let at = 0, from = performance.now(); at < 300 && performance.now() < from + 20_000; at += 1) {
        list.scrollBy(0, 60);
        await new Promise(requestAnimationFrame);
      }
    }),
  );
  row(`scrolling ${rooms} rooms, 20 updates a second`, rate(listed.result), "50 fps", listed.work);
  const still = await cost(ana.page, client, "updates", () => pause(3_000));
  row("the same list at rest for 3 s, 20 updates a second", "", "–", still.work);
  live.abort();
  await telling;
  console.log(`\n${cpus().length} cores, load ${load()} at the end; ${ms(performance.now() - began)} in all.`);
  await stage.close();
} finally {
  await browser.close();
  await server.stop();
}
