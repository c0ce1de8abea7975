import { X } from "lucide-react";
import type { ReactNode } from "react";
import type { LinkCard, Message } from "@/api/types";
import { useT } from "@/i18n";
import { safe } from "@/markup/tree";
import { withoutCard } from "@/store/actions";
import { useStore } from "@/store/state";
import { IconButton } from "@/ui/button";
import { toast } from "@/ui/toast";
import css from "./cards.module.css";

/** Cards of what a message links to, once the server has looked at it. */
export function LinkCards({ message }: { message: Message }): ReactNode {
  const cards = (message.urls ?? []).filter((one) => !one.ignoreParse && titleOf(one));
  const own = useStore((state) => state.me?._id === message.u._id);
  return cards.slice(0, 3).map((card) => <Card key={card.url} card={card} of={own ? message : undefined} />);
}

const titleOf = ({ meta = {} }: LinkCard): string =>
  meta["ogTitle"] ?? meta["twitterTitle"] ?? meta["oembedTitle"] ?? meta["pageTitle"] ?? "";

/** `of` is the message when it is the reader's own: then the card can be taken away. */
function Card({ card, of }: { card: LinkCard; of?: Message | undefined }): ReactNode {
  const t = useT();
  const meta = card.meta ?? {};
  const to = safe(card.url);
  const picture = safe(meta["ogImage"] ?? meta["twitterImage"] ?? meta["oembedThumbnailUrl"] ?? "");
  const about = meta["ogDescription"] ?? meta["twitterDescription"] ?? meta["description"] ?? "";
  if (!to) return null;
  return (
    <div className={css.box}>
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
      {of && (
        <IconButton
          label={t("card.remove")}
          onClick={() => void withoutCard(of, card.url).catch(() => toast(t("card.notRemoved"), { bad: true }))}
        >
          <X size={16} aria-hidden />
        </IconButton>
      )}
    </div>
  );
}

function host(address: string): string {
  try {
    return new URL(address).hostname;
  } catch {
    return "";
  }
}
