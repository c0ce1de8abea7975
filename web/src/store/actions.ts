// What a reader does to messages and rooms. Each shows at once where that is honest, and is undone when refused.

import { ddp, onOnline } from "@/api/live";
import { ApiError, get, post } from "@/api/rest";
import type { Id, Message, Room, Subscription } from "@/api/types";
import { millis } from "@/lib/time";
import { after, update } from "./history";
import { atEnd, change, state } from "./state";

function patch(message: Message, part: Partial<Message>): void {
  const keys = [message.rid, message._id, message.tmid].filter((key): key is Id => key !== undefined);
  for (const key of keys) {
    if (!state().timelines[key]) continue;
    update(key, (old) => ({
      ...old,
      messages: old.messages.map((one) => (one._id === message._id ? { ...one, ...part } : one)),
    }));
  }
}

/** Shows a change, asks for it, and takes it back when it is refused. */
async function optimistic(message: Message, part: Partial<Message>, ask: () => Promise<unknown>): Promise<void> {
  const old = Object.fromEntries(Object.keys(part).map((key) => [key, message[key as keyof Message]]));
  patch(message, part);
  try {
    await ask();
  } catch (error) {
    patch(message, old);
    throw error;
  }
}

export async function edit(message: Message, text: string): Promise<void> {
  const part = { msg: text, md: undefined, editedAt: new Date().toISOString() };
  await optimistic(message, part, () => post("chat.update", { roomId: message.rid, msgId: message._id, text }));
}

/** Takes the preview of one link away from an own message: the others stay. */
export async function withoutCard(message: Message, url: string): Promise<void> {
  const urls = (message.urls ?? []).map((one) => (one.url === url ? { ...one, ignoreParse: true } : one));
  const previewUrls = urls.filter((one) => !one.ignoreParse).map((one) => one.url);
  const body = { roomId: message.rid, msgId: message._id, text: message.msg, previewUrls };
  await optimistic(message, { urls }, () => post("chat.update", body));
}

export const remove = (message: Message): Promise<unknown> =>
  post("chat.delete", { roomId: message.rid, msgId: message._id });

export async function react(message: Message, emoji: string): Promise<void> {
  const me = state().me?.username ?? "";
  const code = `:${emoji.replaceAll(":", "")}:`;
  const users = message.reactions?.[code]?.usernames ?? [];
  const has = users.includes(me);
  const next = has ? users.filter((name) => name !== me) : [...users, me];
  const reactions = { ...message.reactions, [code]: { usernames: next } };
  if (next.length === 0) delete reactions[code];
  await optimistic(message, { reactions }, () =>
    post("chat.react", { messageId: message._id, emoji: code, shouldReact: !has }),
  );
}

export const pin = (message: Message): Promise<unknown> =>
  post(message.pinned ? "chat.unPinMessage" : "chat.pinMessage", { messageId: message._id });

export const isStarred = (message: Message): boolean =>
  message.starred?.some(({ _id }) => _id === state().me?._id) ?? false;

export async function star(message: Message): Promise<void> {
  const me = state().me?._id ?? "";
  const starred = isStarred(message) ? [] : [{ _id: me }];
  await optimistic(message, { starred }, () =>
    post(starred.length ? "chat.starMessage" : "chat.unStarMessage", { messageId: message._id }),
  );
}

export async function follow(message: Message): Promise<void> {
  const me = state().me?._id ?? "";
  const following = message.replies?.includes(me);
  await post(following ? "chat.unfollowMessage" : "chat.followMessage", { mid: message._id });
}

/** What was seen is read: told to the server, and shown at once. */
export async function markRead(rid: Id): Promise<void> {
  const sub = state().subscriptions[rid];
  if (!sub || (!sub.alert && !sub.unread && !sub.unreadMessages && !sub.tunread?.length)) return;
  const read = { alert: false, unread: 0, unreadMessages: 0, userMentions: 0, groupMentions: 0 };
  change(({ subscriptions }) => ({ subscriptions: { ...subscriptions, [rid]: { ...sub, ...read } } }));
  await tellRead(rid);
}

