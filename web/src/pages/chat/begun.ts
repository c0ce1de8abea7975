// Edits that were begun: what the rows know of them before the box to write in is fetched.

import type { Message } from "@/api/types";
import { atEnd } from "@/store/state";

/** What was changed and neither saved nor dropped: rows that are scrolled away and come back go on with it. */
export const begun = new Map<string, string>();
atEnd(() => begun.clear());

export const nameOf = (message: Message, place: string): string => `${place}/${message._id}`;

export const isBegun = (message: Message, place: string): boolean => begun.has(nameOf(message, place));

let from: HTMLElement | null = null;

/** Where the focus goes back to after the next edit, when that is not its message. */
export function editFrom(element: Element | null): void {
  from = element instanceof HTMLTextAreaElement ? element : null;
}

/** That place, which counts once. */
export function takeFrom(): HTMLElement | null {
  const found = from;
  from = null;
  return found;
}
