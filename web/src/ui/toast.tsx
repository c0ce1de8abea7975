import { X } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { create } from "zustand";
import { useT } from "@/i18n";
import { atEnd } from "@/store/state";
import { Button, IconButton } from "./button";
import css from "./toast.module.css";

interface Toast {
  id: number;
  text: string;
  bad?: boolean;
  action?: { label: string; run: () => void };
}

const useToasts = create<{ all: Toast[] }>(() => ({ all: [] }));
let next = 1;
atEnd(() => useToasts.setState({ all: [] }));

const close = (id: number): void => useToasts.setState(({ all }) => ({ all: all.filter((one) => one.id !== id) }));

/** A short note at the edge of the page. It stays until it is closed when it is bad or offers something. */
export function toast(text: string, more: Pick<Toast, "bad" | "action"> = {}): void {
  useToasts.setState(({ all }) => ({ all: [...all.slice(-2), { id: next++, text, ...more }] }));
}

export function Toasts(): ReactNode {
  const all = useToasts((state) => state.all);
  const t = useT();
  return (
    <div className={css.toasts} role="region" aria-label={t("toast.region")}>
      {all.map((one) => (
        <Note key={one.id} toast={one} />
      ))}
    </div>
  );
}

function Note({ toast: { id, text, bad, action } }: { toast: Toast }): ReactNode {
  const t = useT();
  useEffect(() => {
    if (bad || action) return undefined;
    const timer = setTimeout(() => close(id), 6_000);
    return () => clearTimeout(timer);
  }, [id, bad, action]);
  return (
    <div className={`${css.toast} ${bad ? css.bad : ""}`} role={bad ? "alert" : "status"}>
      <p>{text}</p>
      {action && (
        <Button
          kind="quiet"
          onClick={() => {
            action.run();
            close(id);
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton label={t("toast.close")} onClick={() => close(id)}>
        <X size={18} aria-hidden />
      </IconButton>
    </div>
  );
}
