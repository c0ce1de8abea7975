import { type ReactNode, useRef, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { Row } from "../kit/page";
import { reason } from "../kit/reason";
import type { Account } from "./types";

type Act = "deactivate" | "activate" | "logout";

const NEEDS: Record<Act, string> = {
  deactivate: "edit-other-user-active-status",
  activate: "edit-other-user-active-status",
  logout: "logout-other-user",
};
/** What takes it back, where something does. */
const BACK: Partial<Record<Act, Act>> = { deactivate: "activate", activate: "deactivate" };

const ask = (act: Act, { _id }: Account): Promise<unknown> =>
  act === "logout"
    ? post("users.logout", { userId: _id })
    : post("users.setActiveStatus", { userId: _id, activeStatus: act === "activate" });

interface Work {
  act: Act;
  all: Account[];
  done: Account[];
  failed: { account: Account; why: string }[];
  over: boolean;
}

interface Props {
  accounts: Account[];
  clear: () => void;
  changed: () => void;
}

/** The same for many accounts, one after the other: with how far it is, a way to stop, and a way back. */
export function Bulk({ accounts, clear, changed }: Props): ReactNode {
  const t = useT();
  const [asked, setAsked] = useState<Act | null>(null);
  const [work, setWork] = useState<Work | null>(null);
  const stop = useRef(false);
  const me = useStore((state) => state.me?._id);
  const permissions = useStore((state) => state.permissions);
  const others = accounts.filter(({ _id }) => _id !== me);
  const acts = (Object.keys(NEEDS) as Act[]).filter((act) => permissions[NEEDS[act]] && may(NEEDS[act]));
  const run = async (act: Act, all: Account[]): Promise<void> => {
    stop.current = false;
    const now: Work = { act, all, done: [], failed: [], over: false };
    setWork(now);
    for (const account of all) {
      if (stop.current) break;
      await ask(act, account)
        .then(() => now.done.push(account))
        .catch((error: unknown) => now.failed.push({ account, why: reason(error, t) }));
      setWork({ ...now });
    }
    setWork({ ...now, over: true });
    clear();
    changed();
  };
  if (accounts.length === 0 && !work) return null;
  const back = work?.over ? BACK[work.act] : undefined;
  return (
    <section className={kit.part} aria-label={t("bulk.label")}>
      {accounts.length > 0 && !(work && !work.over) && (
        <Row>
          <span role="status">{t("bulk.chosen", { count: accounts.length })}</span>
          {acts.map((act) => (
            <Button key={act} disabled={others.length === 0} onClick={() => setAsked(act)}>
              {t(`users.${act}`)}
            </Button>
          ))}
          <Button kind="quiet" onClick={clear}>
            {t("bulk.clear")}
          </Button>
        </Row>
      )}
      {work && !work.over && (
        <Row>
          <progress
            aria-label={t("bulk.progress")}
            max={work.all.length}
            value={work.done.length + work.failed.length}
          />
          <span role="status">
            {t("bulk.at", { at: work.done.length + work.failed.length, count: work.all.length })}
          </span>
          <Button onClick={() => (stop.current = true)}>{t("bulk.stop")}</Button>
        </Row>
      )}
      {work?.over && (
        <>
          <Row>
            <span role="status">{t(`bulk.done.${work.act}`, { count: work.done.length })}</span>
            {back && work.done.length > 0 && (
              <Button onClick={() => void run(back, work.done)}>{t("bulk.undo")}</Button>
            )}
            <Button kind="quiet" onClick={() => setWork(null)}>
              {t("bulk.close")}
            </Button>
          </Row>
          {work.failed.length > 0 && (
            <ul role="alert" className={kit.problem}>
              {work.failed.map(({ account, why }) => (
                <li key={account._id}>
                  @{account.username}: {why}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      {asked && (
        <Danger
          title={t(`bulk.ask.${asked}`, { count: others.length })}
          yes={t(`users.${asked}`)}
          close={() => setAsked(null)}
          run={() => {
            void run(asked, others);
            return Promise.resolve();
          }}
        >
          <p>{t(`users.${asked}More`)}</p>
          <p className={kit.note}>
            {others
              .slice(0, 12)
              .map(({ username }) => `@${username}`)
              .join(", ")}
            {others.length > 12 && " …"}
          </p>
        </Danger>
      )}
    </section>
  );
}
