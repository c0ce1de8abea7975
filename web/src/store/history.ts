// Loading of timelines: pages in both directions, around a message, threads, and what changed while away.

import { method } from "@/api/method";
import { ApiError, get } from "@/api/rest";
import type { Id, Message, RoomType, Subscription, Wire } from "@/api/types";
import { millis } from "@/lib/time";
import { covers, left, standing } from "./left";
import { find } from "./rooms";
import { atEnd, change, state, type Timeline, useStore } from "./state";
import { bury, fresh, inRoom, KEPT, LONGEST, merge, MOST, newestChange, remove, SLACK, trim } from "./timeline";

const PAGE = 50;
/** So many on each side of a place. */
const BESIDE = 30;
/** Messages kept for the next visit: fewer than a page, so that the page that is read then replaces them all. */
const VISIT = 40;
/** Timelines kept in memory; the least lately shown goes first. */
const ROOMS = 50;
/** So many of them stay as they were left, also where the reader was far up. */
const WHOLE = 5;
const shownLately: Id[] = [];
/** More missed messages than this are not fetched for a room that is shown again: it is opened afresh. */
const MISSED = 200;
/** What came over the socket of the rooms that are listened to, the last so many of each: a page that was read
 * meanwhile need not have it. */
const heard = new Map<Id, Message[]>();
const HEARD = 200;
/** Pause before a room is read again while the server is away (ms). */
const AGAIN = 3_000;
/** The lists of rooms are waited for so long (ms), as long as they may take. */
const LISTS = 30_000;

const family = (type: RoomType): string => ({ c: "channels", p: "groups", d: "im", l: "groups" })[type];
const typeOf = (rid: Id): RoomType => state().subscriptions[rid]?.t ?? state().rooms[rid]?.t ?? "c";

export function update(key: Id, next: (timeline: Timeline) => Timeline): void {
  change((before) => {
    const old = before.timelines[key] ?? fresh;
    const changed = next(old);
    return changed === old ? {} : { timelines: { ...before.timelines, [key]: changed } };
  });
}

/** The newest page of the room that the address names, asked for before the lists say which room that is. */
let foreseen: { kind: string; name: string; until: number; page: Promise<Message[]> } | undefined;
/** How long it counts as the newest one (ms). */
const FRESH = 10_000;

/** Asks for it, beside what else the start asks for. */
export function foresee(): void {
  const [, kind = "", coded = ""] = /^\/(channel|group|direct)\/([^/]+)/.exec(location.pathname) ?? [];
  const types: Record<string, RoomType> = { channel: "c", group: "p", direct: "d" };
  const type = types[kind];
  if (!type) return;
  const name = decodeURIComponent(coded);
  const query = { [type === "d" ? "roomId" : "roomName"]: name, count: PAGE, showThreadMessages: false };
  const asked = get<{ messages: Message[] }>(`${family(type)}.history`, query, { joined: true });
  const page = asked.then(({ messages }) => messages);
  page.catch(() => undefined);
  foreseen = { kind, name, until: performance.now() + FRESH, page };
}

async function page(rid: Id, latest?: number, count = PAGE): Promise<Message[]> {
  const early = latest === undefined ? foreseen : undefined;
  if (early) {
    foreseen = undefined;
    const fits = early.until > performance.now() && find(state(), early.kind, early.name) === rid;
    const found = fits ? await early.page.catch(() => undefined) : undefined;
    if (found?.every((message) => message.rid === rid)) return found;
  }
  const query = {
    roomId: rid,
    count,
    showThreadMessages: false,
    latest: latest === undefined ? undefined : new Date(latest).toISOString(),
    inclusive: latest === undefined ? undefined : false,
  };
  const { messages } = await get<{ messages: Message[] }>(`${family(typeOf(rid))}.history`, query);
  return messages;
}

export async function after(rid: Id, since: number, count = PAGE): Promise<Message[]> {
  const date: Wire = { $date: since };
  const { messages } = await method<{ messages: Message[] }>("loadNextMessages", [rid, date, count]);
  return messages;
}

/** From now on what comes of a room is remembered for a while. Returns what ends that. */
export function remember(rid: Id): () => void {
  const own: Message[] = [];
  heard.set(rid, own);
  return () => {
    if (heard.get(rid) === own) heard.delete(rid);
  };
}

