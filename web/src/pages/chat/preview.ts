// The last message of a room in one line.

import type { Id, Room } from "@/api/types";
import type { Translate } from "@/i18n";
import { systemText } from "./system";

export function preview(t: Translate, room: Room | undefined, me: Id | undefined): string {
  const last = room?.lastMessage;
  if (!last) return "";
  if (last.t && last.t !== "e2e") return systemText(t, last);
  const file = last.attachments?.find((one) => one.title)?.title;
  const text = plainly(last.msg.slice(0, 2_000)).slice(0, 160);
  const shown = text || (file ? t("preview.file", { name: file }) : t("preview.quote"));
  if (last.u._id === me) return t("preview.own", { text: shown });
  if (room?.t === "d" && (room.uids?.length ?? 2) <= 2) return shown;
  return t("preview.other", { name: last.alias ?? last.u.name ?? last.u.username, text: shown });
}

/** A text without the marks that make it look: quotes and headings at the start of lines, blocks, links, emphasis. */
export const plainly = (text: string): string =>
  text
    .replace(/^\[ \]\(\S+\)\s*/, "")
    .replace(/^\s*(?:>+|#{1,4} |```\S*)\s*/gm, "")
    .replace(/\[([^\]\n]+)\]\(\S+?\)/g, "$1")
    .replace(/(^|[\s("'])(\*\*?|_|~~?|`)(\S[^\n]*?\S|\S)\2(?=$|[\s.,;:!?)"'])/gm, "$1$3")
    .replace(/\s+/g, " ")
    .trim();
