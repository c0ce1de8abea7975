// After the build: removes what an older build left, stores each file also in Brotli and gzip where that saves
// something, and writes the build's name.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { transformWithOxc } from "vite";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));
const wanted = new Set(["index.html", "manifest.json", "README", "build.txt", "sw.js"]);
for (const entry of Object.values(manifest)) {
  for (const file of [entry.file, ...(entry.css ?? []), ...(entry.assets ?? [])]) wanted.add(file);
}
for (const file of readdirSync(new URL("../public", import.meta.url), { recursive: true })) wanted.add(String(file));

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)));
for (const file of files.filter((file) => !wanted.has(file))) rmSync(join(dist, file));

const hash = createHash("sha256");
const made = new Set(["build.txt", "sw.js"]);
for (const file of files.filter((file) => wanted.has(file) && !made.has(file)).sort()) {
  const bytes = readFileSync(join(dist, file));
  hash.update(file).update(bytes);
  if (/\.(png|jpg|webp|woff2)$/.test(file) || bytes.length < 1024) continue;
  const quality = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  };
  for (const [ending, small] of [
    [".br", brotliCompressSync(bytes, quality)],
    [".gz", gzipSync(bytes, { level: 9 })],
  ]) {
    if (small.length < bytes.length * 0.95) writeFileSync(join(dist, file + ending), small);
  }
}
const build = hash.digest("hex").slice(0, 12);
writeFileSync(join(dist, "build.txt"), `${build}\n`);

// The service worker knows its build by name, and keeps what the app needs to stand: the page, the chat, the languages.
const closure = (key, seen = new Set()) => {
  const entry = manifest[key];
  if (!entry || seen.has(key)) return [];
  seen.add(key);
  return [entry.file, ...(entry.css ?? []), ...(entry.imports ?? []).flatMap((next) => closure(next, seen))];
};
const needed = ["index.html", "src/pages/login/index.tsx", "src/pages/chat/index.tsx"];
for (const language of ["en", "fr"]) needed.push(`src/i18n/locales/${language}.json`);
const kept = [...new Set(needed.flatMap((key) => closure(key)))].sort().map((file) => `/${file}`);
const source = readFileSync(new URL("../worker/sw.ts", import.meta.url), "utf8");
const { code } = await transformWithOxc(source, "sw.ts");
const given = `const FILES = ${JSON.stringify(kept)};\nconst BUILD = ${JSON.stringify(build)};\n`;
writeFileSync(join(dist, "sw.js"), given + code.replace(/^export \{\s*\};?$/m, ""));
