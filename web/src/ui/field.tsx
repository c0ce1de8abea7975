import { type InputHTMLAttributes, type ReactNode, type Ref, useId, useState } from "react";
import { useT } from "@/i18n";
import css from "./field.module.css";

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  /** Said below the field, and read with it. */
  hint?: string | undefined;
  /** What is wrong with the value. */
  error?: string | undefined;
  ref?: Ref<HTMLInputElement>;
}

/** A labelled field. */
export function Field({ label, hint, error, className = "", ...rest }: Props): ReactNode {
  const id = useId();
  return (
    <div className={`${css.field} ${className}`}>
      <label htmlFor={id}>{label}</label>
      <input {...rest} id={id} aria-invalid={error ? true : undefined} aria-describedby={`${id}-more`} />
      <Below id={`${id}-more`} hint={hint} error={error} />
    </div>
  );
}

function Below({ id, hint, error }: { id: string; hint?: string | undefined; error?: string | undefined }): ReactNode {
  return (
    <p id={id} className={error ? css.error : css.hint}>
      {error ?? hint}
    </p>
  );
}

/** A password that can be looked at. */
export function PasswordField({ label, hint, error, ...rest }: Props): ReactNode {
  const t = useT();
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      <div className={css.group}>
        <input
          {...rest}
          id={id}
          type={shown ? "text" : "password"}
          aria-invalid={error ? true : undefined}
          aria-describedby={`${id}-more`}
          spellCheck={false}
          autoCapitalize="none"
        />
        <button type="button" className={css.reveal} aria-pressed={shown} onClick={() => setShown(!shown)}>
          {t(shown ? "password.hide" : "password.show")}
        </button>
      </div>
      <Below id={`${id}-more`} hint={hint} error={error} />
    </div>
  );
}

interface SwitchProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string | undefined;
}

/** Yes or no. */
export function Check({ label, hint, ...rest }: SwitchProps): ReactNode {
  const id = useId();
  return (
    <div className={css.check}>
      <input type="checkbox" {...rest} id={id} aria-describedby={hint ? `${id}-more` : undefined} />
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p id={`${id}-more`} className={css.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}
