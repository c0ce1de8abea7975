import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Link, Redirect, useSearch } from "wouter";
import { ApiError } from "@/api/rest";
import { session } from "@/api/session";
import { intl, useT } from "@/i18n";
import { clock } from "@/lib/time";
import { type SecondFactor, signIn, signInBy } from "@/store/account";
import { setting, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Field, PasswordField } from "@/ui/field";
import { Code } from "./code";
import { Frame } from "./frame";
import css from "./login.module.css";
import { cameBack, Services } from "./services";

/** Why signing in failed, as a message id with values. */
export interface Problem {
  id: string;
  values?: Record<string, unknown>;
}

export function problemOf(error: unknown): Problem {
  if (!(error instanceof ApiError)) return { id: "login.failed" };
  if (error.isAway) return { id: "login.away" };
  if (error.status === 429) return { id: "login.tooOften" };
  if (/login-blocked/.test(error.code)) {
    const { time } = (error.details ?? {}) as { time?: string };
    return time
      ? { id: "login.blockedUntil", values: { time: clock(intl(), Date.parse(time)) } }
      : { id: "login.blocked" };
  }
  if (error.code === "error-account-exists") return { id: "login.exists" };
  if (/deactivated|not-activated|disabled/i.test(error.code + error.message)) return { id: "login.deactivated" };
  return error.status === 401 ? { id: "login.wrong" } : { id: "login.failed" };
}

export interface Asked {
  method: SecondFactor["method"];
}

/** Signing in by name and password, and by a second factor where one is asked for. */
export default function Login(): ReactNode {
  const t = useT();
  const search = useSearch();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [credential] = useState(cameBack);
  const [done, setDone] = useState(() => session.get() !== null);
  const passwordField = useRef<HTMLInputElement>(null);
  const settings = useStore((state) => state.settings);
  useEffect(() => {
    if (problem?.id === "login.wrong") passwordField.current?.select();
  }, [problem]);

  async function attempt(second?: SecondFactor): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await (credential && !password ? signInBy(credential, second) : signIn(user.trim(), password, second));
      setDone(true);
    } catch (error) {
      if (error instanceof ApiError && error.code === "totp-required" && !second) {
        const { method } = (error.details ?? {}) as Partial<Asked>;
        setAsked({ method: method ?? "totp" });
      } else if (error instanceof ApiError && /^totp-/.test(error.code)) setProblem({ id: "code.wrong" });
      else setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    if (credential) void attempt();
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- once, for what the page of return left
  }, []);

  if (done) {
    const to = new URLSearchParams(search).get("to") ?? "/";
    // Asking for an application's access is a page of the server's own.
    if (to.startsWith("/oauth/authorize?")) {
      location.replace(to);
      return null;
    }
    return <Redirect to={to.startsWith("/") && !to.startsWith("//") ? to : "/"} replace />;
  }
  if (asked) {
    return (
      <Code
        asked={asked}
        user={user}
        busy={busy}
        problem={problem}
        attempt={attempt}
        back={() => {
          setAsked(null);
          setProblem(null);
        }}
      />
    );
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void attempt();
  };
  return (
    <Frame title={t("login.title")}>
      <div role="alert">{problem && <p className={css.problem}>{t(problem.id, problem.values)}</p>}</div>
      <form className={css.form} onSubmit={submit}>
        <Field
          label={t("login.user")}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is this form
          autoFocus
          value={user}
          onChange={(event) => setUser(event.target.value)}
        />
        <PasswordField
          ref={passwordField}
          label={t("login.password")}
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button kind="primary" type="submit" busy={busy}>
          {t(busy ? "login.busy" : "login.submit")}
        </Button>
      </form>
      <Services />
      <nav className={css.links} aria-label={t("login.more")}>
        {settings["Accounts_RegistrationForm"] === "Public" && <Link href="/register">{t("login.register")}</Link>}
        {settings["Accounts_PasswordReset"] !== false && <Link href="/forgot-password">{t("login.forgot")}</Link>}
      </nav>
      {setting("Accounts_ShowFormLogin", true) ? null : <p>{t("login.hidden")}</p>}
    </Frame>
  );
}
