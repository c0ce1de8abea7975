// What comes over the socket, put into the store; and the lists that are read at the start and after each break.

import { ddp, onOnline } from "@/api/live";
import { get } from "@/api/rest";
import type { Id, Message, Room, Status, Subscription, Wire } from "@/api/types";
import { millis } from "@/lib/time";
import { announce } from "./announce";
import { catchUp, hear, listenedTo, remember } from "./history";
import { atEnd, change, later, type State, state } from "./state";
import { bury, inRoom, receive, remove } from "./timeline";

/** Somebody who stopped without saying so types no longer after this (ms). */
const TYPING = 8_000;
const STATUS: Status[] = ["offline", "online", "away", "busy"];

interface Lists<T> {
  update: T[];
  remove: { _id: Id }[];
}

/** When rooms were taken away, and of which the socket told at all in this session: lists that were asked for before
 * say otherwise. */
const lost = new Map<Id, number>();
const told = new Set<Id>();
atEnd(() => {
  lost.clear();
  told.clear();
});

/** What the socket told stays where it is newer than what a list says: that was asked for before. */
const newer = <T extends { _updatedAt: Wire }>(known: T | undefined, read: T): T =>
  known && millis(known._updatedAt) > millis(read._updatedAt) ? known : read;

/** Rooms and subscriptions: all of them at first, then what changed. */
export async function readLists(since?: number): Promise<void> {
  const asked = performance.now();
  const query = { updatedSince: since ? new Date(since).toISOString() : undefined };
  const [subs, rooms] = await Promise.all([
    get<Lists<Subscription>>("subscriptions.get", query, { joined: true }),
    get<Lists<Room>>("rooms.get", query, { joined: true }),
  ]);
  change((before) => {
    const subscriptions = since ? { ...before.subscriptions } : {};
    const known = since ? { ...before.rooms } : {};
    const stays = (rid: Id): boolean => (lost.get(rid) ?? -1) < asked;
    // What the last visit left may be anything; what was told in this one is true.
    const heard = <T>(rid: Id, one: T): T | undefined => (since || told.has(rid) ? one : undefined);
    for (const sub of subs.update)
      if (stays(sub.rid)) subscriptions[sub.rid] = newer(heard(sub.rid, before.subscriptions[sub.rid]), sub);
    for (const room of rooms.update)
      if (stays(room._id)) known[room._id] = newer(heard(room._id, before.rooms[room._id]), room);
    for (const rid of since ? [] : told) {
      // Made while the list was on its way.
      const [sub, room] = [before.subscriptions[rid], before.rooms[rid]];
      if (sub && stays(rid)) subscriptions[rid] ??= sub;
      if (room && stays(rid)) known[rid] ??= room;
    }
    const gone = new Set(subs.remove.map(({ _id }) => _id));
    for (const sub of Object.values(subscriptions)) if (gone.has(sub._id)) delete subscriptions[sub.rid];
    for (const { _id } of since ? rooms.remove : []) delete known[_id];
    return { subscriptions, rooms: known, ready: true, listed: true };
  });
}

const newest = (from: State): number =>
  Object.values(from.subscriptions).reduce((max, sub) => Math.max(max, millis(sub._updatedAt)), 0);

/** Listens to everything that concerns the signed-in user. Returns what ends it. */
export function listen(uid: Id, ended: () => void): () => void {
  const user = (event: string, handler: (args: unknown[]) => void): (() => void) =>
    ddp.listen("notify-user", `${uid}/${event}`, handler);
  const stops = [
    user("subscriptions-changed", ([word, sub]) => subscriptionChanged(word as string, sub as Subscription)),
    user("rooms-changed", ([word, room]) => roomChanged(word as string, room as Room)),
    user("message", ([message]) => whispered(message as Message)),
    user("notification", ([notice]) => announce(notice as Parameters<typeof announce>[0])),
    user("userData", ([change]) => userChanged(change as UserChange)),
    user("video-conference", ([told]) => void import("./ringing").then(({ ring }) => ring(told))),
    user("force_logout", ended),
    ddp.listen("notify-all", "public-settings-changed", ([, setting]) => {
      const { _id, value } = setting as { _id: string; value: unknown };
      later(({ settings }) => ({ settings: { ...settings, [_id]: value } }));
    }),
    ddp.listen("notify-logged", "roles-change", ([given]) => roleGiven(given as RoleGiven)),
    ddp.listen("notify-logged", "permissions-changed", ([, permission]) => {
      const { _id, roles } = permission as { _id: string; roles: string[] };
      later(({ permissions }) => ({ permissions: { ...permissions, [_id]: roles } }));
    }),
    ddp.listen(
      "user-presence",
      "",
      ([row], uid) => presenceChanged(uid, row as [string, number, string?]),
      watchList(),
    ),
    onOnline(() => settled && void comeBack().catch(() => undefined)),
  ];
  const sweep = setInterval(sweepTyping, 2_000);
  return () => {
    clearInterval(sweep);
    for (const stop of stops) stop();
  };
}

