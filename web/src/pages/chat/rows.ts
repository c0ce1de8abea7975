// What the timeline shows, row by row: days, the unread divider, messages with or without their heads, and what is
// still on its way.

import type { Id, Message } from "@/api/types";
import { day, millis } from "@/lib/time";
import type { Left } from "@/store/left";
import type { Outgoing, Timeline } from "@/store/state";

type MessageRow = { kind: "message"; key: Id; message: Message; head: boolean };
export type Row =
  | { kind: "start"; key: "start" }
  | { kind: "day"; key: string; at: number }
  | { kind: "unread"; key: "unread" }
  | MessageRow
  | { kind: "outgoing"; key: Id; outgoing: Outgoing; head: boolean };

/** Messages of one author within this time stand under one head (ms). */
export const GROUP = 5 * 60_000;

/** Whether `message` goes on from the one before it. */
export function follows(before: Message | undefined, message: Message): boolean {
  if (!before || before.t || message.t || message.groupable === false || before.groupable === false) return false;
  if (before.u._id !== message.u._id || before.alias !== message.alias || before.tmid !== message.tmid) return false;
  const [a, b] = [millis(before.ts), millis(message.ts)];
  return b - a < GROUP && day(a) === day(b);
}

export interface What {
  timeline: Pick<Timeline, "messages" | "older">;
  outgoing: readonly Outgoing[];
  me: Id;
  /** Where the divider stands: after what was read at this time (ms). */
  unreadSince?: number | undefined;
  /** In a thread the root stands first and days matter less. */
  thread?: boolean;
}

/** What stands where, by the message and the one before it. */
interface Made {
  before: Message | undefined;
  row: MessageRow;
  /** The day that begins with it. */
  begins: number | undefined;
}
const made = new WeakMap<Message, Made>();

/** Messages that stay where they are keep their rows, and what is shown of them stays as it is. */
function make(message: Message, before: Message | undefined): Made {
  const known = made.get(message);
  if (known && known.before === before) return known;
  const at = millis(message.ts);
  const begins = !before || day(millis(before.ts)) !== day(at) ? at : undefined;
  const head = !follows(before, message);
  const row: MessageRow = known?.row.head === head ? known.row : { kind: "message", key: message._id, message, head };
  const next = { before, row, begins };
  made.set(message, next);
  return next;
}

export function rows({ timeline, outgoing, me, unreadSince, thread = false }: What): Row[] {
  const all: Row[] = timeline.older || thread ? [] : [{ kind: "start", key: "start" }];
  let before: Message | undefined;
  // Where what was read is not loaded, nobody knows where the first unread message stands.
  const reaches = !timeline.older || millis(timeline.messages[0]?.ts) <= (unreadSince ?? 0);
  let divided = unreadSince === undefined || !reaches;
  for (const message of timeline.messages) {
    const { begins } = make(message, before);
    if (begins !== undefined) all.push({ kind: "day", key: `day ${day(begins)}`, at: begins });
    // The divider stands before the first message of somebody else that was not read.
    if (!divided && millis(message.ts) > (unreadSince ?? 0) && message.u._id !== me && !message.private) {
      divided = true;
      all.push({ kind: "unread", key: "unread" });
      before = undefined;
    }
    all.push(make(message, before).row);
    before = message;
  }
  const known = new Set(timeline.messages.map(({ _id }) => _id));
  const waiting = outgoing.filter(({ _id }) => !known.has(_id));
  waiting.forEach((one, index) => {
    const own = before?.u._id === me && !before.t && one.ts - millis(before.ts) < GROUP;
    const head = index === 0 ? !own : one.ts - (waiting[index - 1]?.ts ?? 0) >= GROUP;
    all.push({ kind: "outgoing", key: one._id, outgoing: one, head });
  });
  return all;
}

/** Whether the first messages of `old` are gone from `now` and later ones stayed: a long run was shortened. */
export function cut(old: readonly Row[], now: readonly Row[]): boolean {
  const first = old.find((row) => row.kind === "message");
  const top = now.find((row) => row.kind === "message");
  if (!first || !top || now.length >= old.length || first.key === top.key) return false;
  return !now.some((row) => row.key === first.key) && old.some((row) => row.key === top.key);
}

/** Whether rows of `now` stand before the first one of `old`: a page was loaded above. */
export function prepended(old: readonly Row[], now: readonly Row[]): boolean {
  const first = old.find((row) => row.kind === "message");
  if (!first || now.length <= old.length) return false;
  const was = old.indexOf(first);
  const is = now.findIndex((row) => row.key === first.key);
  return is > was;
}

/** What of a virtual list says where its rows stand (px). */
interface Standing {
  scrollOffset: number;
  viewportSize: number;
  findItemIndex: (offset: number) => number;
  getItemOffset: (index: number) => number;
}

const sent = (row: Row | undefined): number | undefined =>
  row?.kind === "message" ? millis(row.message.ts) : row?.kind === "outgoing" ? row.outgoing.ts : undefined;

/** The place of the reader: the first message that begins in sight, as what begins above may not be measured yet when
 * it is gone back to; else the one that fills the sight. */
export function placeAt(all: readonly Row[], list: Standing): Omit<Left, "end"> | undefined {
  const { scrollOffset, viewportSize } = list;
  const first = list.findItemIndex(scrollOffset);
  let found: number | undefined;
  for (let index = first; index < all.length; index += 1) {
    const top = list.getItemOffset(index) - scrollOffset;
    if (found !== undefined && top >= viewportSize) break;
    if (sent(all[index]) === undefined) continue;
    found = index;
    if (top >= -1) break;
  }
  const row = found === undefined ? undefined : all[found];
  const at = sent(row);
  if (!row || at === undefined || found === undefined) return undefined;
  return { key: row.key, at, above: scrollOffset - list.getItemOffset(found) };
}

/** The row of a place: its message, or what came next where that is gone. -1 when there is none. */
export function placeIn(all: readonly Row[], { key, at }: Left): number {
  const found = all.findIndex((row) => row.key === key);
  return found >= 0 ? found : all.findIndex((row) => (sent(row) ?? -1) >= at);
}
