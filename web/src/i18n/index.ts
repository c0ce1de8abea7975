// Languages: explicit ids, ICU texts, one catalog for the shell and one for each lazy page. The language changes
// without a reload, and numbers, dates and directions follow it.

import { i18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import type { Compiled } from "./pseudo";

/** Languages that are complete; the first is the one to fall back to. */
export const LOCALES = ["en", "fr"] as const;
/** For looking at layouts; offered nowhere, chosen by `?locale=`. */
export const MADE = ["en-XA", "ar-XB"] as const;
export type Locale = (typeof LOCALES)[number] | (typeof MADE)[number];

type Loader = () => Promise<{ default: Record<string, Compiled> }>;
/** What `import.meta.glob("./locales/*.json")` gives. */
export type Loaders = Record<string, () => Promise<unknown>>;

const KEY = "parlor.locale";
const catalogs: Loaders[] = [];
const isMade = (locale: string): locale is (typeof MADE)[number] => (MADE as readonly string[]).includes(locale);

const isLocale = (text: string | null | undefined): text is Locale =>
  [...LOCALES, ...MADE].includes((text ?? "") as Locale);

/** The address's wish, then this browser's memory, then the browser's languages. */
export function preferred(): Locale {
  const asked = new URLSearchParams(location.search).get("locale");
  if (isLocale(asked)) return asked;
  const kept = localStorage.getItem(KEY);
  if (isLocale(kept)) return kept;
  const spoken = navigator.languages.map((language) => language.split("-")[0]);
  return spoken.find((language): language is Locale => isLocale(language)) ?? "en";
}

async function texts(loaders: Loaders, locale: Locale): Promise<Record<string, Compiled>> {
  const language = isMade(locale) ? "en" : locale;
  const path = Object.keys(loaders).find((name) => name.endsWith(`/locales/${language}.json`));
  if (!path) return {};
  const { default: messages } = await (loaders[path] as Loader)();
  if (!isMade(locale)) return messages;
  const { pseudo } = await import("./pseudo");
  return pseudo(locale, messages);
}

const added = new Map<Loaders, Promise<void>>();

/** Adds a page's catalog in the current language, and in each that is chosen later. */
export function addCatalog(loaders: Loaders): Promise<void> {
  const known = added.get(loaders);
  if (known) return known;
  const { locale } = i18n;
  const fetched = texts(loaders, locale as Locale).then((messages) => {
    catalogs.push(loaders);
    i18n.load(locale, messages);
    // The language was changed meanwhile.
    if (i18n.locale !== locale) return speak(i18n.locale as Locale);
    return undefined;
  });
  added.set(loaders, fetched);
  fetched.catch(() => added.delete(loaders));
  return fetched;
}

/** Shows the app in this language. */
export async function speak(locale: Locale, remember = false): Promise<void> {
  const all = await Promise.all(catalogs.map((loaders) => texts(loaders, locale)));
  i18n.loadAndActivate({ locale, messages: Object.assign({}, ...all) as Record<string, string> });
  if (remember) localStorage.setItem(KEY, locale);
  document.documentElement.lang = isMade(locale) ? locale.slice(0, 2) : locale;
  document.documentElement.dir = locale.startsWith("ar") ? "rtl" : "ltr";
}

/** The shell's catalog, in the language that this browser prefers. */
export async function startLanguage(): Promise<void> {
  catalogs.push(import.meta.glob("./locales/*.json"));
  await speak(preferred());
}

/** For `Intl`, which does not know the made languages. */
export function intl(): string {
  if (regional?.of !== i18n.locale) {
    const language = isMade(i18n.locale) ? i18n.locale.slice(0, 2) : i18n.locale;
    // The reader's own region decides how dates look.
    const name = navigator.languages.find((one) => one.split("-")[0] === language) ?? language;
    regional = { of: i18n.locale, name };
  }
  return regional.name;
}

/** Asked for with each time that is shown. */
let regional: { of: string; name: string } | undefined;
addEventListener("languagechange", () => (regional = undefined));

export type Translate = (id: string, values?: Record<string, unknown>) => string;

/** Outside of components. Within them `useT`, so that they follow the language. */
export const t: Translate = (id, values) => i18n._(id, values);

export function useT(): Translate {
  // Reading the context subscribes to changes of the language.
  useLingui();
  return t;
}
