import { type ReactNode, useEffect, useRef, useState } from "react";
import { useT } from "@/i18n";
import { Field } from "@/ui/field";
import css from "./kit.module.css";

export interface Choice {
  id: string;
  name: string;
  /** What tells it from another one of that name. */
  more?: string;
}

interface Props {
  label: string;
  hint?: string;
  error?: string | undefined;
  value: Choice | null;
  choose: (value: Choice | null) => void;
  find: (text: string) => Promise<Choice[]>;
  required?: boolean;
}

/** One of many that are found by typing: offered as buttons below the field. */
export function Pick({ label, hint, error, value, choose, find, required = false }: Props): ReactNode {
  const t = useT();
  const [text, setText] = useState("");
  const [found, setFound] = useState<Choice[]>([]);
  const finder = useRef(find);
  finder.current = find;
  useEffect(() => {
    if (!text.trim()) {
      setFound([]);
      return undefined;
    }
    let current = true;
    const timer = setTimeout(() => {
      finder
        .current(text.trim())
        .then((all) => current && setFound(all.slice(0, 8)))
        .catch(() => current && setFound([]));
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);
  const shown = text ? text : value ? [value.name, value.more].filter(Boolean).join(" · ") : "";
  return (
    <>
      <Field
        label={label}
        hint={hint}
        error={error}
        required={required}
        type="search"
        dir="auto"
        autoComplete="off"
        autoCapitalize="none"
        value={shown}
        onChange={(event) => {
          choose(null);
          setText(event.target.value);
        }}
      />
      <ul className={css.found} aria-label={t("admin.found", { what: label })}>
        {!value &&
          found.map((one) => (
            <li key={one.id}>
              <button
                type="button"
                dir="auto"
                onClick={() => {
                  choose(one);
                  setText("");
                }}
              >
                {one.name} {one.more && <small>{one.more}</small>}
              </button>
            </li>
          ))}
      </ul>
    </>
  );
}
