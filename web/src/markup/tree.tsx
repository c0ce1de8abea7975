// The message tree as elements. Every text becomes a text node and every address is checked, so nothing that somebody
// writes can become markup.

import { createElement, memo, type ReactNode, useState } from "react";
import { Link } from "wouter";
import type { Block, Inline, Message } from "@/api/types";
import { intl, useT } from "@/i18n";
import { useStore } from "@/store/state";
import { Code } from "./code";
import { Emoji } from "./emoji";
import css from "./markup.module.css";

/** Deeper nesting is shown as text of its level. The parser stops long before. */
const DEEPEST = 20;

/** An address that may be followed: the web, mail and phone. Anything else stays text. */
export function safe(address: string): string | undefined {
  const clean = [...address].filter((char) => char > " " && char !== "\u007f").join("");
  if (/^(https?:|mailto:|tel:)/i.test(clean)) return clean;
  if (clean.startsWith("//")) return `${location.protocol}${clean}`;
  if (/^[\w-]+(\.[\w-]+)+([/?#]|$)/.test(clean)) return `https://${clean}`;
  return clean.startsWith("/") ? clean : undefined;
}

type About = Pick<Message, "mentions" | "channels">;

interface Props {
  blocks: readonly Block[];
  about?: About;
}

export const Tree = memo(function Tree({ blocks, about = {} }: Props): ReactNode {
  return createElement("div", { className: css.tree, dir: "auto" }, ...blocks.map((one) => block(one, about, 0)));
});

// Not components, and children that need no keys: a row of the timeline is made while somebody scrolls, and each
// component in it is one more thing to look after.

function block(node: Block, about: About, depth: number): ReactNode {
  if (depth > DEEPEST) return null;
  const line = (value: readonly Inline[]): ReactNode[] => inlines(value, about, depth + 1);
  const inner = (value: readonly Block[]): ReactNode[] => value.map((one) => block(one, about, depth + 1));
  switch (node.type) {
    case "PARAGRAPH":
      return createElement("p", isTall(node.value) ? { className: css.tall } : null, ...line(node.value));
    case "HEADING":
      // A message is no chapter of the page: its headings look like headings and are none.
      return createElement(
        "p",
        { className: `${css[`heading${Math.min(4, node.level)}`]} ${css.tall}` },
        ...line(node.value),
      );
    case "CODE":
      return <Code language={node.language} text={node.value.map((row) => row.value.value).join("\n")} />;
    case "QUOTE":
      return createElement("blockquote", null, ...inner(node.value));
    case "SPOILER_BLOCK":
      return createElement(Spoiler, { block: true }, ...inner(node.value));
    case "UNORDERED_LIST":
      return createElement("ul", null, ...node.value.map((item) => createElement("li", null, ...line(item.value))));
    case "ORDERED_LIST":
      return createElement(
        "ol",
        null,
        ...node.value.map((item) => createElement("li", { value: item.number }, ...line(item.value))),
      );
    case "TASKS":
      return createElement(
        "ul",
        { className: css.tasks },
        ...node.value.map((task) => createElement(Task, { done: task.status }, ...line(task.value))),
      );
    case "BIG_EMOJI":
      return createElement("p", { className: css.big }, ...line(node.value));
    case "LINE_BREAK":
      return <br />;
    case "KATEX":
      return <pre className={css.formula}>{node.value}</pre>;
    default:
      return null;
  }
}

function Task({ done, children }: { done: boolean; children?: ReactNode }): ReactNode {
  const t = useT();
  return (
    <li>
      <span role="img" aria-label={t(done ? "markup.done" : "markup.open")}>
        {done ? "☑" : "☐"}
      </span>{" "}
      {children}
    </li>
  );
}

const ACCENTS = /\p{M}{3}/u;

/** Whether accents are piled up in it, which would reach over other messages. */
const isTall = (value: readonly Inline[]): boolean =>
  value.some(({ value: inner }) => {
    if (typeof inner === "string") return ACCENTS.test(inner);
    if (Array.isArray(inner)) return isTall(inner as readonly Inline[]);
    if (!inner || typeof inner !== "object") return false;
    return "label" in inner ? isTall(words(inner.label)) : "value" in inner && ACCENTS.test(inner.value);
  });

function inlines(value: readonly Inline[], about: About, depth: number): ReactNode[] {
  if (depth > DEEPEST) return [];
  return value.map((node, index) => inline(isQuote(value[index - 1]) ? begun(node) : node, about, depth));
}

const words = (label: Inline | readonly Inline[]): readonly Inline[] =>
  Array.isArray(label) ? (label as readonly Inline[]) : [label as Inline];

/** A link without words is how quotes are written; what it quotes stands below the message. */
const isQuote = (node: Inline | undefined): boolean =>
  node?.type === "LINK" && words(node.value.label).every((one) => one.type === "PLAIN_TEXT" && !one.value.trim());

/** What stands after a quote's mark begins the line. */
const begun = (node: Inline): Inline =>
  node.type === "PLAIN_TEXT" ? { ...node, value: node.value.trimStart() } : node;

function inline(node: Inline, about: About, depth: number): ReactNode {
  const inner = (value: readonly Inline[]): ReactNode[] => inlines(value, about, depth + 1);
  switch (node.type) {
    case "PLAIN_TEXT":
      return node.value;
    case "BOLD":
      return createElement("strong", null, ...inner(node.value));
    case "ITALIC":
      return createElement("em", null, ...inner(node.value));
    case "STRIKE":
      return createElement("s", null, ...inner(node.value));
    case "SPOILER":
      return createElement(Spoiler, null, ...inner(node.value));
    case "INLINE_CODE":
      return <code>{node.value.value}</code>;
    case "MENTION_USER":
      return <UserMention name={node.value.value} about={about} />;
    case "MENTION_CHANNEL":
      return <RoomMention name={node.value.value} about={about} />;
    case "EMOJI":
      return node.unicode ?? <Emoji code={node.shortCode ?? ""} text={node.value?.value} />;
    case "INLINE_KATEX":
      return <code className={css.formula}>{node.value}</code>;
    case "LINK": {
      if (isQuote(node)) return null;
      return createElement(Anchor, { address: node.value.src.value }, ...inner(words(node.value.label)));
    }
    case "IMAGE":
      return createElement(Anchor, { address: node.value.src.value }, ...inner([node.value.label]));
    case "COLOR":
      return <Color {...node.value} />;
    case "TIMESTAMP":
      return <Timestamp seconds={Number(node.value.timestamp)} format={node.value.format} />;
    default:
      return null;
  }
}

/** A link out of the app, or within it when it is one of our own addresses. */
export function Anchor({ address, children }: { address: string; children?: ReactNode }): ReactNode {
  const site = useStore((state) => state.settings["Site_Url"] as string | undefined);
  const to = safe(address);
  if (!to) return children;
  const bases = [location.origin, site?.replace(/\/$/, "")].filter(Boolean) as string[];
  const own = bases.find((base) => to.startsWith(`${base}/`));
  const path = own ? to.slice(own.length) : to.startsWith("/") ? to : undefined;
  if (path && /^\/(channel|group|direct)\//.test(path)) return <Link href={path}>{children}</Link>;
  return (
    <a href={to} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function UserMention({ name, about }: { name: string; about: About }): ReactNode {
  const me = useStore((state) => state.me?.username);
  const known = about.mentions?.find((one) => one.username === name || one.name === name);
  if (!known) return `@${name}`;
  const everybody = name === "all" || name === "here";
  return <span className={name === me || everybody ? css.mentionMe : css.mention}>@{known.name ?? name}</span>;
}

function RoomMention({ name, about }: { name: string; about: About }): ReactNode {
  const known = about.channels?.find((one) => one.name === name || one.fname === name);
  if (!known) return `#${name}`;
  return (
    <Link className={css.mention} href={`/channel/${encodeURIComponent(known.name)}`}>
      #{known.fname ?? known.name}
    </Link>
  );
}

function Spoiler({ block = false, children }: { block?: boolean; children?: ReactNode }): ReactNode {
  const t = useT();
  const [shown, setShown] = useState(false);
  const Box = block ? "div" : "span";
  if (shown) return <Box className={css.spoilerShown}>{children}</Box>;
  return (
    <button type="button" className={css.spoiler} onClick={() => setShown(true)}>
      {t("markup.spoiler")}
    </button>
  );
}

function Color({ r, g, b, a }: { r: number; g: number; b: number; a: number }): ReactNode {
  const hex = `#${[r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  return (
    <span className={css.color}>
      <span className={css.swatch} style={{ background: `rgb(${r} ${g} ${b} / ${a / 255})` }} aria-hidden />
      {hex}
    </span>
  );
}

const STYLES: Record<string, Intl.DateTimeFormatOptions> = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

function Timestamp({ seconds, format }: { seconds: number; format: string }): ReactNode {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 8.6e12) return null;
  const date = new Date(seconds * 1000);
  const style = STYLES[format] ?? { dateStyle: "long", timeStyle: "short" };
  return <time dateTime={date.toISOString()}>{new Intl.DateTimeFormat(intl(), style).format(date)}</time>;
}
