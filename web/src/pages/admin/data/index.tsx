import type { ReactNode } from "react";
import { useT } from "@/i18n";
import { may, useStore } from "@/store/state";
import { Copy } from "../kit/copy";
import kit from "../kit/kit.module.css";
import { Page, Part } from "../kit/page";
import { Backups } from "./backups";
import css from "./data.module.css";
import { Imports } from "./imports";
import { Log } from "./log";

/** What is done at the machine itself: the command, and what it does. */
const COMMANDS = [
  ["elsewhere", ["parlor backup /var/backups/parlor-$(date +%F)"]],
  ["restore", ["parlor restore /var/backups/parlor-2026-11-20 --data /var/lib/parlor-new"]],
  ["doctor", ["parlor doctor"]],
  ["logs", ["journalctl -u parlor -f", "docker logs -f parlor"]],
  ["metrics", ["curl -s http://127.0.0.1:3000/metrics"]],
] as const;

/** Backups, the server's log, imports, and commands at the server's own machine, ready to be copied. */
export default function Data(): ReactNode {
  const t = useT();
  const backs = useStore((state) => may("run-migration", undefined, state));
  const logs = useStore((state) => may("view-logs", undefined, state));
  const imports = useStore((state) => may("run-import", undefined, state));
  return (
    <Page title={t("admin.data")}>
      <div className={kit.scroll}>
        {backs && <Backups />}
        {logs && <Log />}
        {imports && <Imports />}
        <Part title={t("data.machine")} level={2}>
          <p className={kit.note}>{t("data.why")}</p>
          <ul className={css.commands}>
            {COMMANDS.map(([id, lines]) => (
              <li key={id}>
                <h3>{t(`data.${id}`)}</h3>
                <p className={kit.note}>{t(`data.${id}More`)}</p>
                {lines.map((line) => (
                  <Copy key={line} label={t(`data.${id}`)} text={line} />
                ))}
              </li>
            ))}
          </ul>
        </Part>
      </div>
    </Page>
  );
}
