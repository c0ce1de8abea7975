import { type RefObject, useCallback, useEffect, useRef } from "react";
import type { VListHandle } from "virtua";
import type { Row } from "./rows";

/** Whether a row was reached is looked at after this (ms), so many times. */
const AGAIN = 120;
const TRIES = 40;

export type Align = "start" | "center" | "end";

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
export function useSettling(
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
      let stood = false;
      const step = (): void => {
        const handle = list.current;
        if (!handle || (tries > 0 && !way.current)) return;
        const index = key ? latest.current.findIndex((row) => row.key === key) : latest.current.length - 1;
        const stands = index >= 0 && tries > 0 && stand(handle, index, align, offset);
        // A row at the edge may be measured after it came there, and then it stands elsewhere.
        const calm = stands && (align !== "start" || stood);
        stood = stands;
        if (index < 0 || calm || tries >= TRIES) {
          stop();
          return tries > 0 ? settled.current?.() : undefined;
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

/** Whether a row is where it should be, or as near as the list reaches. */
function stand(handle: VListHandle, index: number, align: Align, offset: number): boolean {
  const { scrollOffset, scrollSize, viewportSize } = handle;
  const below = scrollSize - scrollOffset - viewportSize;
  const top = handle.getItemOffset(index) - scrollOffset;
  const size = handle.getItemSize(index);
  if (align === "center") return size > viewportSize || (top >= 0 && top + size <= viewportSize);
  if (below < 2) return true;
  return align === "start" && (Math.abs(top + offset) < 2 || (scrollOffset < 2 && top + offset < 0));
}
