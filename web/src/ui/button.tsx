import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import css from "./button.module.css";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "plain" | "danger" | "quiet";
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button with a text. While it is busy it can't be pressed again, and says so. */
export function Button({ kind = "plain", busy = false, className = "", children, ...rest }: Props): ReactNode {
  return (
    <button
      type="button"
      {...rest}
      className={`${css.button} ${css[kind]} ${className}`}
      aria-busy={busy || undefined}
      disabled={rest.disabled ?? busy}
    >
      {children}
    </button>
  );
}

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does: its accessible name, and shown when it is pointed at. */
  label: string;
  ref?: Ref<HTMLButtonElement>;
}

/** A button with a picture and a name. */
export function IconButton({ label, className = "", children, ...rest }: IconProps): ReactNode {
  return (
    <button type="button" {...rest} className={`${css.icon} ${className}`} aria-label={label} title={label}>
      {children}
    </button>
  );
}
