import { NotebookPen } from "lucide-react";
import { type FormEvent, type ReactNode, useCallback, useEffect, useId, useState } from "react";
import { useLocation } from "wouter";
import { get, post } from "@/api/rest";
import type { Id, UserRef } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { answers, type Case, type Note, onCase, readCase, transfer, watchDesk } from "@/store/desk";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { roomPath } from "../chat/place";
import side from "../chat/side.module.css";
import css from "./support.module.css";

/** Beside a case: who asks, notes that only the control centre sees, handing over. Beside a ticket: its facts. */
export default function Panel({ rid }: { rid: Id }): ReactNode {
  const kind = useStore((state) => state.rooms[rid]?.parlorKind);
  const control = useStore((state) => answers(state.me));
  return (
    <div className={`${side.scroll} ${css.panel}`}>
      {kind === "ticket" && <Facts rid={rid} />}
      {kind === "case" && control && (
        <>
          <Requester rid={rid} />
          <Notes rid={rid} />
          <Transfer rid={rid} />
        </>
      )}
    </div>
  );
}

function Rows({ rows }: { rows: [string, string | undefined | null][] }): ReactNode {
  const t = useT();
  return (
    <dl className={css.facts}>
      {rows
        .filter(([, value]) => value)
        .map(([id, value]) => (
          <div key={id}>
            <dt>{t(id)}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Requester({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const id = useId();
  const [one, setOne] = useState<Case>();
  const [away, setAway] = useState(false);
  useEffect(() => void readCase(rid).then(setOne, () => setAway(true)), [rid]);
  const by = one?.requester;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{t("support.requester")}</h3>
      {!one && <Waiting away={away} />}
      {one && (
        <Rows
          rows={[
            ["support.name", by?.name ?? by?.username],
            ["support.username", by?.username && `@${by.username}`],
            ["support.roles", by?.roles.join(", ")],
            ["support.opened", full(intl(), millis(one.createdAt))],
          ]}
        />
      )}
    </section>
  );
}

/** Notes have a place and a look of their own, far from the composer: none goes to the requester by mistake. */
function Notes({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const id = useId();
  const [all, setAll] = useState<Note[]>();
  const [replies, setReplies] = useState<string[]>([]);
  const [away, setAway] = useState(false);
  const [text, setText] = useState("");
  const read = useCallback(() => {
    type Answer = { notes: Note[]; replies?: string[] };
    get<Answer>("support.notes", { roomId: rid })
      .then(({ notes, replies: ready = [] }) => {
        setAll(notes);
        setReplies(ready);
        setAway(false);
      })
      .catch(() => setAway(true));
  }, [rid]);
  useEffect(() => {
    read();
    const ends = [watchDesk(), onCase((changed) => changed === rid && read())];
    return () => ends.forEach((end) => end());
  }, [rid, read]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    post("support.note", { roomId: rid, text: text.trim() })
      .then(() => {
        setText("");
        read();
      })
      .catch(failed("failed.note"));
  };
  return (
    <>
      <section aria-labelledby={id} className={css.notes}>
        <h3 id={id}>
          <NotebookPen size={16} aria-hidden /> {t("support.notesTitle")}
        </h3>
        <p className={css.note}>{t("support.notesMore")}</p>
        {(!all || away) && <Waiting away={away} />}
        <ul aria-busy={!all} aria-labelledby={id}>
          {all?.map((one) => (
            <li key={one._id}>
              <p dir="auto">{one.text}</p>
              <small>
                {one.by.name} · {full(intl(), millis(one.by.at))}
              </small>
            </li>
          ))}
        </ul>
        <form onSubmit={submit}>
          <div className={css.area}>
            <label htmlFor={`${id}-text`}>{t("support.note")}</label>
            <textarea
              id={`${id}-text`}
              maxLength={2000}
              required
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
          <Button type="submit" disabled={!text.trim()}>
            {t("support.keepNote")}
          </Button>
        </form>
      </section>
      {replies.length > 0 && <Replies rid={rid} replies={replies} />}
    </>
  );
}

/** Before something is there, or when it could not be fetched. */
function Waiting({ away }: { away: boolean }): ReactNode {
  const t = useT();
  return <p role={away ? "alert" : "status"}>{t(away ? "room.loadFailed" : "app.loading")}</p>;
}

/** What is answered often: put into what is being written to the requester, and never sent by itself. */
function Replies({ rid, replies }: { rid: Id; replies: string[] }): ReactNode {
  const t = useT();
  const id = useId();
  const [, go] = useLocation();
  const mine = useStore((state) => Boolean(state.subscriptions[rid]));
  if (!mine) return null;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{t("support.replies")}</h3>
      <p className={css.note}>{t("support.repliesMore")}</p>
      <ul className={css.replies} aria-labelledby={id}>
        {replies.map((reply) => (
          <li key={reply}>
            <button
              type="button"
              onClick={() => {
                // Where the panel hides the conversation it goes away.
                if (matchMedia("(max-width: 63.99rem)").matches) go(roomPath(rid));
                requestAnimationFrame(() => addToMessage(reply));
              }}
            >
              <span dir="auto">{reply}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** As if it had been typed at the end. */
function addToMessage(text: string): void {
  const box = document.querySelector<HTMLTextAreaElement>("#composer textarea");
  if (!box) return;
  const before = box.value.trimEnd();
  // The setter that React does not watch, so that it hears of the change.
  const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value") ?? {};
  set?.call(box, before ? `${before}\n${text}` : text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
}

function Transfer({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const id = useId();
  const [, go] = useLocation();
  const [to, setTo] = useState("");
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState(false);
  const mine = useStore((state) => Boolean(state.subscriptions[rid]));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setProblem(false);
    const name = to.trim().replace(/^@/, "");
    transfer(rid, name, note.trim())
      .then(() => {
        toast(t("support.transferred", { name }));
        go("/support");
      })
      .catch(() => setProblem(true));
  };
  if (!mine) return null;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{t("support.transfer")}</h3>
      <form onSubmit={submit}>
        <Field
          label={t("support.to")}
          autoCapitalize="none"
          required
          value={to}
          onChange={(event) => setTo(event.target.value)}
          error={problem ? t("support.notThem") : undefined}
        />
        <Field
          label={t("support.transferNote")}
          maxLength={2000}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
        <Button type="submit">{t("support.transfer")}</Button>
      </form>
    </section>
  );
}

interface Ticket {
  id: string;
  title: string | null;
  status: string;
  category: string | null;
  vendor: string | null;
  createdAt: string;
  updatedAt: string;
  createdBy: UserRef[];
  assignees: UserRef[];
  verifiedBy: UserRef[];
}

function Facts({ rid }: { rid: Id }): ReactNode {
  const [ticket, setTicket] = useState<Ticket>();
  const [away, setAway] = useState(false);
  useEffect(() => {
    void get<{ ticket: Ticket }>("support.info", { roomId: rid }).then(
      (found) => setTicket(found.ticket),
      () => setAway(true),
    );
  }, [rid]);
  const names = (all: UserRef[]): string => all.map((user) => user.name ?? user.username).join(", ");
  if (!ticket) return <Waiting away={away} />;
  return (
    <Rows
      rows={[
        ["ticket.id", ticket.id],
        ["ticket.title", ticket.title],
        ["ticket.status", ticket.status],
        ["ticket.category", ticket.category],
        ["ticket.vendor", ticket.vendor],
        ["ticket.createdBy", names(ticket.createdBy)],
        ["ticket.assignees", names(ticket.assignees)],
        ["ticket.verifiedBy", names(ticket.verifiedBy)],
        ["support.opened", full(intl(), millis(ticket.createdAt))],
        ["ticket.changed", full(intl(), millis(ticket.updatedAt))],
      ]}
    />
  );
}