/** A message of a room that is listened to. */
export function hear(rid: Id, message: Message): void {
  const all = heard.get(rid);
  all?.push(message);
  if (all && all.length > HEARD) all.shift();
}

/** A run up to the end of its room, with what came while it was read. */
function withNews(rid: Id, run: Message[]): Message[] {
  const last = millis(run.at(-1)?.ts);
  const known = new Set(run.map(({ _id }) => _id));
  const news = (heard.get(rid) ?? []).filter((one) => known.has(one._id) || (inRoom(one) && millis(one.ts) >= last));
  return merge(run, news);
}

atEnd(() => {
  shownLately.length = 0;
  heard.clear();
  foreseen = undefined;
});

const mine = (message: Message): boolean => message.u._id === state().me?._id;

function refused(key: Id, error: unknown): void {
  const gone = error instanceof ApiError && (error.status === 400 || error.status === 403 || error.status === 404);
  const text = gone ? "room.gone" : "room.loadFailed";
  // Without a network what was seen last is better than nothing.
  const stays = !gone && state().timelines[key]?.kept !== undefined;
  update(key, (old) => ({ ...old, loading: false, error: stays ? undefined : text }));
  if (stays) setTimeout(() => void (shownLately[0] === key && open(key)), AGAIN);
}

/** What the last visit left does not know what is unread now: waits for the lists of this one. */
function listed(): Promise<void> {
  return new Promise((resolve) => {
    if (state().listed) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, LISTS);
    const stop = useStore.subscribe((now) => now.listed && done());
  });
}

/** Until when a room was read, if there is something unread. */
function readUntil(sub: Subscription | undefined): number | undefined {
  return sub && (sub.alert || (sub.unreadMessages ?? 0) > 0) ? millis(sub.ls) : undefined;
}

/** Where the divider stands: there is something of others after it. */
const divider = (run: Message[], read: number | undefined): number | undefined =>
  read !== undefined && run.some((one) => millis(one.ts) > read && !mine(one)) ? read : undefined;

/** A room that was shown before: nobody listened to it since. What is missing is read, and the reader stays. */
async function openAgain(rid: Id): Promise<void> {
  const sub = state().subscriptions[rid];
  const read = readUntil(sub);
  const missed = read !== undefined && (state().timelines[rid]?.newer || (sub?.unreadMessages ?? 0) > MISSED);
  if (missed) return openAfresh(rid);
  update(rid, (old) => ({ ...old, kept: newestChange(old), loading: true }));
  try {
    await changes(rid, (run) => ({
      ...run,
      kept: undefined,
      loading: false,
      unreadSince: divider(run.messages, read),
    }));
  } catch (error) {
    refused(rid, error);
  }
}

interface Read {
  messages: Message[];
  older: boolean;
  newer: boolean;
  /** It is the newest page, which what is there already can be put to. */
  newest?: boolean;
}

/** What is read of a room at first: around the place that was left, from the first unread message on, or the end. */
async function begin(rid: Id): Promise<Read> {
  const place = standing(rid);
  if (place) {
    const [run] = await Promise.all([around(rid, place.at), listed()]);
    // Nothing of it is shown in the room.
    if (!covers({ ...fresh, ...run }, place)) left.delete(rid);
    return run;
  }
  const newest = await page(rid);
  await listed();
  const read = readUntil(state().subscriptions[rid]);
  const oldest = newest.at(-1);
  const full = newest.length >= PAGE;
  const jump = read && full && oldest && millis(oldest.ts) > read;
  if (!jump) return { messages: merge([], newest.filter(inRoom)), older: full, newer: false, newest: true };
  const messages = [...(await page(rid, read + 1, 20)), ...(await after(rid, read))];
  return { messages: merge([], messages.filter(inRoom)), older: true, newer: messages.length >= PAGE };
}

/** Before and after a time. */
async function around(rid: Id, at: number): Promise<Read> {
  const [older, newer] = await Promise.all([page(rid, at, BESIDE), after(rid, at - 1, BESIDE)]);
  const messages = merge([], [...older, ...newer].filter(inRoom));
  return { messages, older: older.length >= BESIDE, newer: newer.length >= BESIDE };
}

