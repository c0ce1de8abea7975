import { type KeyboardEvent, type ReactNode, useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { method } from "@/api/method";
import { get } from "@/api/rest";
import type { Id, Message } from "@/api/types";
import { useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { Field } from "@/ui/field";
import { choices } from "./complete";
import { Hits } from "./panel-messages";
import { filterAt, parse } from "./search";
import css from "./side.module.css";

const FILTERS = ["from", "in", "has", "before", "after", "on", "mention"] as const;
const KINDS = ["file", "link", "image", "pin", "star"];
const PAGE = 50;
/** All rooms are searched at once, and give their newest so many. */
const WIDE = 100;

interface Offer {
  key: string;
  /** What the search becomes when it is taken. */
  text: string;
  label: string;
  more?: string | undefined;
}

/** Search in one room, or (without `rid`) in all of one's own; filters are words, offered as they are typed. */
export function SearchBox({ rid, begin = "" }: { rid?: Id; begin?: string }): ReactNode {
  const t = useT();
  const [text, setText] = useState(begin);
  const [wide, setWide] = useState(!rid);
  const wanted = useDeferredValue(text.trim());
  const { server, words } = parse(wanted);
  const room = wide ? undefined : rid;
  const paged = usePaged<Message>(
    server ? `${room ?? "*"}/${server}` : null,
    async (offset) => {
      if (!room) {
        type Answer = { message: { docs: Message[] } };
        return (await method<Answer>("messageSearch", [server, null, WIDE])).message.docs;
      }
      const query = { roomId: room, searchText: server, offset, count: PAGE };
      return (await get<{ messages: Message[] }>("chat.search", query)).messages;
    },
    room ? PAGE : WIDE + 1,
  );
  return (
    <>
      <search className={css.form}>
        <Query text={text} setText={setText} rid={room} />
        {rid && (
          <div className={css.chips} role="group" aria-label={t("search.scope")}>
            {[false, true].map((one) => (
              <button key={String(one)} type="button" aria-pressed={one === wide} onClick={() => setWide(one)}>
                {t(one ? "search.everywhere" : "search.here")}
              </button>
            ))}
          </div>
        )}
      </search>
      {server ? (
        <Hits paged={paged} none={t("search.none")} marked={words} named={!room} />
      ) : (
        <p className={css.note}>{t("search.begin")}</p>
      )}
    </>
  );
}

interface QueryProps {
  text: string;
  setText: (text: string) => void;
  rid: Id | undefined;
}

function Query({ text, setText, rid }: QueryProps): ReactNode {
  const t = useT();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [offers, setOffers] = useState<Offer[]>([]);
  const [active, setActive] = useState(-1);
  const [shut, setShut] = useState(true);
  useEffect(() => {
    let current = true;
    setActive(-1);
    const timer = setTimeout(() => void offered(text, rid, t).then((all) => current && setOffers(all)), 60);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text, rid, t]);
  const open = !shut && offers.length > 0;
  const take = (offer: Offer | undefined): void => {
    if (!offer) return;
    setText(offer.text);
    field.current?.focus();
  };
  const keys = (event: KeyboardEvent): void => {
    if (!open || event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((active + step + offers.length + (active < 0 && step < 0 ? 1 : 0)) % offers.length);
    else if ((event.key === "Enter" || event.key === "Tab") && active >= 0) take(offers[active]);
    else if (event.key === "Escape") setShut(true);
    else return;
    event.preventDefault();
  };
  return (
    <div className={css.query}>
      <Field
        ref={field}
        label={t("search.label")}
        hint={t("search.hint")}
        role="combobox"
        enterKeyHint="search"
        autoComplete="off"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={open ? `${id}-list` : undefined}
        aria-activedescendant={open && active >= 0 ? `${id}-${active}` : undefined}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the panel is this field
        autoFocus
        value={text}
        onChange={(event) => {
          setShut(false);
          setText(event.target.value);
        }}
        onKeyDown={keys}
        onBlur={() => setShut(true)}
      />
      {open && (
        <ul className={css.offers} role="listbox" id={`${id}-list`} aria-label={t("search.options")}>
          {offers.map((offer, index) => (
            // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys
            <li
              key={offer.key}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              onPointerDown={(event) => {
                event.preventDefault();
                take(offer);
              }}
            >
              <b dir="auto">{offer.label}</b>
              {offer.more && <small dir="auto">{offer.more}</small>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What may follow what was typed: the filters by their beginnings, or what a filter may be set to. */
async function offered(text: string, rid: Id | undefined, t: (id: string) => string): Promise<Offer[]> {
  const filter = filterAt(text);
  if (!filter) {
    const word = /(\S*)$/.exec(text)?.[1] ?? "";
    const start = text.slice(0, text.length - word.length);
    if (!word) return [];
    return FILTERS.filter((name) => name.startsWith(word.toLowerCase())).map((name) => ({
      key: name,
      text: `${start}${name}:`,
      label: `${name}:`,
      more: t(`search.${name}`),
    }));
  }
  const { from, name, value } = filter;
  const start = text.slice(0, from);
  const offer = (key: string, more?: string): Offer => ({
    key,
    text: `${start}${name}:${key} `,
    label: `${name}:${key}`,
    more,
  });
  if (name === "has")
    return KINDS.filter((kind) => kind.startsWith(value) && kind !== value).map((kind) => offer(kind));
  if (["before", "after", "on"].includes(name)) {
    const days = [0, 1, 7, 30].map((ago) => new Date(Date.now() - ago * 86_400_000).toLocaleDateString("sv-SE"));
    return days.filter((day) => day.startsWith(value) && day !== value).map((day) => offer(day));
  }
  const clean = value.replace(/^[@#]/, "");
  const found = await choices(rid, { mark: name === "in" ? "#" : "@", text: clean, from: 0, to: 0 });
  return found
    .filter(({ username, rid: room }) => username ?? room)
    .map((one) => offer(one.username ?? one.insert.slice(1).trim(), one.label))
    .filter(({ key }) => key !== clean);
}
