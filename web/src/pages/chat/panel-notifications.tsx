import type { ReactNode } from "react";
import { post } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { change, useStore } from "@/store/state";
import { Check } from "@/ui/field";
import { Select } from "@/ui/select";
import { failed } from "@/ui/failed";
import css from "./side.module.css";

const LEVELS = ["default", "all", "mentions", "nothing"] as const;

/** What somebody is told of in one room. */
export function NotificationsPanel({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const sub = useStore((state) => state.subscriptions[rid]);
  if (!sub) return null;
  const save = (notifications: Record<string, string>, shown: Partial<typeof sub>): void => {
    change(({ subscriptions }) => ({ subscriptions: { ...subscriptions, [rid]: { ...sub, ...shown } } }));
    post("rooms.saveNotification", { roomId: rid, notifications }).catch((error: unknown) => {
      change(({ subscriptions }) => ({ subscriptions: { ...subscriptions, [rid]: sub } }));
      failed("failed.save")(error);
    });
  };
  const level = (
    key: "desktopNotifications" | "mobilePushNotifications" | "emailNotifications",
    origin: "desktopPrefOrigin" | "mobilePrefOrigin" | "emailPrefOrigin",
  ): ReactNode => (
    <Select
      label={t(`room.${key}`)}
      value={(sub[origin] === "user" ? undefined : (sub[key] as string | undefined)) ?? "default"}
      choices={LEVELS.map((one) => [one, t(`level.${one}`)] as const)}
      choose={(value) => save({ [key]: value }, { [key]: value, [origin]: "subscription" })}
    />
  );
  const flag = (key: "disableNotifications" | "muteGroupMentions" | "hideUnreadStatus"): ReactNode => (
    <Check
      label={t(`room.${key}`)}
      checked={sub[key] ?? false}
      onChange={(event) => save({ [key]: event.target.checked ? "1" : "0" }, { [key]: event.target.checked })}
    />
  );
  return (
    <div className={`${css.scroll} ${css.form}`}>
      {flag("disableNotifications")}
      {level("desktopNotifications", "desktopPrefOrigin")}
      {level("mobilePushNotifications", "mobilePrefOrigin")}
      {level("emailNotifications", "emailPrefOrigin")}
      {flag("muteGroupMentions")}
      {flag("hideUnreadStatus")}
    </div>
  );
}
