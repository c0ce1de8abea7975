import { type ReactNode, useSyncExternalStore } from "react";
import { state, useStore } from "@/store/state";
import css from "./markup.module.css";

/** `[character, group, short codes, name, tags]` */
export type EmojiRow = [string, number, string, string, string];

let codes: Map<string, string> | undefined;
let loading: Promise<void> | undefined;
const listeners = new Set<() => void>();

// The few that are used most need no table.
const USUAL: Record<string, string> = {
  thumbsup: "👍",
  "+1": "👍",
  thumbsdown: "👎",
  "-1": "👎",
  heart: "❤️",
  tada: "🎉",
  smile: "😄",
  slight_smile: "🙂",
  joy: "😂",
  eyes: "👀",
  white_check_mark: "✅",
  rocket: "🚀",
  fire: "🔥",
  thinking: "🤔",
  pray: "🙏",
  clap: "👏",
  wave: "👋",
};

export async function loadEmoji(locale: string): Promise<EmojiRow[]> {
  const module = locale.startsWith("fr") ? await import("virtual:emoji/fr") : await import("virtual:emoji/en");
  return module.default as EmojiRow[];
}

function load(): void {
  loading ??= loadEmoji("en").then((rows) => {
    codes = new Map(rows.flatMap(([char, , names]) => names.split(" ").map((name): [string, string] => [name, char])));
    tell();
  });
}

/** The character of a short code, once the table is there. */
export function character(code: string): string | undefined {
  const name = code.replaceAll(":", "");
  return USUAL[name] ?? codes?.get(name);
}

const tell = (): void => listeners.forEach((listener) => listener());
useStore.subscribe((now, before) => now.emoji !== before.emoji && tell());

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** An emoji by its short code: a character, or a picture of this workspace; else the text that was written. */
export function Emoji({ code, text }: { code: string; text?: string | undefined }): ReactNode {
  const name = code.replaceAll(":", "");
  const found = useSyncExternalStore(subscribe, () => state().emoji[name] ?? character(name));
  const { [name]: custom } = state().emoji;
  if (custom) return <img className={css.customEmoji} src={custom} alt={`:${name}:`} title={`:${name}:`} />;
  if (found) return found;
  if (!codes) load();
  return text && text !== name ? text : `:${name}:`;
}
