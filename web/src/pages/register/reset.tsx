import { type FormEvent, type ReactNode, useState } from "react";
import { Link, Redirect, useParams } from "wouter";
import { method } from "@/api/method";
import { ApiError } from "@/api/rest";
import { session } from "@/api/session";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import { PasswordField } from "@/ui/field";
import { Frame } from "../login/frame";
import css from "../login/login.module.css";

/** A new password, by the address in a mail. It is good once, and signs in. */
export default function Reset(): ReactNode {
  const t = useT();
  const { token = "" } = useParams<{ token: string }>();
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [done, setDone] = useState<"in" | "changed">();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      type Answer = { id: string; token: string };
      const { id, token: login } = await method<Answer>("resetPassword", [token, password], true);
      session.set({ userId: id, token: login });
      setDone("in");
    } catch (error) {
      const { code, isAway } = error instanceof ApiError ? error : { code: "", isAway: false };
      if (code === "2fa-enabled") setDone("changed");
      else if (isAway) setProblem("login.away");
      else setProblem(/invalid-password|policy/.test(code) ? "register.badPassword" : "reset.expired");
    } finally {
      setBusy(false);
    }
  };
  if (done === "in") return <Redirect to="/" replace />;
  return (
    <Frame title={t("forgot.title")}>
      <div role="alert">
        {problem && problem !== "register.badPassword" && <p className={css.problem}>{t(problem)}</p>}
      </div>
      {done === "changed" ? (
        <p role="status">{t("reset.changed")}</p>
      ) : (
        <form className={css.form} onSubmit={(event) => void submit(event)}>
          <PasswordField
            label={t("reset.password")}
            hint={t("reset.hint")}
            autoComplete="new-password"
            required
            // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is this field
            autoFocus
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            error={problem === "register.badPassword" ? t(problem) : undefined}
          />
          <Button kind="primary" type="submit" busy={busy}>
            {t("reset.submit")}
          </Button>
        </form>
      )}
      <p className={css.links}>
        <Link href="/login">{t("register.back")}</Link>
        {problem === "reset.expired" && <Link href="/forgot-password">{t("reset.again")}</Link>}
      </p>
    </Frame>
  );
}
