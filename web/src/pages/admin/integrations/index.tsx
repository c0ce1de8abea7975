import { ArrowDownToLine, ArrowUpFromLine, Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useLocation, useRoute } from "wouter";
import { get } from "@/api/rest";
import { useT } from "@/i18n";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Select } from "@/ui/select";
import kit from "../kit/kit.module.css";
import { List } from "../kit/list";
import { Filters, Mark, Page } from "../kit/page";
import { useWindow } from "../kit/window";
import { NewHook } from "./new";
import { OneHook } from "./one";
import type { Integration } from "./types";

/** Webhooks in and out. */
export default function Integrations(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [, chosen] = useRoute("/admin/integrations/:id");
  const [text, setText] = useState("");
  const [type, setType] = useState("");
  const incoming = useStore(
    (from) =>
      may("manage-incoming-integrations", undefined, from) || may("manage-own-incoming-integrations", undefined, from),
  );
  const outgoing = useStore(
    (from) =>
      may("manage-outgoing-integrations", undefined, from) || may("manage-own-outgoing-integrations", undefined, from),
  );
  const query = { name: text.trim() || undefined, type: type || undefined };
  const rows = useWindow<Integration>(JSON.stringify(query), async (offset, count) => {
    type Answer = { integrations: Integration[]; total: number };
    const found = await get<Answer>("integrations.list", { ...query, offset, count });
    return { items: found.integrations, total: found.total };
  });
  const id = chosen?.id;
  const fresh = id === "new-incoming" || id === "new-outgoing";
  const close = (): void => go("/admin/integrations");
  return (
    <Page
      fixed
      title={t("admin.integrations")}
      actions={
        <>
          {incoming && (
            <Button onClick={() => go("/admin/integrations/new-incoming")}>
              <Plus size={18} aria-hidden /> {t("hooks.newIncoming")}
            </Button>
          )}
          {outgoing && (
            <Button onClick={() => go("/admin/integrations/new-outgoing")}>
              <Plus size={18} aria-hidden /> {t("hooks.newOutgoing")}
            </Button>
          )}
        </>
      }
    >
      <Filters>
        <Field label={t("hooks.find")} type="search" value={text} onChange={(event) => setText(event.target.value)} />
        <Select
          label={t("hooks.type")}
          value={type}
          choose={setType}
          choices={[
            ["", t("hooks.both")] as const,
            ["webhook-incoming", t("hooks.webhook-incoming")] as const,
            ["webhook-outgoing", t("hooks.webhook-outgoing")] as const,
          ]}
        />
      </Filters>
      <List
        label={t("admin.integrations")}
        rows={rows}
        count={(count) => t("hooks.count", { count })}
        empty={t("hooks.none")}
        href={({ _id }) => `/admin/integrations/${_id}`}
      >
        {(one) => <Shown one={one} />}
      </List>
      {fresh && <NewHook key={id} outgoing={id === "new-outgoing"} close={close} made={rows.reload} />}
      {id && !fresh && <OneHook key={id} id={id} close={close} changed={rows.reload} />}
    </Page>
  );
}

function Shown({ one }: { one: Integration }): ReactNode {
  const t = useT();
  const Icon = one.type === "webhook-incoming" ? ArrowDownToLine : ArrowUpFromLine;
  return (
    <>
      <Icon size={20} role="img" aria-label={t(`hooks.${one.type}`)} />
      <span className={kit.main}>
        <b dir="auto">{one.name || one._id}</b>
        <small dir="auto">
          {one.channel.join(", ")} · @{one.username}
        </small>
      </span>
      <span className={kit.side}>
        <Mark bad={!one.enabled}>{t(one.enabled ? "hooks.on" : "hooks.off")}</Mark>
        <small>{one.event && t(`hooks.event.${one.event}`)}</small>
      </span>
    </>
  );
}
