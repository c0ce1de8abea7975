// The one socket of the app.

import { change, state } from "@/store/state";
import { Ddp } from "./ddp";

const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/websocket`;
const whenOnline = new Set<() => void>();

/** Called after each (re)connection, when the streams are subscribed again. */
export function onOnline(run: () => void): () => void {
  whenOnline.add(run);
  return () => whenOnline.delete(run);
}

export const ddp = new Ddp(url, (connection) => {
  if (connection === state().connection) return;
  const lostAt = connection === "online" ? null : (state().lostAt ?? Date.now());
  change({ connection, lostAt });
  if (connection === "online") for (const run of whenOnline) run();
});
