import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useState } from "react";
import type { Message } from "@/api/types";
import { t, useT } from "@/i18n";
import { copyText } from "@/lib/copy";
import { edit } from "@/store/actions";
import { state } from "@/store/state";
import { toast } from "@/ui/toast";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import { begun, nameOf, takeFrom } from "./begun";
import css from "./edit.module.css";

interface Props {
  message: Message;
  /** Where it is shown: a thread's root stands in its room too. */
  place: string;
  row: RefObject<HTMLElement | null>;
  close: () => void;
}

/** More than these are not kept (the oldest goes). */
const MOST = 20;

function keep(name: string, text: string): void {
  begun.delete(name);
  begun.set(name, text);
  const [oldest] = begun.keys();
  if (begun.size > MOST && oldest !== undefined) begun.delete(oldest);
}

/** What was typed is not lost with a message that somebody deleted meanwhile. */
function lookAfter(message: Message, name: string): void {
  const text = begun.get(name);
  const { timelines } = state();
  const runs = [timelines[message.rid], timelines[message.tmid ?? message._id]];
  if (text === undefined || runs.some((run) => run?.messages.some(({ _id }) => _id === message._id))) return;
  begun.delete(name);
  // The whole room may have been left.
  if (!timelines[message.rid]) return;
  const copy = (): void => void copyText(text).catch(failed("failed.copy"));
  toast(t("edit.gone"), { bad: true, action: { label: t("edit.copy"), run: copy } });
}

/** Changing a message where it stands: Enter saves, Esc leaves it as it was. */
export default function EditBox({ message, place, row, close }: Props): ReactNode {
  const t = useT();
  const name = nameOf(message, place);
  const [again] = useState(() => begun.has(name));
  const [text, setText] = useState(() => begun.get(name) ?? message.msg);
  useEffect(() => {
    const [back, own] = [takeFrom(), row.current];
    return () =>
      void setTimeout(() => {
        if (document.activeElement === document.body) (back?.isConnected ? back : own)?.focus();
        lookAfter(message, name);
      });
    // The message as it was when it was begun.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [row]);
  const write = (next: string): void => {
    setText(next);
    keep(name, next);
  };
  const end = (): void => {
    begun.delete(name);
    close();
  };
  const save = (): void => {
    const clean = text.trim();
    end();
    if (clean === message.msg || (!clean && !message.attachments?.length)) return;
    edit(message, clean).catch((error: unknown) => {
      // Whoever edits it once more goes on with what was refused.
      keep(name, clean);
      failed("failed.edit")(error);
    });
  };
  const key = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      end();
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
        autoFocus={!again}
        dir="auto"
        onFocus={(event) => event.target.setSelectionRange(text.length, text.length)}
        onChange={(event) => write(event.target.value)}
        onKeyDown={key}
      />
      <div>
        <Button kind="primary" onClick={save}>
          {t("edit.save")}
        </Button>
        <Button onClick={end}>{t("dialog.cancel")}</Button>
      </div>
    </div>
  );
}
