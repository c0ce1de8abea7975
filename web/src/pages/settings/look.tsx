import { type ReactNode, useId, useState } from "react";
import { i18n } from "@lingui/core";
import { LOCALES, speak, type Locale, useT } from "@/i18n";
import { type Density, DENSITIES, density, setDensity, setTheme, type Theme, theme, THEMES } from "@/lib/look";
import { prefer, preference } from "@/store/preferences";
import { useStore } from "@/store/state";
import { Check } from "@/ui/field";
import { Select } from "@/ui/select";
import { useAttempt } from "./attempt";
import css from "./settings.module.css";

/** A language is called what those call it who speak it. */
const OWN_NAMES: Record<(typeof LOCALES)[number], string> = { en: "English", fr: "Français" };
const THEIR_THEMES: Record<Theme, string> = { system: "auto", light: "light", dark: "dark", contrast: "high-contrast" };

/** Theme, density, language, keys. Everything is in force at once. */
export function Look(): ReactNode {
  const t = useT();
  const id = useId();
  const attempt = useAttempt();
  const [chosen, setChosen] = useState({ theme: theme(), density: density() });
  const [letters, setLetters] = useState(localStorage.getItem("parlor.letters") !== "off");
  const sections = useStore((state) => preference("inboxSections", false, state));
  const enter = useStore((state) => preference<string>("sendOnEnter", "normal", state) !== "alternative");
  return (
    <>
      <section className={css.part} aria-labelledby={`${id}-look`}>
        <h3 id={`${id}-look`}>{t("look.title")}</h3>
        <Select
          label={t("look.theme")}
          value={chosen.theme}
          choices={THEMES.map((one) => [one, t(`look.${one}`)] as const)}
          choose={(value) => {
            const next = value as Theme;
            setTheme(next);
            setChosen({ ...chosen, theme: next });
            attempt(prefer({ themeAppearence: THEIR_THEMES[next] }));
          }}
        />
        <Select
          label={t("look.density")}
          value={chosen.density}
          choices={DENSITIES.map((one) => [one, t(`look.${one}`)] as const)}
          choose={(value) => {
            const next = value as Density;
            setDensity(next);
            setChosen({ ...chosen, density: next });
          }}
        />
        <Select
          label={t("look.language")}
          value={i18n.locale}
          choices={LOCALES.map((one) => [one, OWN_NAMES[one]] as const)}
          choose={(value) => {
            void speak(value as Locale, true);
            attempt(prefer({ language: value }));
          }}
        />
      </section>
      <section className={css.part} aria-labelledby={`${id}-inbox`}>
        <h3 id={`${id}-inbox`}>{t("look.inbox")}</h3>
        <Check
          label={t("look.sections")}
          checked={sections}
          onChange={(event) => attempt(prefer({ inboxSections: event.target.checked }))}
        />
      </section>
      <section className={css.part} aria-labelledby={`${id}-keys`}>
        <h3 id={`${id}-keys`}>{t("look.writing")}</h3>
        <Check
          label={t("look.enter")}
          hint={t("look.enterHint")}
          checked={enter}
          onChange={(event) => attempt(prefer({ sendOnEnter: event.target.checked ? "normal" : "alternative" }))}
        />
        <Check
          label={t("keys.letters")}
          hint={t("keys.lettersHint")}
          checked={letters}
          onChange={(event) => {
            setLetters(event.target.checked);
            localStorage.setItem("parlor.letters", event.target.checked ? "on" : "off");
          }}
        />
      </section>
    </>
  );
}
