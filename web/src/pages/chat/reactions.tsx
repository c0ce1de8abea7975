import type { ReactNode } from "react";
import type { Message } from "@/api/types";
import { intl, useT } from "@/i18n";
import { Emoji } from "@/markup/emoji";
import { react } from "@/store/actions";
import { useStore } from "@/store/state";
import { failed } from "@/ui/failed";
import css from "./reactions.module.css";

/** Who reacted with what. Pressing one adds or takes back the own one. */
export function Reactions({ message }: { message: Message }): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me?.username ?? "");
  const all = Object.entries(message.reactions ?? {}).filter(([, who]) => who.usernames.length > 0);
  if (all.length === 0) return null;
  const list = new Intl.ListFormat(intl(), { type: "conjunction" });
  return (
    <ul className={css.reactions} aria-label={t("reactions.label")}>
      {all.map(([emoji, { usernames }]) => {
        const own = usernames.includes(me);
        const shown = usernames.slice(0, 8).map((name) => (name === me ? t("reactions.you") : name));
        const names = list.format(
          usernames.length > 8 ? [...shown, t("reactions.others", { count: usernames.length - 8 })] : shown,
        );
        const label = t("reactions.one", { emoji, names });
        const press = (): void => {
          react(message, emoji).catch(failed("failed.react"));
        };
        return (
          <li key={emoji}>
            <button
              type="button"
              className={css.reaction}
              aria-pressed={own}
              aria-label={label}
              title={label}
              onClick={press}
            >
              <span aria-hidden>
                <Emoji code={emoji} />
              </span>
              <span className={css.count}>{usernames.length}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
