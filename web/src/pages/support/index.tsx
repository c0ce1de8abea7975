import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { useT } from "@/i18n";
import { answers } from "@/store/desk";
import { useStore } from "@/store/state";
import { IconButton } from "@/ui/button";
import { Ask } from "./ask";
import { Lanes } from "./lanes";
import css from "./support.module.css";

/** Support: lanes of cases for those who answer, one's own cases for those who ask. */
export default function Support(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const me = useStore((state) => state.me);
  return (
    <main className={css.page} aria-busy={!me}>
      <header>
        <IconButton label={t("room.back")} className={css.back} onClick={() => go("/")}>
          <ArrowLeft size={20} aria-hidden />
        </IconButton>
        <h1>{t("support.title")}</h1>
      </header>
      {me && (answers(me) ? <Lanes /> : <Ask />)}
    </main>
  );
}
