import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileMessage } from "@lingui/message-utils/compileMessage";
import { expect, test } from "vitest";
import { type Compiled, pseudo } from "./pseudo";

const root = join(import.meta.dirname, "..");
const files = readdirSync(root, { recursive: true }).map((file) => join(root, String(file)));
const catalogs = files.filter((file) => /\/locales\/en\.json$/.test(file));
const read = (file: string): Record<string, string> => JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
const all = Object.assign({}, ...catalogs.map(read)) as Record<string, string>;

/** The names of a text's arguments. */
function names(text: string): string[] {
  const found = new Set<string>();
  const walk = (tokens: unknown): void => {
    if (!Array.isArray(tokens)) return;
    for (const token of tokens as unknown[]) {
      if (!Array.isArray(token)) continue;
      found.add(String(token[0]));
      if (token[2] && typeof token[2] === "object") Object.values(token[2]).forEach(walk);
    }
  };
  walk(compileMessage(text));
  return [...found].sort();
}

test("every language has every text, with the same arguments", () => {
  for (const catalog of catalogs) {
    const english = read(catalog);
    const french = read(join(dirname(catalog), "fr.json"));
    expect(Object.keys(french).sort()).toEqual(Object.keys(english).sort());
    for (const [id, text] of Object.entries(english)) expect(names(french[id] ?? ""), id).toEqual(names(text));
  }
});

test("no two catalogs have a text of the same id", () => {
  const seen = new Map<string, string>();
  for (const catalog of catalogs) {
    for (const id of Object.keys(read(catalog))) {
      expect(seen.get(id), `${id} in ${catalog}`).toBeUndefined();
      seen.set(id, catalog);
    }
  }
});

test("every id that the sources name has a text", () => {
  const sources = files.filter((file) => /\.tsx?$/.test(file) && !file.includes(".test.") && statSync(file).isFile());
  for (const file of sources) {
    const text = readFileSync(file, "utf8");
    for (const [, id] of text.matchAll(/\b(?:t|failed|told)\(\s*"([\w.-]+)"/g))
      expect(all, `${file}: ${id}`).toHaveProperty([id ?? ""]);
    for (const [, yes, no] of text.matchAll(/\bt\([^"`]*\? "([\w.-]+)" : "([\w.-]+)"/g)) {
      expect(all, file).toHaveProperty([yes ?? ""]);
      expect(all, file).toHaveProperty([no ?? ""]);
    }
  }
});

test("the made languages change what is read and keep the arguments", () => {
  const message = compileMessage("{count, plural, one {# new room} other {# new rooms}} of {name}") as Compiled;
  const { a } = pseudo("en-XA", { a: message });
  expect(JSON.stringify(a)).toContain('"count"');
  expect(JSON.stringify(a)).toContain('"#"');
  expect(JSON.stringify(a)).toContain("ñéw róóms");
});
