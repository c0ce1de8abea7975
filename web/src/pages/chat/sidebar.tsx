import { Hash, Headset, Lock, Plus, Search, SquarePen, Users } from "lucide-react";
import { type FocusEvent, memo, type ReactNode, useLayoutEffect, useMemo, useReducer, useRef, useState } from "react";
import { VList, type VListHandle } from "virtua";
import { Link, useLocation } from "wouter";
import type { Id, Subscription } from "@/api/types";
import { intl, t, useT } from "@/i18n";
import { useToday } from "@/lib/now";
import { useRove } from "@/lib/rove";
import { brief } from "@/lib/time";
import { readAll, unreadAll } from "@/store/actions";
import { answers, asks } from "@/store/desk";
import { activity, called, counted, type Filter, isUnread, ordered, passes, path, peer, title } from "@/store/rooms";
import { useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button, IconButton } from "@/ui/button";
import { Menu } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { OwnMenu } from "./own-menu";
import type { Overlay } from "./overlays";
import { preview } from "./preview";
import { type Entry, SectionHead, useSections } from "./sections";
import css from "./sidebar.module.css";

const FILTERS: Filter[] = ["all", "unread", "mentions", "direct"];

/** All rooms, the last active first. `paths` are the pages that there are beside the chat. */
export function Sidebar({ open, paths }: { open: (overlay: Overlay) => void; paths: string[] }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [filter, setFilter] = useState<Filter>("all");
  const subscriptions = useStore((state) => state.subscriptions);
  const rooms = useStore((state) => state.rooms);
  const ready = useStore((state) => state.ready);
  const all = useMemo(() => ordered({ subscriptions, rooms }), [subscriptions, rooms]);
  const sorted = useMemo(() => {
    const favourites = all.filter((sub) => sub.f);
    return [...favourites, ...all.filter((sub) => !sub.f)].filter((sub) => passes(sub, filter));
  }, [all, filter]);
  const { entries: grouped, way, toggle } = useSections(sorted, filter === "all");
  const { entries, hold } = useSettled(grouped, `${filter} ${way}`);
  const box = useRef<HTMLDivElement>(null);
  const handle = useRef<VListHandle>(null);
  const keys = useMemo(() => entries.map(keyOf), [entries]);
  const rove = useRove(box, keys, (key) => handle.current?.scrollToIndex(keys.indexOf(key), { align: "nearest" }));
  const stays = rove.focused ? keys.indexOf(rove.focused) : -1;
  return (
    <nav className={css.side} aria-label={t("inbox.label")} tabIndex={-1}>
      <Top open={open} paths={paths} />
      <div className={css.filters} role="group" aria-label={t("inbox.filters")}>
        {FILTERS.map((one) => (
          <button key={one} type="button" aria-pressed={one === filter} onClick={() => setFilter(one)}>
            {t(`filter.${one}`)}
          </button>
        ))}
      </div>
      {filter === "unread" && sorted.length > 0 && (
        <Button kind="quiet" onClick={() => markAll(sorted)}>
          {t("inbox.readAll")}
        </Button>
      )}
      {ready && sorted.length === 0 ? (
        <div className={css.empty}>
          <p>{t(filter === "all" ? "inbox.empty" : "inbox.none")}</p>
          {filter === "all" && <Button onClick={() => go("/directory")}>{t("new.directory")}</Button>}
        </div>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- arrows move between rooms
        <div
          className={css.rooms}
          ref={box}
          {...hold}
          onKeyDown={rove.on.onKeyDown}
          onFocus={(event) => {
            hold.onFocus();
            rove.on.onFocus(event);
          }}
          onBlur={(event) => {
            hold.onBlur(event);
            rove.on.onBlur(event);
          }}
        >
          <VList
            ref={handle}
            data={entries}
            className={css.list}
            role="list"
            aria-busy={!ready}
            tabIndex={-1}
            onScroll={rove.moved}
            keepMounted={stays < 0 ? [] : [stays]}
          >
            {(entry) => (
              <div role="listitem" key={keyOf(entry)}>
                {typeof entry === "string" ? <RoomRow rid={entry} /> : <SectionHead head={entry} toggle={toggle} />}
              </div>
            )}
          </VList>
        </div>
      )}
    </nav>
  );
}

interface TopProps {
  open: (overlay: Overlay) => void;
  paths: string[];
}

/** Apart from the list, which is drawn anew with every message that comes. */
const Top = memo(function Top({ open, paths }: TopProps): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const helps = useStore((state) => answers(state.me) || asks(state.me));
  return (
    <header className={css.top}>
      <OwnMenu open={open} paths={paths} />
      <span className={css.space} />
      <IconButton label={t("inbox.search")} onClick={() => open("switcher")}>
        <Search size={20} aria-hidden />
      </IconButton>
      <Menu
        label={t("inbox.new")}
        groups={[
          [
            {
              id: "direct",
              label: t("new.direct"),
              icon: <SquarePen size={18} aria-hidden />,
              run: () => open("direct"),
            },
            { id: "room", label: t("new.room"), icon: <Plus size={18} aria-hidden />, run: () => open("create") },
            ...(helps
              ? [
                  {
                    id: "support",
                    label: t("new.support"),
                    icon: <Headset size={18} aria-hidden />,
                    run: () => go("/support"),
                  },
                ]
              : []),
            {
              id: "directory",
              label: t("new.directory"),
              icon: <Users size={18} aria-hidden />,
              run: () => go("/directory"),
            },
          ],
        ]}
      >
        <Plus size={20} aria-hidden />
      </Menu>
    </header>
  );
});

