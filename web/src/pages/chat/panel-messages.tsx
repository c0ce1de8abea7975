import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { get } from "@/api/rest";
import type { Id, Message } from "@/api/types";
import { intl, useT } from "@/i18n";
import { type Paged, usePaged } from "@/lib/paged";
import { brief, millis } from "@/lib/time";
import { title } from "@/store/rooms";
import { useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { roomPath } from "./place";
import { plainly } from "./preview";
import css from "./side.module.css";

const LISTS = {
  threads: { name: "chat.getThreadsList", key: "threads", room: "rid" },
  pinned: { name: "chat.getPinnedMessages", key: "messages", room: "roomId" },
  starred: { name: "chat.getStarredMessages", key: "messages", room: "roomId" },
  mentions: { name: "chat.getMentionedMessages", key: "messages", room: "roomId" },
} as const;

const WHICH = ["all", "following", "unread"] as const;

/** A room's threads, or its pinned, starred or mentioning messages. */
export function ListPanel({ rid, kind }: { rid: Id; kind: keyof typeof LISTS }): ReactNode {
  const t = useT();
  const { name, key, room } = LISTS[kind];
  const threads = kind === "threads";
  const [which, setWhich] = useState<(typeof WHICH)[number]>("all");
  const paged = usePaged<Message>(`${rid}/${kind}/${which}`, async (offset) => {
    const type = threads && which !== "all" ? which : undefined;
    const answer = await get<Record<string, Message[]>>(name, { [room]: rid, offset, count: 50, type });
    return answer[key] ?? [];
  });
  return (
    <>
      {threads && (
        <div className={css.chips} role="group" aria-label={t("threads.kinds")}>
          {WHICH.map((one) => (
            <button key={one} type="button" aria-pressed={one === which} onClick={() => setWhich(one)}>
              {t(`threads.${one}`)}
            </button>
          ))}
        </div>
      )}
      <Hits paged={paged} none={t(`panel.${kind}None`)} thread={threads} marked={[]} />
    </>
  );
}

interface HitsProps {
  paged: Paged<Message>;
  none: string;
  thread?: boolean;
  marked: string[];
  /** Say in which room each one stands. */
  named?: boolean;
}

export function Hits({ paged, none, thread = false, marked, named = false }: HitsProps): ReactNode {
  const t = useT();
  const { items, loading, failed, more, next } = paged;
  return (
    <div className={css.scroll}>
      <p role="status" className={items.length === 0 ? css.note : "hidden"}>
        {failed
          ? t("room.loadFailed")
          : loading
            ? t("app.loading")
            : items.length === 0
              ? none
              : t("search.found", { count: items.length })}
      </p>
      <ul className={css.hits}>
        {items.map((message) => (
          <li key={message._id}>
            <Link href={thread ? `${roomPath(message.rid)}/thread/${message._id}` : hitPath(message)}>
              <Avatar username={message.u.username} size={32} />
              <span>
                <b dir="auto">{message.u.name ?? message.u.username}</b>{" "}
                <small>
                  {named && <RoomName rid={message.rid} />}
                  {brief(intl(), millis(message.ts))}
                </small>
                <span className={css.line} dir="auto">
                  <Marked text={plainly(message.msg) || message.attachments?.[0]?.title || ""} words={marked} />
                </span>
                {thread && <small>{t("thread.count", { count: message.tcount ?? 0 })}</small>}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {more && (
        <div className={css.more}>
          <Button onClick={next} busy={loading}>
            {t("panel.more")}
          </Button>
        </div>
      )}
    </div>
  );
}

function RoomName({ rid }: { rid: Id }): ReactNode {
  const name = useStore((state) => title(state.subscriptions[rid], state.rooms[rid]));
  return <span dir="auto">{name} · </span>;
}

/** Where a found message stands: in its thread, or in its room. */
export function hitPath(message: Message): string {
  const base = roomPath(message.rid);
  return message.tmid && !message.tshow ? `${base}/thread/${message.tmid}` : `${base}?msg=${message._id}`;
}

/** A text with the words that were looked for. */
export function Marked({ text, words: wanted }: { text: string; words: string[] }): ReactNode {
  const shown = text.slice(0, 400);
  if (wanted.length === 0) return shown;
  const escaped = wanted.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = shown.split(new RegExp(`(${escaped.join("|")})`, "giu"));
  return parts.map((part, index) => (index % 2 ? <mark key={index}>{part}</mark> : part));
}
