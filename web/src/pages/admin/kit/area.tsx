import { type ReactNode, type TextareaHTMLAttributes, useId } from "react";
import css from "./kit.module.css";

interface Props extends TextareaHTMLAttributes<HTMLTextAreaElement> {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
}

/** Text of several lines. */
export function Area({ label, hint, error, ...rest }: Props): ReactNode {
  const id = useId();
  return (
    <div className={css.area}>
      <label htmlFor={id}>{label}</label>
      <textarea
        rows={3}
        {...rest}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={(error ?? hint) ? `${id}-more` : undefined}
      />
      {(error ?? hint) && (
        <p id={`${id}-more`} className={error ? css.problem : css.note}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
