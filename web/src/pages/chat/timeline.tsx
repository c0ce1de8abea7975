import { ArrowDown } from "lucide-react";
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
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
import { dayName } from "@/lib/time";
import { markRead } from "@/store/actions";
import { loadNewer, loadOlder, toNewest } from "@/store/history";
import { type Timeline as Run, useStore } from "@/store/state";
import { Message, OutgoingMessage } from "./message";
import type { Place } from "./place";
import { prepended, type Row, rows } from "./rows";
import css from "./timeline.module.css";

/** Pages are fetched when the reader is this near to the edge (px), before they see it. */
const NEAR = 1_200;
/** So near counts as being at the end (px). */
const END = 60;
/** Whether a row was reached is looked at after this (ms), so many times. */
const AGAIN = 120;
const TRIES = 40;

interface Props {
  rid: Id;
  run: Run;
  place: Place;
  /** Stands above the first message. */
  start: ReactNode;
  /** A message to go to. */
  target?: Id | undefined;
}

interface Kept {
  /** The row at the upper edge, and how much of it lies above (px). */
  key: string;
  above: number;
  end: boolean;
}

/** Where each room was left, so that coming back finds it there. */
const left = new Map<Id, Kept>();

/** A room's messages: virtual, and never jumping under the reader's eye. */
export function Timeline({ rid, run, place, start, target }: Props): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me?._id ?? "");
  const outbox = useStore((state) => state.outbox);
  const all = useMemo(() => {
    const outgoing = run.newer ? [] : outbox.filter((one) => one.rid === rid && (!one.tmid || one.tshow));
    return rows({ timeline: run, outgoing, me, unreadSince: run.unreadSince });
  }, [run, outbox, rid, me]);
  const list = useRef<VListHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [news, setNews] = useState(0);
  const end = useRef(!target);
  const old = useRef<Row[]>([]);
  const shift = prepended(old.current, all);
  const placed = useRef(false);

  const settled = useRef<() => void>(undefined);
  const { go, going, stop } = useSettling(list, all, settled);
  const toEnd = useCallback(() => go("end"), [go]);

  // The first sight of a room: where it was left, else at the divider, else at the end.
  useLayoutEffect(() => {
    if (placed.current || !run.ready || all.length === 0) return;
    placed.current = true;
    const kept = left.get(rid);
    const at = kept && !kept.end ? all.findIndex((row) => row.key === kept.key) : -1;
    const divider = all.findIndex((row) => row.kind === "unread");
    if (target) return;
    if (divider >= 0) go("start", all[Math.max(0, divider - 1)]?.key);
    else if (at >= 0 && kept) go("start", kept.key, kept.above);
    else toEnd();
  }, [all, rid, run.ready, target, toEnd, go]);

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
    const own = is.kind === "outgoing";
    if (end.current || own) toEnd();
    else if (!run.newer && is.kind === "message" && is.message.u._id !== me) setNews((count) => count + 1);
  }, [all, me, run.newer, shift, toEnd]);

  const scrolled = useCallback(() => {
    const handle = list.current;
    if (!handle || !placed.current) return;
    const { scrollOffset, scrollSize, viewportSize } = handle;
    const below = scrollSize - scrollOffset - viewportSize;
    // On the way to the end the view follows as if it were there; on the way to a message it does not follow.
    const way = going() ?? "end";
    const there = below < END && !run.newer && way === "end";
    end.current = there || going() === "end";
    setAtEnd(there);
    if (there) setNews(0);
    const first = handle.findItemIndex(scrollOffset);
    const above = scrollOffset - handle.getItemOffset(first);
    left.set(rid, { key: all[first]?.key ?? "", above, end: end.current });
    if (scrollOffset < NEAR) void loadOlder(rid);
    if (below < NEAR) void loadNewer(rid);
  }, [all, rid, run.newer, going]);

  settled.current = scrolled;

  // A page may be shorter than the window: then the next one is needed at once.
  useEffect(() => {
    const frame = requestAnimationFrame(scrolled);
    return () => cancelAnimationFrame(frame);
  }, [all, scrolled]);

  useSeen(rid, atEnd && run.ready, all.length);

  const jump = (): void => {
    setNews(0);
    if (!run.newer) return toEnd();
    void toNewest(rid).then(() => requestAnimationFrame(toEnd));
  };
  const last = run.messages.at(-1)?._id;
  const here = useMemo(() => ({ ...place, last }), [place, last]);
  return (
    <section className={css.timeline} aria-label={t("timeline.label")} id="messages" tabIndex={-1} ref={box}>
      <VList
        ref={list}
        className={css.list}
        shift={shift}
        data={all}
        onScroll={scrolled}
        onWheel={stop}
        onTouchStart={stop}
        onPointerDown={stop}
        onKeyDown={(event) => {
          stop();
          arrows(event, box.current);
        }}
        role="group"
        aria-label={t("timeline.feed")}
        aria-busy={run.loading}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
        tabIndex={0}
      >
        {(row) => (
          <div key={row.key}>
            <RowView row={row} place={here} start={start} target={target} />
          </div>
        )}
      </VList>
      {!atEnd && (
        <button type="button" className={css.jump} onClick={jump}>
          <ArrowDown size={16} aria-hidden />
          {news > 0 ? t("timeline.news", { count: news }) : t("timeline.toEnd")}
        </button>
      )}
    </section>
  );
}

