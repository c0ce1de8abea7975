// Times as the wire writes them, and as people read them. Only `Intl` formats.

import type { Wire } from "@/api/types";

/** Milliseconds since 1970; 0 for what is missing or no date. */
export function millis(wire: Wire | number | undefined | null): number {
  if (typeof wire === "number") return wire;
  if (typeof wire === "string") return Date.parse(wire) || 0;
  return wire?.$date ?? 0;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${name}`;
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale, options)));
  return found;
}

/** The minute that was written last: messages of one minute stand together. */
let minute = { locale: "", at: Number.NaN, text: "" };

export function clock(locale: string, ms: number): string {
  const at = Math.floor(ms / 60_000);
  if (minute.locale !== locale || minute.at !== at) {
    const text = format(locale, "clock", { hour: "2-digit", minute: "2-digit" }).format(ms);
    minute = { locale, at, text };
  }
  return minute.text;
}

export const full = (locale: string, ms: number): string =>
  format(locale, "full", { dateStyle: "full", timeStyle: "short" }).format(ms);

/** Day and time in figures, for rows of a log. */
export const moment = (locale: string, ms: number): string =>
  format(locale, "moment", { dateStyle: "short", timeStyle: "short" }).format(ms);

/** The day that was asked for last: who goes through messages asks for the same one again and again. */
const lately = { from: 0, to: 0 };

/** The start of the day that `ms` lies in, in the reader's time zone. */
export function day(ms: number): number {
  if (ms >= lately.from && ms < lately.to) return lately.from;
  const date = new Date(ms);
  const [year, month, at] = [date.getFullYear(), date.getMonth(), date.getDate()];
  lately.from = new Date(year, month, at).getTime();
  lately.to = new Date(year, month, at + 1).getTime();
  return lately.from;
}

/** Days from `ms` to `now`: 0 today, 1 yesterday. */
export const daysAgo = (ms: number, now: number): number => Math.round((day(now) - day(ms)) / 86_400_000);

/** "today", "yesterday", or the day with its name. */
export function dayName(locale: string, ms: number, now = Date.now()): string {
  const ago = daysAgo(ms, now);
  if (ago === 0 || ago === 1) {
    const text = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-ago, "day");
    return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
  }
  const year = new Date(ms).getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  const options = { weekday: "long", day: "numeric", month: "long", year } as const;
  return format(locale, `day${year ?? ""}`, options).format(ms);
}

/** Short for lists: the time today, the weekday this week, else the date. */
export function brief(locale: string, ms: number, now = Date.now()): string {
  const ago = daysAgo(ms, now);
  if (ago <= 0) return clock(locale, ms);
  if (ago < 7) return format(locale, "weekday", { weekday: "short" }).format(ms);
  const year = new Date(ms).getFullYear() === new Date(now).getFullYear() ? undefined : "2-digit";
  return format(locale, `date${year ?? ""}`, { day: "numeric", month: "short", year }).format(ms);
}
