import { Search } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { get } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { fit } from "@/lib/text";
import { direct } from "@/store/actions";
import { counted, isUnread, ordered, path, title } from "@/store/rooms";
import { state } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Dialog } from "@/ui/dialog";
import { failed } from "@/ui/failed";
import css from "./switcher.module.css";

interface Entry {
  key: string;
  name: string;
  more: string;
  username?: string;
  rid?: Id;
  count?: number;
  /** No room and nobody: the words are looked for in messages. */
  search?: boolean;
  go: () => Promise<string> | string;
}

/** Going to a room or a person by typing: unread first, then by how well the name fits and how lately it was active. */
export default function Switcher({ close }: { close: () => void }): ReactNode {
  const t = useT();
  const id = useId();
  const [, go] = useLocation();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const [found, setFound] = useState<Entry[]>([]);
  const own = useMemo(() => rooms(text), [text]);
  const wanted = text.trim();
  const all = [...own, ...found.filter((one) => !own.some((known) => known.key === one.key))].slice(0, 12);
  if (wanted.length > 1)
    all.push({
      key: "search",
      name: t("switcher.search", { text: wanted }),
      more: "",
      search: true,
      go: () => `/search?q=${encodeURIComponent(wanted)}`,
    });
  useEffect(() => {
    setActive(0);
    setFound([]);
    const wanted = text.trim();
    if (wanted.length < 2) return undefined;
    let current = true;
    const timer = setTimeout(() => {
      elsewhere(wanted)
        .then((entries) => current && setFound(entries))
        .catch(() => undefined);
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);
  const open = (entry: Entry | undefined): void => {
    if (!entry) return;
    close();
    Promise.resolve(entry.go())
      .then((to) => go(to))
      .catch(failed("failed.open"));
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") setActive((active + 1) % Math.max(1, all.length));
    else if (event.key === "ArrowUp") setActive((active - 1 + all.length) % Math.max(1, all.length));
    else if (event.key === "Enter") open(all[active]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t("switcher.title")} close={close}>
      <input
        className={css.input}
        role="combobox"
        aria-label={t("switcher.label")}
        aria-expanded={all.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={all.length > 0 ? `${id}-${active}` : undefined}
        aria-autocomplete="list"
        placeholder={t("switcher.label")}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog is this field
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={keys}
      />
      <ul className={css.list} role="listbox" id={`${id}-list`} aria-label={t("switcher.results")}>
        {all.map((entry, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys
          <li
            key={entry.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            onClick={() => open(entry)}
          >
            {entry.search ? (
              <Search size={28} aria-hidden />
            ) : (
              <Avatar {...(entry.username ? { username: entry.username } : { rid: entry.rid })} size={28} />
            )}
            <span dir="auto">{entry.name}</span>
            <small dir="auto">{entry.more}</small>
            {entry.count ? <b>{entry.count}</b> : null}
          </li>
        ))}
      </ul>
      {all.length === 0 && <p>{t("switcher.none")}</p>}
    </Dialog>
  );
}

function rooms(text: string): Entry[] {
  const from = state();
  const scored = ordered(from).map((sub, index) => {
    const name = title(sub, from.rooms[sub.rid]);
    const fits = Math.max(fit(name, text), fit(sub.name, text));
    return { sub, name, at: fits === 0 ? 0 : fits * 10 + (isUnread(sub) ? 15 : 0) + 5 / (index + 1) };
  });
  return scored
    .filter(({ at }) => at > 0)
    .sort((a, b) => b.at - a.at)
    .slice(0, 10)
    .map(({ sub, name }) => ({
      key: sub.t === "d" ? `@${sub.name}` : sub.rid,
      name,
      more: sub.t === "d" ? `@${sub.name}` : `#${sub.name}`,
      ...(sub.t === "d" ? { username: sub.name.split(",")[0] ?? "" } : { rid: sub.rid }),
      count: counted(sub).count,
      go: () => path(sub),
    }));
}

async function elsewhere(text: string): Promise<Entry[]> {
  type Answer = {
    users: { _id: Id; username: string; name?: string }[];
    rooms: { _id: Id; name: string; fname?: string; t: "c" }[];
  };
  const { users, rooms: open } = await get<Answer>("spotlight", { query: text });
  return [
    ...users.map((user): Entry => ({
      key: `@${user.username}`,
      name: user.name ?? user.username,
      more: `@${user.username}`,
      username: user.username,
      go: async () => path(await direct([user.username])),
    })),
    ...open.map((room): Entry => ({
      key: room._id,
      name: room.fname ?? room.name,
      more: `#${room.name}`,
      rid: room._id,
      go: () => path(room),
    })),
  ];
}
