import { expect, test } from "vitest";
import { colour, initial } from "./avatar";

test("letters are drawn as the server draws them", () => {
  expect([initial("ana"), initial("  #général"), initial("élan"), initial("…")]).toEqual(["A", "G", "É", "?"]);
  expect(colour("…")).toBe("#5a616b");
  // The sum of the bytes of UTF-8, as the server's `draw.rs` has it.
  expect([colour("ana"), colour("bob"), colour("général")]).toEqual(["#007373", "#7a5c00", "#3b5bc0"]);
});
