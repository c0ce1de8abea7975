import { WifiOff } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { ddp } from "@/api/live";
import { useT } from "@/i18n";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import css from "./banner.module.css";

/** Breaks shorter than this pass unnoticed (ms). */
const PATIENCE = 1_500;

/** Says that the connection is lost, and that what is written goes out later. */
export function Banner(): ReactNode {
  const t = useT();
  const lostAt = useStore((state) => state.lostAt);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (lostAt === null) {
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => setShown(true), PATIENCE);
    return () => clearTimeout(timer);
  }, [lostAt]);
  return (
    <div role="status">
      {shown && (
        <div className={css.banner}>
          <WifiOff size={18} aria-hidden />
          <span>{t("banner.offline")}</span>
          <Button kind="quiet" onClick={() => ddp.again()}>
            {t("banner.now")}
          </Button>
        </div>
      )}
    </div>
  );
}
