import { type FormEvent, type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import { get, post } from "@/api/rest";
import type { Id, Room } from "@/api/types";
import { intl, useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { brief, millis } from "@/lib/time";
import { refresh } from "@/store/actions";
import { path } from "@/store/rooms";
import { may } from "@/store/state";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { failed } from "@/ui/failed";
import css from "./side.module.css";

/** Discussions that grew out of a room, and a way to begin one. */
export function DiscussionsPanel({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const { items, loading, more, next } = usePaged<Room>(rid, async (offset) => {
    const query = { roomId: rid, offset, count: 50 };
    return (await get<{ discussions: Room[] }>("rooms.getDiscussions", query)).discussions;
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    post<{ discussion: Room }>("rooms.createDiscussion", { prid: rid, t_name: name.trim() })
      .then(async ({ discussion }) => {
        await refresh(discussion._id);
        go(path(discussion));
      })
      .catch(failed("failed.discussion"))
      .finally(() => setBusy(false));
  };
  return (
    <>
      {may("start-discussion", rid) && (
        <form className={css.form} onSubmit={submit}>
          <Field
            label={t("discussion.name")}
            maxLength={120}
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button type="submit" busy={busy}>
            {t("discussion.begin")}
          </Button>
        </form>
      )}
      <div className={css.scroll}>
        {!loading && items.length === 0 && <p className={css.note}>{t("discussion.none")}</p>}
        <ul className={css.hits} aria-busy={loading}>
          {items.map((room) => (
            <li key={room._id}>
              <Link href={path(room)}>
                <span>
                  <b dir="auto">{room.fname ?? room.name}</b>
                  <br />
                  <small>
                    {t("discussion.messages", { count: room.msgs ?? 0 })}
                    {room.lm && ` · ${brief(intl(), millis(room.lm))}`}
                  </small>
                </span>
              </Link>
            </li>
          ))}
        </ul>
        {more && (
          <div className={css.more}>
            <Button onClick={next}>{t("panel.more")}</Button>
          </div>
        )}
      </div>
    </>
  );
}
