import { expect, test } from "vitest";
import { colour, type Part } from "./colour";

const text = (parts: Part[]): string =>
  parts.map((part) => (typeof part === "string" ? part : text(part.parts))).join("");

test("colouring changes no character, whatever the code holds", async () => {
  for (const code of [
    'let a = "<img src=x onerror=alert(1)>"; // &amp; </span>',
    "\u202e\u0000`${`nested`}`",
    "z\u0300\u0301",
  ]) {
    const parts = await colour("js", code);
    expect(text(parts ?? [])).toBe(code);
  }
});

test("unknown languages and very long code stay plain", async () => {
  for (const language of ["klingon", "constructor", "__proto__", ""]) expect(await colour(language, "x")).toBeNull();
  expect(await colour("rust", "x".repeat(100_000))).toBeNull();
});
