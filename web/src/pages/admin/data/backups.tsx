import { type ReactNode, useEffect, useState } from "react";
import { get, post } from "@/api/rest";
import type { Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { useNow } from "@/lib/now";
import { size } from "@/lib/text";
import { full, millis } from "@/lib/time";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Mark, Part } from "../kit/page";
import css from "./data.module.css";

interface State {
  backups: { name: string; madeAt: Wire; bytes: number; files: number; missing: number }[];
  folder: string;
  most: number;
  withoutFiles: boolean;
  runningSince: Wire | null;
  failed: { at: Wire; why: string } | null;
}

/** How often a backup that is being made is asked for (ms), and after how many days the last one is old. */
const SOON = 2_000;
const OLD = 7;

/** The backups that the server keeps on its own disk, and a way to make one now. */
export function Backups(): ReactNode {
  const t = useT();
  const now = useNow(60_000);
  const [busy, setBusy] = useState(false);
  const { value, failed: away, reload, set } = useLoad("backups", () => get<State>("backups.list"));
  const running = value?.runningSince ?? null;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(reload, SOON);
    return () => clearInterval(timer);
  }, [running, reload]);
  const begin = (): void => {
    setBusy(true);
    post<State>("backups.start", {}, { timeout: 30_000 })
      .then(set)
      .catch(failed("failed.backup"))
      .finally(() => setBusy(false));
  };
  const last = value?.backups[0];
  const days = last ? Math.floor((now - millis(last.madeAt)) / 86_400_000) : 0;
  const when = (at: Wire): string => full(intl(), millis(at));
  return (
    <Part title={t("data.backup")} level={2}>
      <div className={css.state}>
        <p role="status">
          {away ? (
            t("admin.loadFailed")
          ) : !value ? (
            t("app.loading")
          ) : running ? (
            t("backup.running", { when: when(running) })
          ) : last ? (
            <>
              {t("backup.last", { when: when(last.madeAt) })}{" "}
              {days >= OLD && <Mark bad>{t("backup.old", { count: days })}</Mark>}
            </>
          ) : (
            <Mark bad>{t("backup.none")}</Mark>
          )}
        </p>
        <Button kind="primary" busy={busy || running !== null} onClick={begin}>
          {t(running ? "backup.busy" : "backup.make")}
        </Button>
      </div>
      {value?.failed && (
        <p role="alert" className={css.bad}>
          {t("backup.failed", { when: when(value.failed.at), why: value.failed.why })}
        </p>
      )}
      {value && (
        <p className={kit.note}>
          {t("backup.where", { folder: value.folder, count: value.most })}
          {value.withoutFiles && ` ${t("backup.withoutFiles")}`}
        </p>
      )}
      {last && (
        <ul className={css.rows} aria-label={t("backup.list")}>
          {value?.backups.map((one) => (
            <li key={one.name}>
              <b>{when(one.madeAt)}</b>
              <code dir="ltr">{one.name}</code>
              <span>
                {size(intl(), one.bytes)} · {t("backup.files", { count: one.files })}
                {one.missing > 0 && !value.withoutFiles && (
                  <>
                    {" "}
                    <Mark bad>{t("backup.missing", { count: one.missing })}</Mark>
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}
