// Where a message is shown, and what one may do with it there.

import type { Id, Message } from "@/api/types";
import type { Translate } from "@/i18n";
import { intl } from "@/i18n";
import { clock, millis } from "@/lib/time";
import { path } from "@/store/rooms";
import { may, setting, type State, state } from "@/store/state";

export interface Place {
  rid: Id;
  /** The thread that is shown, when it is one. */
  thread?: Id | undefined;
  /** Puts a text into the composer: quotes. */
  quote: (message: Message) => void;
  mayEdit: (message: Message) => boolean;
  threadPath: (tmid: Id) => string;
  roomPath: (rid: Id) => string;
}

/** How a message is read aloud: who, when, what. */
export function summary(t: Translate, message: Message): string {
  const name = message.alias ?? message.u.name ?? message.u.username ?? "";
  const files = message.attachments?.map((one) => one.title ?? one.text ?? "").join(", ");
  const text = (message.msg || files || "").slice(0, 300);
  const what = { name, time: clock(intl(), millis(message.ts)), text };
  const reactions = Object.keys(message.reactions ?? {}).length;
  // Texts that count cost ten times those that do not, and most messages have no reaction.
  return reactions > 0 ? t("message.labelReacted", { ...what, reactions }) : t("message.label", what);
}

export function roomPath(rid: Id, from: State = state()): string {
  const room = from.subscriptions[rid] ?? from.rooms[rid];
  return room ? path(room) : `/group/${rid}`;
}

export const threadPath = (rid: Id, tmid: Id): string => `${roomPath(rid)}/thread/${tmid}`;

/** The address of a message, which also makes quotes. */
export function permalink(message: Message): string {
  const site = setting("Site_Url", location.origin).replace(/\/$/, "");
  return `${site}${roomPath(message.rid)}?msg=${message._id}`;
}

const within = (message: Message, minutes: number): boolean =>
  minutes <= 0 || Date.now() - millis(message.ts) < minutes * 60_000;

export function mayEdit(message: Message): boolean {
  const own = message.u._id === state().me?._id;
  if (message.private || message.t) return false;
  if (may("edit-message", message.rid)) return true;
  const limit = setting("Message_AllowEditing_BlockEditInMinutes", 0);
  return own && setting("Message_AllowEditing", true) && within(message, limit);
}

export function mayDelete(message: Message): boolean {
  const own = message.u._id === state().me?._id;
  if (message.private) return false;
  if (may("delete-message", message.rid) || may("force-delete-message", message.rid)) return true;
  if (!own || !setting("Message_AllowDeleting", true) || !may("delete-own-message", message.rid)) return false;
  return within(message, setting("Message_AllowDeleting_BlockDeleteInMinutes", 0));
}
