// What the app knows, by id. Components select from it; only the modules beside this one change it.

import { create } from "zustand";
import type { Id, Me, Message, Room, Status, Subscription } from "@/api/types";
import type { Connection } from "@/api/ddp";

/** A message that waits to be acknowledged. It keeps its id for ever, so that no attempt doubles it. */
export interface Outgoing {
  _id: Id;
  rid: Id;
  msg: string;
  tmid?: Id;
  tshow?: boolean;
  ts: number;
  user: Id;
  state: "queued" | "sending" | "failed";
  /** Why it was refused, as a message id. */
  reason?: string;
}

/** What is loaded of a room, or of a thread: a run of messages without gaps, in order. */
export interface Timeline {
  messages: Message[];
  /** There is more before the first, or after the last. */
  older: boolean;
  newer: boolean;
  loading: boolean;
  /** The first load has come. */
  ready: boolean;
  /** The load was refused: a message id. */
  error?: string;
  /** What the reader had read when the room was opened, for the divider (ms). */
  unreadSince?: number;
  /** It is what was seen before, up to this change (ms): shown until what changed since has been read. */
  kept?: number;
  /** It was read in this visit, and not only kept from the one before. */
  whole?: boolean;
}

export interface PresenceOf {
  status: Status;
  text: string;
}

export interface State {
  connection: Connection;
  /** When the connection was lost (ms), so that short breaks pass unnoticed. */
  lostAt: number | null;
  me: Me | null;
  /** The lists of rooms have come, or are there from the last visit. */
  ready: boolean;
  /** They have come: what they say of unread messages holds. */
  listed: boolean;
  settings: Record<string, unknown>;
  permissions: Record<string, string[]>;
  rooms: Record<Id, Room>;
  subscriptions: Record<Id, Subscription>;
  /** By room, and by thread root. */
  timelines: Record<Id, Timeline>;
  /** By room: user name -> until when (ms). */
  typing: Record<Id, Record<string, number>>;
  presence: Record<Id, PresenceOf>;
  outbox: Outgoing[];
  /** By room or `room/thread`. */
  drafts: Record<string, string>;
  /** Custom emoji: name -> address. */
  emoji: Record<string, string>;
  /** Receipts: until when each room was read by all (ms). */
  receipts: Record<Id, number>;
}

export const empty: State = {
  connection: "offline",
  lostAt: null,
  me: null,
  ready: false,
  listed: false,
  settings: {},
  permissions: {},
  rooms: {},
  subscriptions: {},
  timelines: {},
  typing: {},
  presence: {},
  outbox: [],
  drafts: {},
  emoji: {},
  receipts: {},
};

export const useStore = create<State>(() => empty);
export const state = (): State => useStore.getState();
export const change = useStore.setState;

type Change = (before: State) => Partial<State>;
let queue: Change[] = [];
let waiting = false;

/** Applies what comes over the socket once a frame, however much comes. */
export function later(next: Change): void {
  queue.push(next);
  if (waiting) return;
  waiting = true;
  // A hidden tab gets no frames, and must not fall behind either.
  if (document.hidden) setTimeout(flush, 100);
  else requestAnimationFrame(flush);
}

const forgets = new Set<() => void>();

/** What a module keeps of an account outside of the store: forgotten when the account leaves this page. */
export const atEnd = (forget: () => void): void => void forgets.add(forget);

/** Forgets all of the account but the workspace's settings, and what of it was still to be shown. */
export function forgetAccount(): void {
  queue = [];
  for (const forget of forgets) forget();
  change(({ settings }) => ({ ...empty, settings }));
}

export function flush(): void {
  waiting = false;
  const all = queue;
  if (all.length === 0) return;
  queue = [];
  change((before) => all.reduce((now, next) => ({ ...now, ...next(now) }), before));
}

/** Whether the signed-in user has a permission, by role or by a role in the room. */
export function may(permission: string, rid?: Id, from: State = state()): boolean {
  const roles = from.permissions[permission];
  if (!roles || !from.me) return false;
  const own = [...from.me.roles, ...((rid && from.subscriptions[rid]?.roles) || [])];
  return own.some((role) => roles.includes(role));
}

export const setting = <T>(id: string, otherwise: T, from: State = state()): T =>
  (from.settings[id] as T | undefined) ?? otherwise;
