import { AlertCircle, Clock, MessageSquareText, Pin, Star } from "lucide-react";
import { memo, type KeyboardEvent, type ReactNode, Suspense, useRef, useState } from "react";
import { Link } from "wouter";
import type { Block, Message as Noun } from "@/api/types";
import { intl, useT } from "@/i18n";
import { copyText } from "@/lib/copy";
import { useHold } from "@/lib/hold";
import { useToday } from "@/lib/now";
import { brief, clock, full, millis } from "@/lib/time";
import { echo } from "@/markup/echo";
import { Tree } from "@/markup/tree";
import { isStarred } from "@/store/actions";
import { discard, retry } from "@/store/outbox";
import { type Outgoing, useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { page } from "../lazy";
import { failed as failedTo } from "@/ui/failed";
import { Attachments } from "./attachments";
import { Actions } from "./actions";
import { isBegun } from "./begun";
import { LinkCards } from "./cards";
import { Facts } from "./later";
import css from "./message.module.css";
import { plainly } from "./preview";
import { Reactions } from "./reactions";
import { type Place, summary } from "./place";
import { systemText } from "./system";

const EditBox = page(() => import("./edit"));
const CallCard = page(() => import("./call"));
const Receipt = page(() => import("./receipt"));

interface Props {
  message: Noun;
  head: boolean;
  place: Place;
  /** Looked at because somebody jumped to it. */
  marked?: boolean;
  /** The last one of its run: its receipt is shown. */
  last?: boolean;
}

/** One message. */
export const Message = memo(function Message({ message, head, place, marked = false, last = false }: Props): ReactNode {
  const t = useT();
  const [active, setActive] = useState(false);
  const [held, setHeld] = useState(false);
  const [menu, setMenu] = useState(false);
  const spot = place.thread ?? place.rid;
  const [editing, setEditing] = useState(() => isBegun(message, spot));
  const [asking, setAsking] = useState(false);
  const row = useRef<HTMLElement>(null);
  const finger = useHold(() => setMenu(!message.private && !editing));
  const at = millis(message.ts);
  const name = message.alias ?? message.u.name ?? message.u.username ?? "";
  if (message.t && message.t !== "e2e") return <System message={message} place={place} />;
  const leave = (): void => {
    if (!row.current?.contains(document.activeElement)) setActive(false);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.target !== row.current) return;
    if (event.key !== "e" || event.ctrlKey || event.metaKey || !place.mayEdit(message)) return;
    setEditing(true);
    // Otherwise the key would be typed into what has just got the focus.
    event.preventDefault();
  };
  const show = active || held || menu;
  const body = <Body message={message} about={() => setAsking(true)} />;
  return (
    <article
      ref={row}
      className={`${css.message} ${head ? css.head : ""} ${marked ? css.marked : ""} ${message.private ? css.whisper : ""}`}
      aria-label={summary(t, message)}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- arrows move between messages
      tabIndex={-1}
      data-message={message._id}
      data-row={message._id}
      onPointerEnter={() => setActive(true)}
      {...finger}
      // A row that appears under a resting pointer is never entered.
      onPointerMove={(event) => {
        setActive(true);
        finger.onPointerMove(event);
      }}
      onPointerLeave={leave}
      onFocus={() => setActive(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setActive(false)}
      onKeyDown={key}
    >
      {/* Hundreds of rows are made while somebody scrolls: what nobody sees is not made. */}
      {(head || show) && (
        <div className={css.gutter}>
          {head ? (
            <Avatar username={message.u.username} src={message.avatar} />
          ) : (
            <time className={css.late} dateTime={new Date(at).toISOString()} title={full(intl(), at)}>
              {clock(intl(), at)}
            </time>
          )}
        </div>
      )}
      <div className={css.body}>
        {head && (
          <header className={css.header}>
            <span className={css.name} dir="auto">
              {name}
            </span>
            <time dateTime={new Date(at).toISOString()} title={show ? full(intl(), at) : undefined}>
              {clock(intl(), at)}
            </time>
            <Marks message={message} />
          </header>
        )}
        {place.thread !== message.tmid && message.tmid && <ThreadOf message={message} place={place} />}
        {editing ? (
          <Suspense fallback={body}>
            <EditBox message={message} place={spot} row={row} close={() => setEditing(false)} />
          </Suspense>
        ) : (
          body
        )}
        {message.attachments && <Attachments message={message} />}
        {message.urls?.length ? <LinkCards message={message} /> : null}
        {message.reactions && <Reactions message={message} />}
        {Boolean(message.tcount) && place.thread !== message._id && <ThreadInfo message={message} place={place} />}
        {last && <Read message={message} />}
      </div>
      {show && !editing && (
        <div className={css.actions} data-actions>
          <Actions
            message={message}
            place={place}
            edit={() => setEditing(true)}
            about={() => setAsking(true)}
            open={menu}
            setOpen={setMenu}
            hold={setHeld}
          />
        </div>
      )}
      {asking && (
        <Suspense fallback={null}>
          <Facts message={message} close={() => setAsking(false)} />
        </Suspense>
      )}
    </article>
  );
});

/** Whether a text is folded: a phone's screen holds less of it. Blocks of code fold by themselves. */
function isLong(text: string): boolean {
  const rest = text.replace(/```[^]*?```/g, "");
  return rest.length > 2_200 || rest.split("\n", 26).length > 25 || (rest.length > 900 && innerWidth < 768);
}

/** A text that is no markup. */
const plain = (value: string): Block[] => [{ type: "PARAGRAPH", value: [{ type: "PLAIN_TEXT", value }] }];

function Body({ message, about }: { message: Noun; about: () => void }): ReactNode {
  const t = useT();
  const [open, setOpen] = useState(false);
  const tree = message.md ?? echo(message.msg);
  const long = isLong(message.msg);
  if (!message.msg) return message.t === "e2e" ? <p className={css.note}>{t("message.encrypted")}</p> : null;
  const all = <Tree blocks={tree ?? plain(message.msg)} about={message} />;
  return (
    <>
      {long ? <div className={open ? undefined : css.cut}>{all}</div> : all}
      {long && (
        <Button kind="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t(open ? "message.less" : "message.more")}
        </Button>
      )}
      {message.editedAt && (
        <button type="button" className={css.edited} aria-haspopup="dialog" onClick={about}>
          {t("message.edited")}
        </button>
      )}
    </>
  );
}

function Marks({ message }: { message: Noun }): ReactNode {
  const t = useT();
  return (
    <>
      {message.private && <span className={css.note}>{t("message.onlyYou")}</span>}
      {message.pinned && (
        <span className={css.mark} role="img" aria-label={t("message.pinned")}>
          <Pin size={14} aria-hidden />
        </span>
      )}
      {isStarred(message) && (
        <span className={css.mark} role="img" aria-label={t("message.starred")}>
          <Star size={14} aria-hidden />
        </span>
      )}
    </>
  );
}

function ThreadOf({ message, place }: { message: Noun; place: Place }): ReactNode {
  const t = useT();
  const root = useStore(
    ({ timelines }) => timelines[message.rid]?.messages.find(({ _id }) => _id === message.tmid)?.msg,
  );
  return (
    <Link className={css.threadOf} href={place.threadPath(message.tmid ?? "")}>
      <MessageSquareText size={14} aria-hidden />
      <span dir="auto">{root ? t("thread.to", { text: plainly(root).slice(0, 120) }) : t("thread.in")}</span>
    </Link>
  );
}

function ThreadInfo({ message, place }: { message: Noun; place: Place }): ReactNode {
  const t = useT();
  const unread = useStore((state) => state.subscriptions[message.rid]?.tunread?.includes(message._id) ?? false);
  const today = useToday();
  const last = millis(message.tlm);
  return (
    <Link className={`${css.threadInfo} ${unread ? css.unread : ""}`} href={place.threadPath(message._id)}>
      <MessageSquareText size={16} aria-hidden />
      {message.replies?.slice(0, 3).map((uid) => (
        <Avatar key={uid} src={`/avatar/uid/${uid}`} size={20} />
      ))}
      {t("thread.count", { count: message.tcount ?? 0 })}
      {unread && <span className={css.new}>{t("thread.new")}</span>}
      <time dateTime={new Date(last).toISOString()} title={full(intl(), last)}>
        {brief(intl(), last, today)}
      </time>
    </Link>
  );
}

/** On the last own message, where the workspace wants it. */
function Read({ message }: { message: Noun }): ReactNode {
  const own = useStore((state) => state.me?._id === message.u._id);
  const on = useStore((state) => state.settings["Message_Read_Receipt_Enabled"] === true);
  if (!own || !on) return null;
  return (
    // Its place is kept: nothing moves when it comes.
    <Suspense fallback={<span className={css.receipt}>{"\u00a0"}</span>}>
      <Receipt message={message} />
    </Suspense>
  );
}

function System({ message, place }: { message: Noun; place: Place }): ReactNode {
  const t = useT();
  const at = millis(message.ts);
  return (
    <div
      role="group"
      className={css.system}
      aria-label={t("live.message", { name: clock(intl(), at), text: systemText(t, message) })}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- arrows move between messages
      tabIndex={-1}
      data-message={message._id}
      data-row={message._id}
    >
      <p dir="auto">
        {systemText(t, message)}{" "}
        {message.drid && <Link href={place.roomPath(message.drid)}>{t("discussion.open")}</Link>}
      </p>
      <time dateTime={new Date(at).toISOString()}>{clock(intl(), at)}</time>
      {message.attachments?.length ? <Attachments message={message} /> : null}
      {message.call && (
        <div>
          <Suspense fallback={null}>
            <CallCard message={message} />
          </Suspense>
        </div>
      )}
    </div>
  );
}

/** A message that is on its way, or was refused. */
export function OutgoingMessage({ outgoing, head }: { outgoing: Outgoing; head: boolean }): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me);
  const failed = outgoing.state === "failed";
  const tree = echo(outgoing.msg);
  return (
    <article
      className={`${css.message} ${head ? css.head : ""} ${failed ? css.failed : css.pending}`}
      aria-label={t(failed ? "send.failedLabel" : "send.sendingLabel", { text: outgoing.msg.slice(0, 200) })}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- arrows move between messages
      tabIndex={-1}
      data-row={outgoing._id}
    >
      <div className={css.gutter}>{head && <Avatar username={me?.username} />}</div>
      <div className={css.body}>
        {head && (
          <header className={css.header}>
            <span className={css.name}>{me?.name ?? me?.username}</span>
          </header>
        )}
        <Tree blocks={tree ?? plain(outgoing.msg)} />
        <div className={css.sending} role={failed ? "alert" : undefined}>
          {failed ? <AlertCircle size={14} aria-hidden /> : <Clock size={14} aria-hidden />}
          {t(failed ? (outgoing.reason ?? "send.refused") : "send.sending")}
          {failed && (
            <>
              <Button kind="quiet" onClick={() => retry(outgoing._id)}>
                {t("send.retry")}
              </Button>
              <Button kind="quiet" onClick={() => void copyText(outgoing.msg).catch(failedTo("failed.copy"))}>
                {t("send.copy")}
              </Button>
              <Button kind="quiet" onClick={() => discard(outgoing._id)}>
                {t("send.delete")}
              </Button>
            </>
          )}
        </div>
      </div>
    </article>
  );
}
