import { readFileSync } from "node:fs";
import { join } from "node:path";
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { Block } from "@/api/types";
import { echo } from "./echo";
import { safe, Tree } from "./tree";

interface Case {
  text: string;
  md: Block[];
}

/** What is long stands in the fixture as `{times, of}`, of a text or a list, and as `{all}` for several in a row. */
function writtenOut(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(writtenOut);
  if (typeof value !== "object" || value === null) return value;
  const { times, of, all } = value as { times?: number; of?: unknown; all?: unknown[] };
  const parts = times === undefined ? all?.map(writtenOut) : Array.from({ length: times }, () => writtenOut(of));
  if (parts) return Array.isArray(parts[0]) ? parts.flat(1) : parts.join("");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, writtenOut(inner)]));
}

// The same file is held against the server's parser.
const file = join(import.meta.dirname, "../../../tests/markup/fixture.json");
const cases = (JSON.parse(readFileSync(file, "utf8")) as unknown[]).map(writtenOut) as Case[];
i18n.loadAndActivate({ locale: "en", messages: {} });
afterEach(cleanup);

const show = (blocks: Block[]): HTMLElement =>
  render(
    <I18nProvider i18n={i18n}>
      <Tree blocks={blocks} />
    </I18nProvider>,
  ).container;

test("what is shown before the server answers is what the server answers, or nothing", () => {
  for (const { text, md } of cases) {
    const tree = echo(text);
    if (tree) expect(tree, JSON.stringify(text.slice(0, 80))).toEqual(md);
  }
});

test("plain texts in any script are shown at once", () => {
  for (const text of ["hello, world", "first line\nsecond line", "déjà vu à Noël", "مرحبا بالعالم", "你好"]) {
    expect(echo(text), text).not.toBeNull();
  }
});

test("nothing that somebody writes becomes an address that runs, or an element of its own", () => {
  for (const { text, md } of cases) {
    const shown = show(md);
    for (const link of shown.querySelectorAll("a")) {
      expect(link.getAttribute("href"), text.slice(0, 80)).toMatch(/^(https?:\/\/|mailto:|tel:|\/)/);
    }
    expect(shown.querySelectorAll("script, iframe, object, embed, form, style, img"), text.slice(0, 80)).toHaveLength(
      0,
    );
    for (const one of shown.querySelectorAll("*")) {
      expect(
        [...one.attributes].filter(({ name }) => name.startsWith("on")),
        text.slice(0, 80),
      ).toHaveLength(0);
    }
    cleanup();
  }
});

test("an address is followed only to the web, mail, phone, or within the app", () => {
  for (const bad of [
    "javascript:alert(1)",
    "JaVa\tScRiPt:alert(1)",
    " data:text/html,x",
    "vbscript:x",
    "file:///etc",
    "blob:x",
  ]) {
    expect(safe(bad), bad).toBeUndefined();
  }
  for (const good of ["https://a.b", "mailto:a@b.c", "tel:1", "//a.b", "a.b/c", "/channel/general"]) {
    expect(safe(good), good).toBeDefined();
  }
});

test("a tree that is deeper than any text stops, and a very long line stays one element", () => {
  let deep: Block = { type: "PARAGRAPH", value: [{ type: "PLAIN_TEXT", value: "end" }] };
  for (let level = 0; level < 5_000; level += 1) deep = { type: "QUOTE", value: [deep] };
  expect(show([deep]).querySelectorAll("blockquote").length).toBeLessThan(30);
  const began = performance.now();
  const long = show([{ type: "PARAGRAPH", value: [{ type: "PLAIN_TEXT", value: "x".repeat(100_000) }] }]);
  expect(long.querySelectorAll("p")).toHaveLength(1);
  echo("x".repeat(100_000));
  echo(`${"a b ".repeat(25_000)}`);
  // Far above what it takes, for machines that are busy: what is not linear takes minutes.
  expect(performance.now() - began).toBeLessThan(10_000);
});
