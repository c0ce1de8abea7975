// Uploads: several at once, with progress, cancelling and trying again. What is too large is told before it is sent.

import { create } from "zustand";
import { onOnline } from "@/api/live";
import { ApiError, post } from "@/api/rest";
import { session } from "@/api/session";
import type { Id, Message } from "@/api/types";
import { freshId } from "@/lib/text";
import { update } from "./history";
import { atEnd, setting } from "./state";
import { receive } from "./timeline";

export interface Upload {
  id: Id;
  rid: Id;
  tmid?: Id | undefined;
  file: File;
  /** An address of the picture while it waits. */
  preview?: string;
  state: "chosen" | "sending" | "failed";
  sent: number;
  /** Bytes a second. */
  speed: number;
  /** Why it failed, as a message id. */
  reason?: string;
  /** What is said about it. */
  caption: string;
  /** The connection broke: it begins again when that is back. */
  lost?: boolean;
}

/** Bytes that don't move for so long are lost (ms). */
const STALLED = 30_000;

export const useUploads = create<{ all: Upload[] }>(() => ({ all: [] }));
const running = new Map<Id, XMLHttpRequest>();

atEnd(() => {
  for (const { id } of useUploads.getState().all) removeUpload(id);
});

const patch = (id: Id, part: Partial<Upload>): void =>
  useUploads.setState(({ all }) => ({ all: all.map((one) => (one.id === id ? { ...one, ...part } : one)) }));

/** Files wait until the reader has seen them and said a word about them. */
export function addUploads(rid: Id, files: File[], tmid?: Id): void {
  const limit = setting("FileUpload_MaxFileSize", 104_857_600);
  const allowed = setting("FileUpload_MediaTypeWhiteList", "");
  const refused = setting("FileUpload_MediaTypeBlackList", "");
  const fits = (type: string): boolean =>
    (allowed.trim() === "" || isListed(type, allowed)) && !isListed(type, refused);
  const made = files.map((file): Upload => {
    const tooLarge = limit >= 0 && file.size > limit;
    const reason = tooLarge ? "upload.tooLarge" : fits(file.type) ? undefined : "upload.wrongType";
    const image = file.type.startsWith("image/");
    return {
      id: freshId(),
      rid,
      tmid,
      file,
      ...(image ? { preview: URL.createObjectURL(file) } : {}),
      state: reason ? "failed" : "chosen",
      sent: 0,
      speed: 0,
      caption: "",
      ...(reason ? { reason } : {}),
    };
  });
  useUploads.setState(({ all }) => ({ all: [...all, ...made] }));
}

/** Whether a list such as `image/*, application/pdf` has the type. */
const isListed = (type: string, list: string): boolean =>
  list
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean)
    .some((kind) => kind === type || (kind.endsWith("/*") && type.startsWith(kind.slice(0, -1))));

/** What is said about a file. */
export const describe = (id: Id, caption: string): void => patch(id, { caption });

export function removeUpload(id: Id): void {
  running.get(id)?.abort();
  running.delete(id);
  const one = useUploads.getState().all.find((upload) => upload.id === id);
  if (one?.preview) URL.revokeObjectURL(one.preview);
  useUploads.setState(({ all }) => ({ all: all.filter((upload) => upload.id !== id) }));
}

/** Sends a file: the bytes first, then the message that shows it. */
export async function sendUpload(id: Id): Promise<void> {
  const one = useUploads.getState().all.find((upload) => upload.id === id);
  if (!one || one.state === "sending") return;
  patch(id, { state: "sending", sent: 0, speed: 0, reason: undefined as never, lost: false });
  try {
    const { file } = await bytes(one);
    const body = { description: one.caption.trim(), ...(one.tmid ? { tmid: one.tmid } : {}) };
    const { message } = await post<{ message: Message }>(`rooms.mediaConfirm/${one.rid}/${file._id}`, body);
    const key = one.tmid ?? one.rid;
    update(key, (old) => (old.ready ? receive(old, message) : old));
    removeUpload(id);
  } catch (error) {
    if (error instanceof DOMException) return;
    const lost = error instanceof Lost || (error instanceof ApiError && error.isAway);
    const reason = error instanceof Refused ? error.message : lost ? "upload.lost" : "upload.failed";
    patch(id, { state: "failed", reason, lost });
  } finally {
    running.delete(id);
  }
}

class Refused extends Error {}
class Lost extends Error {}

// What the break interrupted begins again.
onOnline(() => {
  for (const { id, lost } of useUploads.getState().all) if (lost) void sendUpload(id);
});

function bytes(upload: Upload): Promise<{ file: { _id: Id } }> {
  const form = new FormData();
  form.append("file", upload.file, upload.file.name);
  const request = new XMLHttpRequest();
  running.set(upload.id, request);
  const began = performance.now();
  let stalled: ReturnType<typeof setTimeout> | undefined;
  return new Promise<{ file: { _id: Id } }>((resolve, reject) => {
    const moved = (): void => {
      clearTimeout(stalled);
      stalled = setTimeout(() => {
        reject(new Lost());
        request.abort();
      }, STALLED);
    };
    request.open("POST", `/api/v1/rooms.media/${upload.rid}`);
    const own = session.get();
    if (own) {
      request.setRequestHeader("X-Auth-Token", own.token);
      request.setRequestHeader("X-User-Id", own.userId);
    }
    moved();
    // What the server does with all of it may take its time.
    request.upload.onload = () => clearTimeout(stalled);
    request.upload.onprogress = ({ loaded }) => {
      moved();
      const seconds = Math.max(0.1, (performance.now() - began) / 1000);
      patch(upload.id, { sent: Math.min(loaded, upload.file.size), speed: loaded / seconds });
    };
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText) as { file: { _id: Id } });
      else reject(new Refused(reasonOf(request)));
    };
    request.onerror = () => reject(new Lost());
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.send(form);
  }).finally(() => clearTimeout(stalled));
}

function reasonOf(request: XMLHttpRequest): string {
  if (request.status === 413 || /too-large/.test(request.responseText)) return "upload.tooLarge";
  if (/invalid-file-type/.test(request.responseText)) return "upload.wrongType";
  return "upload.failed";
}
