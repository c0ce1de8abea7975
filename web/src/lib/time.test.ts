import { expect, test } from "vitest";
import { clock, day } from "./time";

test("a day is that of the time that is asked for, whatever was asked before", () => {
  const at = (...parts: [number, number, number, number?, number?]): number => new Date(...parts).getTime();
  for (const [asked, start] of [
    [at(2026, 2, 29, 12), at(2026, 2, 29)],
    [at(2026, 2, 29, 0), at(2026, 2, 29)],
    [at(2026, 2, 29, 0) - 1, at(2026, 2, 28)],
    [at(2026, 2, 30), at(2026, 2, 30)],
    [at(2026, 9, 25, 23, 59), at(2026, 9, 25)],
    [at(2026, 9, 26), at(2026, 9, 26)],
  ] as const)
    expect(day(asked)).toBe(start);
});

test("the minute that was written last is not written for another one or in another language", () => {
  const at = new Date(2026, 0, 1, 15, 4, 5).getTime();
  expect(clock("fr", at)).toBe("15:04");
  expect(clock("en-US", at)).toMatch(/^0?3:04.PM$/);
  expect(clock("fr", at + 50_000)).toBe("15:04");
  expect(clock("fr", at + 60_000)).toBe("15:05");
});
