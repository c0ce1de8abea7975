import type { ReactNode } from "react";
import { get } from "@/api/rest";
import type { Message, UserRef, Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { full, millis } from "@/lib/time";
import { may, useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Dialog } from "@/ui/dialog";
import css from "./facts.module.css";

interface Receipt {
  _id: string;
  user?: UserRef;
  ts: Wire;
}

/** About a message: when it was written, who changed it last and when, who read it. */
export default function Facts({ message, close }: { message: Message; close: () => void }): ReactNode {
  const t = useT();
  const own = useStore((state) => state.me?._id === message.u._id);
  const receipts = useStore(
    ({ settings }) =>
      settings["Message_Read_Receipt_Enabled"] === true && settings["Message_Read_Receipt_Store_Users"] !== false,
  );
  const when = (at: Wire | undefined): string => full(intl(), millis(at));
  return (
    <Dialog title={t("facts.title")} close={close}>
      <p>{t("facts.written", { name: message.u.name ?? message.u.username, when: when(message.ts) })}</p>
      {message.editedAt && (
        <p>
          {t("facts.edited", {
            name:
              message.editedBy?._id === message.u._id
                ? (message.u.name ?? message.u.username)
                : (message.editedBy?.name ?? message.editedBy?.username),
            when: when(message.editedAt),
          })}
        </p>
      )}
      {message.editedAt && (own || may("edit-message", message.rid)) && <Versions message={message} />}
      {own && receipts && <Readers message={message} />}
    </Dialog>
  );
}

/** What it said before, oldest first, where the workspace keeps that. */
function Versions({ message }: { message: Message }): ReactNode {
  const t = useT();
  const { items, loading, failed } = usePaged<{ text: string; ts: Wire }>(message._id, async () => {
    type Answer = { versions: { text: string; ts: Wire }[] };
    return (await get<Answer>("chat.getMessageVersions", { messageId: message._id })).versions;
  });
  return (
    <>
      <h3>{t("facts.versions")}</h3>
      <p role="status" className={items.length > 0 ? "hidden" : undefined}>
        {failed ? t("room.loadFailed") : loading ? t("app.loading") : t("facts.before", { count: items.length })}
      </p>
      <ol className={css.list} aria-label={t("facts.versions")}>
        {items.map(({ text, ts }, at) => (
          <li key={at}>
            <small>{full(intl(), millis(ts))}</small>
            <p className={css.version} dir="auto">
              {text}
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}

function Readers({ message }: { message: Message }): ReactNode {
  const t = useT();
  const { items, loading, failed } = usePaged<Receipt>(message._id, async () => {
    const answer = await get<{ receipts: Receipt[] }>("chat.getMessageReadReceipts", { messageId: message._id });
    return answer.receipts.filter(({ user }) => user && user._id !== message.u._id);
  });
  return (
    <>
      <h3>{t("facts.readers")}</h3>
      <p role="status" className={items.length > 0 ? "hidden" : undefined}>
        {failed ? t("room.loadFailed") : loading ? t("app.loading") : t("facts.read", { count: items.length })}
      </p>
      <ul className={css.list} aria-label={t("facts.readers")}>
        {items.map(({ _id, user, ts }) => (
          <li key={_id} className={css.reader}>
            <Avatar username={user?.username} size={28} />
            <span dir="auto">{user?.name ?? user?.username}</span>
            <small>{full(intl(), millis(ts))}</small>
          </li>
        ))}
      </ul>
    </>
  );
}
