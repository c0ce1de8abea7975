// What happened in a room, in words: Rocket.Chat sends a code and its parameter.

import type { Message } from "@/api/types";
import { i18n } from "@lingui/core";
import type { Translate } from "@/i18n";

/** Codes whose text has an id of its own; others are told in general. */
export function systemText(t: Translate, message: Message): string {
  const name = message.u.name ?? message.u.username ?? "";
  if (message.t === "system") {
    // What happened to a case is stored as a line of its conversation.
    const [, word = "", reason = ""] = /^(closed|reopened|.* took over$)(?:: (.*))?$/s.exec(message.msg) ?? [];
    if (word === "closed" || word === "reopened")
      return t(`system.case-${word}${reason ? "-why" : ""}`, { name, text: reason });
    if (word) return t("system.case-taken", { name });
  }
  const id = `system.${(message.t ?? "").replaceAll("_", "-")}`;
  const role = message.role ? t(`role.${message.role}`) : "";
  return t(id in i18n.messages ? id : "system.other", { name, text: message.msg, role });
}
