import { expect, test } from "vitest";
import type { Left } from "@/store/left";
import { placeAt, placeIn, type Row, rows } from "./rows";

const sent = (seconds: number): string => new Date(seconds * 1000).toISOString();
const message = (key: string, seconds: number): Row =>
  ({ kind: "message", key, head: true, message: { _id: key, ts: sent(seconds) } }) as never;
const all: Row[] = [
  { kind: "start", key: "start" },
  { kind: "day", key: "day 1", at: 0 },
  message("a", 1),
  { kind: "unread", key: "unread" },
  message("b", 2),
  message("c", 3),
];
const heights = [200, 40, 100, 20, 900, 50];
const tops = heights.map((_, index) => heights.slice(0, index).reduce((sum, one) => sum + one, 0));

/** A list of these rows that is scrolled so far (px), in a window of 600 px. */
const list = (scrollOffset: number) => ({
  scrollOffset,
  viewportSize: 600,
  findItemIndex: (offset: number) => tops.findLastIndex((top) => top <= offset),
  getItemOffset: (index: number) => tops[index] ?? 0,
});

test("the place of a reader is a message, whatever stands at the edge", () => {
  for (const [offset, key, above] of [
    [0, "a", -240],
    [230, "a", -10],
    [240, "a", 0],
    // Its upper part is out of sight: the next one begins in sight.
    [290, "b", -70],
    [345, "b", -15],
    // It fills the window: nothing begins in sight.
    [500, "b", 140],
    [900, "c", -360],
  ] as const)
    expect(placeAt(all, list(offset)), `${offset} px`).toMatchObject({ key, above });
  expect(placeAt(all.slice(0, 2), list(0))).toBeUndefined();
});

test("a place whose message is gone is where the next one stands", () => {
  const place = (key: string, seconds: number): Left => ({ key, at: seconds * 1000, above: 0, end: false });
  expect(placeIn(all, place("b", 2))).toBe(4);
  expect(placeIn(all, place("gone", 1.5))).toBe(4);
  expect(placeIn(all, place("gone", 9))).toBe(-1);
});

test("rows of messages that stay where they are stay the same, and follow those before them", () => {
  const one = (id: string, seconds: number, who = "u"): never =>
    ({ _id: id, ts: sent(seconds), u: { _id: who }, msg: id }) as never;
  const [a, b, c] = [one("a", 100), one("b", 101), one("c", 102, "v")];
  const make = (...messages: never[]): Row[] =>
    rows({ timeline: { messages, older: true }, outgoing: [], me: "me" }).filter(({ kind }) => kind === "message");
  const heads = (all: Row[]): unknown[] => all.map((row) => row.kind === "message" && row.head);
  const before = make(b, c);
  expect(heads(before)).toEqual([true, true]);
  const now = make(a, b, c);
  expect(heads(now)).toEqual([true, false, true]);
  expect(now[2]).toBe(before[1]);
  expect(make(a, b, c)).toEqual(now);
  // Another day between them.
  const yesterday = one("y", 100 - 86_400);
  expect(
    rows({ timeline: { messages: [yesterday, a], older: true }, outgoing: [], me: "me" }).map(({ kind }) => kind),
  ).toEqual(["day", "message", "day", "message"]);
});
