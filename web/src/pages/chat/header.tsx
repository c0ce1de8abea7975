import { ArrowLeft, BellOff, EllipsisVertical, Hash, Lock, MessagesSquare, Search, Star, Video } from "lucide-react";
import { memo, type ReactNode, Suspense, useState } from "react";
import { useLocation } from "wouter";
import { post } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { favourite, leave } from "@/store/actions";
import { callsPossible, startCall } from "@/store/calls";
import { peer, title } from "@/store/rooms";
import { useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { IconButton } from "@/ui/button";
import { type Item, Menu } from "@/ui/menu";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { Confirm, Jump } from "./later";
import css from "./header.module.css";
import { roomPath } from "./place";

/** A conversation's head: what it is called, who is there, and what else it holds. */
export const RoomHeader = memo(function RoomHeader({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const sub = useStore((state) => state.subscriptions[rid]);
  const room = useStore((state) => state.rooms[rid]);
  const me = useStore((state) => state.me?._id);
  const calls = useStore((state) => Boolean(state.subscriptions[rid]) && callsPossible(rid, state));
  const [jumping, setJumping] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const other = peer(room, me);
  const presence = useStore((state) => (other ? state.presence[other] : undefined));
  const type = sub?.t ?? room?.t;
  const base = roomPath(rid);
  const below =
    type === "d" && other
      ? presence?.text || t(`presence.${presence?.status ?? "offline"}`)
      : room?.topic || (room?.usersCount ? t("room.members", { count: room.usersCount }) : "");
  const attempt = (work: Promise<unknown>, what = "failed.save"): void => void work.catch(failed(what));
  const panel = (id: string): Item => ({ id, label: t(`panel.${id}`), run: () => go(`${base}/${id}`) });
  const muted = sub?.disableNotifications;
  const own: Item[] = sub
    ? [
        panel("notifications"),
        {
          id: "mute",
          label: t(muted ? "room.unmute" : "room.mute"),
          run: () => {
            const notifications = { disableNotifications: muted ? "0" : "1" };
            attempt(post("rooms.saveNotification", { roomId: rid, notifications }));
          },
        },
        {
          id: "hide",
          label: t("room.hide"),
          run: () => attempt(post("rooms.hide", { roomId: rid }).then(() => go("/"))),
        },
        ...(type === "d"
          ? []
          : [
              {
                id: "leave",
                label: t("room.leave"),
                bad: true,
                run: () => setLeaving(true),
              },
            ]),
      ]
    : [];
  return (
    <header className={css.header}>
      <IconButton className={css.back} label={t("room.back")} onClick={() => go("/")}>
        <ArrowLeft size={20} aria-hidden />
      </IconButton>
      {type === "d" ? (
        <Avatar
          username={sub?.name.split(",")[0]}
          size={32}
          status={other ? (presence?.status ?? "offline") : undefined}
        />
      ) : (
        <Avatar rid={rid} etag={room?.avatarETag} letters={room && (room.fname || room.name)} size={32} />
      )}
      <div className={css.about}>
        <h1 dir="auto">
          {type === "c" && <Hash size={16} aria-hidden />}
          {type === "p" && <Lock size={16} role="img" aria-label={t("room.private")} />}
          <span>{title(sub, room)}</span>
          {muted && <BellOff size={15} role="img" aria-label={t("room.muted")} />}
        </h1>
        <p dir="auto">{below}</p>
      </div>
      {sub && (
        <IconButton
          label={t("room.favourite")}
          aria-pressed={sub.f ?? false}
          onClick={() => attempt(favourite(sub))}
          className={css.wide}
        >
          <Star size={20} aria-hidden fill={sub.f ? "currentColor" : "none"} />
        </IconButton>
      )}
      {calls && (
        <IconButton
          label={t("call.start")}
          onClick={() => void startCall(rid).catch(() => toast(t("call.failed"), { bad: true }))}
        >
          <Video size={20} aria-hidden />
        </IconButton>
      )}
      <IconButton label={t("panel.threads")} onClick={() => go(`${base}/threads`)} className={css.wide}>
        <MessagesSquare size={20} aria-hidden />
      </IconButton>
      <IconButton label={t("panel.search")} onClick={() => go(`${base}/search`)}>
        <Search size={20} aria-hidden />
      </IconButton>
      <Menu
        label={t("room.more")}
        groups={[
          [
            panel("about"),
            panel("members"),
            panel("threads"),
            panel("discussions"),
            panel("files"),
            panel("pinned"),
            panel("starred"),
            panel("mentions"),
          ],
          [{ id: "jump", label: t("jump.title"), run: () => setJumping(true) }],
          own,
        ]}
      >
        <EllipsisVertical size={20} aria-hidden />
      </Menu>
      {leaving && (
        <Suspense fallback={null}>
          <Confirm
            title={t("leave.title", { name: title(sub, room) })}
            text={t(type === "c" ? "leave.public" : "leave.private")}
            yes={t("room.leave")}
            run={() =>
              attempt(
                leave(rid).then(() => go("/")),
                "failed.leave",
              )
            }
            close={() => setLeaving(false)}
          />
        </Suspense>
      )}
      {jumping && (
        <Suspense fallback={null}>
          <Jump rid={rid} close={() => setJumping(false)} />
        </Suspense>
      )}
    </header>
  );
});
