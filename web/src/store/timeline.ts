// Pure steps on timelines: runs of messages in order, without gaps and without doubles.

import type { Id, Message } from "@/api/types";
import { millis } from "@/lib/time";
import type { Timeline } from "./state";

/** Messages kept of the room that is shown, and of others. */
export const MOST = 600;
export const KEPT = 100;
/** A run at whose end the reader is grows so far beyond before it is cut; one that is read further up grows to this. */
export const SLACK = 200;
export const LONGEST = 3_000;

export const fresh: Timeline = { messages: [], older: true, newer: false, loading: false, ready: false };

const at = (message: Message): number => millis(message.ts);
const before = (a: Message, b: Message): number => at(a) - at(b) || (a._id < b._id ? -1 : 1);

/** Replies stand in their thread, unless they were shown in the room too. */
export const inRoom = (message: Message): boolean => !message.tmid || message.tshow === true;

/** Messages that were deleted lately: a page that was read before that must not bring them back. */
const gone = new Set<Id>();
const GONE = 1_000;

export function bury(ids: Iterable<Id>): void {
  for (const id of ids) gone.add(id);
  for (const id of gone) {
    if (gone.size <= GONE) break;
    gone.delete(id);
  }
}

/** Puts pages or events into a run: known messages are replaced where they stand, others inserted in order. */
export function merge(run: Message[], come: Message[]): Message[] {
  const incoming = gone.size > 0 ? come.filter(({ _id }) => !gone.has(_id)) : come;
  if (incoming.length === 0) return run;
  const last = run.at(-1);
  const [only] = incoming;
  // The usual case costs nothing: one message after the last.
  if (incoming.length === 1 && only && (!last || before(last, only) < 0) && last?._id !== only._id) {
    const known = run.findIndex((message) => message._id === only._id);
    if (known < 0) return [...run, only];
  }
  const page = beside(run, incoming);
  if (page) return page;
  const byId = new Map(run.map((message) => [message._id, message]));
  for (const message of incoming) {
    const known = byId.get(message._id);
    if (!known || millis(message._updatedAt) >= millis(known._updatedAt)) byId.set(message._id, message);
  }
  return [...byId.values()].sort(before);
}

/** A page that lies wholly before or after a run: nothing of the run is looked at again. */
function beside(run: Message[], come: Message[]): Message[] | undefined {
  const page = [...come].sort(before);
  const [first, last, top, end] = [page[0], page.at(-1), run[0], run.at(-1)];
  if (!first || !last || !top || !end) return undefined;
  const ids = new Set(page.map(({ _id }) => _id));
  if (ids.size < page.length || run.some(({ _id }) => ids.has(_id))) return undefined;
  if (before(last, top) < 0) return [...page, ...run];
  return before(end, first) < 0 ? [...run, ...page] : undefined;
}

/** An event of a message: taken when it belongs to the run, or changes one of it. */
export function receive(timeline: Timeline, message: Message): Timeline {
  const known = timeline.messages.some(({ _id }) => _id === message._id);
  if (!known) {
    const first = timeline.messages[0];
    // What lies outside of the run is found when its page is loaded.
    if (timeline.newer || (first && timeline.older && at(message) < at(first))) return timeline;
  }
  return { ...timeline, messages: merge(timeline.messages, [message]) };
}

export function remove(timeline: Timeline, ids: ReadonlySet<Id>): Timeline {
  if (!timeline.messages.some(({ _id }) => ids.has(_id))) return timeline;
  return { ...timeline, messages: timeline.messages.filter(({ _id }) => !ids.has(_id)) };
}

/** Drops what lies furthest from the reader when the run grew too long. */
export function trim(timeline: Timeline, keep: "start" | "end", most = MOST): Timeline {
  const { messages } = timeline;
  if (messages.length <= most) return timeline;
  return keep === "end"
    ? { ...timeline, messages: messages.slice(-most), older: true }
    : { ...timeline, messages: messages.slice(0, most), newer: true };
}

/** The change that was seen last, for asking what came after it (ms). */
export const newestChange = (timeline: Timeline): number =>
  timeline.messages.reduce((newest, message) => Math.max(newest, millis(message._updatedAt) || at(message)), 0);
