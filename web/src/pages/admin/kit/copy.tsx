import { Copy as Icon } from "lucide-react";
import type { ReactNode } from "react";
import { useT } from "@/i18n";
import { copyText } from "@/lib/copy";
import { IconButton } from "@/ui/button";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import css from "./kit.module.css";

/** A line to be taken elsewhere: a command, an address, a token. */
export function Copy({ label, text }: { label: string; text: string }): ReactNode {
  const t = useT();
  const copy = (): void => {
    copyText(text)
      .then(() => toast(t("action.copied")))
      .catch(failed("failed.copy"));
  };
  return (
    <div className={css.copy}>
      <pre dir="ltr">
        <code>{text}</code>
      </pre>
      <IconButton label={t("admin.copy", { what: label })} onClick={copy}>
        <Icon size={18} aria-hidden />
      </IconButton>
    </div>
  );
}