/** The first load of a room, and what it needs when it is shown again. */
export async function open(rid: Id): Promise<void> {
  touch(rid);
  const known = state().timelines[rid];
  const place = standing(rid);
  if (known?.ready && known.whole && place && !covers(known, place)) return openAfresh(rid);
  if (known?.loading) return;
  if (known?.ready && !known.error && known.whole) return openAgain(rid);
  update(rid, (old) => ({ ...old, loading: true, error: undefined }));
  try {
    const { messages, older, newer, newest } = await begin(rid);
    const read = readUntil(state().subscriptions[rid]);
    update(rid, (old) => ({
      ...old,
      messages: newer ? messages : withNews(rid, merge(newest ? since(old) : [], messages)),
      kept: undefined,
      whole: true,
      older,
      newer,
      loading: false,
      ready: true,
      // Further up than what is new, the reader is told of it as well.
      unreadSince: newer ? read : divider(messages, read),
    }));
  } catch (error) {
    refused(rid, error);
  }
}

/** What came over the socket; what the last visit left may have been changed or deleted meanwhile. */
const since = ({ messages, kept }: Timeline): Message[] =>
  kept === undefined ? messages : messages.filter((message) => millis(message._updatedAt) > kept);

/** Loads a room as if it had not been looked at yet. */
export async function openAfresh(rid: Id): Promise<void> {
  update(rid, () => fresh);
  await open(rid);
}

export async function loadOlder(rid: Id): Promise<void> {
  const timeline = state().timelines[rid];
  const first = timeline?.messages[0];
  if (!timeline || timeline.loading || !timeline.older || !first) return;
  update(rid, (old) => ({ ...old, loading: true }));
  try {
    const messages = await page(rid, millis(first.ts));
    update(rid, (old) => {
      const run = merge(old.messages, messages.filter(inRoom));
      return trim({ ...old, messages: run, older: messages.length >= PAGE, loading: false }, "start");
    });
  } catch {
    update(rid, (old) => ({ ...old, loading: false }));
  }
}

export async function loadNewer(rid: Id): Promise<void> {
  const timeline = state().timelines[rid];
  const last = timeline?.messages.at(-1);
  if (!timeline || timeline.loading || !timeline.newer || !last) return;
  update(rid, (old) => ({ ...old, loading: true }));
  try {
    const messages = await after(rid, millis(last.ts));
    update(rid, (old) => {
      const newer = messages.length >= PAGE;
      const run = merge(old.messages, messages.filter(inRoom));
      return trim({ ...old, messages: newer ? run : withNews(rid, run), newer, loading: false }, "end");
    });
  } catch {
    update(rid, (old) => ({ ...old, loading: false }));
  }
}

/** Loads the run around a message and tells whether it is there. */
export async function loadAround(rid: Id, id: Id): Promise<boolean> {
  if (state().timelines[rid]?.messages.some((message) => message._id === id)) return true;
  try {
    const { message } = await get<{ message: Message }>("chat.getMessage", { msgId: id });
    if (message.rid !== rid) return false;
    const { messages, older, newer } = await around(rid, millis(message.ts));
    const run = merge(messages, [message]);
    update(rid, (old) => ({
      ...old,
      messages: newer ? run : withNews(rid, run),
      kept: undefined,
      whole: true,
      older,
      newer,
      loading: false,
      ready: true,
      error: undefined,
    }));
    return true;
  } catch {
    return false;
  }
}

/** The first message that is not older than a time, if there is one. */
export async function firstOf(rid: Id, time: number): Promise<Id | undefined> {
  const found = await after(rid, time - 1, 5);
  return found.find(inRoom)?._id;
}

/** Back to the newest messages from wherever the reader went. */
export async function toNewest(rid: Id): Promise<void> {
  if (!state().timelines[rid]?.newer) return;
  const messages = await page(rid);
  update(rid, (old) => ({
    ...old,
    messages: withNews(rid, merge([], messages.filter(inRoom))),
    older: messages.length >= PAGE,
    newer: false,
    loading: false,
  }));
}

/** Shortens a run that grew while it was looked at: at its end by its beginning, further up by its end. */
export function shorten(rid: Id, atEnd: boolean): void {
  const { length } = state().timelines[rid]?.messages ?? [];
  if (atEnd && length > MOST + SLACK) update(rid, (old) => (old.newer ? old : trim(old, "end")));
  else if (!atEnd && length > LONGEST) update(rid, (old) => trim(old, "start", LONGEST - SLACK));
}

