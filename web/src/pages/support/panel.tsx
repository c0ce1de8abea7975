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
  useEffect(() => void readCase(rid).then(setOne, () => undefined), [rid]);
  const by = one?.requester;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{t("support.requester")}</h3>
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
  const [text, setText] = useState("");
  const read = useCallback(
    () =>
      void get<{ notes: Note[] }>("support.notes", { roomId: rid }).then(
        ({ notes }) => setAll(notes),
        () => setAll([]),
      ),
    [rid],
  );
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
    <section aria-labelledby={id} className={css.notes}>
      <h3 id={id}>
        <NotebookPen size={16} aria-hidden /> {t("support.notesTitle")}
      </h3>
      <p className={css.note}>{t("support.notesMore")}</p>
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
  );
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
  useEffect(() => {
    void get<{ ticket: Ticket }>("support.info", { roomId: rid }).then(
      (found) => setTicket(found.ticket),
      () => undefined,
    );
  }, [rid]);
  const names = (all: UserRef[]): string => all.map((user) => user.name ?? user.username).join(", ");
  if (!ticket) return null;
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
