import { Confirm, EmojiPicker, Forward } from "./later";
import {
  Copy,
  CornerUpRight,
  EllipsisVertical,
  Flag,
  Info,
  Link as LinkIcon,
  MailQuestion,
  MessageSquareText,
  Pencil,
  Pin,
  Quote,
  SmilePlus,
  Star,
  Trash2,
} from "lucide-react";
import { type ReactNode, Suspense, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { post } from "@/api/rest";
import type { Message } from "@/api/types";
import { useT } from "@/i18n";
import { copyText } from "@/lib/copy";
import { lately } from "@/lib/recent";
import { Emoji } from "@/markup/emoji";
import { isStarred, markUnreadFrom, pin, react, remove, star } from "@/store/actions";
import { may, setting } from "@/store/state";
import { IconButton } from "@/ui/button";
import { type Item, Menu } from "@/ui/menu";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import css from "./message.module.css";
import { mayDelete, permalink, type Place } from "./place";

/** Emoji that are one press away: those of this device's last. */
const QUICK = 3;

interface Props {
  message: Message;
  place: Place;
  edit: () => void;
  /** Opens what is known about it. */
  about: () => void;
  /** The menu is open. */
  open: boolean;
  setOpen: (open: boolean) => void;
  /** Told while a menu or a dialog of the message is open, so that its row keeps it. */
  hold: (held: boolean) => void;
}

/** What one may do with a message: the usual as buttons, all of it in a menu. */
export function Actions({ message, place, edit, about, open, setOpen, hold }: Props): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [asking, setAsking] = useState<"delete" | "emoji" | "forward" | null>(null);
  const held = open || asking !== null;
  useEffect(() => hold(held), [held, hold]);
  const attempt = (work: Promise<unknown>, what: string, done?: string): void => {
    work.then(() => done && toast(t(done))).catch(failed(what));
  };
  const item = (id: string, icon: ReactNode, run: () => void, bad = false): Item => ({
    id,
    label: t(`action.${id}`),
    icon,
    run,
    bad,
  });
  const copy = (text: string, done: string): void => attempt(copyText(text), "failed.copy", done);
  const size = 18;
  const groups: Item[][] = [
    [
      item("react", <SmilePlus size={size} aria-hidden />, () => setAsking("emoji")),
      ...(place.thread ? [] : [item("thread", <MessageSquareText size={size} aria-hidden />, openThread)]),
      item("quote", <Quote size={size} aria-hidden />, () => place.quote(message)),
      item("forward", <CornerUpRight size={size} aria-hidden />, () => setAsking("forward")),
      item("link", <LinkIcon size={size} aria-hidden />, () => copy(permalink(message), "action.linkCopied")),
      item("copy", <Copy size={size} aria-hidden />, () => copy(message.msg, "action.copied")),
      item("about", <Info size={size} aria-hidden />, about),
    ],
    [
      ...(setting("Message_AllowStarring", true)
        ? [
            item(isStarred(message) ? "unstar" : "star", <Star size={size} aria-hidden />, () =>
              attempt(star(message), "failed.star"),
            ),
          ]
        : []),
      ...(setting("Message_AllowPinning", true) && may("pin-message", message.rid)
        ? [
            item(message.pinned ? "unpin" : "pin", <Pin size={size} aria-hidden />, () =>
              attempt(pin(message), "failed.pin"),
            ),
          ]
        : []),
      item("unread", <MailQuestion size={size} aria-hidden />, () =>
        attempt(markUnreadFrom(message), "failed.unread", "action.isUnread"),
      ),
    ],
    [
      ...(place.mayEdit(message) ? [item("edit", <Pencil size={size} aria-hidden />, edit)] : []),
      ...(mayDelete(message)
        ? [item("delete", <Trash2 size={size} aria-hidden />, () => setAsking("delete"), true)]
        : [item("report", <Flag size={size} aria-hidden />, report, true)]),
    ],
  ];
  function openThread(): void {
    go(place.threadPath(message.tmid ?? message._id));
  }
  function report(): void {
    attempt(
      post("chat.reportMessage", { messageId: message._id, description: "-" }),
      "failed.report",
      "action.reported",
    );
  }
  const [quick] = useState(() => lately().slice(0, QUICK));
  if (message.private) return null;
  const close = (): void => setAsking(null);
  return (
    <>
      <IconButton label={t("action.react")} onClick={() => setAsking("emoji")}>
        <SmilePlus size={size} aria-hidden />
      </IconButton>
      {quick.map((code) => (
        <IconButton
          key={code}
          className={css.quick}
          // By keyboard they are the first ones of the choice beside them.
          tabIndex={-1}
          label={t("action.reactWith", { emoji: code })}
          onClick={() => attempt(react(message, code), "failed.react")}
        >
          <span aria-hidden>
            <Emoji code={code} />
          </span>
        </IconButton>
      ))}
      {!place.thread && (
        <IconButton label={t("action.thread")} onClick={openThread}>
          <MessageSquareText size={size} aria-hidden />
        </IconButton>
      )}
      <IconButton label={t("action.quote")} onClick={() => place.quote(message)}>
        <Quote size={size} aria-hidden />
      </IconButton>
      <Menu label={t("action.more")} groups={groups} open={open} onOpenChange={setOpen}>
        <EllipsisVertical size={size} aria-hidden />
      </Menu>
      <Suspense fallback={null}>
        {asking === "delete" && (
          <Confirm
            title={t("delete.title")}
            text={t("delete.text")}
            yes={t("delete.yes")}
            run={() => attempt(remove(message), "failed.delete")}
            close={close}
          />
        )}
        {asking === "emoji" && (
          <EmojiPicker
            close={close}
            choose={(emoji) => {
              close();
              attempt(react(message, emoji), "failed.react");
            }}
          />
        )}
        {asking === "forward" && <Forward message={message} close={close} />}
      </Suspense>
    </>
  );
}
