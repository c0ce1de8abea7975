import { ArrowDown, ArrowUp } from "lucide-react";
import {
  type ReactElement,
  type ReactNode,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { VList, type VListHandle } from "virtua";
import type { Id } from "@/api/types";
import { intl, useT } from "@/i18n";
import { useToday } from "@/lib/now";
import { useRove } from "@/lib/rove";
import { brief, dayName, millis } from "@/lib/time";
import { markRead } from "@/store/actions";
import { loadNewer, loadOlder, shorten, toNewest } from "@/store/history";
import { covers, left, standing } from "@/store/left";
import { isUnread } from "@/store/rooms";
import { type Timeline as Run, useStore } from "@/store/state";
import { failed } from "@/ui/failed";
import { Message, OutgoingMessage } from "./message";
import type { Place } from "./place";
import { cut, placeAt, placeIn, prepended, type Row, rows } from "./rows";
import { useSettling } from "./settling";
import css from "./timeline.module.css";

/** Pages are fetched when the reader is this near to the edge (px), before they see it. */
const NEAR = 1_200;
/** So near counts as being at the end (px). */
const END = 60;

interface Props {
  rid: Id;
  run: Run;
  place: Place;
  /** Stands above the first message. */
  start: ReactNode;
  /** A message to go to. */
  target?: Id | undefined;
  /** Loads the room from its first unread message on. */
  toUnread: () => void;
}

/** A room's messages: virtual, and never jumping under the reader's eye. */
export function Timeline({ rid, run, place, start, target, toUnread }: Props): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me?._id ?? "");
  const outbox = useStore((state) => state.outbox);
  // Whether something is being loaded changes no row.
  const { messages, older, newer, unreadSince } = run;
  const all = useMemo(() => {
    const outgoing = newer ? [] : outbox.filter((one) => one.rid === rid && (!one.tmid || one.tshow));
    return rows({ timeline: { messages, older }, outgoing, me, unreadSince });
  }, [messages, older, newer, unreadSince, outbox, rid, me]);
  const list = useRef<VListHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  // On the way to the place to begin at: where that is, and whether it is the end, is known when the way is over.
  const [placing, setPlacing] = useState(false);
  const [news, setNews] = useState(0);
  // Where the first unread message is from what is seen, until it was seen.
  const [unseen, setUnseen] = useState<"above" | "below" | null>(null);
  const met = useRef(false);
  const end = useRef(!target);
  const old = useRef<Row[]>([]);
  const shift = prepended(old.current, all) || cut(old.current, all);
  const placed = useRef<"kept" | "read">(undefined);

  const keys = useMemo(() => rowKeys(all), [all]);
  const rove = useRove(
    box,
    keys,
    (key) =>
      list.current?.scrollToIndex(
        all.findIndex((row) => row.key === key),
        { align: "nearest" },
      ),
    true,
  );
  const stays = rove.focused ? all.findIndex((row) => row.key === rove.focused) : -1;
  const { moved } = rove;

  const settled = useRef<() => void>(undefined);
  const { go, going, stop } = useSettling(list, all, settled);
  const toEnd = useCallback(() => go("end"), [go]);

  // The first sight of a room: where it was left, else at the divider, else at the end.
  useLayoutEffect(() => {
    const now = run.kept === undefined ? "read" : "kept";
    // A room that is read afresh is seen for the first time again.
    if (!run.ready) placed.current = undefined;
    if (placed.current === now || !run.ready || all.length === 0) return;
    const kept = standing(rid);
    // What was left far up is being read: there is no other place to begin at.
    if (kept && !target && !covers(run, kept)) return;
    const again = placed.current === "kept";
    placed.current = now;
    // What the last visit left has been read anew: only news change where the reader stands.
    if (again && run.unreadSince === undefined) return;
    const at = kept ? placeIn(all, kept) : -1;
    const divider = all.findIndex((row) => row.kind === "unread");
    if (target) return;
    if (divider < 0 && at < 0) return toEnd();
    // The end was not seen, however long it takes to scroll away from it.
    end.current = false;
    setAtEnd(false);
    setPlacing(true);
    // Whoever was reading further up goes on there: a bar tells of what is new.
    if (kept && at >= 0) go("start", all[at]?.key, kept.above);
    else go("start", all[Math.max(0, divider - 1)]?.key);
  }, [all, rid, run, target, toEnd, go]);

  // Somebody asked for one message.
  useEffect(() => {
    if (target) go("center", target);
    // Only a new wish moves the reader.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [target, run.ready]);

  // What came: at the end the view follows, elsewhere it stays and counts.
  useLayoutEffect(() => {
    const before = old.current;
    old.current = all;
    if (before.length === 0 || before === all) return;
    const [was, is] = [before.at(-1), all.at(-1)];
    if (!is || was?.key === is.key) {
      if (end.current && !shift && !run.newer) toEnd();
      return;
    }
    if (end.current || is.kind === "outgoing") return toEnd();
    if (run.newer) return;
    // Several may come at once, after a pause or in a busy room.
    const come = all.slice(was ? all.findLastIndex(({ key }) => key === was.key) + 1 : 0);
    const others = come.filter((row) => row.kind === "message" && row.message.u._id !== me).length;
    if (others > 0) setNews((count) => count + others);
  }, [all, me, run.newer, shift, toEnd]);

  const scrolled = useCallback(() => {
    const handle = list.current;
    if (!handle || !placed.current) return;
    moved();
    if (!going()) setPlacing(false);
    const { scrollOffset, scrollSize, viewportSize } = handle;
    const below = scrollSize - scrollOffset - viewportSize;
    // On the way to the end the view follows as if it were there; on the way to a message it does not follow.
    const way = going() ?? "end";
    const there = below < END && !run.newer && way === "end";
    end.current = there || going() === "end";
    setAtEnd(there);
    if (there) setNews(0);
    if (run.unreadSince !== undefined && !met.current && !going()) {
      const divider = all.findIndex((row) => row.kind === "unread");
      const beyond = run.newer && millis(run.messages.at(-1)?.ts) <= run.unreadSince;
      const at = divider >= 0 ? handle.getItemOffset(divider) : beyond ? Number.POSITIVE_INFINITY : -1;
      met.current = at >= scrollOffset - 1 && at < scrollOffset + viewportSize;
      setUnseen(met.current ? null : at > scrollOffset ? "below" : "above");
    }
    // On the way to a place nothing is near, and nobody stands there: where the reader wanted to be holds.
    const here = placeAt(all, handle);
    if (here && going() !== "start" && going() !== "center") left.set(rid, { ...here, end: end.current });
    if (going()) return;
    if (scrollOffset < NEAR) void loadOlder(rid);
    if (below < NEAR) void loadNewer(rid);
  }, [all, rid, run, going, moved]);

  settled.current = scrolled;

  // A page may be shorter than the window: then the next one is needed at once.
  useEffect(() => {
    const frame = requestAnimationFrame(scrolled);
    return () => cancelAnimationFrame(frame);
  }, [all, scrolled]);

  // A busy room grows for hours: what lies far from the reader goes.
  useEffect(() => shorten(rid, atEnd), [rid, atEnd, run.messages.length]);

  useSeen(rid, atEnd && run.ready && run.kept === undefined, all.length);

  // A window that gets lower (a keyboard, files to send, a banner) hides what stands at its end.
  useEffect(() => {
    const { current } = box;
    if (!current) return undefined;
    const observer = new ResizeObserver(() => {
      if (end.current && placed.current && !going()) toEnd();
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [toEnd, going]);

  const jump = (): void => {
    setNews(0);
    if (!run.newer) return toEnd();
    toNewest(rid)
      .then(() => requestAnimationFrame(toEnd))
      .catch(failed("room.loadFailed"));
  };
  const unread = (): void => {
    const divider = all.findIndex((row) => row.kind === "unread");
    if (divider < 0) {
      left.delete(rid);
      toUnread();
    } else go("start", all[Math.max(0, divider - 1)]?.key);
  };
  const last = run.messages.at(-1)?._id;
  // What was read to its end is new no more, wherever it was begun.
  const waits = useStore(({ subscriptions: { [rid]: sub } }) => sub !== undefined && isUnread(sub));
  const still = useMemo(() => ({ place, views: new WeakMap<Row, ReactElement>() }), [place]);
  // A row that stays what it is stays the same element: scrolling makes those that come into sight and looks at no other.
  const shown = useCallback(
    (row: Row): ReactElement => {
      const own = row.kind !== "message" || row.key === target || row.key === last;
      const known = own ? undefined : still.views.get(row);
      const view = known ?? (
        <RowView key={row.key} row={row} place={still.place} start={start} target={target} last={row.key === last} />
      );
      if (!own && !known) still.views.set(row, view);
      return view;
    },
    [still, start, target, last],
  );
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- arrows move between messages
    <section
      className={css.timeline}
      aria-label={t("timeline.label")}
      id="messages"
      tabIndex={-1}
      ref={box}
      {...rove.on}
      onKeyDown={(event) => {
        stop();
        rove.on.onKeyDown(event);
      }}
    >
      <VList
        ref={list}
        className={css.list}
        shift={shift}
        data={all}
        onScroll={scrolled}
        onWheel={(event) => {
          // The list goes on by itself for a moment otherwise.
          if (going()) list.current?.scrollBy(0);
          stop();
          // Before the view has moved: what comes meanwhile must not take it back to the end.
          const handle = list.current;
          if (event.deltaY < 0 && handle && handle.scrollSize > handle.viewportSize + END) end.current = false;
        }}
        onTouchStart={stop}
        onPointerDown={stop}
        keepMounted={stays < 0 ? [] : [stays]}
        role="group"
        aria-label={t("timeline.feed")}
        aria-busy={run.loading}
        tabIndex={-1}
      >
        {shown}
      </VList>
      {unseen && waits && run.unreadSince !== undefined && (
        <button type="button" className={`${css.jump} ${css.since}`} onClick={unread}>
          {unseen === "above" ? <ArrowUp size={16} aria-hidden /> : <ArrowDown size={16} aria-hidden />}
          <Since rid={rid} since={run.unreadSince} />
          <b>{t("timeline.jump")}</b>
        </button>
      )}
      {!atEnd && !placing && (
        <button type="button" className={css.jump} onClick={jump}>
          <ArrowDown size={16} aria-hidden />
          {news > 0 ? t("timeline.news", { count: news }) : t("timeline.toEnd")}
        </button>
      )}
    </section>
  );
}

/** How much is new, and since when. */
function Since({ rid, since }: { rid: Id; since: number }): ReactNode {
  const t = useT();
  const sub = useStore((state) => state.subscriptions[rid]);
  const count = Math.max(1, sub?.unreadMessages ?? sub?.unread ?? 1);
  return t("timeline.since", { count, time: brief(intl(), since) });
}

interface RowProps {
  row: Row;
  place: Place;
  start: ReactNode;
  target?: Id | undefined;
  /** The last message of the run: its receipt is shown. */
  last?: boolean;
}

export function RowView({ row, place, start, target, last = false }: RowProps): ReactNode {
  switch (row.kind) {
    case "start":
      return start;
    case "day":
      return <Day at={row.at} />;
    case "unread":
      return <Unread />;
    case "outgoing":
      return <OutgoingMessage outgoing={row.outgoing} head={row.head} />;
    default:
      return <Message message={row.message} head={row.head} place={place} marked={row.key === target} last={last} />;
  }
}

function Unread(): ReactNode {
  const t = useT();
  return (
    <div className={css.unread} role="separator" aria-label={t("timeline.unread")}>
      <span aria-hidden>{t("timeline.new")}</span>
    </div>
  );
}

function Day({ at }: { at: number }): ReactNode {
  const today = useToday();
  return (
    <h3 className={css.day}>
      <span>{dayName(intl(), at, today)}</span>
    </h3>
  );
}

/** The rows that the keyboard goes through. */
export const rowKeys = (all: readonly Row[]): string[] =>
  all.filter(({ kind }) => kind === "message" || kind === "outgoing").map(({ key }) => key);

/** Marks the room read while its end is really seen: the window has the focus and shows it. */
function useSeen(rid: Id, atEnd: boolean, length: number): void {
  const alert = useStore((state) => state.subscriptions[rid]?.alert ?? false);
  useEffect(() => {
    if (!atEnd || length === 0) return undefined;
    const seen = (): void => {
      if (!document.hidden && document.hasFocus()) void markRead(rid);
    };
    const timer = setTimeout(seen, 400);
    addEventListener("focus", seen);
    return () => {
      clearTimeout(timer);
      removeEventListener("focus", seen);
    };
  }, [rid, atEnd, length, alert]);
}
