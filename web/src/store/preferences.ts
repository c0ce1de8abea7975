// The account's preferences, which other devices and the server know too.

import { post } from "@/api/rest";
import type { Preferences } from "@/api/types";
import { change, state, type State } from "./state";

export const preference = <T>(key: string, otherwise: T, from: State = state()): T =>
  (from.me?.settings?.preferences?.[key] as T | undefined) ?? otherwise;

/** What is being saved: one after the other, or of two quick choices the first might be kept. */
let saving: Promise<unknown> = Promise.resolve();

/** Keeps preferences: shown at once, taken back when the server refuses. */
export async function prefer(data: Preferences): Promise<void> {
  const before = state().me?.settings?.preferences ?? {};
  put({ ...before, ...data });
  try {
    const saved = saving.then(() => post("users.setPreferences", { data }));
    saving = saved.catch(() => undefined);
    await saved;
  } catch (error) {
    put(before);
    throw error;
  }
}

function put(preferences: Preferences): void {
  change(({ me }) => (me ? { me: { ...me, settings: { ...me.settings, preferences } } } : {}));
}