/** Whether the start is over: until then nobody comes back. */
let settled = false;
atEnd(() => {
  settled = false;
});

/** Ends the start: what happened between its reading and its listening is read now, or once the socket listens. */
export function settle(): void {
  settled = true;
  if (state().connection === "online") void comeBack().catch(() => undefined);
}

/** After a break: the lists from their last known change on, and each room that is in memory. What came meanwhile over
 * the socket is newer and stays. */
async function comeBack(): Promise<void> {
  if (!state().ready) return;
  const lists = readLists(Math.max(0, newest(state()) - 1_000));
  await Promise.all([lists, ...listenedTo().map((rid) => catchUp(rid).catch(() => undefined))]);
  watchPresence();
  readPresence([...watching]);
}

function subscriptionChanged(word: string, sub: Subscription): void {
  heardOf(word, sub.rid);
  later(({ subscriptions }) => {
    const next = { ...subscriptions };
    if (word === "removed") delete next[sub.rid];
    // The whole of it: what is not there was taken away.
    else next[sub.rid] = sub;
    return { subscriptions: next };
  });
}

function roomChanged(word: string, room: Room): void {
  heardOf(word, room._id);
  later((before) => {
    const rooms = { ...before.rooms };
    if (word !== "removed") {
      rooms[room._id] = room;
      return { rooms };
    }
    delete rooms[room._id];
    // Whoever may not read it any more has nothing of it here either.
    const timelines = Object.entries(before.timelines).filter(
      ([key, run]) => key !== room._id && run.messages[0]?.rid !== room._id,
    );
    return { rooms, timelines: Object.fromEntries(timelines) };
  });
}

function heardOf(word: string, rid: Id): void {
  told.add(rid);
  if (word === "removed") lost.set(rid, performance.now());
  else lost.delete(rid);
}

/** A note from the server for this user only: shown in its room until the next reload. */
function whispered(message: Message): void {
  later(({ timelines }) => {
    const old = timelines[message.rid];
    return old ? { timelines: { ...timelines, [message.rid]: receive(old, { ...message, private: true }) } } : {};
  });
}

interface UserChange {
  type: string;
  diff?: Record<string, unknown>;
}

function userChanged({ diff }: UserChange): void {
  if (!diff) return;
  const own = Object.fromEntries(Object.entries(diff).filter(([key]) => !key.includes(".")));
  later(({ me }) => (me ? { me: { ...me, ...own } } : {}));
}

interface RoleGiven {
  type: "added" | "removed";
  _id: string;
  u?: { _id: Id };
  scope?: Id | null;
}

/** One's own roles in the workspace; those in rooms come with their subscriptions. */
function roleGiven({ type, _id, u, scope }: RoleGiven): void {
  later(({ me }) => {
    if (!me || scope || u?._id !== me._id) return {};
    const others = me.roles.filter((role) => role !== _id);
    return { me: { ...me, roles: type === "added" ? [...others, _id] : others } };
  });
}

export function presenceChanged(uid: Id, [, code, text]: [string, number, string?]): void {
  const status = STATUS[code] ?? "offline";
  later(({ presence }) => ({ presence: { ...presence, [uid]: { status, text: text ?? "" } } }));
}

const watching = new Set<Id>();
const watchList = (): object => ({ added: [...watching], removed: [] });

/** Asks for the presence of the people whose names are shown, now and from now on. */
export function watchPresence(ids: readonly Id[] = []): void {
  const peers = Object.values(state().rooms)
    .filter((room) => room.t === "d" && (room.uids?.length ?? 0) <= 2)
    .flatMap((room) => room.uids ?? [])
    .slice(0, 200);
  const own = state().me?._id;
  const added = [...new Set([...(own ? [own] : []), ...peers, ...ids])].filter((uid) => !watching.has(uid));
  if (added.length === 0) return;
  for (const uid of added) watching.add(uid);
  // One watch list a connection: further subscriptions amend it, and the first one hears it all.
  ddp.amend("user-presence", "", { added, removed: [] }, watchList());
  readPresence(added);
}

const unasked = new Set<Id>();
atEnd(() => {
  watching.clear();
  unasked.clear();
});
let asking: ReturnType<typeof setTimeout> | undefined;
/** Who is asked for within this time is asked for in one request, after what is waited for (ms). */
const GATHER = 400;
/** People in one request: they stand in its address. */
const AT_ONCE = 100;

function readPresence(ids: Id[]): void {
  for (const id of ids) unasked.add(id);
  asking ??= setTimeout(() => {
    asking = undefined;
    const all = [...unasked];
    unasked.clear();
    for (let at = 0; state().me && at < all.length; at += AT_ONCE) fetchPresence(all.slice(at, at + AT_ONCE));
  }, GATHER);
}

