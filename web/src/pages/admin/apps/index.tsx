import { Plus } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { useLocation, useRoute } from "wouter";
import { get, post } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Check, Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import { Area } from "../kit/area";
import { Copy } from "../kit/copy";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { List } from "../kit/list";
import { Mark, Page, Part } from "../kit/page";
import { reason } from "../kit/reason";
import { useWindow } from "../kit/window";

interface App {
  _id: Id;
  name: string;
  active: boolean;
  clientId: string;
  clientSecret?: string;
  redirectUri: string;
}

/** Applications that may sign people in by their accounts here. */
export default function Apps(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [, chosen] = useRoute("/admin/apps/:id");
  // A secret is told once: it is shown until its dialog is closed.
  const [told, setTold] = useState<App | null>(null);
  const rows = useWindow<App>("all", async () => {
    const { oauthApps } = await get<{ oauthApps: App[] }>("oauth-apps.list");
    // There is no paging: the few that there are come at once.
    return { items: oauthApps, total: oauthApps.length };
  });
  const close = (): void => go("/admin/apps");
  const changed = (app?: App): void => {
    rows.reload();
    close();
    if (app?.clientSecret) setTold(app);
    else toast(t("admin.saved"));
  };
  const one = chosen && chosen.id !== "new" ? find(rows, chosen.id) : undefined;
  return (
    <Page
      fixed
      title={t("admin.apps")}
      actions={
        <Button kind="primary" onClick={() => go("/admin/apps/new")}>
          <Plus size={18} aria-hidden /> {t("apps.new")}
        </Button>
      }
    >
      <p className={kit.note}>{t("apps.why")}</p>
      <List
        label={t("admin.apps")}
        rows={rows}
        count={(count) => t("apps.count", { count })}
        empty={t("apps.none")}
        href={({ _id }) => `/admin/apps/${_id}`}
      >
        {(app) => (
          <>
            <span className={kit.main}>
              <b dir="auto">{app.name}</b>
              <small dir="ltr">{app.redirectUri}</small>
            </span>
            <span className={kit.side}>{!app.active && <Mark bad>{t("apps.off")}</Mark>}</span>
          </>
        )}
      </List>
      {chosen?.id === "new" && <Edit close={close} changed={changed} />}
      {one && <Edit key={one._id} app={one} close={close} changed={changed} />}
      {told && <Told app={told} close={() => setTold(null)} />}
    </Page>
  );
}

function find(rows: { total: number | null; at: (index: number) => App | undefined }, id: string): App | undefined {
  for (let index = 0; index < (rows.total ?? 0); index += 1) if (rows.at(index)?._id === id) return rows.at(index);
  return undefined;
}

interface Ways {
  app?: App;
  close: () => void;
  changed: (app?: App) => void;
}

function Edit({ app, close, changed }: Ways): ReactNode {
  const t = useT();
  const [name, setName] = useState(app?.name ?? "");
  const [addresses, setAddresses] = useState((app?.redirectUri ?? "").replaceAll(",", "\n"));
  const [active, setActive] = useState(app?.active ?? true);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState<"delete" | "renew" | null>(null);
  const body = (): object => ({ name: name.trim(), redirectUri: addresses.trim(), active });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const asked = app
      ? post<App>("oauth-apps.update", { appId: app._id, ...body() })
      : post<{ application: App }>("oauth-apps.create", body()).then(({ application }) => application);
    asked
      .then((made) => changed(app ? undefined : made))
      .catch((error: unknown) => setProblem(reason(error, t)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={app ? app.name : t("apps.new")} close={close}>
      <form onSubmit={submit}>
        <Field label={t("apps.name")} required value={name} onChange={(event) => setName(event.target.value)} />
        <Area
          label={t("apps.redirect")}
          hint={t("apps.redirectHint")}
          required
          value={addresses}
          onChange={(event) => setAddresses(event.target.value)}
        />
        <Check label={t("apps.active")} checked={active} onChange={(event) => setActive(event.target.checked)} />
        {app && <Addresses app={app} />}
        {problem && (
          <p role="alert" className={kit.problem}>
            {problem}
          </p>
        )}
        <Footer>
          {app && (
            <Button kind="danger" onClick={() => setAsking("delete")}>
              {t("apps.delete")}
            </Button>
          )}
          {app && <Button onClick={() => setAsking("renew")}>{t("apps.renew")}</Button>}
          <Button kind="primary" type="submit" busy={busy}>
            {t(app ? "admin.save" : "apps.make")}
          </Button>
        </Footer>
      </form>
      {asking === "delete" && app && (
        <Danger
          title={t("apps.deleteAsk", { name: app.name })}
          yes={t("apps.delete")}
          close={() => setAsking(null)}
          done={() => changed()}
          run={() => post("oauth-apps.delete", { appId: app._id })}
        >
          <p>{t("apps.deleteMore")}</p>
        </Danger>
      )}
      {asking === "renew" && app && (
        <Danger
          title={t("apps.renewAsk", { name: app.name })}
          yes={t("apps.renew")}
          close={() => setAsking(null)}
          run={() =>
            post<App>("oauth-apps.update", {
              appId: app._id,
              name: app.name,
              redirectUri: app.redirectUri,
              active: app.active,
              resetSecret: true,
            }).then(changed)
          }
        >
          <p>{t("apps.renewMore")}</p>
        </Danger>
      )}
    </Dialog>
  );
}

/** What the application must be told. */
function Addresses({ app }: { app: App }): ReactNode {
  const t = useT();
  const facts = [
    ["apps.clientId", app.clientId],
    ["apps.authorize", `${location.origin}/oauth/authorize`],
    ["apps.token", `${location.origin}/oauth/token`],
    ["apps.user", `${location.origin}/oauth/userinfo`],
  ] as const;
  return facts.map(([label, text]) => (
    <Part key={label} title={t(label)}>
      <Copy label={t(label)} text={text} />
    </Part>
  ));
}

function Told({ app, close }: { app: App; close: () => void }): ReactNode {
  const t = useT();
  return (
    <Dialog title={t("apps.told", { name: app.name })} close={close} alert>
      <p>{t("apps.toldMore")}</p>
      <Part title={t("apps.secret")}>
        <Copy label={t("apps.secret")} text={app.clientSecret ?? ""} />
      </Part>
      <Addresses app={app} />
      <Footer>
        <Button kind="primary" onClick={close}>
          {t("apps.kept")}
        </Button>
      </Footer>
    </Dialog>
  );
}
