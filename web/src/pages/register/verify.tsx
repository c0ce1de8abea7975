import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useParams } from "wouter";
import { ApiError, post } from "@/api/rest";
import { session } from "@/api/session";
import { useT } from "@/i18n";
import { Frame } from "../login/frame";
import css from "../login/login.module.css";

/** Proves an address by the link in a mail. */
export default function Verify(): ReactNode {
  const t = useT();
  const { token = "" } = useParams<{ token: string }>();
  const [outcome, setOutcome] = useState<"verify.done" | "verify.expired" | "login.away">();
  const asked = useRef(false);
  useEffect(() => {
    // The link is good once, and effects may run twice.
    if (asked.current) return;
    asked.current = true;
    post("users.verifyEmail", { token }, { anonymous: true }).then(
      () => setOutcome("verify.done"),
      (error: unknown) => setOutcome(error instanceof ApiError && error.isAway ? "login.away" : "verify.expired"),
    );
  }, [token]);
  return (
    <Frame title={t("verify.title")}>
      <p role={outcome === "verify.done" ? "status" : "alert"} aria-busy={!outcome}>
        {t(outcome ?? "app.loading")}
      </p>
      <p className={css.links}>
        {session.get() ? <Link href="/">{t("verify.home")}</Link> : <Link href="/login">{t("register.back")}</Link>}
      </p>
    </Frame>
  );
}
