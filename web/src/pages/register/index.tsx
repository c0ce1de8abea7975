import { type FormEvent, type ReactNode, useState } from "react";
import { Link, Redirect, useLocation, useSearch } from "wouter";
import { ApiError, post } from "@/api/rest";
import { session } from "@/api/session";
import { useT } from "@/i18n";
import { signIn } from "@/store/account";
import { setting, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { why } from "@/ui/failed";
import { Field, PasswordField } from "@/ui/field";
import { Frame } from "../login/frame";
import css from "../login/login.module.css";

/** An account of one's own, where the workspace allows it. */
export default function Register(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const to = new URLSearchParams(useSearch()).get("to") ?? "/";
  const form = useStore((from) => setting("Accounts_RegistrationForm", "Public", from));
  const known = useStore((from) => "Accounts_RegistrationForm" in from.settings);
  const [values, setValues] = useState({ name: "", username: "", email: "", password: "" });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ field?: string; id: string }>();
  const [waiting, setWaiting] = useState(false);
  const put = (name: keyof typeof values) => (event: { target: HTMLInputElement }) =>
    setValues({ ...values, [name]: event.target.value });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const { name, username, email, password } = values;
    try {
      await post("users.register", { name, username, email, pass: password }, { anonymous: true });
      await signIn(username, password);
      go(to.startsWith("/") && !to.startsWith("//") ? to : "/");
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) setWaiting(true);
      else setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  if (session.get()) return <Redirect to="/" replace />;
  if (waiting || (known && form !== "Public")) {
    return (
      <Frame title={t("register.title")}>
        <p>{t(waiting ? "register.waiting" : "register.closed")}</p>
        <p className={css.links}>
          <Link href="/login">{t("register.back")}</Link>
        </p>
      </Frame>
    );
  }
  const error = (field: string): string | undefined => (problem?.field === field ? t(problem.id) : undefined);
  return (
    <Frame title={t("register.title")}>
      <div role="alert">{problem && !problem.field && <p className={css.problem}>{t(problem.id)}</p>}</div>
      <form className={css.form} onSubmit={(event) => void submit(event)}>
        <Field label={t("register.name")} autoComplete="name" required value={values.name} onChange={put("name")} />
        <Field
          label={t("register.username")}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          hint={t("register.usernameHint")}
          error={error("username")}
          value={values.username}
          onChange={put("username")}
        />
        <Field
          label={t("register.email")}
          type="email"
          autoComplete="email"
          required
          error={error("email")}
          value={values.email}
          onChange={put("email")}
        />
        <PasswordField
          label={t("login.password")}
          autoComplete="new-password"
          required
          error={error("password")}
          value={values.password}
          onChange={put("password")}
        />
        <Button kind="primary" type="submit" busy={busy}>
          {t("register.submit")}
        </Button>
      </form>
      <p className={css.links}>
        <Link href="/login">{t("register.back")}</Link>
      </p>
    </Frame>
  );
}

function problemOf(error: unknown): { field?: string; id: string } {
  if (!(error instanceof ApiError) || error.isAway) return { id: "login.away" };
  const text = `${error.code} ${error.message}`;
  if (/already in use|blocked|field-unavailable.*username/i.test(text) && !/mail/i.test(text)) {
    return { field: "username", id: "register.taken" };
  }
  if (/username/i.test(text)) return { field: "username", id: "register.badUsername" };
  if (/mail/i.test(text)) return { field: "email", id: "register.badEmail" };
  if (/password/i.test(text)) return { field: "password", id: "register.badPassword" };
  return { id: why(error) };
}
