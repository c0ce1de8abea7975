// What is being typed in a composer that may be completed.

import type { Id } from "@/api/types";

export interface Choice {
  key: string;
  /** What is put in place of what was typed. */
  insert: string;
  label: string;
  more?: string;
  username?: string;
  rid?: Id;
  char?: string;
  src?: string;
}

export interface Typed {
  mark: "@" | "#" | ":" | "/";
  text: string;
  from: number;
  to: number;
}

/** The word before the caret, when it begins with a mark. */
export function typed(text: string, caret: number): Typed | null {
  const before = text.slice(0, caret);
  const match = /(^|[\s(])([@#:])([^\s@#:]*)$/u.exec(before) ?? /^()(\/)([\w-]*)$/.exec(before);
  if (!match) return null;
  const [, , mark, word = ""] = match;
  // A smiley is no search for an emoji.
  if (mark === ":" && word.length < 2) return null;
  return { mark: mark as Typed["mark"], text: word, from: caret - word.length - 1, to: caret };
}
