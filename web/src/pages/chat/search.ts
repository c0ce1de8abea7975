// The words of a search: filters, and what is left to look for.

import type { Message } from "@/api/types";
import { millis } from "@/lib/time";

export interface Query {
  text: string;
  /** What the server is asked; it knows `from:` and `has:` in Rocket.Chat's spelling. */
  server: string;
  from?: string;
  room?: string;
  has?: string;
  before?: number;
  after?: number;
  /** There is at least one filter. */
  filters: boolean;
}

const FILTER = /(^|\s)(from|in|has|before|after|de|dans|avant|apr[eè]s):(\S+)/giu;
const NAMES: Record<string, "from" | "room" | "has" | "before" | "after"> = {
  from: "from",
  de: "from",
  in: "room",
  dans: "room",
  has: "has",
  before: "before",
  avant: "before",
  after: "after",
  après: "after",
  apres: "after",
};

export function parse(input: string): Query {
  const query: Query = { text: "", server: "", filters: false };
  const rest = input.replace(FILTER, (whole, _, word: string, value: string) => {
    const name = NAMES[word.toLowerCase()];
    if (name === "before" || name === "after") {
      const at = Date.parse(value);
      if (Number.isNaN(at)) return whole as string;
      query[name] = at;
    } else if (name) query[name] = value.replace(/^[@#]/, "");
    query.filters = true;
    return " ";
  });
  query.text = rest.trim().replace(/\s+/g, " ");
  const parts = [query.text];
  if (query.from) parts.push(`from:${query.from}`);
  if (query.has && ["star", "pin"].includes(query.has)) parts.push(`has:${query.has}`);
  if (query.before !== undefined) parts.push(`before:${day(query.before)}`);
  if (query.after !== undefined) parts.push(`after:${day(query.after)}`);
  query.server = parts.filter(Boolean).join(" ");
  return query;
}

const day = (ms: number): string => {
  const date = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${two(date.getUTCDate())}/${two(date.getUTCMonth() + 1)}/${date.getUTCFullYear()}`;
};

/** Filters that the browser looks at itself. */
export function accepts({ from, has, before, after }: Query, message: Message): boolean {
  const at = millis(message.ts);
  if (from && from !== "me" && message.u.username !== from) return false;
  if (has === "file" && !message.file && !message.attachments?.length) return false;
  if (has === "image" && !message.attachments?.some((one) => one.image_url)) return false;
  if (has === "link" && !message.urls?.length) return false;
  return (before === undefined || at < before) && (after === undefined || at >= after);
}

export const words = (text: string): string[] => text.split(/\s+/).filter((word) => word.length > 1);
