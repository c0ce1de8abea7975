import { type ReactNode, useEffect } from "react";
import { get } from "@/api/rest";
import type { Wire } from "@/api/types";
import { intl, type Translate, useT } from "@/i18n";
import { size } from "@/lib/text";
import { full, millis } from "@/lib/time";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Facts, Mark, Page, Part } from "../kit/page";

type Counts = Record<string, number> & {
  version: string;
  installedAt: Wire;
  createdAt: Wire;
  uniqueId: string;
  process: { uptime: number };
  teams: { totalTeams: number };
  parlor?: { version: string; database: string; queue: number };
};

type Backups = { backups: { madeAt: Wire }[] };

/** The figures are read again after this (ms), while somebody looks. */
const AGAIN = 15_000;

const USERS = ["totalUsers", "activeUsers", "nonActiveUsers", "onlineUsers", "awayUsers", "busyUsers"] as const;
const ROOMS = ["totalRooms", "totalChannels", "totalPrivateGroups", "totalDirect", "totalDiscussions"] as const;
const MESSAGES = [
  "totalMessages",
  "totalChannelMessages",
  "totalPrivateGroupMessages",
  "totalDirectMessages",
  "totalThreads",
  "uploadsTotal",
] as const;

/** How the server is, and how much there is. */
export default function Health(): ReactNode {
  const t = useT();
  const connection = useStore((state) => state.connection);
  const { value, failed, reload } = useLoad("health", async () => {
    const began = performance.now();
    const counts = await get<Counts>("statistics", {}, { timeout: 30_000 });
    const took = performance.now() - began;
    // Whoever may look at figures may not look at backups.
    const backups = await get<Backups>("backups.list").catch(() => null);
    return { counts, took, backups };
  });
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && reload(), AGAIN);
    return () => clearInterval(timer);
  }, [reload]);
  const number = (count: number): string => new Intl.NumberFormat(intl()).format(count);
  const facts = (keys: readonly string[]): (readonly [string, string])[] =>
    keys.map((key) => [t(`health.${key}`), number(value?.counts[key] ?? 0)] as const);
  return (
    <Page title={t("admin.health")} actions={<Button onClick={reload}>{t("health.refresh")}</Button>}>
      <p role="status" className={kit.count}>
        {failed ? <Mark bad>{t("health.bad")}</Mark> : value ? <Mark>{t("health.good")}</Mark> : t("app.loading")}
      </p>
      {value && (
        <div className={kit.scroll}>
          <Part title={t("health.server")} level={2}>
            <Facts
              facts={[
                [t("health.product"), value.counts.parlor?.version ?? ""],
                [t("health.version"), value.counts.version],
                [t("health.uptime"), uptime(intl(), value.counts.process.uptime)],
                [t("health.installed"), full(intl(), millis(value.counts.installedAt))],
                [t("health.took"), t("health.ms", { ms: Math.round(value.took) })],
                [t("health.live"), t(connection === "online" ? "health.connected" : "health.apart")],
                [t("health.totalConnectedUsers"), number(value.counts.totalConnectedUsers ?? 0)],
                [t("health.database"), value.counts.parlor?.database ?? ""],
                [t("health.queue"), number(value.counts.parlor?.queue ?? 0)],
                [t("health.storage"), size(intl(), value.counts.uploadsStoredSize ?? 0)],
                ...(value.backups ? [[t("health.backup"), lastBackup(value.backups, t)] as const] : []),
                [t("health.id"), value.counts.uniqueId],
              ]}
            />
          </Part>
          <Part title={t("health.people")} level={2}>
            <Facts facts={facts(USERS)} />
          </Part>
          <Part title={t("health.rooms")} level={2}>
            <Facts facts={[...facts(ROOMS), [t("health.totalTeams"), number(value.counts.teams.totalTeams)]]} />
          </Part>
          <Part title={t("health.messages")} level={2}>
            <Facts
              facts={[...facts(MESSAGES), [t("health.bytes"), size(intl(), value.counts.uploadsTotalSize ?? 0)]]}
            />
          </Part>
          <p className={kit.note}>{t("health.metrics")}</p>
        </div>
      )}
    </Page>
  );
}

const lastBackup = ({ backups: [last] }: Backups, t: Translate): string =>
  last ? full(intl(), millis(last.madeAt)) : t("health.noBackup");

/** Days, hours and minutes, in the reader's words. */
function uptime(locale: string, seconds: number): string {
  const parts = [
    ["day", Math.floor(seconds / 86_400)],
    ["hour", Math.floor(seconds / 3_600) % 24],
    ["minute", Math.floor(seconds / 60) % 60],
  ] as const;
  const shown = parts.filter(([unit, count]) => count > 0 || unit === "minute");
  const words = shown.map(([unit, count]) =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count),
  );
  return new Intl.ListFormat(locale, { type: "unit" }).format(words);
}