/** Pause before a server that was away is told again (ms). */
const AGAIN = 5_000;
/** Rooms that were read while the server was away: it is told when it is back. */
const unsaid = new Set<Id>();
atEnd(() => unsaid.clear());
onOnline(() => {
  for (const rid of unsaid) void tellRead(rid);
});

async function tellRead(rid: Id): Promise<void> {
  unsaid.delete(rid);
  try {
    await post("subscriptions.read", { rid, readThreads: false });
  } catch (error) {
    if (!(error instanceof ApiError && error.isAway)) return;
    unsaid.add(rid);
    setTimeout(() => unsaid.has(rid) && void tellRead(rid), AGAIN);
  }
}

/** Calls `work` for each, a few at a time. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = [...all];
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

/** Marks rooms read, their threads too. */
export async function readAll(subs: readonly Subscription[]): Promise<void> {
  await each(subs, ({ rid }) => post("subscriptions.read", { rid, readThreads: true }));
}

/** Marks rooms unread again from where each was read to (`subs` as they were). */
export async function unreadAll(subs: readonly Subscription[]): Promise<void> {
  const me = state().me?._id;
  await each(subs, async ({ rid, ls }) => {
    const messages = await after(rid, millis(ls));
    const first = messages.find((message) => message.u._id !== me && !message.tmid);
    if (first) await markUnreadFrom(first);
  });
}

export const markUnreadFrom = (message: Message): Promise<unknown> =>
  post("subscriptions.unread", { firstUnreadMessage: { _id: message._id } });

export async function favourite(sub: Subscription): Promise<void> {
  const f = !sub.f;
  change(({ subscriptions }) => ({ subscriptions: { ...subscriptions, [sub.rid]: { ...sub, f } } }));
  await post("rooms.favorite", { roomId: sub.rid, favorite: f });
}

/** A direct room with these people, made if need be. */
export async function direct(usernames: string[]): Promise<Room> {
  const { room } = await post<{ room: Room & { rid?: Id } }>("im.create", { usernames: usernames.join(",") });
  const known = { ...room, _id: room._id ?? room.rid, t: "d" as const };
  change(({ rooms }) => ({ rooms: { ...rooms, [known._id]: { ...rooms[known._id], ...known } } }));
  await refresh(known._id);
  return known;
}

/** Fetches a room and the own subscription to it, when an event of them is still under way. */
export async function refresh(rid: Id): Promise<void> {
  const [info, own] = await Promise.all([
    get<{ room: Room }>("rooms.info", { roomId: rid }),
    get<{ subscription: Subscription | null }>("subscriptions.getOne", { roomId: rid }),
  ]);
  change(({ rooms, subscriptions }) => ({
    rooms: { ...rooms, [rid]: { ...rooms[rid], ...info.room } },
    subscriptions: own.subscription ? { ...subscriptions, [rid]: own.subscription } : subscriptions,
  }));
}

export async function join(room: Room): Promise<void> {
  await post("channels.join", { roomId: room._id });
  await refresh(room._id);
}

const leaving = new Set<Id>();

/** Whether a room is gone because the user wants it so: nobody needs to be told. */
export const isLeaving = (rid: Id): boolean => leaving.has(rid);

/** Ends the own membership. */
export async function leave(rid: Id): Promise<void> {
  leaving.add(rid);
  try {
    await post("rooms.leave", { roomId: rid });
  } finally {
    leaving.delete(rid);
  }
}

let typingAt = 0;
let typingIn = "";
atEnd(() => {
  typingIn = "";
});

/** Tells the room that somebody is typing: at most every four seconds, and the end of it. */
export function typing(rid: Id, active: boolean, tmid?: Id): void {
  const { me, connection } = state();
  if (!me || connection !== "online") return;
  if (active && typingIn === rid && Date.now() - typingAt < 4_000) return;
  if (!active && typingIn !== rid) return;
  typingAt = Date.now();
  typingIn = active ? rid : "";
  const name = state().settings["UI_Use_Real_Name"] ? (me.name ?? me.username) : me.username;
  const extra = tmid ? { tmid } : {};
  const told = ddp.call("stream-notify-room", `${rid}/user-activity`, name, active ? ["user-typing"] : [], extra);
  told.catch(() => undefined);
}
