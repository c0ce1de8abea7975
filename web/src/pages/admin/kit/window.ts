// A long list of which only what is looked at is fetched, in pages, from any place in it.

import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError } from "@/api/rest";

export interface Part<T> {
  items: T[];
  total: number;
}

export interface Window<T> {
  /** How many there are; `null` until that is known. */
  total: number | null;
  loading: boolean;
  failed: boolean;
  at: (index: number) => T | undefined;
  /** Says that a row is looked at; its page is fetched unless it is there. */
  want: (index: number) => void;
  /** Fetches again what is looked at; what is shown stays until then. */
  reload: () => void;
}

const PAGE = 50;
/** Requests at a time, and how many may wait: what was scrolled past long ago is not fetched. */
const AT_ONCE = 2;
const WAITING = 4;
/** A server that is too busy is asked again so often, after a pause (ms). */
const AGAIN = 3;
const PAUSE = 1_500;

type Load<T> = (offset: number, count: number) => Promise<Part<T>>;

interface Shown {
  total: number | null;
  failed: boolean;
  loading: boolean;
}

/** The pages of one `key`. */
interface Held<T> {
  pages: Map<number, T[]>;
  stale: Set<number>;
  busy: Set<number>;
  waiting: number[];
  /** How often the server was too busy, or away, since a page last came. */
  refused: number;
  load: Load<T>;
  /** Tells what changed; nothing once another key is shown. */
  tell: (change: (old: Shown) => Shown) => void;
}

/** Fetches what waits, the page that was looked at last first. */
function pump<T>(held: Held<T>): void {
  while (held.busy.size < AT_ONCE) {
    const page = held.waiting.pop();
    if (page === undefined) return;
    held.busy.add(page);
    held
      .load(page * PAGE, PAGE)
      .then(({ items, total }) => {
        held.pages.set(page, items);
        held.stale.delete(page);
        held.refused = 0;
        held.tell(() => ({ total, failed: false, loading: held.busy.size > 1 }));
      })
      .catch((error: unknown) => {
        // A busy server says so; the list is asked for again before its reader has to.
        if (error instanceof ApiError && error.isAway && held.refused++ < AGAIN) {
          setTimeout(() => wantPage(held, page), PAUSE);
          return;
        }
        held.tell((old) => ({ ...old, failed: true, loading: false }));
      })
      .finally(() => {
        held.busy.delete(page);
        pump(held);
      });
  }
}

function wantPage<T>(held: Held<T> | null, page: number): void {
  if (!held || held.busy.has(page) || (held.pages.has(page) && !held.stale.has(page))) return;
  held.waiting = [...held.waiting.filter((one) => one !== page), page].slice(-WAITING);
  pump(held);
}

/** A new `key` starts afresh; answers of an older one are dropped. */
export function useWindow<T>(key: string, load: Load<T>): Window<T> {
  const loader = useRef(load);
  loader.current = load;
  const [held, setHeld] = useState<Held<T> | null>(null);
  const [shown, setShown] = useState<Shown>({ total: null, failed: false, loading: true });
  useEffect(() => {
    const { current } = loader;
    let live = true;
    const fresh: Held<T> = {
      pages: new Map(),
      stale: new Set(),
      busy: new Set(),
      waiting: [],
      refused: 0,
      load: current,
      tell: (change) => {
        if (live) setShown(change);
      },
    };
    setHeld(fresh);
    setShown({ total: null, failed: false, loading: true });
    // Typing asks when it pauses.
    const timer = setTimeout(() => wantPage(fresh, 0), 120);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [key]);
  const want = useCallback((index: number) => wantPage(held, Math.floor(index / PAGE)), [held]);
  const reload = useCallback(() => {
    if (!held) return;
    const last = [...held.pages.keys()].slice(-WAITING);
    for (const page of held.pages.keys()) held.stale.add(page);
    setShown((old) => ({ ...old, failed: false, loading: true }));
    for (const page of last.length > 0 ? last : [0]) wantPage(held, page);
  }, [held]);
  const at = (index: number): T | undefined => held?.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  return { ...shown, at, want, reload };
}
