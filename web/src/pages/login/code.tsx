import { type FormEvent, type ReactNode, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import type { SecondFactor } from "@/store/account";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import { Frame } from "./frame";
import type { Asked, Problem } from "./index";
import css from "./login.module.css";

interface Props {
  asked: Asked;
  user: string;
  busy: boolean;
  problem: Problem | null;
  attempt: (second: SecondFactor) => Promise<void>;
  back: () => void;
}

/** The second factor: six digits go off by themselves; a recovery code has a field of its own. */
export function Code({ asked, user, busy, problem, attempt, back }: Props): ReactNode {
  const t = useT();
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const go = (text: string): void => void attempt({ method: asked.method, code: text });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    go(code.trim());
  };
  const type = (text: string): void => {
    const clean = recovery ? text : text.replace(/\D/g, "").slice(0, 6);
    setCode(clean);
    if (!recovery && clean.length === 6 && !busy) go(clean);
  };
  const resend = (): void => {
    void post("users.2fa.sendEmailCode", { emailOrUsername: user }, { anonymous: true })
      .then(() => toast(t("code.sent")))
      .catch(() => toast(t("code.notSent"), { bad: true }));
  };
  return (
    <Frame title={t("code.title")}>
      <div role="alert">{problem && <p className={css.problem}>{t(problem.id, problem.values)}</p>}</div>
      <form className={css.form} onSubmit={submit}>
        <Field
          key={String(recovery)}
          label={t(recovery ? "code.recovery" : "code.label")}
          hint={t(recovery ? "code.recoveryHint" : asked.method === "email" ? "code.emailHint" : "code.hint")}
          inputMode={recovery ? "text" : "numeric"}
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          required
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is this field
          autoFocus
          value={code}
          onChange={(event) => type(event.target.value)}
        />
        <Button kind="primary" type="submit" busy={busy}>
          {t("code.submit")}
        </Button>
      </form>
      <div className={css.links}>
        <Button kind="quiet" onClick={back}>
          {t("code.back")}
        </Button>
        {asked.method === "email" ? (
          <Button kind="quiet" onClick={resend}>
            {t("code.again")}
          </Button>
        ) : (
          <Button
            kind="quiet"
            onClick={() => {
              setRecovery(!recovery);
              setCode("");
            }}
          >
            {t(recovery ? "code.useApp" : "code.useRecovery")}
          </Button>
        )}
      </div>
    </Frame>
  );
}
