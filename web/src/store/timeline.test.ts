import { expect, test } from "vitest";
import type { Message } from "@/api/types";
import { merge } from "./timeline";

const message = (_id: string, seconds: number, more: Partial<Message> = {}): Message =>
  ({ _id, rid: "r", msg: _id, ts: new Date(seconds * 1000).toISOString(), ...more }) as Message;
const ids = (run: Message[]): string => run.map(({ _id }) => _id).join(" ");
const run = [message("c", 3), message("d", 4)];

test("a page before a run or after it is put there in order, whichever way it came", () => {
  expect(ids(merge(run, [message("b", 2), message("a", 1)]))).toBe("a b c d");
  expect(ids(merge(run, [message("f", 6), message("e", 5)]))).toBe("c d e f");
  expect(merge(run, [message("b", 2), message("a", 1)])[2]).toBe(run[0]);
});

test("a page that reaches into a run doubles nothing and stands in order", () => {
  expect(ids(merge(run, [message("b", 2), message("c", 3), message("x", 3.5)]))).toBe("b c x d");
  expect(ids(merge(run, [message("a", 1), message("e", 5)]))).toBe("a c d e");
  // The same one with another time.
  expect(ids(merge(run, [message("d", 1), message("a", 0)]))).toBe("a d c");
  expect(ids(merge(run, [message("a", 1), message("a", 1)]))).toBe("a c d");
});

test("an older word of a message does not replace a newer one", () => {
  const newer = message("c", 3, { msg: "new", _updatedAt: new Date(9_000).toISOString() });
  const older = message("c", 3, { msg: "old", _updatedAt: new Date(8_000).toISOString() });
  expect(merge([newer], [older])[0]?.msg).toBe("new");
  expect(merge([older], [newer])[0]?.msg).toBe("new");
});
