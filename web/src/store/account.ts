// Signing in, coming back after a reload, signing out.

import { ddp } from "@/api/live";
import { ApiError, endSession, get, post, signedOut } from "@/api/rest";
import { session } from "@/api/session";
import type { Me, Room, Subscription } from "@/api/types";
import { LOCALES, speak, type Locale } from "@/i18n";
import { ASKED } from "./asked";
import { forget } from "./disk";
import { loadDrafts } from "./drafts";
import { foresee, lastSeen, showLast } from "./history";
import { listen, readLists, settle, watchPresence } from "./live";
import { resume } from "./outbox";
import { prefer, preference } from "./preferences";
import { change, forgetAccount, state } from "./state";

let stop: (() => void) | undefined;
/** The session that this page works for, by its token. */
let served: string | undefined;
/** Pause before a start is tried again while the server is away (ms). */
const AGAIN = 3_000;
/** How long the server may take to end a session before it is left (ms). */
const PATIENCE = 4_000;

let reading: Promise<void> | undefined;

/** What anybody may know: how the workspace is called, whether one can register. */
export function readPublic(): Promise<void> {
  if (!session.get()) void services().catch(() => undefined);
  return (reading ??= askPublic().catch((error: unknown) => {
    reading = undefined;
    throw error;
  }));
}

/** A service that people may sign in by. */
export interface Service {
  service: string;
  buttonLabelText?: string;
}

let offered: Promise<{ services: Service[] }> | undefined;

/** The services of the workspace. */
export const services = (): Promise<{ services: Service[] }> =>
  (offered ??= get<{ services: Service[] }>("settings.oauth", {}, { joined: true }).catch((error: unknown) => {
    offered = undefined;
    throw error;
  }));

async function askPublic(): Promise<void> {
  type Answer = { settings: { _id: string; value: unknown }[] };
  const query = { _id: ASKED.join(","), count: ASKED.length };
  const joined = get<Answer>("settings.public", query, { joined: true });
  // A session that has ended must not keep anybody from signing in.
  const { settings: all } = await joined.catch(() => get<Answer>("settings.public", query, { anonymous: true }));
  change(({ settings }) => ({ settings: { ...settings, ...Object.fromEntries(all.map((s) => [s._id, s.value])) } }));
}

export interface SecondFactor {
  method: "totp" | "email" | "password";
  code: string;
}

/** Signs in. When a second factor is asked for, an `ApiError` with the code `totp-required` is thrown. */
export async function signIn(user: string, password: string, second?: SecondFactor): Promise<void> {
  const headers = second ? { "x-2fa-code": second.code, "x-2fa-method": second.method } : undefined;
  const body = { user, password, ...(second ? { code: second.code } : {}) };
  type Answer = { data: { userId: string; authToken: string } };
  const { data } = await post<Answer>("login", body, { anonymous: true, ...(headers ? { headers } : {}) });
  session.set({ userId: data.userId, token: data.authToken });
}

/** What came of signing in at a provider. */
export interface Credential {
  credentialToken: string;
  credentialSecret: string;
}

/** Signs in by a provider's word; a second factor is asked for as with a password. */
export async function signInBy(oauth: Credential, second?: SecondFactor): Promise<void> {
  const headers = second ? { "x-2fa-code": second.code, "x-2fa-method": second.method } : undefined;
  type Answer = { data: { userId: string; authToken: string } };
  const { data } = await post<Answer>("login", { oauth }, { anonymous: true, ...(headers ? { headers } : {}) });
  session.set({ userId: data.userId, token: data.authToken });
}

/** What messages can be shown without waits so long (ms). */
const SIGHT = 800;

/** Takes up the session of this browser: what was seen last at once, what is new as it comes. */
export async function start(): Promise<void> {
  const own = session.get();
  if (!own || served === own.token) return;
  served = own.token;
  restore();
  ddp.start();
  await begin(own.token);
}

