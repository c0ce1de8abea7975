import type { ReactNode } from "react";
import type { LinkCard, Message } from "@/api/types";
import { safe } from "@/markup/tree";
import css from "./cards.module.css";

/** Cards of what a message links to, once the server has looked at it. */
export function LinkCards({ message }: { message: Message }): ReactNode {
  const cards = (message.urls ?? []).filter((one) => !one.ignoreParse && titleOf(one));
  return cards.slice(0, 3).map((card) => <Card key={card.url} card={card} />);
}

const titleOf = ({ meta = {} }: LinkCard): string =>
  meta["ogTitle"] ?? meta["twitterTitle"] ?? meta["oembedTitle"] ?? meta["pageTitle"] ?? "";

function Card({ card }: { card: LinkCard }): ReactNode {
  const meta = card.meta ?? {};
  const to = safe(card.url);
  const picture = safe(meta["ogImage"] ?? meta["twitterImage"] ?? meta["oembedThumbnailUrl"] ?? "");
  const about = meta["ogDescription"] ?? meta["twitterDescription"] ?? meta["description"] ?? "";
  if (!to) return null;
  return (
    <a className={css.card} href={to} target="_blank" rel="noopener noreferrer nofollow" dir="auto">
      {picture && /^https?:/.test(picture) && (
        <img src={picture} alt="" width={72} height={72} loading="lazy" referrerPolicy="no-referrer" />
      )}
      <span>
        <b>{titleOf(card)}</b>
        {about && <span className={css.about}>{about}</span>}
        <small>{host(to)}</small>
      </span>
    </a>
  );
}

function host(address: string): string {
  try {
    return new URL(address).hostname;
  } catch {
    return "";
  }
}
