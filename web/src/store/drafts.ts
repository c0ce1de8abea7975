// Drafts: one for each room and each thread, kept on disk as they are typed.

import type { Id } from "@/api/types";
import { keepDraft, readDrafts } from "./disk";
import { change, state } from "./state";

const timers = new Map<string, ReturnType<typeof setTimeout>>();

export const draftKey = (rid: Id, tmid?: Id): string => (tmid ? `${rid}/${tmid}` : rid);

export function setDraft(key: string, text: string): void {
  const user = state().me?._id;
  if (!user || (state().drafts[key] ?? "") === text) return;
  change(({ drafts }) => {
    const next = { ...drafts };
    if (text.trim()) next[key] = text;
    else delete next[key];
    return { drafts: next };
  });
  clearTimeout(timers.get(key));
  timers.set(
    key,
    setTimeout(() => void keepDraft(user, key, text.trim() ? text : ""), 250),
  );
}

export async function loadDrafts(user: Id): Promise<void> {
  const drafts = await readDrafts(user);
  change((before) => ({ drafts: { ...drafts, ...before.drafts } }));
}
