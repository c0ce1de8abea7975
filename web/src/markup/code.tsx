import { Copy } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useT } from "@/i18n";
import { copyText } from "@/lib/copy";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { Button, IconButton } from "@/ui/button";
import type { Part } from "./colour";
import css from "./markup.module.css";

/** Lines shown before "show all". */
const SHOWN = 20;

/** A block of code: its language, a way to copy it, and no more of it than fits. */
export function Code({ language, text }: { language?: string | undefined; text: string }): ReactNode {
  const t = useT();
  const [open, setOpen] = useState(false);
  const lines = text.split("\n");
  const long = lines.length > SHOWN + 5;
  const shown = long && !open ? lines.slice(0, SHOWN).join("\n") : text;
  const copy = (): void => {
    copyText(text)
      .then(() => toast(t("code.copied")))
      .catch(failed("failed.copy"));
  };
  const name = language && language !== "none" ? language : t("markup.code");
  return (
    <div className={css.block}>
      <header>
        <span>{name}</span>
        <IconButton label={t("markup.copy")} onClick={copy}>
          <Copy size={16} aria-hidden />
        </IconButton>
      </header>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
      <pre tabIndex={0} role="region" aria-label={name}>
        <Coloured language={language} text={shown} />
      </pre>
      {long && (
        <Button kind="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t(open ? "markup.less" : "markup.more", { count: lines.length })}
        </Button>
      )}
    </div>
  );
}

/** The text at once, and its colours when they are there. */
function Coloured({ language, text }: { language: string | undefined; text: string }): ReactNode {
  const [found, setFound] = useState<{ text: string; parts: Part[] }>();
  useEffect(() => {
    if (!language || language === "none") return undefined;
    let current = true;
    import("./colour")
      .then(({ colour }) => colour(language, text))
      .then((parts) => current && parts && setFound({ text, parts }))
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [language, text]);
  return found?.text === text ? <Parts parts={found.parts} /> : text;
}

function Parts({ parts }: { parts: Part[] }): ReactNode {
  return parts.map((part, index) =>
    typeof part === "string" ? (
      part
    ) : (
      <span key={index} data-code={part.kind}>
        <Parts parts={part.parts} />
      </span>
    ),
  );
}
