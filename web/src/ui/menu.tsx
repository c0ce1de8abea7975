import type { ReactNode } from "react";
// Each by its own door: through the common one the chat would carry what only its dialogs need.
import { Button as AriaButton } from "react-aria-components/Button";
import { Menu as AriaMenu, MenuItem as AriaItem, MenuTrigger } from "react-aria-components/Menu";
import { Popover } from "react-aria-components/Popover";
import { Separator } from "react-aria-components/Separator";
import button from "./button.module.css";
import css from "./menu.module.css";

export interface Item {
  id: string;
  label: string;
  icon?: ReactNode;
  bad?: boolean;
  run: () => void;
}

interface Props {
  /** Its accessible name. */
  label: string;
  /** What the button shows. */
  children: ReactNode;
  /** Groups of items, divided by lines. */
  groups: Item[][];
  className?: string;
  /** Opened by something else than its button too. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

/** A button that opens a menu. */
export function Menu({ label, children, groups, className, open, onOpenChange }: Props): ReactNode {
  const shown = groups.filter((group) => group.length > 0);
  const run = (key: unknown): void =>
    shown
      .flat()
      .find((item) => item.id === key)
      ?.run();
  return (
    <MenuTrigger {...(open === undefined ? {} : { isOpen: open })} {...(onOpenChange ? { onOpenChange } : {})}>
      <AriaButton className={className ?? button.icon ?? ""} aria-label={label}>
        {children}
      </AriaButton>
      <Popover className={css.popover ?? ""} placement="bottom end">
        <AriaMenu className={css.menu ?? ""} aria-label={label} onAction={run}>
          {shown.map((group, index) => [
            index > 0 && <Separator key={`line ${index}`} className={css.line ?? ""} />,
            ...group.map((item) => (
              <AriaItem key={item.id} id={item.id} className={`${css.item} ${item.bad ? css.bad : ""}`}>
                {item.icon}
                {item.label}
              </AriaItem>
            )),
          ])}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
