// What is shown of a message before the server's answer: the server's grammar where it is plain, and only there. For a
// text that might mean more it gives `null`, and the text is shown as it was written for the moment. The fixture
// `tests/markup.json` of the markup crate holds both to the same tree.

import type { Block, Inline } from "@/api/types";

/** Characters that might begin something that only the server's parser knows. */
const MARKS =
  /[*_~`|#>$\\<[\]!:@\u00a9\u00ae\u203c-\u3299\u{1f000}-\u{1faff}]|https?|www\.|\w\.\w|color|^\s*[-+\d]|\t|\r/imu;
/** Emoticons and the like: two marks beside each other, outside of words. */
const FACES = /(^|\s)[^\s\p{L}\p{N}'",.?!-][^\s]|[^\s]{1,3}[)(/\\DPpO03]($|\s)/u;

const plain = (value: string): Inline => ({ type: "PLAIN_TEXT", value });

/** The tree of a plain text, or `null`. */
export function echo(text: string): Block[] | null {
  if (text === "" || MARKS.test(text) || FACES.test(text)) return null;
  return text
    .split("\n")
    .map((line) => (line === "" ? { type: "LINE_BREAK" } : { type: "PARAGRAPH", value: [plain(line)] }));
}
