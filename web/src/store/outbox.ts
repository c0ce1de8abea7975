// Sending: shown at once, kept on disk, sent in order, tried again after a break and after a restart. The id is made
// here and stays, and the server answers a second attempt with the stored message, so nothing is doubled.

import { onOnline } from "@/api/live";
import { ApiError, post } from "@/api/rest";
import type { Id, Message } from "@/api/types";
import { freshId } from "@/lib/text";
import { dropOutgoing, keepOutgoing, readOutbox } from "./disk";
import { update } from "./history";
import { change, type Outgoing, state } from "./state";
import { receive } from "./timeline";

/** Pause before a message is tried again while the server is away (ms). */
const AGAIN = 3_000;
let running = false;

const patch = (id: Id, part: Partial<Outgoing>): void =>
  change(({ outbox }) => ({ outbox: outbox.map((one) => (one._id === id ? { ...one, ...part } : one)) }));

const drop = (id: Id): void => change(({ outbox }) => ({ outbox: outbox.filter((one) => one._id !== id) }));

/** Puts a text on its way. */
export function send(rid: Id, msg: string, thread?: { tmid: Id; tshow?: boolean }): void {
  const me = state().me;
  if (!me) return;
  const message: Outgoing = { _id: freshId(), rid, msg, ...thread, ts: Date.now(), user: me._id, state: "queued" };
  change(({ outbox }) => ({ outbox: [...outbox, message] }));
  void keepOutgoing(message).then(work);
}

export function retry(id: Id): void {
  patch(id, { state: "queued", reason: undefined });
  const message = state().outbox.find((one) => one._id === id);
  if (message) void keepOutgoing(message).then(work);
}

export function discard(id: Id): void {
  drop(id);
  void dropOutgoing(id);
}

/** What waited when the browser was closed goes out now. */
export async function resume(user: Id): Promise<void> {
  const kept = await readOutbox(user);
  const known = new Set(state().outbox.map(({ _id }) => _id));
  const waiting = kept
    .filter(({ _id }) => !known.has(_id))
    .map((one): Outgoing => (one.state === "failed" ? one : { ...one, state: "queued" }));
  change(({ outbox }) => ({ outbox: [...waiting, ...outbox] }));
  work();
}

/** Sends what is queued, one after another. */
export function work(): void {
  if (running) return;
  running = true;
  void drain().finally(() => {
    running = false;
  });
}

async function drain(): Promise<void> {
  for (;;) {
    const next = state().outbox.find((one) => one.state === "queued");
    if (!next || !navigator.onLine || !state().me) return;
    patch(next._id, { state: "sending" });
    try {
      const { _id, rid, msg, tmid, tshow } = next;
      const { message } = await post<{ message: Message }>("chat.sendMessage", {
        message: { _id, rid, msg, ...(tmid ? { tmid, tshow: tshow ?? false } : {}) },
      });
      stored(next, message);
    } catch (error) {
      if (!(await failed(next, error))) return;
    }
  }
}

function stored(sent: Outgoing, message: Message): void {
  const key = sent.tmid;
  if (!key || sent.tshow) update(sent.rid, (old) => (old.ready ? receive(old, message) : old));
  if (key) update(key, (old) => (old.ready ? receive(old, message) : old));
  drop(sent._id);
  void dropOutgoing(sent._id);
}

/** Whether the next one may be tried: not while the server is away, so that the order stays. */
async function failed(message: Outgoing, error: unknown): Promise<boolean> {
  if (!(error instanceof ApiError) || error.isAway || error.status === 401 || error.status === 429) {
    patch(message._id, { state: "queued" });
    setTimeout(work, AGAIN);
    return false;
  }
  const reason = reasons[error.code] ?? reasons[error.message] ?? "send.refused";
  patch(message._id, { state: "failed", reason });
  await keepOutgoing({ ...message, state: "failed", reason });
  return true;
}

const reasons: Record<string, string> = {
  "error-message-size-exceeded": "send.tooLong",
  "You can't send messages because the room is readonly.": "send.readOnly",
  You_have_been_muted: "send.muted",
  "error-action-not-allowed": "send.notAllowed",
  "error-room-not-found": "send.gone",
};

onOnline(work);
addEventListener("online", work);
