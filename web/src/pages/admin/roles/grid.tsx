import { type CSSProperties, type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { useT } from "@/i18n";
import { focusRow } from "../kit/list";
import { aboutRole } from "../kit/role";
import type { Role } from "../users/types";
import css from "./roles.module.css";

export interface Cell {
  permission: string;
  role: Role;
  /** Whether it is to be given. */
  given: boolean;
}

interface Props {
  columns: Role[];
  rows: string[];
  permissions: Record<string, string[]>;
  toggle: (cell: Cell) => void;
}

/** Height of the heads of the columns (px), which stay in sight. */
const HEAD = 56;
const STEP = 10;

/** Permissions down, roles across: one stop of Tab, arrows go from cell to cell. */
export function Grid({ columns, rows, permissions, toggle }: Props): ReactNode {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const [at, setAt] = useState({ row: 0, column: 0 });
  const row = Math.min(at.row, rows.length - 1);
  const column = Math.min(at.column, columns.length - 1);
  const key = (event: KeyboardEvent<HTMLElement>): void => {
    const forth = getComputedStyle(event.currentTarget).direction === "rtl" ? -1 : 1;
    const steps: Record<string, [number, number]> = {
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
      ArrowRight: [0, forth],
      ArrowLeft: [0, -forth],
      PageDown: [STEP, 0],
      PageUp: [-STEP, 0],
      Home: [event.ctrlKey ? -rows.length : 0, -columns.length],
      End: [event.ctrlKey ? rows.length : 0, columns.length],
    };
    const step = steps[event.key];
    if (!step || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = {
      row: Math.max(0, Math.min(rows.length - 1, row + step[0])),
      column: Math.max(0, Math.min(columns.length - 1, column + step[1])),
    };
    setAt(next);
    list.current?.scrollToIndex(next.row, { align: "nearest" });
    focusRow(box.current, `[data-cell="${next.row}/${next.column}"]`);
  };
  return (
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus -- its cells take the focus
    <div
      ref={box}
      className={css.grid}
      role="grid"
      aria-label={t("roles.view.matrix")}
      aria-rowcount={rows.length + 1}
      style={{ "--columns": columns.length } as CSSProperties}
      onKeyDown={key}
    >
      <div role="row" aria-rowindex={1} className={css.heads}>
        <span role="columnheader">{t("roles.permission")}</span>
        {columns.map((role) => (
          <span key={role._id} role="columnheader" title={aboutRole(t, role)}>
            {role.name}
          </span>
        ))}
      </div>
      <Virtualizer ref={list} scrollRef={box} startMargin={HEAD} data={rows} keepMounted={[row]} itemSize={45}>
        {(permission, index) => (
          <div key={permission} role="row" aria-rowindex={index + 2} className={css.cells}>
            <span role="rowheader">
              <code dir="ltr">{permission}</code>
            </span>
            {columns.map((role, place) => {
              const has = permissions[permission]?.includes(role._id) ?? false;
              return (
                <span key={role._id} role="gridcell">
                  <input
                    type="checkbox"
                    checked={has}
                    data-cell={`${index}/${place}`}
                    tabIndex={index === row && place === column ? 0 : -1}
                    aria-label={t("roles.cell", { permission, role: role.name })}
                    onFocus={() => setAt({ row: index, column: place })}
                    onChange={() => toggle({ permission, role, given: !has })}
                  />
                </span>
              );
            })}
          </div>
        )}
      </Virtualizer>
    </div>
  );
}
