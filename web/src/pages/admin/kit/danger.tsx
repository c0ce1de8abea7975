import { type ReactNode, useState } from "react";
import { Unanswered } from "@/api/challenge";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import css from "./kit.module.css";
import { reason } from "./reason";

interface Props {
  title: string;
  /** What will happen, and whatever has to be chosen. */
  children: ReactNode;
  /** What the button does. */
  yes: string;
  run: () => Promise<unknown>;
  done?: () => void;
  close: () => void;
  /** Says more about a refusal; `undefined` for the usual text. */
  explain?: (error: unknown) => string | undefined;
}

/** Asks before something grave, says what will happen, and stays open when it is refused. */
export function Danger({ title, children, yes, run, done, close, explain }: Props): ReactNode {
  const t = useT();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const go = (): void => {
    setBusy(true);
    setProblem(undefined);
    run()
      .then(() => {
        close();
        done?.();
      })
      .catch((error: unknown) => {
        if (!(error instanceof Unanswered)) setProblem(explain?.(error) ?? reason(error, t));
      })
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={title} close={close} alert>
      <div className={css.said}>{children}</div>
      {problem && (
        <p role="alert" className={css.problem}>
          {problem}
        </p>
      )}
      <Footer>
        {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the harmless answer comes first */}
        <Button onClick={close} autoFocus>
          {t("dialog.cancel")}
        </Button>
        <Button kind="danger" busy={busy} onClick={go}>
          {yes}
        </Button>
      </Footer>
    </Dialog>
  );
}
