// After the build: removes what an older build left, stores each file also in Brotli and gzip where that saves
// something, and writes the build's name.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));
const wanted = new Set(["index.html", "manifest.json", "README"]);
for (const entry of Object.values(manifest)) {
  for (const file of [entry.file, ...(entry.css ?? []), ...(entry.assets ?? [])]) wanted.add(file);
}
for (const file of readdirSync(new URL("../public", import.meta.url), { recursive: true })) wanted.add(String(file));

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)));
for (const file of files.filter((file) => !wanted.has(file))) rmSync(join(dist, file));

const hash = createHash("sha256");
for (const file of files.filter((file) => wanted.has(file)).sort()) {
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
writeFileSync(join(dist, "build.txt"), `${hash.digest("hex").slice(0, 12)}\n`);
