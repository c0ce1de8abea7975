import { type FormEvent, type ReactNode, useCallback, useEffect, useId, useState } from "react";
import { digest, Unanswered } from "@/api/challenge";
import { get, post } from "@/api/rest";
import { intl, useT } from "@/i18n";
import { full } from "@/lib/time";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { PasswordField } from "@/ui/field";
import { toast } from "@/ui/toast";
import { problemOf, useAttempt } from "./attempt";
import css from "./settings.module.css";
import { MailCodes } from "./mail-codes";
import { TwoFactor } from "./two-factor";

/** Password, second factor, and where somebody is signed in. */
export function Security(): ReactNode {
  const exists = useStore((state) => state.me?.services?.password?.exists ?? false);
  return (
    <>
      <Password exists={exists} />
      <TwoFactor />
      <MailCodes />
      <Sessions />
    </>
  );
}

function Password({ exists }: { exists: boolean }): ReactNode {
  const t = useT();
  const id = useId();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const data = { newPassword: next, ...(exists ? { currentPassword: await digest(old) } : {}) };
    try {
      await post("users.updateOwnBasicInfo", { data });
      setOld("");
      setNext("");
      toast(t("security.passwordDone"));
    } catch (error) {
      if (!(error instanceof Unanswered)) setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  const atOld = problem === "profile.wrongPassword";
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("login.password")}</h3>
      <p>{t("security.passwordMore")}</p>
      <form onSubmit={(event) => void submit(event)}>
        {exists && (
          <PasswordField
            label={t("profile.currentPassword")}
            autoComplete="current-password"
            required
            value={old}
            onChange={(event) => setOld(event.target.value)}
            error={atOld ? t("profile.wrongPassword") : undefined}
          />
        )}
        <PasswordField
          label={t("security.newPassword")}
          autoComplete="new-password"
          required
          value={next}
          onChange={(event) => setNext(event.target.value)}
          error={problem && !atOld ? t(problem) : undefined}
        />
        <Button kind="primary" type="submit" busy={busy}>
          {t("security.changePassword")}
        </Button>
      </form>
    </section>
  );
}

interface Device {
  sessionId: string;
  device: { type: string; name: string; longVersion: string };
  ip: string;
  loginAt: string;
  /** To a few minutes. */
  lastActivityAt?: string;
  current: boolean;
}

const BROWSERS: [RegExp, string][] = [
  [/RC Mobile/, "Rocket.Chat"],
  [/Electron/, "Electron"],
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad|iOS/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS|Macintosh/, "macOS"],
  [/Linux|X11/, "Linux"],
];

/** A user agent as people call it. */
function deviceName(agent: string): string {
  const [browser, system] = [BROWSERS, SYSTEMS].map((all) => all.find(([pattern]) => pattern.test(agent))?.[1]);
  return [browser, system].filter(Boolean).join(" · ") || agent.slice(0, 60);
}

function Sessions(): ReactNode {
  const t = useT();
  const id = useId();
  const attempt = useAttempt();
  const [all, setAll] = useState<Device[]>();
  const [failed, setFailed] = useState(false);
  const read = useCallback(async () => {
    try {
      setAll((await get<{ sessions: Device[] }>("sessions/list", { count: 100 })).sessions);
      setFailed(false);
    } catch {
      setFailed(true);
    }
  }, []);
  useEffect(() => void read(), [read]);
  const end = (sessionId: string): void =>
    attempt(post("sessions/logout.me", { sessionId }).then(read), "security.sessionEnded");
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("security.sessions")}</h3>
      <p>{t(failed ? "room.loadFailed" : "security.sessionsMore")}</p>
      <ul className={css.rows} aria-busy={!all && !failed}>
        {all?.map((one) => {
          const name = deviceName(one.device.longVersion) || t("security.unknown");
          return (
            <li key={one.sessionId}>
              <span>
                <b>{name}</b> {one.current && <em className={css.tag}>{t("security.thisOne")}</em>}
                <small>
                  {t("security.signedIn", { address: one.ip, time: full(intl(), Date.parse(one.loginAt)) })}
                </small>
                {one.lastActivityAt && !one.current && (
                  <small>{t("security.used", { time: full(intl(), Date.parse(one.lastActivityAt)) })}</small>
                )}
              </span>
              {!one.current && (
                <Button aria-label={t("security.endOf", { name })} onClick={() => end(one.sessionId)}>
                  {t("security.end")}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      <Button
        kind="danger"
        disabled={!all || all.length < 2}
        onClick={() => attempt(post("users.logoutOtherClients").then(read), "security.othersEnded")}
      >
        {t("security.endOthers")}
      </Button>
    </section>
  );
}
