import { ArrowLeft } from "lucide-react";
import { type ReactNode, Suspense } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useT } from "@/i18n";
import { useStore } from "@/store/state";
import css from "./admin.module.css";
import { Page } from "./kit/page";
import { administers, opens } from "./needs";
import { sections } from "./sections";

/** The administration: its pages on one side, the chosen one beside them. On a phone one of them at a time. */
export default function Admin(): ReactNode {
  const t = useT();
  const [location] = useLocation();
  const known = useStore((state) => Object.keys(state.permissions).length > 0);
  const allowed = useStore(administers);
  const open = useStore((state) => state.permissions);
  const me = useStore((state) => state.me);
  if (!known || !me) return <main className={css.none} aria-busy aria-label={t("admin.title")} />;
  if (!allowed) return <Refused />;
  const shown = sections.filter(({ id }) => opens(id, { ...useStore.getState(), permissions: open, me }));
  return (
    <div className={css.admin} data-chosen={location.replace(/\/$/, "") !== "/admin"}>
      <nav className={css.nav} aria-label={t("admin.title")}>
        <Link href="/" className={css.back}>
          <ArrowLeft size={18} aria-hidden /> {t("admin.back")}
        </Link>
        <ul>
          {shown.map(({ id, icon: Icon }) => (
            <li key={id}>
              <Link
                href={`/admin/${id}`}
                className={css.link}
                aria-current={location.startsWith(`/admin/${id}`) ? "page" : undefined}
              >
                <Icon size={18} aria-hidden /> {t(`admin.${id}`)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className={css.body}>
        <Suspense fallback={<p role="status">{t("app.loading")}</p>}>
          <Switch>
            {shown.map(({ id, page: Chosen }) => (
              <Route key={id} path={`/admin/${id}/*?`}>
                <Chosen />
              </Route>
            ))}
            <Route path="/admin">
              <main className={css.none}>
                <h1>{t("admin.title")}</h1>
                <p>{t("admin.choose")}</p>
              </main>
            </Route>
            <Route>
              <Refused />
            </Route>
          </Switch>
        </Suspense>
      </div>
    </div>
  );
}

function Refused(): ReactNode {
  const t = useT();
  return (
    <Page title={t("admin.refused")} back="/">
      <p>{t("admin.refusedMore")}</p>
      <p>
        <Link href="/">{t("admin.back")}</Link>
      </p>
    </Page>
  );
}
