import { type ReactNode, useEffect, useState } from "react";
import { get, post } from "@/api/rest";
import type { Id, Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { full, millis } from "@/lib/time";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { Mark, Row } from "../kit/page";
import { reason } from "../kit/reason";

interface Delivery {
  _id: Id;
  event: string;
  url: string;
  finished: boolean;
  error: boolean;
  httpError?: string | null;
  httpResult?: string | null;
  httpStatus?: number | null;
  attempts: number;
  nextAttemptAt?: Wire | null;
  data?: unknown;
  _createdAt: Wire;
}

/** While calls are under way they are looked at again after this (ms). */
const AGAIN = 1_500;

/** What a webhook called lately, with what came back; any of it once more. */
export function Deliveries({ id }: { id: Id }): ReactNode {
  const t = useT();
  const [round, setRound] = useState(0);
  const [clearing, setClearing] = useState(false);
  const { items, loading, failed, more, next } = usePaged<Delivery>(`${id}/${round}`, async (offset) => {
    return (await get<{ history: Delivery[] }>("integrations.history", { id, offset, count: 50 })).history;
  });
  const waiting = items.some(({ finished }) => !finished);
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setTimeout(() => setRound((now) => now + 1), AGAIN);
    return () => clearTimeout(timer);
  }, [waiting, round]);
  const run = (done: Promise<unknown>): void =>
    void done
      .then(() => {
        toast(t("hooks.called"));
        setRound((now) => now + 1);
      })
      .catch((error: unknown) => toast(reason(error, t), { bad: true }));
  const status = (one: Delivery): string => {
    if (!one.finished) return t("hooks.state.waiting");
    if (one.httpStatus) return t("hooks.state.answer", { status: String(one.httpStatus) });
    return t(one.error ? "hooks.state.failed" : "hooks.state.done");
  };
  return (
    <>
      <Row>
        <Button onClick={() => run(post("integrations.test", { integrationId: id }))}>{t("hooks.test")}</Button>
        <Button onClick={() => setRound((now) => now + 1)}>{t("hooks.refresh")}</Button>
        <Button disabled={items.length === 0} onClick={() => setClearing(true)}>
          {t("hooks.clear")}
        </Button>
      </Row>
      <p role="status" className={kit.note}>
        {failed
          ? t("admin.loadFailed")
          : loading && items.length === 0
            ? t("app.loading")
            : t("hooks.callCount", { count: items.length })}
      </p>
      <ul className={kit.cards} aria-label={t("hooks.deliveries")}>
        {items.map((one) => (
          <li key={one._id} className={kit.card}>
            <span className={kit.main}>
              <span>
                <Mark bad={one.error}>{status(one)}</Mark> {t(`hooks.event.${one.event}`)}
              </span>
              <small>
                {full(intl(), millis(one._createdAt))} · {t("hooks.attempts", { count: one.attempts })}
              </small>
              <small dir="ltr">{one.url}</small>
              {one.httpError && <small className={kit.problem}>{one.httpError}</small>}
              <details>
                <summary>{t("hooks.details")}</summary>
                <div className={kit.copy}>
                  <pre dir="ltr">
                    <code>{JSON.stringify(one.data, null, 2)}</code>
                    {one.httpResult && <code>{`\n\n${one.httpResult}`}</code>}
                  </pre>
                </div>
              </details>
            </span>
            <Button
              aria-label={t("hooks.replayOf", { when: full(intl(), millis(one._createdAt)) })}
              onClick={() => run(post("integrations.replayOutgoing", { integrationId: id, historyId: one._id }))}
            >
              {t("hooks.replay")}
            </Button>
          </li>
        ))}
      </ul>
      {more && (
        <Button onClick={next} busy={loading}>
          {t("panel.more")}
        </Button>
      )}
      {clearing && (
        <Danger
          title={t("hooks.clearAsk")}
          yes={t("hooks.clear")}
          close={() => setClearing(false)}
          done={() => setRound((now) => now + 1)}
          run={() => post("integrations.clearHistory", { integrationId: id })}
        >
          <p>{t("hooks.clearMore")}</p>
        </Danger>
      )}
    </>
  );
}
