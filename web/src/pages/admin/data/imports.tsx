import type { ReactNode } from "react";
import { get } from "@/api/rest";
import type { Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { Copy } from "../kit/copy";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Part } from "../kit/page";
import css from "./data.module.css";

interface Import {
  _id: string;
  source: string;
  said: string;
  at: Wire;
}

const NAMES: Record<string, string> = { rocketchat: "Rocket.Chat", slack: "Slack", showwise: "ShowWise" };
const COMMANDS = [
  "parlor import rocketchat /path/to/dump",
  "parlor import slack /path/to/export.zip",
  "parlor import showwise /path/to/folder --dry-run",
];

/** What was brought in from elsewhere, and what came of it; with the commands that do it. */
export function Imports(): ReactNode {
  const t = useT();
  const { value, failed } = useLoad("imports", () => get<{ imports: Import[] }>("imports.list"));
  const all = value?.imports ?? [];
  return (
    <Part title={t("data.import")} level={2}>
      <p role="status" className={css.count}>
        {failed ? t("admin.loadFailed") : value ? t("import.count", { count: all.length }) : t("app.loading")}
      </p>
      {all.length > 0 && (
        <ul className={css.rows} aria-label={t("import.list")}>
          {all.map((one) => (
            <li key={one._id}>
              <details>
                <summary>
                  <b>{NAMES[one.source] ?? one.source}</b> {full(intl(), millis(one.at))}
                </summary>
                <pre dir="ltr">{one.said}</pre>
              </details>
            </li>
          ))}
        </ul>
      )}
      <p className={kit.note}>{t("data.importMore")}</p>
      {COMMANDS.map((line) => (
        <Copy key={line} label={t("data.import")} text={line} />
      ))}
    </Part>
  );
}
