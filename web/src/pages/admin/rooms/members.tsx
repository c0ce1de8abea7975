import { EllipsisVertical } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { method } from "@/api/method";
import { get, post } from "@/api/rest";
import type { Id, Room } from "@/api/types";
import { useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { may, useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { type Item, Menu } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { Mark } from "../kit/page";
import { reason } from "../kit/reason";
import { nameOf } from "./name";

interface Member {
  _id: Id;
  username: string;
  name?: string;
  roles?: string[];
}

const ROLES = [
  ["owner", "Owner"],
  ["moderator", "Moderator"],
  ["leader", "Leader"],
] as const;

/** Who is in a room, in pages; added, removed and given roles without being in it oneself. */
export function Members({ room, changed }: { room: Room; changed: () => void }): ReactNode {
  const t = useT();
  const [text, setText] = useState("");
  const [added, setAdded] = useState("");
  const [round, setRound] = useState(0);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const wanted = text.trim();
  const adder = useStore(
    (from) => may(`add-user-to-any-${room.t}-room`, room._id, from) || may("add-user-to-joined-room", room._id, from),
  );
  const { items, loading, failed, more, next } = usePaged<Member>(`${room._id}/${wanted}/${round}`, async (offset) => {
    const query = { rid: room._id, offset, count: 50, filter: wanted || undefined };
    return (await get<{ members: Member[] }>("rooms.adminRooms.members", query)).members;
  });
  const again = (): void => {
    setRound((now) => now + 1);
    changed();
  };
  const run = (done: Promise<unknown>): void =>
    void done.then(again).catch((error: unknown) => toast(reason(error, t), { bad: true }));
  const add = (event: FormEvent): void => {
    event.preventDefault();
    const users = [added.trim().replace(/^@/, "")];
    setAdded("");
    run(method("addUsersToRoom", [{ rid: room._id, users }]));
  };
  const menu = (member: Member): Item[][] => [
    ROLES.map(([role, word]) => {
      const has = member.roles?.includes(role) ?? false;
      return {
        id: role,
        label: t(`rooms.${has ? "not" : "be"}.${role}`),
        run: () => run(method(`${has ? "remove" : "add"}Room${word}`, [room._id, member._id])),
      };
    }),
    [{ id: "kick", label: t("members.remove"), bad: true, run: () => setLeaving(member) }],
  ];
  return (
    <>
      <Field
        label={t("rooms.findMember")}
        type="search"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {adder && room.t !== "d" && (
        <form className={kit.inline} onSubmit={add}>
          <Field
            label={t("rooms.add")}
            value={added}
            autoCapitalize="none"
            autoComplete="off"
            onChange={(event) => setAdded(event.target.value)}
          />
          <Button type="submit" disabled={!added.trim()}>
            {t("rooms.addShort")}
          </Button>
        </form>
      )}
      <p role="status" className={items.length > 0 ? "hidden" : kit.note}>
        {failed ? t("admin.loadFailed") : loading ? t("app.loading") : t("room.members", { count: items.length })}
      </p>
      <ul className={kit.plain} aria-label={t("rooms.members")}>
        {items.map((member) => (
          <li key={member._id} className={kit.row}>
            <Avatar username={member.username} size={32} />
            <span className={kit.main}>
              <b dir="auto">{member.name || member.username}</b>
              <small>
                <bdi>@{member.username}</bdi>{" "}
                {member.roles?.map((role) => (
                  <Mark key={role}>{t(`rooms.role.${role}`)}</Mark>
                ))}
              </small>
            </span>
            {room.t !== "d" && (
              <Menu label={t("rooms.memberMore", { name: member.name || member.username })} groups={menu(member)}>
                <EllipsisVertical size={18} aria-hidden />
              </Menu>
            )}
          </li>
        ))}
      </ul>
      {more && (
        <Button onClick={next} busy={loading}>
          {t("panel.more")}
        </Button>
      )}
      {leaving && (
        <Danger
          title={t("rooms.kickAsk", { name: leaving.name || leaving.username, room: nameOf(room) })}
          yes={t("members.remove")}
          close={() => setLeaving(null)}
          done={again}
          run={() => post(`${room.t === "c" ? "channels" : "groups"}.kick`, { roomId: room._id, userId: leaving._id })}
        >
          <p>{t("rooms.kickMore")}</p>
        </Danger>
      )}
    </>
  );
}
