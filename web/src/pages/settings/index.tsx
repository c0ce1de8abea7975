import { ArrowLeft } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, Redirect, useLocation, useParams } from "wouter";
import { useT } from "@/i18n";
import { useStore } from "@/store/state";
import { IconButton } from "@/ui/button";
import { Look } from "./look";
import { Notify } from "./notify";
import { Profile } from "./profile";
import { Security } from "./security";
import css from "./settings.module.css";
import { Tokens } from "./tokens";

const SECTIONS = { profile: Profile, look: Look, notifications: Notify, security: Security, tokens: Tokens };
type Section = keyof typeof SECTIONS;

/** What somebody may choose for oneself. */
export default function Settings(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const { section } = useParams<{ section?: string }>();
  const ready = useStore((state) => state.me !== null);
  const heading = useRef<HTMLHeadingElement>(null);
  const known = section && section in SECTIONS ? (section as Section) : undefined;
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    heading.current?.focus();
    // Where they have no room they scroll, and the one that is open must be seen.
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [known]);
  if (!known) return <Redirect to="/settings/profile" replace />;
  const Shown = SECTIONS[known];
  return (
    <main className={css.page} aria-busy={!ready}>
      <header>
        <IconButton label={t("room.back")} className={css.back} onClick={() => go("/")}>
          <ArrowLeft size={20} aria-hidden />
        </IconButton>
        <h1>{t("own.settings")}</h1>
      </header>
      <nav ref={nav} aria-label={t("settings.sections")} className={css.sections}>
        {Object.keys(SECTIONS).map((one) => (
          <Link key={one} href={`/settings/${one}`} aria-current={one === known ? "page" : undefined}>
            {t(`settings.${one}`)}
          </Link>
        ))}
      </nav>
      <h2 ref={heading} tabIndex={-1} className={css.heading}>
        {t(`settings.${known}`)}
      </h2>
      {ready && <Shown key={known} />}
    </main>
  );
}
