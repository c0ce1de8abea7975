import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { IconButton } from "@/ui/button";
import { AboutPanel } from "./panel-about";
import { DiscussionsPanel } from "./panel-discussions";
import { FilesPanel } from "./panel-files";
import { MembersPanel } from "./panel-members";
import { NotificationsPanel } from "./panel-notifications";
import { ListPanel } from "./panel-messages";
import { SearchBox } from "./search-box";
import { CasePanel } from "../support/lazy";
import css from "./side.module.css";
import { Thread } from "./thread";

interface Props {
  rid: Id;
  kind: string;
  id?: string | undefined;
  close: () => void;
}

const KINDS = [
  "about",
  "thread",
  "threads",
  "files",
  "members",
  "pinned",
  "starred",
  "mentions",
  "search",
  "notifications",
  "case",
  "discussions",
];

/** What is shown beside a conversation. */
export default function Side({ rid, kind, id, close }: Props): ReactNode {
  const t = useT();
  const box = useRef<HTMLElement>(null);
  const [opener] = useState(() => document.activeElement);
  useEffect(() => {
    if (!box.current?.contains(document.activeElement)) box.current?.focus();
    return () => void requestAnimationFrame(() => giveBack(opener));
  }, [opener]);
  if (!KINDS.includes(kind)) return null;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Esc closes it
    <aside
      ref={box}
      className={css.side}
      aria-label={t(`panel.${kind}`)}
      tabIndex={-1}
      onKeyDown={(event) => event.key === "Escape" && !event.defaultPrevented && close()}
    >
      <header className={css.header}>
        <h2>{t(`panel.${kind}`)}</h2>
        <IconButton label={t("panel.close")} onClick={close}>
          <X size={20} aria-hidden />
        </IconButton>
      </header>
      <Panel rid={rid} kind={kind} id={id} />
    </aside>
  );
}

/** The focus goes back to what opened the panel, or to its message; what stood in a menu is gone: then to the menu. */
function giveBack(opener: Element | null): void {
  // Somebody went elsewhere.
  if (document.activeElement !== document.body) return;
  const row = opener?.closest<HTMLElement>("[data-row]")?.dataset.row;
  const near = row ? document.querySelector(`[data-row="${CSS.escape(row)}"]`) : undefined;
  const menu = [...document.querySelectorAll("main header button")].at(-1);
  const all = [opener === document.body ? null : opener, near, menu];
  (all.find((one) => one?.isConnected) as HTMLElement | undefined)?.focus({ preventScroll: true });
}

function Panel({ rid, kind, id }: Omit<Props, "close">): ReactNode {
  if (kind === "thread" && id) return <Thread key={id} rid={rid} tmid={id} />;
  if (kind === "about") return <AboutPanel rid={rid} />;
  if (kind === "files") return <FilesPanel rid={rid} />;
  if (kind === "members") return <MembersPanel rid={rid} />;
  if (kind === "discussions") return <DiscussionsPanel rid={rid} />;
  if (kind === "case") return <CasePanel rid={rid} />;
  if (kind === "notifications") return <NotificationsPanel rid={rid} />;
  if (kind === "search") return <SearchBox rid={rid} />;
  return <ListPanel rid={rid} kind={kind as "threads" | "pinned" | "starred" | "mentions"} />;
}
