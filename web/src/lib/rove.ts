// A list as one stop of the Tab key: arrows go from row to row, Enter goes into a row, Escape comes out of it. Rows say
// who they are by `data-row`; what can be pressed within a row is reached by Tab only while one is inside it.

import { type FocusEvent, type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";

const ROW = "[data-row]";
const INSIDE = "a[href], button, input, textarea, select, audio, video, pre, [tabindex]";
/** Frames in which a row that was scrolled to is waited for. */
const FRAMES = 30;
/** After this rest the stop is a row that is seen (ms). */
const REST = 120;

export interface Rove {
  /** The row that has the focus, or has it within: it must stay mounted. */
  focused: string | undefined;
  on: {
    onKeyDown: (event: KeyboardEvent) => void;
    onFocus: (event: FocusEvent) => void;
    onBlur: (event: FocusEvent) => void;
  };
  /** To be called when the list was scrolled. */
  moved: () => void;
}

const closed = new WeakMap<Element, string | null>();

function close(row: Element): void {
  for (const one of row.querySelectorAll(INSIDE)) {
    if (closed.has(one)) continue;
    closed.set(one, one.getAttribute("tabindex"));
    one.setAttribute("tabindex", "-1");
  }
}

function enter(row: Element): void {
  for (const one of row.querySelectorAll(INSIDE)) {
    const was = closed.get(one);
    if (was === undefined) continue;
    closed.delete(one);
    if (was === null) one.removeAttribute("tabindex");
    else one.setAttribute("tabindex", was);
  }
}

const rowOf = (target: EventTarget | null): HTMLElement | null =>
  target instanceof Element ? target.closest<HTMLElement>(ROW) : null;

/** Focuses a row as soon as it is made and measured: what is hidden until then takes no focus. */
function focusRow(box: HTMLElement, key: string, frames = FRAMES): void {
  const row = box.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
  if (frames > 0 && (!row || document.activeElement !== row))
    requestAnimationFrame(() => focusRow(box, key, frames - 1));
}

/** The rows that were made, or in which something was made. */
function madeIn(records: readonly MutationRecord[]): Set<Element> {
  const rows = new Set<Element>();
  for (const { target, addedNodes } of records) {
    if (addedNodes.length === 0) continue;
    const own = rowOf(target);
    if (own) rows.add(own);
    else
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        if (node.matches(ROW)) rows.add(node);
        for (const row of node.querySelectorAll(ROW)) rows.add(row);
      }
  }
  return rows;
}

/** The row at the end that one reads from, of those that are there: without measuring. */
function outermost(box: HTMLElement, end: boolean): HTMLElement | undefined {
  const all = box.querySelectorAll<HTMLElement>(ROW);
  return all[end ? all.length - 1 : 0];
}

/** The row to begin with: where one was, or what stands for the page that is shown, else the last or first one that is
 * seen. */
function stopOf(box: HTMLElement, end: boolean, was: string): HTMLElement | undefined {
  const { top, bottom } = box.getBoundingClientRect();
  const all = [...box.querySelectorAll<HTMLElement>(ROW)];
  const seen = all.filter((row) => {
    const at = row.getBoundingClientRect();
    return at.bottom <= bottom + 1 && at.top >= top - 1;
  });
  const here = seen.find((row) => row.dataset.row === was) ?? seen.find((row) => row.ariaCurrent === "page");
  return here ?? (end ? (seen.at(-1) ?? all.at(-1)) : (seen[0] ?? all[0]));
}

/**
 * `keys` are all rows in order, also those that are not mounted; `show` scrolls to one of them. `end`: the list is read
 * from its end.
 */
