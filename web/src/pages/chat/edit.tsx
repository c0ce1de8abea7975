import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useState } from "react";
import type { Message } from "@/api/types";
import { useT } from "@/i18n";
import { edit } from "@/store/actions";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import css from "./edit.module.css";

interface Props {
  message: Message;
  row: RefObject<HTMLElement | null>;
  close: () => void;
}

let from: HTMLElement | null = null;

/** Where the focus goes back to after the next edit, when that is not its message. */
export function editFrom(element: Element | null): void {
  from = element instanceof HTMLTextAreaElement ? element : null;
}

/** Changing a message where it stands: Enter saves, Esc leaves it as it was. */
export function EditBox({ message, row, close }: Props): ReactNode {
  const t = useT();
  useEffect(() => {
    const [back, own] = [from, row.current];
    from = null;
    return () =>
      void setTimeout(() => {
        if (document.activeElement === document.body) (back?.isConnected ? back : own)?.focus();
      });
  }, [row]);
  const [text, setText] = useState(message.msg);
  const save = (): void => {
    const clean = text.trim();
    close();
    if (clean === message.msg || (!clean && !message.attachments?.length)) return;
    edit(message, clean).catch(failed("failed.edit"));
  };
  const key = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return (
    <div className={css.edit}>
      <textarea
        aria-label={t("edit.label")}
        value={text}
        rows={Math.min(12, text.split("\n").length + 1)}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- one pressed "edit"
        autoFocus
        dir="auto"
        onFocus={(event) => event.target.setSelectionRange(text.length, text.length)}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={key}
      />
      <div>
        <Button kind="primary" onClick={save}>
          {t("edit.save")}
        </Button>
        <Button onClick={close}>{t("dialog.cancel")}</Button>
      </div>
    </div>
  );
}
