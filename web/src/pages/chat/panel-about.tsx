import { type FormEvent, type ReactNode, useState } from "react";
import { post } from "@/api/rest";
import type { Id, Room } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { refresh } from "@/store/actions";
import { title } from "@/store/rooms";
import { may, useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import { Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import css from "./side.module.css";

const TEXTS = ["topic", "description", "announcement"] as const;
const LONGEST = { topic: 255, description: 1_000, announcement: 1_000 };

/** What a room is: its texts, who made it and when. Those who may change them here. */
export function AboutPanel({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const room = useStore((state) => state.rooms[rid]);
  const sub = useStore((state) => state.subscriptions[rid]);
  const editor = useStore((state) => may("edit-room", rid, state));
  const [editing, setEditing] = useState(false);
  if (!room) return <p className={css.note}>{t("app.loading")}</p>;
  const type = room.t === "d" ? "direct" : room.t === "c" ? "public" : "private";
  const texts = TEXTS.filter((key) => room[key]);
  return (
    <div className={css.scroll}>
      <div className={css.about}>
        {room.t === "d" ? (
          <Avatar username={sub?.name.split(",")[0]} size={72} />
        ) : (
          <Avatar rid={rid} etag={room.avatarETag} size={72} />
        )}
        <h3 dir="auto">{title(sub, room)}</h3>
        <p>
          {t(`about.${type}`)}
          {room.usersCount !== undefined && room.t !== "d" && ` · ${t("room.members", { count: room.usersCount })}`}
        </p>
      </div>
      {editing ? (
        <Edit room={room} close={() => setEditing(false)} />
      ) : (
        <>
          <dl className={css.facts}>
            {texts.map((key) => (
              <div key={key}>
                <dt>{t(`about.${key}`)}</dt>
                <dd dir="auto">{room[key]}</dd>
              </div>
            ))}
            {millis(room.ts) > 0 && room.t !== "d" && (
              <div>
                <dt>{t("about.made")}</dt>
                <dd>
                  {full(intl(), millis(room.ts))}
                  {room.u?.username && (
                    <>
                      {" · "}
                      <bdi>@{room.u.username}</bdi>
                    </>
                  )}
                </dd>
              </div>
            )}
          </dl>
          {editor && room.t !== "d" && !room.parlorKind && (
            <div className={css.more}>
              <Button onClick={() => setEditing(true)}>{t("about.edit")}</Button>
            </div>
          )}
        </>
      )}
    </div>
  );
}

/** The room's texts in fields: only what was changed is sent. */
function Edit({ room, close }: { room: Room; close: () => void }): ReactNode {
  const t = useT();
  const [texts, setTexts] = useState({
    topic: room.topic ?? "",
    description: room.description ?? "",
    announcement: room.announcement ?? "",
  });
  const [busy, setBusy] = useState(false);
  const changed = TEXTS.filter((key) => texts[key].trim() !== (room[key] ?? ""));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    const names = { topic: "roomTopic", description: "roomDescription", announcement: "roomAnnouncement" } as const;
    const body = Object.fromEntries(changed.map((key) => [names[key], texts[key].trim()]));
    post("rooms.saveRoomSettings", { rid: room._id, ...body })
      .then(() => refresh(room._id))
      .then(() => {
        toast(t("about.saved"));
        close();
      })
      .catch(failed("failed.save"))
      .finally(() => setBusy(false));
  };
  return (
    <form className={css.form} onSubmit={submit}>
      {TEXTS.map((key) => (
        <Field
          key={key}
          label={t(`about.${key}`)}
          hint={t(`about.${key}Hint`)}
          dir="auto"
          maxLength={LONGEST[key]}
          value={texts[key]}
          onChange={(event) => setTexts({ ...texts, [key]: event.target.value })}
        />
      ))}
      <div className={css.buttons}>
        <Button onClick={close}>{t("dialog.cancel")}</Button>
        <Button kind="primary" type="submit" busy={busy} disabled={busy || changed.length === 0}>
          {t("edit.save")}
        </Button>
      </div>
    </form>
  );
}
