import { type FocusEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { VList, type VListHandle } from "virtua";
import { Link } from "wouter";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import css from "./kit.module.css";
import type { Window } from "./window";

interface Props<T> {
  /** Its accessible name. */
  label: string;
  rows: Window<T>;
  /** How many there are, in words. */
  count: (total: number) => string;
  /** What is said when there are none. */
  empty: string;
  /** Where a row leads; rows that lead nowhere are read only. */
  href?: (item: T) => string;
  /** Stands beside a row, such as a box that chooses it; of the current row alone it is reached by Tab. */
  beside?: (item: T, tabIndex: number) => ReactNode;
  children: (item: T) => ReactNode;
}

const STEP = 10;
/** Frames in which a row that was scrolled to is waited for. */
const FRAMES = 30;

/** Focuses a row as soon as it is made and measured: what is hidden until then takes no focus. */
export function focusRow(within: HTMLElement | null, selector: string, frames = FRAMES): void {
  const row = within?.querySelector<HTMLElement>(selector);
  row?.focus();
  if (frames > 0 && (!row || document.activeElement !== row))
    requestAnimationFrame(() => focusRow(within, selector, frames - 1));
}

/** A long list of links: virtual, fetched as it is looked at, and one stop of the Tab key (arrows go within). */
export function List<T>({ label, rows, count, empty, href, beside, children }: Props<T>): ReactNode {
  const t = useT();
  const list = useRef<VListHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const total = rows.total ?? 0;
  const go = (index: number): void => {
    const next = Math.max(0, Math.min(total - 1, index));
    setCurrent(next);
    list.current?.scrollToIndex(next, { align: "nearest" });
    focusRow(box.current, `[data-row="${next}"]`);
  };
  const key = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: STEP,
      PageUp: -STEP,
      Home: -total,
      End: total,
    };
    const step = steps[event.key];
    // Without links the browser itself scrolls.
    if (!href || step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(current + step);
  };
  const focus = (event: FocusEvent): void => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
    if (row) setCurrent(Number(row.dataset.row));
  };
  const said = rows.failed ? t("admin.loadFailed") : rows.total === null ? t("app.loading") : count(rows.total);
  return (
    <>
      <p className={css.count} role="status">
        {rows.total === 0 && !rows.failed ? empty : said}
        {rows.failed && <Button onClick={rows.reload}>{t("admin.again")}</Button>}
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- keys of the links within */}
      <div className={css.listBox} ref={box} onKeyDown={key} onFocus={focus} aria-busy={rows.loading}>
        {total > 0 && (
          <VList
            ref={list}
            data={{ length: total } as ArrayLike<undefined>}
            className={css.list}
            role="list"
            tabIndex={href ? undefined : 0}
            aria-label={label}
            keepMounted={[Math.min(current, total - 1)]}
            itemSize={60}
          >
            {(_, index) => (
              <Row
                key={index}
                index={index}
                total={total}
                rows={rows}
                href={href}
                beside={beside}
                chosen={index === current}
              >
                {children}
              </Row>
            )}
          </VList>
        )}
      </div>
    </>
  );
}

interface RowProps<T> {
  index: number;
  total: number;
  rows: Window<T>;
  href: ((item: T) => string) | undefined;
  beside: ((item: T, tabIndex: number) => ReactNode) | undefined;
  chosen: boolean;
  children: (item: T) => ReactNode;
}

function Row<T>({ index, total, rows, href, beside, chosen, children }: RowProps<T>): ReactNode {
  const t = useT();
  const item = rows.at(index);
  const { want } = rows;
  const content = item === undefined ? <span className="hidden">{t("app.loading")}</span> : children(item);
  useEffect(() => {
    if (!item) want(index);
  }, [item, index, want]);
  return (
    <div role="listitem" aria-setsize={total} aria-posinset={index + 1} className={beside ? css.choosable : undefined}>
      {href ? (
        // The same element before and after its content has come, so that it keeps the focus.
        <Link
          href={item === undefined ? location.pathname : href(item)}
          className={css.row}
          data-row={index}
          tabIndex={chosen ? 0 : -1}
          aria-busy={item === undefined || undefined}
        >
          {content}
        </Link>
      ) : (
        <div className={css.row} data-row={index}>
          {content}
        </div>
      )}
      {item !== undefined && beside?.(item, chosen ? 0 : -1)}
    </div>
  );
}
