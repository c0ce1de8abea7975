import { type ReactNode, useState } from "react";
import { get, post } from "@/api/rest";
import type { Id, Message, Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { full, millis } from "@/lib/time";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { toast } from "@/ui/toast";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Row } from "../kit/page";
import { reason } from "../kit/reason";

interface Person {
  _id: Id;
  username: string;
  name: string;
}

interface Reported {
  _id: Id;
  ts: Wire;
  message: Message;
  room: { _id: Id; name?: string; fname?: string; t?: string };
}

interface Told {
  _id: Id;
  description: string;
  ts: Wire;
  reportedBy: Person;
}

type Act = "dismiss" | "delete" | "off";

interface Props {
  userId: Id;
  /** Reports of the person, not of messages. */
  people: boolean;
  close: () => void;
  changed: () => void;
}

/** All that was reported of somebody, and what a moderator may do about it. */
export function Case({ userId, people, close, changed }: Props): ReactNode {
  const t = useT();
  const [act, setAct] = useState<Act | null>(null);
  const [round, setRound] = useState(0);
  const actor = useStore((from) => may("manage-moderation-actions", undefined, from));
  const user = useLoad(userId, async () => {
    return (await get<{ user: Person & { active?: boolean } }>("users.info", { userId })).user;
  });
  const name = user.value ? user.value.name || user.value.username : t("reports.removed");
  const done = (): void => {
    toast(t("admin.done"));
    changed();
    close();
  };
  const shared = { close: () => setAct(null), done };
  return (
    <Dialog title={t("reports.case", { name })} close={close} wide>
      <div className={kit.scroll}>
        {actor && (
          <Row>
            <Button onClick={() => setAct("dismiss")}>{t("reports.dismiss")}</Button>
            {!people && (
              <Button kind="danger" onClick={() => setAct("delete")}>
                {t("reports.delete")}
              </Button>
            )}
            {user.value?.active !== false && user.value && (
              <Button kind="danger" onClick={() => setAct("off")}>
                {t("reports.off")}
              </Button>
            )}
          </Row>
        )}
        {people ? (
          <OfPerson userId={userId} />
        ) : (
          <OfMessages
            key={round}
            userId={userId}
            actor={actor}
            changed={() => {
              setRound(round + 1);
              changed();
            }}
          />
        )}
      </div>
      {act === "dismiss" && (
        <Danger
          {...shared}
          title={t("reports.dismissAsk", { name })}
          yes={t("reports.dismiss")}
          run={() => post(`moderation.dismiss${people ? "User" : ""}Reports`, { userId })}
        >
          <p>{t("reports.dismissMore")}</p>
        </Danger>
      )}
      {act === "delete" && (
        <Danger
          {...shared}
          title={t("reports.deleteAsk", { name })}
          yes={t("reports.delete")}
          run={() => post("moderation.user.deleteReportedMessages", { userId })}
        >
          <p>{t("reports.deleteMore")}</p>
        </Danger>
      )}
      {act === "off" && (
        <Danger
          {...shared}
          title={t("reports.offAsk", { name })}
          yes={t("reports.off")}
          run={() => post("users.setActiveStatus", { userId, activeStatus: false, confirmRelinquish: true })}
        >
          <p>{t("reports.offMore")}</p>
        </Danger>
      )}
    </Dialog>
  );
}

interface OfMessagesProps {
  userId: Id;
  actor: boolean;
  changed: () => void;
}

function OfMessages({ userId, actor, changed }: OfMessagesProps): ReactNode {
  const t = useT();
  const { items, loading, failed, more, next } = usePaged<Reported>(userId, async (offset) => {
    const query = { userId, offset, count: 50 };
    return (await get<{ messages: Reported[] }>("moderation.user.reportedMessages", query)).messages;
  });
  const dismiss = (msgId: Id): void =>
    void post("moderation.dismissReports", { msgId })
      .then(changed)
      .catch((error: unknown) => toast(reason(error, t), { bad: true }));
  return (
    <>
      <p role="status" className={items.length > 0 ? "hidden" : kit.note}>
        {failed ? t("admin.loadFailed") : loading ? t("app.loading") : t("reports.none")}
      </p>
      <ul className={kit.cards} aria-label={t("reports.messages")}>
        {items.map((one) => (
          <li key={one._id} className={kit.card}>
            <span className={kit.main}>
              <span dir="auto">{one.message.msg || "—"}</span>
              <small dir="auto">
                {one.room.fname || one.room.name || t("reports.direct")} · {full(intl(), millis(one.ts))}
              </small>
              <Reasons msgId={one.message._id} />
            </span>
            {actor && (
              <Button
                aria-label={t("reports.dismissOne", { text: one.message.msg.slice(0, 40) })}
                onClick={() => dismiss(one.message._id)}
              >
                {t("reports.dismissShort")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {more && (
        <Button onClick={next} busy={loading}>
          {t("panel.more")}
        </Button>
      )}
    </>
  );
}

function Reasons({ msgId }: { msgId: Id }): ReactNode {
  const t = useT();
  const { value } = useLoad(
    msgId,
    async () => (await get<{ reports: Told[] }>("moderation.reports", { msgId })).reports,
  );
  return value?.map((one) => (
    <small key={one._id} dir="auto">
      {t("reports.said", { name: one.reportedBy.name || one.reportedBy.username, text: one.description })}
    </small>
  ));
}

function OfPerson({ userId }: { userId: Id }): ReactNode {
  const t = useT();
  const { items, loading, failed, more, next } = usePaged<Told>(userId, async (offset) => {
    const query = { userId, offset, count: 50 };
    return (await get<{ reports: Told[] }>("moderation.user.reportsByUserId", query)).reports;
  });
  return (
    <>
      <p role="status" className={items.length > 0 ? "hidden" : kit.note}>
        {failed ? t("admin.loadFailed") : loading ? t("app.loading") : t("reports.none")}
      </p>
      <ul className={kit.cards} aria-label={t("reports.people")}>
        {items.map((one) => (
          <li key={one._id} className={kit.card}>
            <span className={kit.main}>
              <span dir="auto">
                {t("reports.said", { name: one.reportedBy.name || one.reportedBy.username, text: one.description })}
              </span>
              <small>{full(intl(), millis(one.ts))}</small>
            </span>
          </li>
        ))}
      </ul>
      {more && (
        <Button onClick={next} busy={loading}>
          {t("panel.more")}
        </Button>
      )}
    </>
  );
}
