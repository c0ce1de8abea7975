import { type ReactNode, useState } from "react";
import { useLocation, useRoute } from "wouter";
import { get } from "@/api/rest";
import type { Id, Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { brief, millis } from "@/lib/time";
import { Avatar } from "@/ui/avatar";
import { Select } from "@/ui/select";
import kit from "../kit/kit.module.css";
import { List } from "../kit/list";
import { Filters, Mark, Page } from "../kit/page";
import { useWindow } from "../kit/window";
import { Case } from "./case";

interface OfMessages {
  userId: Id;
  username: string;
  name: string;
  isUserDeleted: boolean;
  message: string;
  ts: Wire;
  count: number;
}

interface OfPeople {
  reportedUser: { _id: Id; username: string; name: string };
  ts: Wire;
  count: number;
}

/** How far back reports are looked at, in days. */
const SPANS = ["", "1", "7", "30"] as const;

/** What people reported: messages, and other people; by who is reported. */
export default function Reports(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [, chosen] = useRoute("/admin/reports/:kind/:id");
  const [kind, setKind] = useState<string>(chosen?.kind ?? "messages");
  const [span, setSpan] = useState("");
  const rows = useWindow<OfMessages>(`${kind}/${span}`, async (offset, count) => {
    const oldest = span ? new Date(Date.now() - Number(span) * 86_400_000).toISOString() : undefined;
    if (kind === "messages")
      return get<{ reports: OfMessages[]; total: number }>("moderation.reportsByUsers", { oldest, offset, count }).then(
        ({ reports, total }) => ({ items: reports, total }),
      );
    const found = await get<{ reports: OfPeople[]; total: number }>("moderation.userReports", {
      oldest,
      offset,
      count,
    });
    const items = found.reports.map(({ reportedUser, ts, count: times }) => ({
      userId: reportedUser._id,
      username: reportedUser.username,
      name: reportedUser.name,
      isUserDeleted: !reportedUser.username,
      message: "",
      ts,
      count: times,
    }));
    return { items, total: found.total };
  });
  return (
    <Page fixed title={t("admin.reports")}>
      <Filters>
        <Select
          label={t("reports.kind")}
          value={kind}
          choose={setKind}
          choices={[["messages", t("reports.messages")] as const, ["people", t("reports.people")] as const]}
        />
        <Select
          label={t("reports.span")}
          value={span}
          choose={setSpan}
          choices={SPANS.map((one) => [one, t(`reports.span.${one || "all"}`)] as const)}
        />
      </Filters>
      <List
        label={t("admin.reports")}
        rows={rows}
        count={(count) => t("reports.count", { count })}
        empty={t("reports.none")}
        href={({ userId }) => `/admin/reports/${kind}/${userId}`}
      >
        {(one) => (
          <>
            <Avatar username={one.username} size={36} />
            <span className={kit.main}>
              <b dir="auto">{one.name || one.username || t("reports.removed")}</b>
              <small dir="auto">{one.message || `@${one.username}`}</small>
            </span>
            <span className={kit.side}>
              <Mark bad>{t("reports.times", { count: one.count })}</Mark>
              <small>{brief(intl(), millis(one.ts))}</small>
            </span>
          </>
        )}
      </List>
      {chosen && (
        <Case
          key={`${chosen.kind}/${chosen.id}`}
          userId={chosen.id}
          people={chosen.kind === "people"}
          close={() => go("/admin/reports")}
          changed={rows.reload}
        />
      )}
    </Page>
  );
}