function fetchPresence(ids: Id[]): void {
  if (ids.length === 0) return;
  void get<{ users: { _id: Id; status: Status; statusText?: string }[] }>(
    "users.presence",
    { ids: ids.join(",") },
    { joined: true },
  )
    .then(({ users }) => {
      const known = users.map(({ _id, status, statusText }) => [_id, { status, text: statusText ?? "" }]);
      change(({ presence }) => ({ presence: { ...presence, ...Object.fromEntries(known) } }));
    })
    .catch(() => undefined);
}

/** Listens to one room. */
export function listenToRoom(rid: Id): () => void {
  const stops = [
    remember(rid),
    ddp.listen("room-messages", rid, ([message]) => messageCame(rid, message as Message)),
    ddp.listen("notify-room", `${rid}/deleteMessage`, ([gone]) => deleted(rid, [(gone as { _id: Id })._id])),
    ddp.listen("notify-room", `${rid}/deleteMessageBulk`, ([purge]) => purged(rid, purge as Purge)),
    ddp.listen("notify-room", `${rid}/user-activity`, ([name, activities]) =>
      typed(rid, String(name), (activities as string[]).includes("user-typing")),
    ),
    ddp.listen("notify-room", `${rid}/messagesRead`, ([read]) => {
      const until = millis((read as { until: Wire }).until);
      later(({ receipts }) => ({ receipts: { ...receipts, [rid]: until } }));
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function messageCame(rid: Id, message: Message): void {
  hear(rid, message);
  later((before) => {
    const timelines = { ...before.timelines };
    const own = timelines[rid];
    if (own?.ready && inRoom(message)) timelines[rid] = receive(own, kept(own.messages, message));
    for (const key of [message.tmid, message._id]) {
      const thread = key && timelines[key];
      if (key && thread) timelines[key] = receive(thread, kept(thread.messages, message));
    }
    const outbox = before.outbox.some((one) => one._id === message._id)
      ? before.outbox.filter((one) => one._id !== message._id)
      : before.outbox;
    return { timelines, outbox, typing: notTyping(before, rid, message) };
  });
}

/** Events are the same for all, so one's own stars are not in them. */
function kept(run: Message[], message: Message): Message {
  const starred = run.find((one) => one._id === message._id)?.starred;
  return starred && !message.starred ? { ...message, starred } : message;
}

function notTyping(before: State, rid: Id, message: Message): State["typing"] {
  const names = before.typing[rid];
  const name = [message.u.username, message.u.name].find((one) => one && names?.[one]);
  if (!names || !name) return before.typing;
  const rest = { ...names };
  delete rest[name];
  return { ...before.typing, [rid]: rest };
}

function deleted(rid: Id, ids: Id[]): void {
  const set = new Set(ids);
  bury(ids);
  later((before) => {
    const timelines = { ...before.timelines };
    for (const [key, old] of Object.entries(timelines)) {
      if (key === rid || old.messages[0]?.rid === rid) timelines[key] = remove(old, set);
    }
    return { timelines };
  });
}

interface Purge {
  ids?: Id[];
  ts?: { $gt?: Wire; $gte?: Wire; $lt?: Wire; $lte?: Wire };
  excludePinned?: boolean;
  users?: string[];
}

function purged(rid: Id, { ids, ts = {}, excludePinned, users = [] }: Purge): void {
  if (ids?.length) return deleted(rid, ids);
  const from = millis(ts.$gt ?? ts.$gte);
  const to = millis(ts.$lt ?? ts.$lte) || Number.MAX_SAFE_INTEGER;
  const runs = Object.values(state().timelines).filter(({ messages }) => messages[0]?.rid === rid);
  const gone = runs
    .flatMap(({ messages }) => messages)
    .filter((message) => {
      const at = millis(message.ts);
      const byThem = users.length === 0 || users.includes(message.u.username ?? "");
      return at >= from && at <= to && byThem && !(excludePinned && message.pinned);
    });
  deleted(
    rid,
    gone.map(({ _id }) => _id),
  );
}

function typed(rid: Id, name: string, active: boolean): void {
  const { me } = state();
  if (name === me?.username || name === me?.name) return;
  later(({ typing }) => {
    const names = { ...typing[rid] };
    if (active) names[name] = Date.now() + TYPING;
    else delete names[name];
    return { typing: { ...typing, [rid]: names } };
  });
}

function sweepTyping(): void {
  const now = Date.now();
  const late = Object.values(state().typing).some((names) => Object.values(names).some((until) => until < now));
  if (!late) return;
  change(({ typing }) => ({
    typing: Object.fromEntries(
      Object.entries(typing).map(([rid, names]) => [
        rid,
        Object.fromEntries(Object.entries(names).filter(([, until]) => until >= now)),
      ]),
    ),
  }));
}
