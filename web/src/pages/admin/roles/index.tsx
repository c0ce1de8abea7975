import type { ReactNode } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useT } from "@/i18n";
import { Page } from "../kit/page";
import { Explain } from "./explain";
import { RolesList } from "./list";
import { Matrix } from "./matrix";
import { InRoom } from "./room";
import css from "./roles.module.css";

const TABS = ["", "list", "room", "explain"] as const;

/** Who may do what: by role, in single rooms, and why. */
export default function Roles(): ReactNode {
  const t = useT();
  const [location] = useLocation();
  const now = location.split("/")[3] ?? "";
  return (
    <Page fixed title={t("admin.roles")}>
      <nav className={css.tabs} aria-label={t("roles.views")}>
        {TABS.map((tab) => (
          <Link key={tab} href={`/admin/roles${tab && `/${tab}`}`} aria-current={now === tab ? "page" : undefined}>
            {t(`roles.view.${tab || "matrix"}`)}
          </Link>
        ))}
      </nav>
      <Switch>
        <Route path="/admin/roles/list/:id?">
          <RolesList />
        </Route>
        <Route path="/admin/roles/room">
          <InRoom />
        </Route>
        <Route path="/admin/roles/explain">
          <Explain />
        </Route>
        <Route>
          <Matrix />
        </Route>
      </Switch>
    </Page>
  );
}
