// The size gate: what a browser fetches before it shows the sign-in page and the chat, each lazy part, and all of it,
// in KB after gzip. Deterministic, so it can refuse a change.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));
const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024);
  return sizes.get(file);
};

/** The files of an entry and of what it imports at once. */
function closure(key, seen = new Set()) {
  const entry = manifest[key];
  if (!entry || seen.has(key)) return [];
  seen.add(key);
  return [entry.file, ...(entry.css ?? []), ...(entry.imports ?? []).flatMap((next) => closure(next, seen))];
}
/** What the page itself names: its scripts and the one sheet. */
const page = readFileSync(join(dist, "index.html"), "utf8");
const begin = ["index.html", ...[...page.matchAll(/(?:src|href)="\/(web\/[^"]+)"/g)].map(([, file]) => file)];
/** With whatever these parts need beside it. */
function total(...keys) {
  for (const key of keys) if (!manifest[key]) throw new Error(`there is no ${key} in the manifest`);
  return [...new Set([...begin, ...keys.flatMap((key) => closure(key))])].reduce((sum, file) => sum + size(file), 0);
}

const locale = "src/i18n/locales/en.json";
const gates = [
  // Signing in stands in the page's own files.
  ["sign-in page", total(locale), 90, 110],
  ["chat", total(locale, "src/pages/chat/index.tsx"), 160, 190],
];
const first = new Set([...begin, ...closure("src/pages/chat/index.tsx")]);
for (const entry of Object.values(manifest)) {
  const data = /emoji|katex|livekit/i.test(entry.file);
  if (entry.file.endsWith(".js") && !first.has(entry.file) && !data) gates.push([entry.file, size(entry.file), 60, 80]);
}
const all = [...new Set(Object.values(manifest).flatMap((entry) => [entry.file, ...(entry.css ?? [])]))];
const counted = all.filter((file) => /\.(js|css|html)$/.test(file) && !/emoji|katex|livekit/i.test(file));
gates.push(["everything", counted.reduce((sum, file) => sum + size(file), 0), 450, 600]);

let failed = false;
for (const [name, kilobytes, target, limit] of gates) {
  const verdict = kilobytes > limit ? "TOO LARGE" : kilobytes > target ? "over target" : "ok";
  if (kilobytes > 20 || verdict !== "ok") {
    console.log(
      `${kilobytes.toFixed(1).padStart(7)} KB  ${verdict.padEnd(11)} (target ${target}, limit ${limit})  ${name}`,
    );
  }
  failed ||= kilobytes > limit;
}
process.exit(failed ? 1 : 0);
