import { Check, CheckCheck } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { get } from "@/api/rest";
import type { Id, Message } from "@/api/types";
import { useT } from "@/i18n";
import { millis } from "@/lib/time";
import { useStore } from "@/store/state";
import css from "./message.module.css";

/** After somebody read, others do too: asked once for all of them (ms). */
const SOON = 400;

/** On the last own message: stored, or read; where the workspace names readers, in a room of several by how many. */
export default function Receipt({ message }: { message: Message }): ReactNode {
  const t = useT();
  const { _id, rid, u, ts } = message;
  const [readers, setReaders] = useState(0);
  const named = useStore(({ settings }) => settings["Message_Read_Receipt_Store_Users"] === true);
  const direct = useStore(({ rooms }) => rooms[rid]?.t === "d" && (rooms[rid]?.uids?.length ?? 2) <= 2);
  // Raised whenever somebody else reads.
  const until = useStore((state) => state.receipts[rid] ?? 0);
  useEffect(() => {
    if (!named) return undefined;
    let current = true;
    const ask = (): void =>
      void get<{ receipts: { userId: Id }[] }>("chat.getMessageReadReceipts", { messageId: _id })
        .then(({ receipts }) => current && setReaders(receipts.filter(({ userId }) => userId !== u._id).length))
        .catch(() => undefined);
    const timer = setTimeout(ask, until ? SOON : 0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [_id, u._id, until, named]);
  const read = readers > 0 || until >= millis(ts);
  return (
    <span className={css.receipt}>
      {read ? <CheckCheck size={14} aria-hidden /> : <Check size={14} aria-hidden />}
      {readers > 0 && !direct ? t("receipt.readBy", { count: readers }) : t(read ? "receipt.read" : "receipt.sent")}
    </span>
  );
}
