import { expect, test } from "vitest";
import { filterAt, parse } from "./search";

test("filters are written in English or French and reach the server as it knows them", () => {
  expect(parse("café de:@bob dans:#général avec:fichier avant:2026-01-31").server).toBe(
    "café from:@bob in:#général has:file before:2026-01-31",
  );
  expect(parse('from:me "exact words" has:link').server).toBe('from:me "exact words" has:link');
});

test("what is no filter is a word, and words are marked", () => {
  const { server, words } = parse('see https://a.b/c:d "two words" x from:');
  expect(server).toBe('see https://a.b/c:d "two words" x from:');
  expect(words).toEqual(["see", "https://a.b/c:d", "two words", "from:"]);
});

test("the filter that is being typed is known", () => {
  expect(filterAt("hello from:bo")).toEqual({ from: 6, name: "from", value: "bo" });
  expect(filterAt("avec:")).toEqual({ from: 0, name: "has", value: "" });
  expect(filterAt("hello from:bob ")).toBeNull();
  expect(filterAt("unknown:x")).toBeNull();
});
