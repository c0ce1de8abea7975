import { type ReactNode, useDeferredValue, useState } from "react";
import { Link } from "wouter";
import { get } from "@/api/rest";
import type { Id, Message } from "@/api/types";
import { intl, useT } from "@/i18n";
import { type Paged, usePaged } from "@/lib/paged";
import { brief, millis } from "@/lib/time";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { roomPath } from "./place";
import { accepts, parse, words } from "./search";
import css from "./side.module.css";

const LISTS = {
  threads: { name: "chat.getThreadsList", key: "threads", room: "rid" },
  pinned: { name: "chat.getPinnedMessages", key: "messages", room: "roomId" },
  starred: { name: "chat.getStarredMessages", key: "messages", room: "roomId" },
  mentions: { name: "chat.getMentionedMessages", key: "messages", room: "roomId" },
} as const;

/** A room's threads, or its pinned, starred or mentioning messages. */
export function ListPanel({ rid, kind }: { rid: Id; kind: keyof typeof LISTS }): ReactNode {
  const t = useT();
  const { name, key, room } = LISTS[kind];
  const paged = usePaged<Message>(`${rid}/${kind}`, async (offset) => {
    const answer = await get<Record<string, Message[]>>(name, { [room]: rid, offset, count: 50 });
    return answer[key] ?? [];
  });
  return <Hits rid={rid} paged={paged} none={t(`panel.${kind}None`)} thread={kind === "threads"} marked={[]} />;
}

/** Search in a room, with filters as words: `from:`, `has:`, `before:`, `after:`. */
export function SearchPanel({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim());
  const query = parse(wanted);
  const asked = query.text.length > 0 || query.filters;
  const paged = usePaged<Message>(asked ? `${rid}/${wanted}` : null, async (offset) => {
    const parameters = { roomId: rid, searchText: query.server, offset, count: 50 };
    const { messages } = await get<{ messages: Message[] }>("chat.search", parameters);
    return messages;
  });
  const shown = { ...paged, items: paged.items.filter((message) => accepts(query, message)) };
  return (
    <>
      <search className={css.form}>
        <Field
          label={t("search.label")}
          hint={t("search.hint")}
          type="search"
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the panel is this field
          autoFocus
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </search>
      {asked ? (
        <Hits rid={rid} paged={shown} none={t("search.none")} marked={words(query.text)} />
      ) : (
        <p className={css.note}>{t("search.begin")}</p>
      )}
    </>
  );
}

interface HitsProps {
  rid: Id;
  paged: Paged<Message>;
  none: string;
  thread?: boolean;
  marked: string[];
}

function Hits({ rid, paged, none, thread = false, marked }: HitsProps): ReactNode {
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
            <Link href={thread ? `${roomPath(rid)}/thread/${message._id}` : hitPath(message)}>
              <Avatar username={message.u.username} size={32} />
              <span>
                <b dir="auto">{message.u.name ?? message.u.username}</b>{" "}
                <small>{brief(intl(), millis(message.ts))}</small>
                <span className={css.line} dir="auto">
                  <Marked text={message.msg || message.attachments?.[0]?.title || ""} words={marked} />
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
