import { type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useT } from "@/i18n";
import { Danger } from "../kit/danger";
import { discard, useDraft } from "./draft";

/** Asks before unsaved changes are left behind: by a link within the app, or with the tab. */
export function Guard(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const count = useDraft(({ values }) => Object.keys(values).length);
  const [leaving, setLeaving] = useState<string | null>(null);
  useEffect(() => {
    if (count === 0) return undefined;
    const unload = (event: BeforeUnloadEvent): void => event.preventDefault();
    const click = (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
      if (!(link instanceof HTMLAnchorElement) || link.origin !== location.origin || event.ctrlKey || event.metaKey)
        return;
      if (link.target === "_blank" || link.pathname.startsWith("/admin/settings")) return;
      event.preventDefault();
      event.stopPropagation();
      setLeaving(link.pathname + link.search);
    };
    addEventListener("beforeunload", unload);
    document.addEventListener("click", click, true);
    return () => {
      removeEventListener("beforeunload", unload);
      document.removeEventListener("click", click, true);
    };
  }, [count]);
  if (!leaving) return null;
  return (
    <Danger
      title={t("config.leaveAsk")}
      yes={t("config.leave")}
      close={() => setLeaving(null)}
      run={async () => discard()}
      done={() => go(leaving)}
    >
      <p>{t("config.leaveMore", { count })}</p>
    </Danger>
  );
}
