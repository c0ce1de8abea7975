import { type ReactNode, Suspense, useEffect, useState, useSyncExternalStore } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { challenge } from "./api/challenge";
import { session } from "./api/session";
import { useT } from "./i18n";
import { Chat, inside, Login, outside } from "./pages";
import { page } from "./pages/lazy";
import { readPublic, start } from "./store/account";
import { setRegion, showCount } from "./store/announce";
import { useStore } from "./store/state";
import { Failure } from "./ui/failure";
import { Toasts } from "./ui/toast";

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
              {asked && <Page />}
            </Route>
          ))}
          <Route path="/login">{asked && <SignIn />}</Route>
          <Route>
            <SignedIn />
          </Route>
        </Switch>
      </Suspense>
      <Toasts />
      <Suspense fallback={null}>
        <Asking />
      </Suspense>
    </Failure>
  );
}

const Challenge = page(() => import("./ui/challenge"));

/** Before something grave, on whatever page. */
function Asking(): ReactNode {
  const open = useSyncExternalStore(challenge.subscribe, challenge.get);
  return open && <Challenge key={open.id} challenge={open} />;
}

/** A fresh server has nobody to sign in yet. */
function SignIn(): ReactNode {
  const fresh = useStore((state) => state.settings["Show_Setup_Wizard"] === "pending");
  return fresh ? <Redirect to="/setup" replace /> : <Login />;
}

function SignedIn(): ReactNode {
  const own = useSyncExternalStore(session.subscribe, session.get);
  const me = useStore((state) => state.me);
  const unfinished = useStore(
    (state) => state.settings["Show_Setup_Wizard"] === "in_progress" && (state.me?.roles.includes("admin") ?? false),
  );
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
  // Whoever began the set-up and left it goes on with it.
  if (unfinished && location === "/") return <Redirect to="/setup" replace />;
  return <Chat pages={inside} />;
}
