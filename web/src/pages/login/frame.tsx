import { type ReactNode, useEffect } from "react";
import { useT } from "@/i18n";
import { setting, useStore } from "@/store/state";
import css from "./login.module.css";

/** A small page with one heading: what stands before the chat. */
export function Frame({ title, children }: { title: string; children: ReactNode }): ReactNode {
  const t = useT();
  const name = useStore((state) => setting("Site_Name", "Parlor", state));
  useEffect(() => {
    document.title = `${title} · ${name}`;
  }, [title, name]);
  return (
    <main className={css.frame}>
      <div className={css.card}>
        <img src="/app/icon.svg" alt="" width="48" height="48" />
        <p className={css.site}>{t("login.site", { name })}</p>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