export function useRove(
  box: RefObject<HTMLElement | null>,
  keys: readonly string[],
  show: (key: string) => void,
  end = false,
): Rove {
  const [focused, setFocused] = useState<string>();
  const inside = useRef<HTMLElement | null>(null);
  const stop = useRef<HTMLElement | null>(null);
  const lately = useRef({ key: "", at: -1 });
  const chosen = useRef("");
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);
  const order = useRef(keys);
  order.current = keys;

  const settle = useRef((to?: HTMLElement | null) => {
    const list = box.current;
    if (!list) return;
    const next = to ?? rowOf(list.contains(document.activeElement) ? document.activeElement : null);
    const row = next ?? stopOf(list, end, chosen.current);
    if (!row || (row === stop.current && row.tabIndex === 0)) return;
    for (const one of list.querySelectorAll<HTMLElement>(`${ROW}[tabindex="0"]`)) one.tabIndex = -1;
    row.tabIndex = 0;
    stop.current = row;
  });
  const moved = useRef(() => {
    clearTimeout(rest.current);
    rest.current = setTimeout(() => settle.current(), REST);
  });

  const filled = useRef(0);
  const watched = useRef<HTMLElement | null>(null);
  const observer = useRef<MutationObserver>(undefined);
  // The list may come later, or be another one: it is looked for each time.
  useEffect(() => {
    const list = box.current;
    if (list === watched.current) return;
    observer.current?.disconnect();
    watched.current = list;
    if (!list) return;
    const tidy = (rows: Iterable<Element>): void => {
      for (const row of rows) if (row !== inside.current) close(row);
      moved.current();
    };
    observer.current = new MutationObserver((records) => {
      tidy(madeIn(records));
      // While the list moves this will do: which rows are seen is measured when it rests.
      const away = !list.contains(document.activeElement);
      // Nobody was in it yet: whoever comes begins at its end, also while it is being filled.
      const filling = end && away && !chosen.current;
      if (stop.current?.isConnected && (!filling || performance.now() - filled.current < REST)) return;
      filled.current = performance.now();
      settle.current(stop.current && away ? outermost(list, end) : undefined);
    });
    observer.current.observe(list, { childList: true, subtree: true });
    tidy(list.querySelectorAll(ROW));
    settle.current();
  });
  useEffect(
    () => () => {
      observer.current?.disconnect();
      watched.current = null;
      clearTimeout(rest.current);
    },
    [],
  );

  // The row that had the focus is gone: its neighbour takes it.
  useEffect(() => {
    const { key, at } = lately.current;
    if (!key || keys.includes(key)) return;
    const next = keys[Math.min(at, keys.length - 1)];
    lately.current = { key: "", at: -1 };
    setTimeout(() => {
      if (document.activeElement === document.body && box.current && next) focusRow(box.current, next);
    });
  }, [keys, box]);

  const leave = (): void => {
    if (inside.current) close(inside.current);
    inside.current = null;
  };
  const go = (key: string | undefined): void => {
    if (!key || !box.current) return;
    show(key);
    focusRow(box.current, key);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    const list = box.current;
    // Menus and dialogs of a row stand elsewhere in the page and have keys of their own.
    if (!list?.contains(target) || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const row = rowOf(target);
    if (event.key === "Escape" && row && target !== row) {
      leave();
      row.focus({ preventScroll: true });
    } else if (event.key === "Enter" && row === target && !row.matches("a, button")) {
      inside.current = row;
      enter(row);
      (row.querySelector<HTMLElement>("[data-actions] button") ?? row.querySelector<HTMLElement>(INSIDE))?.focus();
    } else {
      if (target.closest("input, textarea, select, pre, audio, video") || event.shiftKey) return;
      const all = order.current;
      const at = row ? all.indexOf(row.dataset.row ?? "") : -1;
      const first = stop.current?.dataset.row ?? all.at(-1);
      if (event.key === "ArrowDown") go(at < 0 ? first : all[at + 1]);
      else if (event.key === "ArrowUp") go(at < 0 ? first : all[at - 1]);
      else if (event.key === "Home") go(all[0]);
      else if (event.key === "End") go(all.at(-1));
      else return;
    }
    event.preventDefault();
  };
  const onFocus = ({ target }: FocusEvent): void => {
    const row = box.current?.contains(target) ? rowOf(target) : null;
    if (!row) return;
    if (inside.current !== row) leave();
    if (target !== row) {
      inside.current = row;
      enter(row);
    }
    const key = row.dataset.row ?? "";
    lately.current = { key, at: order.current.indexOf(key) };
    chosen.current = key;
    setFocused(key);
    settle.current(row);
  };
  const onBlur = ({ relatedTarget }: FocusEvent): void => {
    if (rowOf(relatedTarget) === inside.current && inside.current) return;
    leave();
    if (!box.current?.contains(relatedTarget)) {
      setFocused(undefined);
      // The reader went elsewhere; what opens from a row gives the focus back to it.
      if (relatedTarget && !(relatedTarget as Element).closest("[role=dialog], [role=alertdialog], [role=menu]"))
        lately.current = { key: "", at: -1 };
    }
  };
  return { focused, on: { onKeyDown, onFocus, onBlur }, moved: moved.current };
}
