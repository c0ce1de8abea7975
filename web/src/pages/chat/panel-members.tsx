import { type ReactNode, useDeferredValue, useState } from "react";
import { useLocation } from "wouter";
import { get, post } from "@/api/rest";
import type { Id, Status } from "@/api/types";
import { useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { direct } from "@/store/actions";
import { path } from "@/store/rooms";
import { may, state, useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { type Item, Menu } from "@/ui/menu";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { EllipsisVertical } from "lucide-react";
import css from "./side.module.css";

interface Member {
  _id: Id;
  username: string;
  name?: string;
  status?: Status;
  roles?: string[];
}

/** Who is in a room; those who may can add and remove people. */
export function MembersPanel({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [filter, setFilter] = useState("");
  const [added, setAdded] = useState("");
  const [round, setRound] = useState(0);
  const wanted = useDeferredValue(filter.trim());
  const type = state().subscriptions[rid]?.t ?? state().rooms[rid]?.t ?? "c";
  const family = { c: "channels", p: "groups", d: "im", l: "groups" }[type];
  const me = useStore((from) => from.me?._id);
  const mayAdd = type !== "d" && (may("add-user-to-joined-room", rid) || may(`add-user-to-any-${type}-room`));
  const { items, loading, more, next } = usePaged<Member>(`${rid}/${wanted}/${round}`, async (offset) => {
    const query = { roomId: rid, offset, count: 50, filter: wanted || undefined };
    const { members } = await get<{ members: Member[] }>(`${family}.members`, query);
    return members;
  });
  const add = async (): Promise<void> => {
    try {
      const { user } = await get<{ user: Member }>("users.info", { username: added.trim().replace(/^@/, "") });
      await post(`${family}.invite`, { roomId: rid, userId: user._id });
      setAdded("");
      setRound(round + 1);
    } catch {
      toast(t("members.notAdded", { name: added }), { bad: true });
    }
  };
  const items_ = (member: Member): Item[][] => [
    [
      {
        id: "write",
        label: t("members.write"),
        run: () =>
          void direct([member.username])
            .then((room) => go(path(room)))
            .catch(failed("failed.open")),
      },
    ],
    may("remove-user", rid) && type !== "d" && member._id !== me
      ? [
          {
            id: "remove",
            label: t("members.remove"),
            bad: true,
            run: () =>
              void post(`${family}.kick`, { roomId: rid, userId: member._id })
                .then(() => setRound(round + 1))
                .catch(failed("failed.kick")),
          },
        ]
      : [],
  ];
  return (
    <>
      <div className={css.form}>
        <Field
          label={t("members.find")}
          type="search"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        {mayAdd && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void add();
            }}
          >
            <Field
              label={t("members.add")}
              value={added}
              onChange={(event) => setAdded(event.target.value)}
              autoCapitalize="none"
            />
            <Button type="submit" disabled={!added.trim()}>
              {t("members.addShort")}
            </Button>
          </form>
        )}
      </div>
      <div className={css.scroll}>
        <ul className={css.hits} aria-busy={loading}>
          {items.map((member) => (
            <li key={member._id} className={css.person}>
              <Avatar username={member.username} status={member.status ?? "offline"} size={36} />
              <span>
                <b dir="auto">{member.name ?? member.username}</b>
                <br />
                <small>
                  <bdi>@{member.username}</bdi>
                </small>
              </span>
              <Menu label={t("members.more", { name: member.name ?? member.username })} groups={items_(member)}>
                <EllipsisVertical size={18} aria-hidden />
              </Menu>
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
