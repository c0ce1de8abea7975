import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { useLocation, useSearch } from "wouter";
import { useT } from "@/i18n";
import { IconButton } from "@/ui/button";
import { SearchBox } from "../chat/search-box";
import css from "../directory/directory.module.css";

/** Search in all rooms that one is in. */
export default function Search(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const asked = new URLSearchParams(useSearch()).get("q") ?? "";
  return (
    <main className={css.page}>
      <header>
        <IconButton label={t("room.back")} className={css.back} onClick={() => go("/")}>
          <ArrowLeft size={20} aria-hidden />
        </IconButton>
        <h1>{t("search.title")}</h1>
      </header>
      <SearchBox key={asked} begin={asked} />
    </main>
  );
}
