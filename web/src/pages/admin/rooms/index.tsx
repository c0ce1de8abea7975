import { Hash, Lock, MessageCircle } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useLocation, useRoute } from "wouter";
import { get } from "@/api/rest";
import type { Room } from "@/api/types";
import { intl, useT } from "@/i18n";
import { brief, millis } from "@/lib/time";
import { Avatar } from "@/ui/avatar";
import { Field } from "@/ui/field";
import { Select } from "@/ui/select";
import kit from "../kit/kit.module.css";
import { List } from "../kit/list";
import { Filters, Mark, Page } from "../kit/page";
import { useWindow } from "../kit/window";
import { nameOf } from "./name";
import { OneRoom } from "./room";

const KINDS = ["", "c", "p", "d", "discussions", "teams"] as const;
const SORTS = ["name", "-usersCount", "-lm", "-ts"] as const;
const ICONS = { c: Hash, p: Lock, d: MessageCircle, l: Lock } as const;

/** All rooms of the workspace, also those that one is not in. */
export default function Rooms(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [, chosen] = useRoute("/admin/rooms/:id");
  const [text, setText] = useState("");
  const [kind, setKind] = useState("");
  const [sort, setSort] = useState<string>("name");
  const query = {
    filter: text.trim() || undefined,
    "types[]": kind || undefined,
    sort: JSON.stringify({ [sort.replace("-", "")]: sort.startsWith("-") ? -1 : 1 }),
  };
  const rows = useWindow<Room>(JSON.stringify(query), async (offset, count) => {
    const found = await get<{ rooms: Room[]; total: number }>("rooms.adminRooms", { ...query, offset, count });
    return { items: found.rooms, total: found.total };
  });
  return (
    <Page fixed title={t("admin.rooms")}>
      <Filters>
        <Field label={t("rooms.find")} type="search" value={text} onChange={(event) => setText(event.target.value)} />
        <Select
          label={t("rooms.kind")}
          value={kind}
          choose={setKind}
          choices={KINDS.map((one) => [one, t(`rooms.kind.${one || "all"}`)] as const)}
        />
        <Select
          label={t("admin.sort")}
          value={sort}
          choose={setSort}
          choices={SORTS.map((one) => [one, t(`rooms.sort.${one.replace("-", "")}`)] as const)}
        />
      </Filters>
      <List
        label={t("admin.rooms")}
        rows={rows}
        count={(count) => t("rooms.count", { count })}
        empty={t("rooms.none")}
        href={({ _id }) => `/admin/rooms/${_id}`}
      >
        {(room) => <Shown room={room} />}
      </List>
      {chosen && <OneRoom key={chosen.id} rid={chosen.id} close={() => go("/admin/rooms")} changed={rows.reload} />}
    </Page>
  );
}

function Shown({ room }: { room: Room }): ReactNode {
  const t = useT();
  const Icon = ICONS[room.t];
  const last = millis(room.lm) || millis(room.ts);
  return (
    <>
      <Avatar rid={room._id} etag={room.avatarETag} letters={nameOf(room)} size={36} />
      <span className={kit.main}>
        <b dir="auto">
          <Icon size={14} role="img" aria-label={t(`rooms.kind.${room.t === "l" ? "p" : room.t}`)} /> {nameOf(room)}
        </b>
        <small dir="auto">
          {t("room.members", { count: room.usersCount ?? 0 })}
          {room.u?.username && room.u.username !== room.u._id && ` · ${t("rooms.by", { name: room.u.username })}`}
        </small>
      </span>
      <span className={kit.side}>
        <span>
          {room.default && <Mark>{t("rooms.default")}</Mark>} {room.ro && <Mark>{t("rooms.ro")}</Mark>}{" "}
          {room.archived && <Mark bad>{t("rooms.archived")}</Mark>}
        </span>
        <small>
          {t("rooms.messages", { count: room.msgs ?? 0 })}
          {last > 0 && ` · ${brief(intl(), last)}`}
        </small>
      </span>
    </>
  );
}
