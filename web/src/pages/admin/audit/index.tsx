import { type ReactNode, useState } from "react";
import { i18n } from "@lingui/core";
import { get } from "@/api/rest";
import type { Id, Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis, moment } from "@/lib/time";
import { Field } from "@/ui/field";
import { Select } from "@/ui/select";
import kit from "../kit/kit.module.css";
import { List } from "../kit/list";
import { Filters, Page } from "../kit/page";
import { useWindow } from "../kit/window";

interface Entry {
  _id: Id;
  ts: Wire;
  action: string;
  about: string;
  u: { _id: Id; username: string };
}

const KINDS = ["", "user.", "role.", "permission.", "setting.", "room.", "messages.", "reports.", "banner."] as const;

/** Who of those with power did what, and when. */
export default function Audit(): ReactNode {
  const t = useT();
  const [text, setText] = useState("");
  const [kind, setKind] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const day = (date: string, later = 0): string | undefined =>
    date ? new Date(new Date(`${date}T00:00`).getTime() + later).toISOString() : undefined;
  const query = {
    text: text.trim() || undefined,
    action: kind || undefined,
    oldest: day(from),
    latest: day(to, 86_400_000),
  };
  const rows = useWindow<Entry>(JSON.stringify(query), async (offset, count) => {
    const found = await get<{ entries: Entry[]; total: number }>("audit.log", { ...query, offset, count });
    return { items: found.entries, total: found.total };
  });
  const word = (action: string): string => (i18n.messages[`audit.act.${action}`] ? t(`audit.act.${action}`) : action);
  return (
    <Page fixed title={t("admin.audit")}>
      <Filters>
        <Field
          label={t("audit.find")}
          hint={t("audit.findHint")}
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Select
          label={t("audit.kind")}
          value={kind}
          choose={setKind}
          choices={KINDS.map((one) => [one, t(`audit.kind.${one.replace(".", "") || "all"}`)] as const)}
        />
        <Field label={t("audit.from")} type="date" value={from} onChange={(event) => setFrom(event.target.value)} />
        <Field label={t("audit.to")} type="date" value={to} onChange={(event) => setTo(event.target.value)} />
      </Filters>
      <List label={t("admin.audit")} rows={rows} count={(count) => t("audit.count", { count })} empty={t("audit.none")}>
        {(entry) => (
          <>
            <span className={kit.main}>
              <b>{word(entry.action)}</b>
              <small dir="auto">{entry.about}</small>
            </span>
            <span className={kit.side}>
              <span>
                <bdi>@{entry.u.username || entry.u._id}</bdi>
                <br />
                <small title={full(intl(), millis(entry.ts))}>{moment(intl(), millis(entry.ts))}</small>
              </span>
            </span>
          </>
        )}
      </List>
    </Page>
  );
}
