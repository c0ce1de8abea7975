import { type ReactNode, useEffect, useState } from "react";
import { Link, Redirect, useLocation, useParams } from "wouter";
import { post } from "@/api/rest";
import { session } from "@/api/session";
import type { Room } from "@/api/types";
import { useT } from "@/i18n";
import { refresh } from "@/store/actions";
import { path } from "@/store/rooms";
import { useStore } from "@/store/state";
import { Frame } from "../login/frame";

/** An invitation to a room: taken at once by those who are signed in, after signing in by others. */
export default function Invite(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const { token = "" } = useParams<{ token: string }>();
  const me = useStore((state) => state.me);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!session.get()) return;
    post<{ room: Room & { rid: string } }>("useInviteToken", { token })
      .then(async ({ room }) => {
        await refresh(room.rid);
        go(path({ ...room, _id: room.rid }), { replace: true });
      })
      .catch(() => setFailed(true));
  }, [token, go, me]);
  if (!session.get()) return <Redirect to={`/login?to=${encodeURIComponent(`/invite/${token}`)}`} replace />;
  return (
    <Frame title={t("invite.title")}>
      <p role="status">{t(failed ? "invite.bad" : "app.loading")}</p>
      {failed && <Link href="/">{t("invite.home")}</Link>}
    </Frame>
  );
}