/** Reads what the app stands on, again and again while the server is away. */
async function begin(token: string): Promise<void> {
  const current = (): boolean => served === token;
  const uid = session.get()?.userId ?? "";
  try {
    stop?.();
    stop = listen(uid, end);
    // One request for all of it.
    const asked = get<Me>("me", {}, { joined: true });
    const rest = Promise.all([
      readLists(),
      get<{ update: { _id: string; roles: string[] }[] }>("permissions.listAll", {}, { joined: true }),
      loadDrafts(uid),
    ]);
    void readPublic().catch(() => undefined);
    foresee();
    rest.catch(() => undefined);
    const me = await asked;
    if (!current()) return;
    change({ me });
    speakAsWished(me);
    const [, permissions] = await rest;
    if (!current()) return;
    change({ permissions: Object.fromEntries(permissions.update.map(({ _id, roles }) => [_id, roles])) });
    watchPresence();
    // Messages come first: until then a custom emoji is its code.
    setTimeout(() => {
      if (!current()) return;
      void readEmoji();
      settle();
    }, SIGHT);
    endStatusInTime();
    await resume(me._id);
  } catch (error) {
    if (!current()) return;
    if (error instanceof ApiError && error.status === 401) end();
    else setTimeout(() => current() && void begin(token), AGAIN);
  }
}

function speakAsWished(me: Me): void {
  const wish = me.settings?.preferences?.language ?? me.language;
  const known = LOCALES.find((locale) => typeof wish === "string" && wish.startsWith(locale));
  const chosen = localStorage.getItem("parlor.locale") ?? new URLSearchParams(location.search).get("locale");
  if (known && !chosen && known !== document.documentElement.lang) void speak(known as Locale);
}

/** A status text that was set for a while goes when the while is over. */
function endStatusInTime(): void {
  const until = preference<number | null>("statusTextUntil", null);
  if (!until) return;
  const left = until - Date.now();
  // A later look is enough for what lasts longer than a timer can.
  const wait = Math.min(Math.max(left, 0), 3_600_000);
  setTimeout(() => {
    if (preference<number | null>("statusTextUntil", null) !== until) return;
    if (until > Date.now()) endStatusInTime();
    else
      void post("users.setStatus", { message: "" })
        .then(() => prefer({ statusTextUntil: null }))
        .catch(() => undefined);
  }, wait);
}

async function readEmoji(): Promise<void> {
  type Answer = { emojis: { update: { name: string; aliases?: string[]; extension: string; etag?: string }[] } };
  const { emojis } = await get<Answer>("emoji-custom.list", {}, { joined: true }).catch((): Answer => ({
    emojis: { update: [] },
  }));
  const all = emojis.update.flatMap(({ name, aliases = [], extension, etag }) => {
    const address = `/emoji-custom/${encodeURIComponent(name)}.${extension}${etag ? `?etag=${etag}` : ""}`;
    return [name, ...aliases].map((code) => [code, address]);
  });
  change({ emoji: Object.fromEntries(all) as Record<string, string> });
}

/** Signs out here; what was kept on this machine is forgotten. */
export async function signOut(): Promise<void> {
  const user = session.get()?.userId;
  await endSession(PATIENCE).catch(() => undefined);
  // First nobody writes to the disk any more.
  end();
  if (user) await forget(user);
}

/** Ends a session that the server has ended, or that was signed out. */
function end(): void {
  leave();
  session.clear();
}

/** Nothing of the account stays in this page. */
function leave(): void {
  served = undefined;
  stop?.();
  stop = undefined;
  ddp.stop();
  localStorage.removeItem(SEEN);
  forgetAccount();
}

signedOut.addEventListener("signed-out", end);

// Another tab signed out, or in as somebody else.
session.subscribe(() => {
  if (served !== undefined && session.get()?.token !== served) leave();
});

const SEEN = "parlor.seen";

interface Seen {
  me: Me;
  subscriptions: Record<string, Subscription>;
  rooms: Record<string, Room>;
  settings: Record<string, unknown>;
  last?: ReturnType<typeof lastSeen>;
}

/** The list of rooms and the end of the last one as they were when the page was left: shown while the new ones come. */
function restore(): void {
  try {
    const seen = JSON.parse(localStorage.getItem(SEEN) ?? "null") as Seen | null;
    if (!seen || seen.me._id !== session.get()?.userId || state().me) return;
    const { last, ...lists } = seen;
    change({ ...lists, ready: true });
    if (last) showLast(last);
  } catch {
    localStorage.removeItem(SEEN);
  }
}

addEventListener("pagehide", () => {
  const { me, subscriptions, rooms, settings } = state();
  if (!me || Object.keys(subscriptions).length > 300) return;
  try {
    const seen: Seen = { me, subscriptions, rooms, settings, last: lastSeen() };
    localStorage.setItem(SEEN, JSON.stringify(seen));
  } catch {
    localStorage.removeItem(SEEN);
  }
});
