// Cases as the control centre sees them: read anew when something happens to one, at most once a second.

import { create } from "zustand";
import { ddp, onOnline } from "@/api/live";
import { get, post } from "@/api/rest";
import type { Id, Me, UserRef } from "@/api/types";
import { millis } from "@/lib/time";
import { atEnd } from "./state";

export interface Mark {
  _id: Id;
  name: string;
  at: string;
}

/** A case, as `support.desk` and `support.info` give it. */
export interface Case {
  rid: Id;
  name: string;
  title: string;
  open: boolean;
  priority: "normal" | "high" | "emergency";
  queue: string;
  createdAt: string;
  waitingSince: string;
  closedAt?: string;
  requester?: UserRef & { roles: string[] };
  last?: { text: string; at: string; u: Id };
  servedBy?: UserRef[];
  acknowledgedBy?: Mark;
  /** Cases that wait before this one. */
  ahead?: number;
}

export interface Note {
  _id: Id;
  text: string;
  by: Mark;
}

interface Desk {
  open: Case[];
  closed: Case[];
  /** Further open cases that are not loaded. */
  more: number;
  ready: boolean;
  failed: boolean;
  /** Cases whose conversation was opened, as they were then or later. */
  rooms: Record<Id, Case>;
}

const none: Desk = { open: [], closed: [], more: 0, ready: false, failed: false, rooms: {} };
export const useDesk = create<Desk>(() => none);
atEnd(() => useDesk.setState(none));

const has = (me: Me | null, roles: string[]): boolean => me?.roles.some((role) => roles.includes(role)) ?? false;

/** Who answers cases. */
export const answers = (me: Me | null): boolean => has(me, ["control-staff", "control-admin", "admin"]);
/** Who asks. */
export const asks = (me: Me | null): boolean => !answers(me) && has(me, ["bus-driver", "queue-regulator"]);

/** Emergencies that nobody has acknowledged or taken yet. */
export const ringing = (cases: readonly Case[]): Case[] =>
  cases.filter((one) => one.priority === "emergency" && !one.acknowledgedBy && !one.servedBy?.length);

export async function readDesk(): Promise<void> {
  type Answer = { cases: Case[]; total: number };
  try {
    const [open, closed] = await Promise.all([
      get<Answer>("support.desk", { count: 100 }, { joined: true }),
      get<Answer>("support.desk", { count: 20, status: "closed" }, { joined: true }),
    ]);
    const more = Math.max(0, open.total - open.cases.length);
    useDesk.setState({ open: open.cases, closed: closed.cases, more, ready: true, failed: false });
  } catch {
    useDesk.setState({ failed: true });
  }
}

const listeners = new Set<(rid: Id) => void>();
let users = 0;
let stop: (() => void) | undefined;

/** Keeps the desk up to date while somebody needs it. Returns what ends it. */
export function watchDesk(): () => void {
  users += 1;
  if (users === 1) stop = begin();
  return () => {
    users -= 1;
    if (users === 0) stop?.();
  };
}

function begin(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  const soon = (): void => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        last = Date.now();
        void readDesk();
      },
      Math.max(50, 1_000 - (Date.now() - last)),
    );
  };
  const ends = [
    ddp.listen("support-desk", "desk", ([, about]) => {
      const { rid } = about as { rid: Id };
      for (const listener of listeners) listener(rid);
      soon();
    }),
    onOnline(soon),
  ];
  soon();
  return () => {
    clearTimeout(timer);
    for (const end of ends) end();
  };
}

/** Told of each case that something happened to. */
export function onCase(listener: (rid: Id) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function readCase(rid: Id): Promise<Case> {
  const { case: now } = await get<{ case: Case }>("support.info", { roomId: rid });
  useDesk.setState(({ rooms }) => ({ rooms: { ...rooms, [rid]: now } }));
  return now;
}

const act = async (verb: string, rid: Id, more: object = {}): Promise<Case | undefined> => {
  const { case: now } = await post<{ case?: Case }>(`support.${verb}`, { roomId: rid, ...more });
  if (users > 0) void readDesk();
  return now;
};

export const take = (rid: Id): Promise<Case | undefined> => act("claim", rid);
export const close = (rid: Id, reason: string): Promise<Case | undefined> => act("close", rid, { reason });
export const reopen = (rid: Id): Promise<Case | undefined> => act("reopen", rid);
export const acknowledge = (rid: Id): Promise<Case | undefined> => act("acknowledge", rid);
export const transfer = (rid: Id, username: string, note: string): Promise<Case | undefined> =>
  act("transfer", rid, { username, note });

/** Goes back to the queue: whoever took it goes, and it waits again. */
export async function giveBack(rid: Id): Promise<void> {
  await post("rooms.leave", { roomId: rid });
  await readDesk();
}

/** How long a case waits, in whole minutes. */
export const waited = (one: Case, now: number): number =>
  Math.max(0, Math.floor((now - millis(one.waitingSince)) / 60_000));
