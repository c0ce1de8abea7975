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
  size?: number;
  status?: Status | undefined;
}

/** A picture beside a name, which says who it is; so the picture itself says nothing. */
export const Avatar = memo(function Avatar({ username, rid, etag, src, size = 36, status }: Props): ReactNode {
  // Whoever is not known yet has no picture to be asked for.
  const address = src ?? (rid ? `/avatar/room/${rid}` : username && `/avatar/${encodeURIComponent(username)}`);
  return (
    <span className={css.avatar} style={{ inlineSize: size, blockSize: size }}>
      {address && (
        <img src={etag ? `${address}?etag=${etag}` : address} alt="" width={size} height={size} loading="lazy" />
      )}
      {status && <Presence status={status} />}
    </span>
  );
});

/** Presence by shape and colour, with its name. */
export function Presence({ status }: { status: Status }): ReactNode {
  const t = useT();
  return <span className={`${css.presence} ${css[status]}`} role="img" aria-label={t(`presence.${status}`)} />;
}
