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
import { Dialog, Footer } from "@/ui/dialog";
import { EllipsisVertical } from "lucide-react";
import { People, type Person } from "./people";
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
  const [adding, setAdding] = useState(false);
  const [round, setRound] = useState(0);
  const wanted = useDeferredValue(filter.trim());
  const type = state().subscriptions[rid]?.t ?? state().rooms[rid]?.t ?? "c";
  const family = { c: "channels", p: "groups", d: "im", l: "groups" }[type];
  const me = useStore((from) => from.me?._id);
  const mayAdd = type !== "d" && (may("add-user-to-joined-room", rid) || may(`add-user-to-any-${type}-room`));
  const {
    items,
    loading,
    failed: lost,
    more,
    next,
  } = usePaged<Member>(`${rid}/${wanted}/${round}`, async (offset) => {
    const query = { roomId: rid, offset, count: 50, filter: wanted || undefined };
    const name = type === "d" ? "im.members" : "rooms.membersOrderedByRole";
    const { members } = await get<{ members: Member[] }>(name, query);
    return members;
  });
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
        {mayAdd && <Button onClick={() => setAdding(true)}>{t("members.add")}</Button>}
        {adding && (
          <AddPeople
            rid={rid}
            family={family}
            close={() => setAdding(false)}
            done={() => setRound((before) => before + 1)}
          />
        )}
      </div>
      <div className={css.scroll}>
        {(lost || (items.length === 0 && !loading)) && (
          <p className={css.note} role="status">
            {t(lost ? "room.loadFailed" : "members.none")}
          </p>
        )}
        <ul className={css.hits} aria-busy={loading}>
          {items.map((member) => (
            <li key={member._id} className={css.person}>
              <Avatar username={member.username} status={member.status ?? "offline"} size={36} />
              <span>
                <b dir="auto">{member.name ?? member.username}</b>
                <br />
                <small>
                  <bdi>@{member.username}</bdi>
                  {roleOf(member) && ` · ${t(`role.${roleOf(member)}`)}`}
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

/** The highest of somebody's roles in the room. */
const roleOf = ({ roles = [] }: Member): string | undefined =>
  ["owner", "moderator", "leader"].find((role) => roles.includes(role));

interface AddProps {
  rid: Id;
  family: string;
  close: () => void;
  done: () => void;
}

/** People who are to join, found by typing. */
function AddPeople({ rid, family, close, done }: AddProps): ReactNode {
  const t = useT();
  const [people, setPeople] = useState<Person[]>([]);
  const [busy, setBusy] = useState(false);
  const add = async (): Promise<void> => {
    setBusy(true);
    for (const { _id, name, username } of people) {
      await post(`${family}.invite`, { roomId: rid, userId: _id }).catch(() =>
        toast(t("members.notAdded", { name: name ?? username }), { bad: true }),
      );
    }
    done();
    close();
  };
  return (
    <Dialog title={t("members.add")} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <People chosen={people} change={setPeople} first />
        <Footer>
          <Button onClick={close}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={busy || people.length === 0}>
            {t("members.addShort")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}
