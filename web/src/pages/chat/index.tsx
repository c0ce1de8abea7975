import { type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import { Redirect, Route, Switch, useLocation, useRoute } from "wouter";
import { useT } from "@/i18n";
import { answers } from "@/store/desk";
import { onNotice } from "@/store/announce";
import { useStore } from "@/store/state";
import { Failure } from "@/ui/failure";
import css from "./chat.module.css";
import { Banner } from "./banner";
import { ROOM } from "./address";
import { useShortcuts } from "./keys";
import { Overlays, type Overlay } from "./overlays";
import { roomPath } from "./place";
import { Room } from "./room";
import { Alarm } from "../support/lazy";
import { Sidebar } from "./sidebar";

/** What need not be there with the first messages comes so much later (ms). */
const SIGHT = 800;

interface Props {
  pages: { path: string; page: React.ComponentType<object> }[];
}

/** The chat: rooms on one side, and beside them a conversation or a page. On a phone one of them at a time. */
export default function Chat({ pages }: Props): ReactNode {
  const t = useT();
  const [location, go] = useLocation();
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  const ready = useStore((state) => state.ready && state.me !== null);
  const [calm, setCalm] = useState(false);
  const control = useStore((state) => answers(state.me)) && calm;
  const paths = useMemo(() => pages.map(({ path }) => path), [pages]);
  useShortcuts(setOverlay);
  useEffect(() => {
    // Not before the chat stands: what it fetches can wait, also for a network.
    const begin = (): void =>
      void import("@/store/worker").then(({ startWorker }) => startWorker()).catch(() => undefined);
    const timer = setTimeout(() => navigator.onLine && begin(), 2_000);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (!ready) return undefined;
    const timer = setTimeout(() => setCalm(true), SIGHT);
    return () => clearTimeout(timer);
  }, [ready]);
  useEffect(() => {
    // A notification that was clicked: the worker asks an open page to show its message.
    const worker = "serviceWorker" in navigator ? navigator.serviceWorker : undefined;
    const asked = ({ data }: MessageEvent<{ open?: string }>): void => {
      if (data?.open?.startsWith("/")) go(data.open);
    };
    worker?.addEventListener("message", asked);
    return () => worker?.removeEventListener("message", asked);
  }, [go]);
  useEffect(() => onNotice(({ payload }) => go(`${roomPath(payload.rid)}?msg=${payload._id}`)), [go]);
  return (
    <div className={css.app} data-inside={location !== "/"}>
      <a className="skip" href="#messages">
        {t("skip.messages")}
      </a>
      <a
        className="skip"
        href="#composer"
        onClick={() => document.querySelector<HTMLElement>("#composer textarea")?.focus()}
      >
        {t("skip.composer")}
      </a>
      <Sidebar open={setOverlay} paths={paths} />
      <div className={css.main}>
        <Banner />
        {control && (
          <Suspense fallback={null}>
            <Alarm />
          </Suspense>
        )}
        {/* What goes wrong in a page does not take the list of rooms with it. */}
        <Failure place={location}>
          <Suspense fallback={<p className="hidden">{t("app.loading")}</p>}>
            <Switch>
              {pages.map(({ path, page: Page }) => (
                <Route key={path} path={path}>
                  <Page />
                </Route>
              ))}
              <Route path={ROOM}>
                <Conversation ready={ready} />
              </Route>
              <Route path="/">
                <main className={css.nothing}>
                  <h1>{t("chat.welcome")}</h1>
                  <p>{t("chat.choose")}</p>
                </main>
              </Route>
              <Route>
                <Redirect to="/" replace />
              </Route>
            </Switch>
          </Suspense>
        </Failure>
      </div>
      <Overlays overlay={overlay} close={() => setOverlay(null)} />
    </div>
  );
}

function Conversation({ ready }: { ready: boolean }): ReactNode {
  const [, params] = useRoute(ROOM);
  if (!params || !ready) return <main className={css.nothing} aria-busy />;
  const { kind = "", name = "", rest = "" } = params as Record<string, string | undefined>;
  return <Room key={`${kind}/${name}`} kind={kind} name={decodeURIComponent(name)} rest={rest} />;
}
