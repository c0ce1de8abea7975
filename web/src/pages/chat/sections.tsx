import { ChevronDown } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import type { Id, Subscription } from "@/api/types";
import { useT } from "@/i18n";
import { prefer, preference } from "@/store/preferences";
import { isUnread } from "@/store/rooms";
import { useStore } from "@/store/state";
import css from "./sidebar.module.css";

export interface Head {
  section: string;
  open: boolean;
  /** Rooms in it with something unread. */
  unread: number;
}

const KINDS = { c: "rooms", p: "groups", d: "direct", l: "rooms" } as const;
const ORDER = ["favourites", "support", "rooms", "groups", "discussions", "direct", "rest"];

function sectionOf(sub: Subscription, isCase: boolean): string {
  if (sub.f) return "favourites";
  if (isCase) return "support";
  return sub.prid ? "discussions" : KINDS[sub.t];
}

/** A row of the list: a room, or the head of a section. */
export type Entry = Id | Head;

interface Sections {
  entries: Entry[];
  /** How they are put into sections: another one was asked for by the reader. */
  way: string;
  toggle: (section: string) => void;
}

/**
 * One list, or one for each kind of room, as the reader wants it; which are closed is kept with the account. Favourites
 * have a head of their own as soon as there are some.
 */
export function useSections(list: Subscription[], whole: boolean): Sections {
  const grouped = useStore((state) => preference("inboxSections", false, state));
  const closed = useStore((state) => state.me?.settings?.preferences?.["inboxClosed"]);
  const rooms = useStore((state) => state.rooms);
  const entries = useMemo(() => {
    const shut = Array.isArray(closed) ? (closed as string[]) : [];
    if (!whole || (!grouped && !list.some((sub) => sub.f))) return list.map(({ rid }) => rid);
    const parts = new Map<string, Subscription[]>();
    for (const sub of list) {
      const section = grouped || sub.f ? sectionOf(sub, Boolean(rooms[sub.rid]?.parlorKind)) : "rest";
      const part = parts.get(section);
      if (part) part.push(sub);
      else parts.set(section, [sub]);
    }
    return ORDER.flatMap((section): Entry[] => {
      const inside = parts.get(section);
      if (!inside) return [];
      const open = !shut.includes(section);
      const head = { section, open, unread: inside.filter(isUnread).length };
      return [head, ...(open ? inside.map(({ rid }) => rid) : [])];
    });
  }, [list, whole, grouped, closed, rooms]);
  const toggle = (section: string): void => {
    const shut = Array.isArray(closed) ? (closed as string[]) : [];
    const inboxClosed = shut.includes(section) ? shut.filter((one) => one !== section) : [...shut, section];
    void prefer({ inboxClosed }).catch(() => undefined);
  };
  const way = JSON.stringify([grouped, closed]);
  return { entries, way, toggle };
}

/** The head of a section: it opens and closes it, and tells of what is unread within while it is closed. */
export function SectionHead({ head, toggle }: { head: Head; toggle: (section: string) => void }): ReactNode {
  const t = useT();
  return (
    <button
      type="button"
      className={css.section}
      aria-expanded={head.open}
      tabIndex={-1}
      data-row={head.section}
      onClick={() => toggle(head.section)}
    >
      <ChevronDown size={14} aria-hidden />
      {t(`section.${head.section}`)}
      {!head.open && head.unread > 0 && (
        <span>
          <span className="hidden">{t("badge.unread", { count: head.unread })}</span>
          <span aria-hidden>{head.unread}</span>
        </span>
      )}
    </button>
  );
}
