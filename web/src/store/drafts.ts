// Drafts: one for each room and each thread, kept on disk as they are typed, and with the account so that another
// device goes on with them.

import type { Id } from "@/api/types";
import { type Draft, keepDraft, readDrafts } from "./disk";
import { prefer } from "./preferences";
import { atEnd, change, state } from "./state";

const timers = new Map<string, ReturnType<typeof setTimeout>>();
/** What has not reached the disk yet, and where a page that goes away keeps it: there it is written at once. */
const unkept = new Set<string>();
const LEFT = "parlor.drafts";

interface Left {
  user: Id;
  drafts: Record<string, Draft>;
}
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
  const share = (): void => {
    timers.delete(key);
    void tell(key, kept).catch(() => undefined);
  };
  const keep = (): void => {
    unkept.delete(key);
    void keepDraft(user, key, kept);
    // What was sent is gone at once on the other devices too.
    timers.set(key, setTimeout(share, kept ? PAUSE : 0));
  };
  unkept.add(key);
  timers.set(key, setTimeout(keep, 250));
}

atEnd(() => {
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
  unkept.clear();
  localStorage.removeItem(LEFT);
});

addEventListener("pagehide", () => {
  const { me, drafts } = state();
  if (!me || unkept.size === 0) return;
  const at = Date.now();
  const left: Left = { user: me._id, drafts: {} };
  for (const key of unkept) left.drafts[key] = { text: drafts[key] ?? "", at };
  try {
    localStorage.setItem(LEFT, JSON.stringify(left));
  } catch {
    // A full storage keeps what it has.
  }
});

/** What was typed last before the page went. */
function takeLeft(user: Id): Record<string, Draft> {
  try {
    const left = JSON.parse(localStorage.getItem(LEFT) ?? "null") as Left | null;
    localStorage.removeItem(LEFT);
    return left?.user === user ? left.drafts : {};
  } catch {
    return {};
  }
}

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
  for (const [key, draft] of Object.entries(takeLeft(user))) {
    void keepDraft(user, key, draft.text);
    if (draft.text) here[key] = draft;
    else delete here[key];
  }
  const all: Record<string, string> = {};
  for (const [key, { text, at }] of [...Object.entries(here), ...Object.entries(shared())]) {
    if (at >= (here[key]?.at ?? 0)) all[key] = text;
  }
  change((before) => ({ drafts: { ...all, ...before.drafts } }));
}
