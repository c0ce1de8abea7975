import { memo, type ReactNode } from "react";
import type { Status } from "@/api/types";
import { useT } from "@/i18n";
import css from "./avatar.module.css";

interface Props {
  /** A person's user name, or a room's id. */
  username?: string | undefined;
  rid?: string | undefined;
  etag?: string | undefined;
  src?: string | undefined;
  /** Whose first letter is drawn here where no picture was chosen: no request for it. */
  letters?: string | undefined;
  size?: number;
  status?: Status | undefined;
}

/** A picture beside a name, which says who it is; so the picture itself says nothing. */
export const Avatar = memo(function Avatar({ username, rid, etag, src, letters, size = 36, status }: Props): ReactNode {
  // Whoever is not known yet has no picture to be asked for.
  const address = src ?? (rid ? `/avatar/room/${rid}` : username && `/avatar/${encodeURIComponent(username)}`);
  return (
    <span className={css.avatar} style={{ inlineSize: size, blockSize: size }}>
      {letters && !etag ? (
        // A picture would be one more thing that the browser composes at each frame.
        <span
          className={css.letter}
          style={{ fontSize: size * 0.625, lineHeight: `${size}px`, background: colour(letters) }}
          aria-hidden
        >
          {initial(letters)}
        </span>
      ) : address ? (
        <img src={etag ? `${address}?etag=${etag}` : address} alt="" width={size} height={size} loading="lazy" />
      ) : null}
      {status && <Presence status={status} />}
    </span>
  );
});

/** As the server draws them. */
const COLOURS = "b33a3a 9c4a1a 7a5c00 4f6b1f 2e7d4f 007373 1f6aa5 3b5bc0 5e4fb8 8345a8 a63c7e 5a616b".split(" ");
const READABLE = /[\p{L}\p{N}]/u;

export const initial = (name: string): string => [...(READABLE.exec(name)?.[0].toUpperCase() ?? "?")][0] ?? "?";

export function colour(name: string): string {
  if (!READABLE.test(name)) return "#5a616b";
  const sum = new TextEncoder().encode(name).reduce((all, byte) => (Math.imul(all, 31) + byte) >>> 0, 7);
  return `#${COLOURS[sum % COLOURS.length]}`;
}

/** Presence by shape and colour, with its name. */
export function Presence({ status }: { status: Status }): ReactNode {
  const t = useT();
  return <span className={`${css.presence} ${css[status]}`} role="img" aria-label={t(`presence.${status}`)} />;
}
