// The one socket of the app.

import { change, state } from "@/store/state";
import { type Connection, Ddp } from "./ddp";
import { get } from "./rest";

const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/websocket`;
const whenOnline = new Set<() => void>();

/** Called after each (re)connection, when the streams are subscribed again. */
export function onOnline(run: () => void): () => void {
  whenOnline.add(run);
  return () => whenOnline.delete(run);
}

function changed(connection: Connection): void {
  if (connection === state().connection) return;
  const lostAt = connection === "online" ? null : (state().lostAt ?? Date.now());
  change({ connection, lostAt });
  if (connection === "online") for (const run of whenOnline) run();
}

/** A session that has ended is told by REST, which ends it here too; a server that is only starting says otherwise. */
const refused = (): void => void get("me").catch(() => undefined);

export const ddp = new Ddp(url, changed, refused);
