import { X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { get } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { state } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Field } from "@/ui/field";
import css from "./create.module.css";

export interface Person {
  _id: Id;
  username: string;
  name?: string;
}

interface Props {
  chosen: Person[];
  change: (people: Person[]) => void;
  /** The dialog begins here. */
  first: boolean;
}

/** People, found by typing: offered as buttons, and those who were chosen above them. */
export function People({ chosen, change, first }: Props): ReactNode {
  const t = useT();
  const [text, setText] = useState("");
  const [found, setFound] = useState<Person[]>([]);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      const selector = JSON.stringify({ term: text.trim(), exceptions: [state().me?.username ?? ""] });
      get<{ items: Person[] }>("users.autocomplete", { selector })
        .then(({ items }) => current && setFound(items))
        .catch(() => current && setFound([]));
    }, 120);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);
  const shown = found.filter((one) => !chosen.some(({ _id }) => _id === one._id)).slice(0, 6);
  return (
    <>
      <Field
        label={t("create.people")}
        type="search"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog begins here
        autoFocus={first}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <ul className={css.chosen} aria-label={t("create.chosen")}>
        {chosen.map((one) => (
          <li key={one._id}>
            <button
              type="button"
              aria-label={t("create.without", { name: one.name ?? one.username })}
              onClick={() => change(chosen.filter(({ _id }) => _id !== one._id))}
            >
              {one.name ?? one.username} <X size={14} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
      <ul className={css.found} aria-label={t("create.found")}>
        {shown.map((one) => (
          <li key={one._id}>
            <button
              type="button"
              onClick={() => {
                change([...chosen, one]);
                setText("");
              }}
            >
              <Avatar username={one.username} size={28} />
              <span dir="auto">{one.name ?? one.username}</span>{" "}
              <small>
                <bdi>@{one.username}</bdi>
              </small>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
