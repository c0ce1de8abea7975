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
        <Sign />
        <p className={css.site}>{t("login.site", { name })}</p>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** The app's sign, without a request for it. */
function Sign(): ReactNode {
  return (
    <svg viewBox="0 0 64 64" width="48" height="48" aria-hidden="true">
      <rect width="64" height="64" rx="16" fill="#2f5bd8" />
      <path d="M18 20h28a4 4 0 0 1 4 4v16a4 4 0 0 1-4 4H32l-9 8v-8h-5a4 4 0 0 1-4-4V24a4 4 0 0 1 4-4Z" fill="#fff" />
      {[24, 32, 40].map((x) => (
        <circle key={x} cx={x} cy="32" r="2.6" fill="#2f5bd8" />
      ))}
    </svg>
  );
}
