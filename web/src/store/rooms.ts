// Rooms as the inbox shows them: how they are called, ordered and counted.

import type { Id, Room, Subscription } from "@/api/types";
import { millis } from "@/lib/time";
import type { State } from "./state";

export type Filter = "all" | "unread" | "mentions" | "direct";

/** How a room is called for this reader. */
export function title(sub: Subscription | undefined, room?: Room): string {
  return sub?.fname || sub?.name || room?.fname || room?.name || room?.usernames?.join(", ") || "";
}

/** How somebody is called in a room who is known there by user name alone. */
export function called(from: State, rid: Id, username: string): string {
  const sub = from.subscriptions[rid];
  if (sub?.t === "d" && sub.name === username) return title(sub);
  return from.timelines[rid]?.messages.findLast(({ u }) => u.username === username)?.u.name || username;
}

const PREFIX = { c: "channel", p: "group", d: "direct", l: "group" } as const;

/** The room's address. Direct rooms have no name of their own. */
export function path(room: { _id?: Id; rid?: Id; t: Room["t"]; name?: string }): string {
  const id = room.rid ?? room._id ?? "";
  return `/${PREFIX[room.t]}/${encodeURIComponent(room.t === "d" ? id : (room.name ?? id))}`;
}

/** The room that an address names: by name, or by id. */
export function find(from: State, kind: string, name: string): Id | undefined {
  const wanted = kind === "channel" ? "c" : kind === "direct" ? "d" : "p";
  if (from.subscriptions[name] ?? from.rooms[name]) return name;
  const sub = Object.values(from.subscriptions).find((one) => one.t === wanted && one.name === name);
  return sub?.rid ?? Object.values(from.rooms).find((one) => one.t === wanted && one.name === name)?._id;
}

/** Dates are read once: a list of a thousand rooms is put in order many times a second. */
const known = new WeakMap<Subscription, { room: Room | undefined; at: number }>();

export function activity(sub: Subscription, room?: Room): number {
  const found = known.get(sub);
  if (found && found.room === room) return found.at;
  const at = Math.max(millis(sub.lr), millis(room?.lm) || millis(room?.lastMessage?.ts) || millis(sub.ts));
  known.set(sub, { room, at });
  return at;
}

/** What stands on the badge: all unread messages, or mentions only where the rest is muted. */
export function counted(sub: Subscription): { count: number; mentions: number; muted: boolean } {
  const mentions = sub.userMentions + (sub.muteGroupMentions ? 0 : sub.groupMentions);
  const muted = sub.disableNotifications === true;
  const all = sub.unreadMessages ?? sub.unread;
  return { count: muted ? mentions : Math.max(all, mentions), mentions, muted };
}

export const isUnread = (sub: Subscription): boolean =>
  counted(sub).count > 0 || (sub.alert && !sub.disableNotifications && !sub.hideUnreadStatus);

/** The other side of a conversation of two, for presence and avatar. */
export function peer(room: Room | undefined, me: Id | undefined): Id | undefined {
  if (room?.t !== "d" || !room.uids || room.uids.length > 2) return undefined;
  return room.uids.find((uid) => uid !== me) ?? room.uids[0];
}

export function passes(sub: Subscription, filter: Filter): boolean {
  if (filter === "unread") return isUnread(sub);
  if (filter === "mentions") return counted(sub).mentions > 0;
  return filter === "all" || sub.t === "d";
}

/** All shown rooms, the last active first; favourites keep their place in a section of their own. */
export function ordered(from: Pick<State, "subscriptions" | "rooms">): Subscription[] {
  const shown = Object.values(from.subscriptions).filter((sub) => sub.open && !sub.archived);
  const keyed = shown.map((sub) => ({ sub, at: activity(sub, from.rooms[sub.rid]) }));
  return keyed.sort((a, b) => b.at - a.at || (a.sub.rid < b.sub.rid ? -1 : 1)).map(({ sub }) => sub);
}
