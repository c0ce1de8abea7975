import { type ReactNode, useRef, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Select } from "@/ui/select";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { Row } from "../kit/page";
import { reason } from "../kit/reason";
import type { Account, Role } from "./types";

type Act = "deactivate" | "activate" | "logout" | "give" | "take";

const NEEDS: Record<Act, string> = {
  deactivate: "edit-other-user-active-status",
  activate: "edit-other-user-active-status",
  logout: "logout-other-user",
  give: "assign-roles",
  take: "assign-roles",
};
const OF_ROLES: readonly Act[] = ["give", "take"];
/** What takes it back, where something does. */
const BACK: Partial<Record<Act, Act>> = {
  deactivate: "activate",
  activate: "deactivate",
  give: "take",
  take: "give",
};

function ask(act: Act, { _id, username }: Account, role: string): Promise<unknown> {
  if (act === "give") return post("roles.addUserToRole", { roleId: role, username });
  if (act === "take") return post("roles.removeUserFromRole", { roleId: role, username });
  if (act === "logout") return post("users.logout", { userId: _id });
  return post("users.setActiveStatus", { userId: _id, activeStatus: act === "activate" });
}

/** Those whom it concerns: who has a role already is not given it again. */
const concerned = (act: Act, all: Account[], role: string): Account[] =>
  OF_ROLES.includes(act) ? all.filter(({ roles = [] }) => roles.includes(role) === (act === "take")) : all;

interface Work {
  act: Act;
  role: Role | undefined;
  all: Account[];
  done: Account[];
  failed: { account: Account; why: string }[];
  over: boolean;
}

interface Props {
  accounts: Account[];
  /** The workspace's roles. */
  roles: Role[];
  clear: () => void;
  changed: () => void;
}

/** The same for many accounts, one after the other: with how far it is, a way to stop, and a way back. */
export function Bulk({ accounts, roles, clear, changed }: Props): ReactNode {
  const t = useT();
  const [asked, setAsked] = useState<Act | null>(null);
  const [chosen, setChosen] = useState<string>();
  const [work, setWork] = useState<Work | null>(null);
  const stop = useRef(false);
  const me = useStore((state) => state.me?._id);
  const permissions = useStore((state) => state.permissions);
  const others = accounts.filter(({ _id }) => _id !== me);
  const acts = (Object.keys(NEEDS) as Act[]).filter((act) => permissions[NEEDS[act]] && may(NEEDS[act]));
  const role = roles.find(({ _id }) => _id === chosen) ?? roles.find(({ _id }) => _id !== "user");
  const meant = asked ? concerned(asked, others, role?._id ?? "") : [];
  const run = async (act: Act, all: Account[], given: Role | undefined): Promise<void> => {
    stop.current = false;
    const now: Work = { act, role: given, all, done: [], failed: [], over: false };
    setWork(now);
    for (const account of all) {
      if (stop.current) break;
      await ask(act, account, given?._id ?? "")
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
            <span role="status">
              {t(`bulk.done.${work.act}`, { count: work.done.length, role: work.role?.name ?? "" })}
            </span>
            {back && work.done.length > 0 && (
              <Button onClick={() => void run(back, work.done, work.role)}>{t("bulk.undo")}</Button>
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
          title={t(`bulk.ask.${asked}`, { count: meant.length, role: role?.name ?? "" })}
          yes={t(`users.${asked}`)}
          close={() => setAsked(null)}
          run={() => {
            void run(asked, meant, OF_ROLES.includes(asked) ? role : undefined);
            return Promise.resolve();
          }}
        >
          {OF_ROLES.includes(asked) && (
            <Select
              label={t("users.role")}
              value={role?._id ?? ""}
              choose={setChosen}
              choices={roles.map((one) => [one._id, one.name] as const)}
            />
          )}
          <p>{t(`users.${asked}More`)}</p>
          <p className={kit.note}>
            {meant
              .slice(0, 12)
              .map(({ username }) => `@${username}`)
              .join(", ")}
            {meant.length > 12 && " …"}
          </p>
        </Danger>
      )}
    </section>
  );
}