const keyOf = (entry: Entry): string => (typeof entry === "string" ? entry : entry.section);

/** Marks them all read, and offers to take it back. */
function markAll(subs: Subscription[]): void {
  const failed = (): void => toast(t("inbox.readFailed"), { bad: true });
  const undo = (): void => void unreadAll(subs).catch(failed);
  const action = { label: t("inbox.readUndo"), run: undo };
  readAll(subs)
    .then(() => toast(t("inbox.readDone", { count: subs.length }), { action }))
    .catch(failed);
}

interface Hold {
  onPointerEnter: () => void;
  onPointerLeave: () => void;
  onFocus: () => void;
  onBlur: (event: FocusEvent) => void;
}

/**
 * While somebody points at the list or is in it, rows keep their places, and what is new waits at its end; it settles
 * afterwards. Another `way` to show the list is what the reader asked for, and in force at once.
 */
function useSettled(sorted: Entry[], way: string): { entries: Entry[]; hold: Hold } {
  // Not in the state, which is drawn later than what comes over the socket at the same moment.
  const by = useRef({ pointer: false, focus: false });
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const note = (part: Partial<typeof by.current>): void => {
    Object.assign(by.current, part);
    draw();
  };
  const held = by.current.pointer || by.current.focus;
  const last = useRef<{ way: string; keys: string[] }>({ way, keys: [] });
  const entries = useMemo(() => {
    if (!held || last.current.way !== way) return sorted;
    const places = new Map(last.current.keys.map((key, index) => [key, index]));
    const at = (entry: Entry): number => places.get(keyOf(entry)) ?? places.size;
    return [...sorted].sort((a, b) => at(a) - at(b));
  }, [sorted, held, way]);
  useLayoutEffect(() => {
    last.current = { way, keys: entries.map(keyOf) };
  }, [entries, way]);
  return {
    entries,
    hold: {
      onPointerEnter: () => note({ pointer: true }),
      onPointerLeave: () => note({ pointer: false }),
      // A row that was pressed keeps the focus, and is no reason to hold.
      onFocus: () => note({ focus: document.activeElement?.matches(":focus-visible") ?? false }),
      onBlur: ({ currentTarget, relatedTarget }) => note({ focus: currentTarget.contains(relatedTarget) }),
    },
  };
}

const RoomRow = memo(function RoomRow({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const [location] = useLocation();
  const sub = useStore((state) => state.subscriptions[rid]);
  const room = useStore((state) => state.rooms[rid]);
  const me = useStore((state) => state.me);
  const other = peer(room, me?._id);
  const status = useStore((state) => (other ? (state.presence[other]?.status ?? "offline") : undefined));
  const draft = useStore((state) => state.drafts[rid]);
  const failed = useStore((state) => state.outbox.some((one) => one.rid === rid && one.state === "failed"));
  const typing = useStore((state) => {
    const [username] = Object.keys(state.typing[rid] ?? {});
    return username && called(state, rid, username);
  });
  const today = useToday();
  if (!sub) return null;
  const { count, mentions, muted } = counted(sub);
  const unread = isUnread(sub);
  const here = path(sub);
  const chosen = location === here || location.startsWith(`${here}/`);
  const at = activity(sub, room);
  const name = title(sub, room);
  const line = failed
    ? t("inbox.failed")
    : typing
      ? t("typing.one", { name: typing })
      : draft && !chosen
        ? t("inbox.draft", { text: draft.slice(0, 100) })
        : preview(t, room, me?._id);
  return (
    <Link
      href={here}
      className={`${css.row} ${unread ? css.unread : ""} ${muted ? css.muted : ""}`}
      aria-current={chosen ? "page" : undefined}
      // One row is a stop of Tab: the list says which.
      tabIndex={-1}
      data-row={rid}
    >
      {sub.t === "d" ? (
        <Avatar username={sub.name.split(",")[0]} status={status} size={40} />
      ) : (
        <Avatar rid={rid} etag={room?.avatarETag} letters={room && (room.fname || room.name)} size={40} />
      )}
      <span className={css.about}>
        <span className={css.first}>
          {sub.t === "c" && <Hash size={13} aria-hidden />}
          {sub.t === "p" && <Lock size={13} role="img" aria-label={t("room.private")} />}
          <span className={css.name} dir="auto">
            {name}
          </span>
          {at > 0 && <time dateTime={new Date(at).toISOString()}>{brief(intl(), at, today)}</time>}
        </span>
        <span className={css.second}>
          <span className={failed ? css.failed : css.preview} dir="auto">
            {line}
          </span>
          {count > 0 ? (
            <span className={`${css.badge} ${mentions > 0 ? css.mention : ""}`}>
              <span aria-hidden>
                {mentions > 0 && sub.t !== "d" ? `@${count > 99 ? "99+" : count}` : count > 99 ? "99+" : count}
              </span>
              <span className="hidden">
                {t(mentions > 0 ? "badge.mentions" : "badge.unread", { count: mentions > 0 ? mentions : count })}
              </span>
            </span>
          ) : (
            unread && <span className={css.dot} role="img" aria-label={t("badge.some")} />
          )}
        </span>
      </span>
    </Link>
  );
});