/** A thread: its root and all replies. */
export async function openThread(tmid: Id): Promise<void> {
  if (state().timelines[tmid]?.loading) return;
  update(tmid, (old) => ({ ...old, loading: true, error: undefined }));
  try {
    const { message } = await get<{ message: Message }>("chat.getMessage", { msgId: tmid });
    const replies: Message[] = [];
    for (let offset = 0; offset < 1000; offset += 100) {
      const query = { tmid, count: 100, offset };
      const { messages } = await get<{ messages: Message[] }>("chat.getThreadMessages", query);
      replies.push(...messages);
      if (messages.length < 100) break;
    }
    update(tmid, (old) => ({
      ...old,
      messages: merge(old.messages, [message, ...replies]),
      older: false,
      loading: false,
      ready: true,
    }));
  } catch (error) {
    refused(tmid, error);
  }
}

/** What changed in a room since its last known change, in its threads too; `done` finishes its run. */
async function changes(rid: Id, done = (run: Timeline): Timeline => run): Promise<void> {
  const timeline = state().timelines[rid];
  // What follows a run that ends further up is read when the reader goes there.
  if (!timeline || timeline.newer) return update(rid, done);
  type Answer = { result: { updated: Message[]; deleted: { _id: Id }[] } };
  // Two changes may have one time.
  const query = { roomId: rid, lastUpdate: new Date(Math.max(0, newestChange(timeline) - 1)).toISOString() };
  const { result } = await get<Answer>("chat.syncMessages", query, { joined: true });
  const deleted = new Set(result.deleted.map(({ _id }) => _id));
  bury(deleted);
  change((before) => {
    const timelines = { ...before.timelines };
    for (const [key, old] of Object.entries(timelines)) {
      if (key !== rid && old.messages[0]?.rid !== rid) continue;
      const own = key === rid ? within(old, result.updated) : replies(key, old, result.updated);
      const run = remove(own.length > 0 ? { ...old, messages: merge(old.messages, own) } : old, deleted);
      timelines[key] = key === rid ? done(run) : run;
    }
    return { timelines };
  });
}

/** What of a room's changes stands in a run of it, or follows it. */
function within({ messages, older }: Timeline, all: Message[]): Message[] {
  const first = millis(messages[0]?.ts);
  return all.filter((one) => inRoom(one) && (!older || millis(one.ts) >= first));
}

const replies = (root: Id, { ready }: Timeline, all: Message[]): Message[] =>
  ready ? all.filter(({ tmid, _id }) => tmid === root || _id === root) : [];

/** After a break: what changed in a room that is in memory. */
export async function catchUp(rid: Id): Promise<void> {
  const timeline = state().timelines[rid];
  if (!timeline?.ready) return;
  if (!timeline.whole) return open(rid);
  await changes(rid);
}

/** Remembers which rooms were shown lately, and shortens or forgets the others. */
function touch(rid: Id): void {
  const at = shownLately.indexOf(rid);
  if (at >= 0) shownLately.splice(at, 1);
  shownLately.unshift(rid);
  const left = shownLately[WHOLE];
  const forgotten = shownLately.splice(ROOMS);
  change((before) => {
    const timelines = { ...before.timelines };
    for (const gone of forgotten) delete timelines[gone];
    const old = left && timelines[left];
    if (left && old && !old.newer) timelines[left] = trim(old, "end", KEPT);
    return { timelines };
  });
}

/** The end of the room that was shown last, for the next visit; nothing where the reader was further up. */
export function lastSeen(): { rid: Id; messages: Message[] } | undefined {
  const rid = shownLately[0];
  const run = rid ? state().timelines[rid] : undefined;
  if (!rid || !run?.ready || run.newer || run.error) return undefined;
  return { rid, messages: run.messages.filter((message) => !message.private).slice(-VISIT) };
}

/** Shows it again, until the room has been read anew. */
export function showLast({ rid, messages }: { rid: Id; messages: Message[] }): void {
  if (messages.length === 0 || state().timelines[rid]) return;
  const run = { ...fresh, messages, ready: true };
  update(rid, () => ({ ...run, kept: newestChange(run) }));
}

/** Rooms that are listened to; the others are caught up with when they are shown again. */
export const listenedTo = (): Id[] => [...heard.keys()];
