import { type ReactNode, type SelectHTMLAttributes, useId } from "react";
import css from "./select.module.css";

interface Props extends Omit<SelectHTMLAttributes<HTMLSelectElement>, "onChange"> {
  label: string;
  /** Value and text of each choice, in order. */
  choices: readonly (readonly [value: string, text: string])[];
  choose: (value: string) => void;
  hint?: string | undefined;
}

/** One of a few: the browser's own list, which every device knows how to show. */
export function Select({ label, choices, choose, hint, className = "", ...rest }: Props): ReactNode {
  const id = useId();
  return (
    <div className={`${css.select} ${className}`}>
      <label htmlFor={id}>{label}</label>
      <select
        {...rest}
        id={id}
        aria-describedby={hint ? `${id}-more` : undefined}
        onChange={(event) => choose(event.target.value)}
      >
        {choices.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      {hint && <p id={`${id}-more`}>{hint}</p>}
    </div>
  );
}
