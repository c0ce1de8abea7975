import { PhoneOff, Video } from "lucide-react";
import type { ReactNode } from "react";
import type { Message } from "@/api/types";
import { useT } from "@/i18n";
import { endCall, isOver, joinCall } from "@/store/calls";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";
import css from "./cards.module.css";

/** A call in the conversation: who is in it, the way in, and how long it was once it is over. */
export default function CallCard({ message }: { message: Message }): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me?._id);
  const call = message.call;
  if (!call) return null;
  const over = isOver(call);
  const minutes = Math.max(1, Math.round(((call.endedAt ?? 0) - call.startedAt) / 60_000));
  const fail = (): void => toast(t("call.failed"), { bad: true });
  const state = over
    ? call.status === 3
      ? t("call.ended", { count: minutes })
      : t("call.missed")
    : t("call.joined", { count: call.joined });
  const names = call.users.map((user) => user.name || user.username).join(", ");
  return (
    <div className={css.call} role="group" aria-label={t("call.label", { title: call.title })}>
      {over ? <PhoneOff size={20} aria-hidden /> : <Video size={20} aria-hidden />}
      <p>
        <b dir="auto">{call.title || t("call.untitled")}</b>
        <small>{call.users.length > 0 ? t("live.message", { name: state, text: names }) : state}</small>
      </p>
      {!over && (
        <>
          <Button kind="primary" onClick={() => void joinCall(call.callId).catch(fail)}>
            {t("call.join")}
          </Button>
          {message.u._id === me && (
            <Button onClick={() => void endCall(call.callId).catch(fail)}>{t("call.end")}</Button>
          )}
        </>
      )}
    </div>
  );
}
