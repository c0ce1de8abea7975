import { type FormEvent, type ReactNode, useState } from "react";
import { Link } from "wouter";
import { ApiError, post } from "@/api/rest";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Frame } from "../login/frame";
import css from "../login/login.module.css";

/** Asks for a mail that leads to a new password. Whether the address is known is not told. */
export default function Forgot(): ReactNode {
  const t = useT();
  const [email, setEmail] = useState("");
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(undefined);
    try {
      await post("users.forgotPassword", { email: email.trim() }, { anonymous: true });
      setAsked(true);
    } catch (error) {
      if (error instanceof ApiError && error.isAway) setProblem("login.away");
      else if (error instanceof ApiError && error.status === 429) setProblem("login.tooOften");
      else setProblem("forgot.off");
    }
  };
  return (
    <Frame title={t("forgot.title")}>
      <div role="alert">{problem && <p className={css.problem}>{t(problem)}</p>}</div>
      {asked ? (
        <p role="status">{t("forgot.asked", { email })}</p>
      ) : (
        <form className={css.form} onSubmit={(event) => void submit(event)}>
          <Field
            label={t("register.email")}
            type="email"
            autoComplete="email"
            required
            // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is this field
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
          <Button kind="primary" type="submit">
            {t("forgot.submit")}
          </Button>
        </form>
      )}
      <p className={css.links}>
        <Link href="/login">{t("register.back")}</Link>
      </p>
    </Frame>
  );
}
