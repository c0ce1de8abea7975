// What must survive a reload and a restart of the browser: messages that wait, and drafts. Each account has its own.

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Outgoing } from "./state";

interface Shelves extends DBSchema {
  outbox: { key: string; value: Outgoing };
  drafts: { key: string; value: { key: string; user: string; text: string; at: number } };
}

let opened: Promise<IDBPDatabase<Shelves>> | undefined;

function disk(): Promise<IDBPDatabase<Shelves>> {
  opened ??= openDB<Shelves>("parlor", 1, {
    upgrade(database) {
      database.createObjectStore("outbox", { keyPath: "_id" });
      database.createObjectStore("drafts", { keyPath: "key" });
    },
  });
  return opened;
}

/** Without storage (private windows of some browsers) the app works on and forgets at the end. */
async function attempt<T>(work: (database: IDBPDatabase<Shelves>) => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work(await disk());
  } catch {
    return otherwise;
  }
}

export const readOutbox = (user: string): Promise<Outgoing[]> =>
  attempt(async (database) => {
    const all = await database.getAll("outbox");
    return all.filter((message) => message.user === user).sort((a, b) => a.ts - b.ts);
  }, []);

export const keepOutgoing = (message: Outgoing): Promise<unknown> =>
  attempt<unknown>((database) => database.put("outbox", message), undefined);

export const dropOutgoing = (id: string): Promise<unknown> =>
  attempt<unknown>((database) => database.delete("outbox", id), undefined);

/** A draft and when it was typed (ms). */
export interface Draft {
  text: string;
  at: number;
}

export const readDrafts = (user: string): Promise<Record<string, Draft>> =>
  attempt(async (database) => {
    const all = await database.getAll("drafts");
    const own = all.filter((draft) => draft.user === user);
    return Object.fromEntries(own.map((draft) => [draft.key.slice(user.length + 1), draft]));
  }, {});

export const keepDraft = (user: string, key: string, text: string): Promise<unknown> =>
  attempt<unknown>((database) => {
    const id = `${user}/${key}`;
    return text ? database.put("drafts", { key: id, user, text, at: Date.now() }) : database.delete("drafts", id);
  }, undefined);

/** Forgets everything of an account: after signing out. */
export const forget = (user: string): Promise<unknown> =>
  attempt<unknown>(async (database) => {
    const [outbox, drafts] = await Promise.all([database.getAll("outbox"), database.getAll("drafts")]);
    await Promise.all([
      ...outbox.filter((one) => one.user === user).map(({ _id }) => database.delete("outbox", _id)),
      ...drafts.filter((one) => one.user === user).map(({ key }) => database.delete("drafts", key)),
    ]);
  }, undefined);
