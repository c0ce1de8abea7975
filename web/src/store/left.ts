// Where each room was left, so that coming back finds the reader's place there.

import type { Id } from "@/api/types";
import { millis } from "@/lib/time";
import { atEnd, type Timeline } from "./state";

/** The place is a message's: days, the divider and the start of the room stand elsewhere at the next visit. */
export interface Left {
  /** The message at the upper edge, and when it was sent (ms): others stand there when it is gone. */
  key: Id;
  at: number;
  /** How much of it lies above the edge (px); less than nothing when it stands below. */
  above: number;
  /** The reader was at the end, and will be again. */
  end: boolean;
}

export const left = new Map<Id, Left>();
atEnd(() => left.clear());

/** Where the reader goes on, if not at the end. */
export function standing(rid: Id): Left | undefined {
  const place = left.get(rid);
  return place?.end ? undefined : place;
}

/** Whether a run has the place, or knows that nothing stands there any more. */
export function covers({ messages, older, newer }: Timeline, { at }: Left): boolean {
  const [first, last] = [messages[0], messages.at(-1)];
  return (!older || (first !== undefined && millis(first.ts) <= at)) && (!newer || millis(last?.ts) >= at);
}
