import { Siren } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useT } from "@/i18n";
import { useNow } from "@/lib/now";
import { play } from "@/lib/sound";
import { millis } from "@/lib/time";
import { acknowledge, ringing, useDesk, watchDesk } from "@/store/desk";
import { preference } from "@/store/preferences";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import css from "./support.module.css";

/** Pause between two rings, and after how long nobody's answer is said louder (ms). */
const RING = 6_000;
const LATE = 60_000;

/** An emergency that nobody has acknowledged stands above everything, is heard again and again, and is in the title. */
export default function Alarm(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const open = useDesk((state) => state.open);
  const now = useNow(10_000);
  const [busy, setBusy] = useState(false);
  useEffect(watchDesk, []);
  const all = ringing(open);
  const first = all[0];
  const rings = first !== undefined;
  useEffect(() => {
    if (!rings) return undefined;
    const before = document.title;
    let on = false;
    const ring = (): void => {
      on = !on;
      document.title = on ? `‼ ${t("support.emergency")}` : before;
      if (on && navigator.userActivation?.hasBeenActive)
        play("emergency", preference("notificationsSoundVolume", 100) || 60);
    };
    ring();
    const timer = setInterval(ring, RING / 2);
    return () => {
      clearInterval(timer);
      document.title = before;
    };
  }, [rings, t]);
  if (!first) return null;
  const late = now - millis(first.waitingSince) > LATE;
  const name = first.requester?.name ?? first.requester?.username ?? "";
  return (
    <div className={css.alarm} role="alert" data-late={late}>
      <Siren size={24} aria-hidden />
      <p dir="auto">
        <b>{t("support.emergency")}</b> {t("support.alarm", { title: first.title, name, count: all.length - 1 })}{" "}
        {late && t("support.late")}
      </p>
      <Button
        kind="plain"
        busy={busy}
        onClick={() => {
          setBusy(true);
          acknowledge(first.rid)
            .catch(failed("failed.acknowledge"))
            .finally(() => setBusy(false));
        }}
      >
        {t("support.acknowledge")}
      </Button>
      <Button kind="plain" onClick={() => go(`/group/${encodeURIComponent(first.name)}`)}>
        {t("support.look")}
      </Button>
    </div>
  );
}