type Align = "start" | "center" | "end";

interface Settling {
  /** To the end, or so that a row stands in the middle, or at the upper edge with so much of it above (px). */
  go: (align: Align, key?: string, above?: number) => void;
  /** Which way it is still on. */
  going: () => Align | undefined;
  stop: () => void;
}

/**
 * Scrolls to a row until it is there: the list itself gives up when new rows take longer to be measured than it waits,
 * and a busy machine would open a room somewhere above its end. A reader who scrolls is left alone.
 */
function useSettling(
  list: RefObject<VListHandle | null>,
  all: Row[],
  settled: RefObject<(() => void) | undefined>,
): Settling {
  // Rows come before it meanwhile.
  const latest = useRef(all);
  latest.current = all;
  const way = useRef<{ align: Align; timer: ReturnType<typeof setTimeout> }>(undefined);
  const stop = useCallback(() => {
    clearTimeout(way.current?.timer);
    way.current = undefined;
  }, []);
  useEffect(() => stop, [stop]);
  const go = useCallback<Settling["go"]>(
    (align, key, offset = 0) => {
      stop();
      let tries = 0;
      const step = (): void => {
        const handle = list.current;
        if (!handle || (tries > 0 && !way.current)) return;
        const index = key ? latest.current.findIndex((row) => row.key === key) : latest.current.length - 1;
        if (index < 0) return stop();
        const { scrollOffset, scrollSize, viewportSize } = handle;
        const below = scrollSize - scrollOffset - viewportSize;
        const top = handle.getItemOffset(index) - scrollOffset;
        const size = handle.getItemSize(index);
        const seen = size > viewportSize || (top >= 0 && top + size <= viewportSize);
        const off = align === "end" ? below : align === "start" ? Math.abs(top + offset) : seen ? 0 : viewportSize;
        if (tries > 0 && (off < 2 || (below < 2 && align !== "center") || tries >= TRIES)) {
          stop();
          return settled.current?.();
        }
        tries += 1;
        handle.scrollToIndex(index, { align, offset });
        way.current = { align, timer: setTimeout(() => requestAnimationFrame(step), AGAIN) };
      };
      step();
    },
    [list, settled, stop],
  );
  const going = useCallback(() => way.current?.align, []);
  return { go, going, stop };
}

interface RowProps {
  row: Row;
  place: Place;
  start: ReactNode;
  target?: Id | undefined;
}

export function RowView({ row, place, start, target }: RowProps): ReactNode {
  const t = useT();
  switch (row.kind) {
    case "start":
      return start;
    case "day":
      return (
        <h3 className={css.day}>
          <span>{dayName(intl(), row.at)}</span>
        </h3>
      );
    case "unread":
      return (
        <div className={css.unread} role="separator" aria-label={t("timeline.unread")}>
          <span aria-hidden>{t("timeline.new")}</span>
        </div>
      );
    case "outgoing":
      return <OutgoingMessage outgoing={row.outgoing} head={row.head} />;
    default:
      return <Message message={row.message} head={row.head} place={place} marked={row.key === target} />;
  }
}

/** Arrows move from message to message; what is focused is shown. */
export function arrows(event: KeyboardEvent, box: HTMLElement | null): void {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  const inside = (event.target as HTMLElement).closest("input, textarea, [role=menu], pre");
  if (!box || inside) return;
  const all = [...box.querySelectorAll<HTMLElement>("article[data-message]")];
  const now = all.findIndex((one) => one === document.activeElement || one.contains(document.activeElement));
  const next = now < 0 ? all.length - 1 : now + (event.key === "ArrowUp" ? -1 : 1);
  const row = all[next];
  if (!row) return;
  event.preventDefault();
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

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
