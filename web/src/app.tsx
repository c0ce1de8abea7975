import { type ReactNode, Suspense, useEffect, useState, useSyncExternalStore } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { session } from "./api/session";
import { useT } from "./i18n";
import { Chat, inside, Login, outside } from "./pages";
import { readPublic, start } from "./store/account";
import { setRegion, showCount } from "./store/announce";
import { useStore } from "./store/state";
import { Failure } from "./ui/failure";
import { Toasts } from "./ui/toast";

/** The address to come back to after signing in: within this app only. */
export function wanted(search: string): string {
  const to = new URLSearchParams(search).get("to") ?? "/";
  return to.startsWith("/") && !to.startsWith("//") ? to : "/";
}

export function App(): ReactNode {
  const t = useT();
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    readPublic()
      .catch(() => undefined)
      .finally(() => setAsked(true));
    return showCount();
  }, []);
  return (
    <Failure>
      <div ref={setRegion} className="hidden" role="status" aria-live="polite" />
      <Suspense fallback={<p className="hidden">{t("app.loading")}</p>}>
        <Switch>
          {outside.map(({ path, page: Page }) => (
            <Route key={path} path={path}>
              <Page />
            </Route>
          ))}
          <Route path="/login">{asked && <Login />}</Route>
          <Route>
            <SignedIn />
          </Route>
        </Switch>
      </Suspense>
      <Toasts />
    </Failure>
  );
}

function SignedIn(): ReactNode {
  const own = useSyncExternalStore(session.subscribe, session.get);
  const me = useStore((state) => state.me);
  const [location] = useLocation();
  useEffect(() => {
    if (own && !me) void start();
    // Only a new session starts anything; `me` comes from it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [own]);
  if (!own) {
    const here = location + window.location.search;
    return <Redirect to={here === "/" ? "/login" : `/login?to=${encodeURIComponent(here)}`} replace />;
  }
  return <Chat pages={inside} />;
}
