import { expect, test } from "vitest";
import { plainly } from "./preview";

test("a line of the inbox says what was written, without the marks around it", () => {
  for (const [text, shown] of [
    [
      "> It looks *wide* enough.\n\nSee [the plan](https://example.org/plan), section 2.",
      "It looks wide enough. See the plan, section 2.",
    ],
    ["```rust\nfn main() {}\n```", "fn main() {}"],
    ["# Title\n_really_ ~gone~ `code` **bold**", "Title really gone code bold"],
    ["[ ](https://here/group/x?msg=1) look", "look"],
    ["2 * 3 * 4, snake_case_name and a > b", "2 * 3 * 4, snake_case_name and a > b"],
  ])
    expect(plainly(text ?? "")).toBe(shown);
});
