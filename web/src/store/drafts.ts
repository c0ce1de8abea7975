// Drafts: one for each room and each thread, kept on disk as they are typed, and with the account so that another
// device goes on with them.

import type { Id } from "@/api/types";
import { type Draft, keepDraft, readDrafts } from "./disk";
import { prefer } from "./preferences";
import { change, state } from "./state";

const timers = new Map<string, ReturnType<typeof setTimeout>>();
/** What has not reached the disk yet: a page that goes away keeps it at once. */
const unkept = new Map<string, () => void>();
/** After so long a pause the account is told (ms). */
const PAUSE = 2_000;
/** What an account keeps of drafts: so many, each so long (characters). Further ones stay on their device. */
const MOST = 8;
const LONGEST = 2_000;
const SHARED = "draft:";

export const draftKey = (rid: Id, tmid?: Id): string => (tmid ? `${rid}/${tmid}` : rid);

export function setDraft(key: string, text: string): void {
  const user = state().me?._id;
  if (!user || (state().drafts[key] ?? "") === text) return;
  const kept = text.trim() ? text : "";
  change(({ drafts }) => {
    const next = { ...drafts };
    if (kept) next[key] = kept;
    else delete next[key];
    return { drafts: next };
  });
  clearTimeout(timers.get(key));
  const share = (): void => void tell(key, kept).catch(() => undefined);
  const keep = (): void => {
    unkept.delete(key);
    void keepDraft(user, key, kept);
    // What was sent is gone at once on the other devices too.
    timers.set(key, setTimeout(share, kept ? PAUSE : 0));
  };
  unkept.set(key, keep);
  timers.set(key, setTimeout(keep, 250));
}

addEventListener("pagehide", () => {
  for (const keep of unkept.values()) keep();
});

const shared = (): Record<string, Draft> =>
  Object.fromEntries(
    Object.entries(state().me?.settings?.preferences ?? {})
      .filter(([key, value]) => key.startsWith(SHARED) && value)
      .map(([key, value]) => [key.slice(SHARED.length), value as Draft]),
  );

async function tell(key: string, text: string): Promise<void> {
  const known = shared();
  if (!text) return known[key] ? prefer({ [SHARED + key]: null }) : undefined;
  if (text.length > LONGEST) return undefined;
  const others = Object.entries(known).filter(([other]) => other !== key);
  const old = others.sort(([, a], [, b]) => b.at - a.at).slice(MOST - 1);
  await prefer({
    ...Object.fromEntries(old.map(([other]) => [SHARED + other, null])),
    [SHARED + key]: { text, at: Date.now() } satisfies Draft,
  });
}

/** What was typed here or elsewhere, the newer of both. */
export async function loadDrafts(user: Id): Promise<void> {
  const here = await readDrafts(user);
  const all: Record<string, string> = {};
  for (const [key, { text, at }] of [...Object.entries(here), ...Object.entries(shared())]) {
    if (at >= (here[key]?.at ?? 0)) all[key] = text;
  }
  change((before) => ({ drafts: { ...all, ...before.drafts } }));
}
