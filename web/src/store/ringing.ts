// Somebody calls: said with the way in, until it is answered or put away.

import { t } from "@/i18n";
import { play } from "@/lib/sound";
import { toast } from "@/ui/toast";
import { joinCall } from "./calls";
import { preference } from "./preferences";
import { title } from "./rooms";
import { state } from "./state";

interface Told {
  action?: string;
  params?: { callId?: string; uid?: string; rid?: string };
}

export function ring(told: unknown): void {
  const { action, params } = (told ?? {}) as Told;
  const { callId, rid, uid } = params ?? {};
  if (!callId || !rid || uid === state().me?._id || !["call", "ring"].includes(action ?? "")) return;
  const name = title(state().subscriptions[rid], state().rooms[rid]);
  if (navigator.userActivation?.hasBeenActive) play("message", preference("notificationsSoundVolume", 100));
  toast(t("call.rings", { name }), {
    action: {
      label: t("call.join"),
      run: () => void joinCall(callId).catch(() => toast(t("call.failed"), { bad: true })),
    },
  });
}
