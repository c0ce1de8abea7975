import { type FormEvent, type ReactNode, useCallback, useEffect, useId, useState } from "react";
import { Link, useLocation } from "wouter";
import { get, post } from "@/api/rest";
import { useT } from "@/i18n";
import { refresh } from "@/store/actions";
import { asks, type Case } from "@/store/desk";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { why } from "@/ui/failed";
import { Check, Field } from "@/ui/field";
import css from "./support.module.css";

/** Asking for help, and what became of it. */
export function Ask(): ReactNode {
  const t = useT();
  const id = useId();
  const [, go] = useLocation();
  const may = useStore((state) => asks(state.me));
  const [title, setTitle] = useState("");
  const [text, setText] = useState("");
  const [urgent, setUrgent] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [own, setOwn] = useState<Case[]>([]);
  const read = useCallback(async () => {
    setOwn((await get<{ cases: Case[] }>("support.mine", { count: 50 })).cases);
  }, []);
  useEffect(() => void read().catch(() => undefined), [read]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const body = { title: title.trim(), text: text.trim(), priority: urgent ? "emergency" : "normal" };
    try {
      const opened = await post<{ case: Case }>("support.open", body);
      await refresh(opened.case.rid);
      go(`/group/${encodeURIComponent(opened.case.name)}`);
    } catch (error) {
      setProblem(why(error));
      setBusy(false);
    }
  };
  return (
    <>
      {may ? (
        <section className={css.ask} aria-labelledby={id}>
          <h2 id={id}>{t("support.ask")}</h2>
          <div role="alert">{problem && <p className={css.problem}>{t(problem)}</p>}</div>
          <form onSubmit={(event) => void submit(event)}>
            <Field
              label={t("support.subject")}
              maxLength={200}
              required
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
            <div className={css.area}>
              <label htmlFor={`${id}-text`}>{t("support.text")}</label>
              <textarea
                id={`${id}-text`}
                required
                maxLength={5000}
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            </div>
            <Check
              label={t("support.urgent")}
              hint={t("support.urgentHint")}
              checked={urgent}
              onChange={(event) => setUrgent(event.target.checked)}
            />
            <Button kind={urgent ? "danger" : "primary"} type="submit" busy={busy}>
              {t(urgent ? "support.sendUrgent" : "support.send")}
            </Button>
          </form>
        </section>
      ) : (
        <p className={css.note}>{t("support.closedToYou")}</p>
      )}
      {own.length > 0 && (
        <section className={css.lane} aria-labelledby={`${id}-own`}>
          <h2 id={`${id}-own`}>{t("support.own")}</h2>
          <ul>
            {own.map((one) => (
              <li key={one.rid}>
                <article className={css.card} aria-label={one.title}>
                  <h3 dir="auto">
                    <Link href={`/group/${encodeURIComponent(one.name)}`}>{one.title}</Link>
                  </h3>
                  <p className={css.state}>{t(one.open ? "support.isOpen" : "support.isClosed")}</p>
                </article>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
