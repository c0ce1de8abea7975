// Telling the reader of what happens elsewhere: one polite live region, the title, and the system's notifications.

import type { Id, Subscription, UserRef } from "@/api/types";
import { t } from "@/i18n";
import { preference } from "./preferences";
import { counted, isUnread } from "./rooms";
import { setting, state, useStore } from "./state";

/** Texts follow each other at this pace at most (ms); more of them become a number. */
const PACE = 1_500;
let region: HTMLElement | null = null;
let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

export function setRegion(element: HTMLElement | null): void {
  region = element;
}

/** Says a text through the live region. */
export function say(text: string): void {
  waiting.push(text);
  timer ??= setTimeout(speakNow, waiting.length > 1 ? PACE : 100);
}

function speakNow(): void {
  timer = undefined;
  if (!region || waiting.length === 0) return;
  region.textContent = waiting.length > 3 ? t("live.more", { count: waiting.length }) : waiting.join(". ");
  waiting = [];
  timer = setTimeout(() => {
    timer = undefined;
    if (waiting.length > 0) speakNow();
  }, PACE);
}

export interface Notice {
  title: string;
  text: string;
  payload: { _id: Id; rid: Id; tmid?: Id; sender: UserRef; type: string; name?: string; message?: { msg?: string } };
}

let open: (notice: Notice) => void = () => undefined;

/** Who shows the room of a notification that was clicked. */
export function onNotice(handler: (notice: Notice) => void): void {
  open = handler;
}

/** A message that the server finds worth a notification. */
export function announce(notice: Notice): void {
  const { payload } = notice;
  if (state().me?.status === "busy") return;
  say(t("live.message", { name: payload.sender.name ?? payload.sender.username ?? "", text: notice.text }));
  const volume = preference("notificationsSoundVolume", 100);
  // Fetched when it is first needed; a page that nobody touched yet may not play anything.
  if (!document.hasFocus() && volume > 0 && navigator.userActivation?.hasBeenActive)
    void import("@/lib/sound").then(({ play }) => play("message", volume));
  if (document.hasFocus() || !("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(notice.title, { body: notice.text, tag: payload.rid, icon: "/app/icon.svg" });
  shown.onclick = () => {
    window.focus();
    open(notice);
    shown.close();
  };
}

/** The tab's picture waits so long (ms): messages are fetched first, and a count that goes at once is not drawn. */
const LATE = 1_000;

/** Keeps the number of unread messages in the title and the tab's picture, and tells the desktop app. */
export function showCount(): () => void {
  let last = "";
  let icon = "";
  let late: ReturnType<typeof setTimeout> | undefined;
  let known: Record<Id, Subscription> = {};
  let looked: unknown[] = [];
  const update = (): void => {
    const { subscriptions, me, settings } = state();
    const now = [subscriptions, me, settings];
    if (now.every((one, at) => one === looked[at])) return;
    looked = now;
    const subs = me ? Object.values(subscriptions).filter((sub) => sub.open) : [];
    if (subscriptions !== known) tellEach(known, subscriptions);
    known = subscriptions;
    const total = subs.reduce((sum, sub) => sum + counted(sub).mentions, 0);
    const dot = total === 0 && subs.some(isUnread);
    const mark = total > 0 ? `(${total}) ` : dot ? "• " : "";
    const title = `${mark}${setting("Site_Name", "Parlor")}`;
    if (title === last) return;
    last = title;
    document.title = title;
    dispatchEvent(new CustomEvent("unread-changed", { detail: total || (dot ? "•" : "") }));
    const drawn = total > 0 ? String(Math.min(total, 99)) : dot ? "•" : "";
    // The page comes with the plain one.
    if (drawn === icon) return;
    icon = drawn;
    clearTimeout(late);
    late = setTimeout(
      () => void import("@/lib/icon").then(({ drawIcon }) => drawIcon(drawn)).catch(() => undefined),
      LATE,
    );
  };
  update();
  return useStore.subscribe(update);
}

/** The desktop app counts by room. */
function tellEach(before: Record<Id, Subscription>, now: Record<Id, Subscription>): void {
  for (const [rid, sub] of Object.entries(now)) {
    const old = before[rid];
    if (old && old.unread === sub.unread && old.alert === sub.alert) continue;
    const detail = {
      rid,
      fname: sub.fname,
      name: sub.name,
      t: sub.t,
      open: sub.open,
      unread: sub.unread,
      alert: sub.alert,
    };
    dispatchEvent(new CustomEvent("unread-changed-by-subscription", { detail }));
  }
}
