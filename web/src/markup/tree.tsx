// The message tree as elements. Every text becomes a text node and every address is checked, so nothing that somebody
// writes can become markup.

import { Fragment, memo, type ReactNode, useState } from "react";
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
  return (
    <div className={css.tree} dir="auto">
      {blocks.map((block, index) => (
        <BlockNode key={index} node={block} about={about} depth={0} />
      ))}
    </div>
  );
});

interface NodeProps<T> {
  node: T;
  about: About;
  depth: number;
}

function BlockNode({ node, about, depth }: NodeProps<Block>): ReactNode {
  if (depth > DEEPEST) return null;
  const line = (value: readonly Inline[]): ReactNode => <Line value={value} about={about} depth={depth + 1} />;
  const inner = (value: readonly Block[]): ReactNode =>
    value.map((block, index) => <BlockNode key={index} node={block} about={about} depth={depth + 1} />);
  switch (node.type) {
    case "PARAGRAPH":
      return <p>{line(node.value)}</p>;
    case "HEADING":
      // A message is no chapter of the page: its headings look like headings and are none.
      return <p className={css[`heading${Math.min(4, node.level)}`]}>{line(node.value)}</p>;
    case "CODE":
      return <Code language={node.language} text={node.value.map((row) => row.value.value).join("\n")} />;
    case "QUOTE":
      return <blockquote>{inner(node.value)}</blockquote>;
    case "SPOILER_BLOCK":
      return <Spoiler block>{inner(node.value)}</Spoiler>;
    case "UNORDERED_LIST":
      return (
        <ul>
          {node.value.map((item, index) => (
            <li key={index}>{line(item.value)}</li>
          ))}
        </ul>
      );
    case "ORDERED_LIST":
      return (
        <ol>
          {node.value.map((item, index) => (
            <li key={index} value={item.number}>
              {line(item.value)}
            </li>
          ))}
        </ol>
      );
    case "TASKS":
      return (
        <ul className={css.tasks}>
          {node.value.map((task, index) => (
            <Task key={index} done={task.status}>
              {line(task.value)}
            </Task>
          ))}
        </ul>
      );
    case "BIG_EMOJI":
      return <p className={css.big}>{line(node.value)}</p>;
    case "LINE_BREAK":
      return <br />;
    case "KATEX":
      return <pre className={css.formula}>{node.value}</pre>;
    default:
      return null;
  }
}

function Task({ done, children }: { done: boolean; children: ReactNode }): ReactNode {
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

function Line({ value, about, depth }: { value: readonly Inline[]; about: About; depth: number }): ReactNode {
  if (depth > DEEPEST) return null;
  return value.map((node, index) => (
    <Fragment key={index}>
      <InlineNode node={isQuote(value[index - 1]) ? begun(node) : node} about={about} depth={depth} />
    </Fragment>
  ));
}

const words = (label: Inline | readonly Inline[]): readonly Inline[] =>
  Array.isArray(label) ? (label as readonly Inline[]) : [label as Inline];

/** A link without words is how quotes are written; what it quotes stands below the message. */
const isQuote = (node: Inline | undefined): boolean =>
  node?.type === "LINK" && words(node.value.label).every((one) => one.type === "PLAIN_TEXT" && !one.value.trim());

/** What stands after a quote's mark begins the line. */
const begun = (node: Inline): Inline =>
  node.type === "PLAIN_TEXT" ? { ...node, value: node.value.trimStart() } : node;

function InlineNode({ node, about, depth }: NodeProps<Inline>): ReactNode {
  const inner = (value: readonly Inline[]): ReactNode => <Line value={value} about={about} depth={depth + 1} />;
  switch (node.type) {
    case "PLAIN_TEXT":
      return node.value;
    case "BOLD":
      return <strong>{inner(node.value)}</strong>;
    case "ITALIC":
      return <em>{inner(node.value)}</em>;
    case "STRIKE":
      return <s>{inner(node.value)}</s>;
    case "SPOILER":
      return <Spoiler>{inner(node.value)}</Spoiler>;
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
      return <Anchor address={node.value.src.value}>{inner(words(node.value.label))}</Anchor>;
    }
    case "IMAGE":
      return <Anchor address={node.value.src.value}>{inner([node.value.label])}</Anchor>;
    case "COLOR":
      return <Color {...node.value} />;
    case "TIMESTAMP":
      return <Timestamp seconds={Number(node.value.timestamp)} format={node.value.format} />;
    default:
      return null;
  }
}

/** A link out of the app, or within it when it is one of our own addresses. */
export function Anchor({ address, children }: { address: string; children: ReactNode }): ReactNode {
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

function Spoiler({ block = false, children }: { block?: boolean; children: ReactNode }): ReactNode {
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
