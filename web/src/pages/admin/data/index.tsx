import type { ReactNode } from "react";
import { useT } from "@/i18n";
import { Copy } from "../kit/copy";
import kit from "../kit/kit.module.css";
import { Page, Part } from "../kit/page";

/** What is done at the machine itself: the command, and what it does. */
const COMMANDS = [
  ["backup", ["parlor backup /var/backups/parlor-$(date +%F)"]],
  ["restore", ["parlor restore /var/backups/parlor-2026-11-20 --data /var/lib/parlor-new"]],
  ["import", ["parlor import rocketchat /path/to/dump", "parlor import showwise /path/to/folder --dry-run"]],
  ["logs", ["journalctl -u parlor -f", "docker logs -f parlor"]],
  ["doctor", ["parlor doctor"]],
  ["metrics", ["curl -s http://127.0.0.1:3000/metrics"]],
] as const;

/** Backup, import and logs: commands at the server's own machine, ready to be copied. */
export default function Data(): ReactNode {
  const t = useT();
  return (
    <Page title={t("admin.data")}>
      <p>{t("data.why")}</p>
      <div className={kit.scroll}>
        {COMMANDS.map(([id, lines]) => (
          <Part key={id} title={t(`data.${id}`)} level={2}>
            <p>{t(`data.${id}More`)}</p>
            {lines.map((line) => (
              <Copy key={line} label={t(`data.${id}`)} text={line} />
            ))}
          </Part>
        ))}
      </div>
    </Page>
  );
}
