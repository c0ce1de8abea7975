import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ASKED } from "./asked";

test("every setting that the sources look at is asked for, and no other", () => {
  const root = join(import.meta.dirname, "..");
  const used = new Set<string>();
  for (const file of readdirSync(root, { recursive: true }).map(String)) {
    if (!/\.tsx?$/.test(file) || file.includes(".test.")) continue;
    const text = readFileSync(join(root, file), "utf8");
    for (const [, id] of text.matchAll(/\b(?:setting(?:<[^>]*>)?\(|settings\[)\s*"(\w+)"/g)) used.add(id ?? "");
  }
  expect([...used].sort()).toEqual([...ASKED]);
});
