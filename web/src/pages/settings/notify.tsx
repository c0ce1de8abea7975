import { type FormEvent, type ReactNode, useId, useState } from "react";
import { Link } from "wouter";
import type { Subscription } from "@/api/types";
import { useT } from "@/i18n";
import { play } from "@/lib/sound";
import { prefer, preference } from "@/store/preferences";
import { path, title } from "@/store/rooms";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Check, Field } from "@/ui/field";
import { Select } from "@/ui/select";
import { useAttempt } from "./attempt";
import css from "./settings.module.css";

const LEVELS = ["all", "mentions", "nothing"] as const;

/** What is worth being told of, when, and how. */
export function Notify(): ReactNode {
  return (
    <>
      <Permission />
      <Levels />
      <Keywords />
      <Quiet />
      <Rooms />
    </>
  );
}

/** The browser asks only after a press, and the page says why. */
function Permission(): ReactNode {
  const t = useT();
  const id = useId();
  const possible = "Notification" in window;
  const [now, setNow] = useState<string>(possible ? Notification.permission : "none");
  const volume = useStore((state) => preference("notificationsSoundVolume", 100, state));
  const attempt = useAttempt();
  const allowed = (answer: string): void => {
    setNow(answer);
    // Also while no page is open.
    if (answer === "granted") void import("@/store/worker").then(({ subscribe }) => subscribe()).catch(() => undefined);
  };
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("notify.here")}</h3>
      <p>{t(`notify.${now}`)}</p>
      <div className={css.buttons}>
        {now === "default" && (
          <Button kind="primary" onClick={() => void Notification.requestPermission().then(allowed)}>
            {t("notify.allow")}
          </Button>
        )}
        {now === "granted" && (
          <Button onClick={() => new Notification(t("notify.testTitle"), { body: t("notify.testBody") })}>
            {t("notify.test")}
          </Button>
        )}
        <Button onClick={() => play("message", volume)}>{t("notify.soundTest")}</Button>
      </div>
      <Check
        label={t("notify.sound")}
        checked={volume > 0}
        onChange={(event) => attempt(prefer({ notificationsSoundVolume: event.target.checked ? 100 : 0 }))}
      />
    </section>
  );
}

function Levels(): ReactNode {
  const t = useT();
  const id = useId();
  const me = useStore((state) => state.me);
  const attempt = useAttempt();
  const of = (key: string): string => preference(key, "default") || "default";
  const choices = LEVELS.map((one) => [one, t(`notify.${one}`)] as const);
  return (
    <section key={me?._id} className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("notify.levels")}</h3>
      <Select
        label={t("notify.desktop")}
        value={of("desktopNotifications") === "default" ? "all" : of("desktopNotifications")}
        choices={choices}
        choose={(value) => attempt(prefer({ desktopNotifications: value }), "settings.saved")}
      />
      <Select
        label={t("notify.push")}
        value={of("pushNotifications") === "default" ? "all" : of("pushNotifications")}
        choices={choices}
        choose={(value) => attempt(prefer({ pushNotifications: value }), "settings.saved")}
      />
      <Select
        label={t("notify.mail")}
        value={of("emailNotificationMode") === "default" ? "mentions" : of("emailNotificationMode")}
        choices={choices.slice(1)}
        choose={(value) => attempt(prefer({ emailNotificationMode: value }), "settings.saved")}
      />
    </section>
  );
}

function Keywords(): ReactNode {
  const t = useT();
  const id = useId();
  const all = useStore((state) => state.me?.settings?.preferences?.["highlights"]);
  const words = Array.isArray(all) ? (all as string[]) : [];
  const [word, setWord] = useState("");
  const attempt = useAttempt();
  const add = (event: FormEvent): void => {
    event.preventDefault();
    const clean = word.trim();
    setWord("");
    if (!clean || words.includes(clean)) return;
    attempt(prefer({ highlights: [...words, clean] }));
  };
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("notify.keywords")}</h3>
      <p>{t("notify.keywordsMore")}</p>
      <form onSubmit={add}>
        <Field
          label={t("notify.keyword")}
          maxLength={50}
          value={word}
          onChange={(event) => setWord(event.target.value)}
        />
        <Button type="submit" disabled={!word.trim() || words.length >= 50}>
          {t("notify.addKeyword")}
        </Button>
      </form>
      <ul className={css.rows}>
        {words.map((one) => (
          <li key={one}>
            <span dir="auto">{one}</span>
            <Button
              kind="quiet"
              aria-label={t("notify.without", { word: one })}
              onClick={() => attempt(prefer({ highlights: words.filter((other) => other !== one) }))}
            >
              {t("settings.remove")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Quiet(): ReactNode {
  const t = useT();
  const id = useId();
  const from = useStore((state) => preference<string>("quietFrom", "", state));
  const until = useStore((state) => preference<string>("quietUntil", "", state));
  const attempt = useAttempt();
  const on = Boolean(from && until);
  const put = (quietFrom: string | null, quietUntil: string | null): void =>
    attempt(prefer({ quietFrom, quietUntil, quietOffset: -new Date().getTimezoneOffset() }));
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("notify.quiet")}</h3>
      <p>{t("notify.quietMore")}</p>
      <Check
        label={t("notify.quietOn")}
        checked={on}
        onChange={(event) => (event.target.checked ? put("22:00", "07:00") : put(null, null))}
      />
      {on && (
        <div className={css.pair}>
          <Field
            label={t("notify.from")}
            type="time"
            required
            value={from}
            onChange={(event) => event.target.value && put(event.target.value, until)}
          />
          <Field
            label={t("notify.until")}
            type="time"
            required
            value={until}
            onChange={(event) => event.target.value && put(from, event.target.value)}
          />
        </div>
      )}
    </section>
  );
}

const differs = (sub: Subscription): boolean =>
  sub.disableNotifications === true ||
  (sub.desktopPrefOrigin !== "user" && (sub.desktopNotifications ?? "default") !== "default") ||
  (sub.mobilePrefOrigin !== "user" && (sub.mobilePushNotifications ?? "default") !== "default") ||
  sub.muteGroupMentions === true;

/** Rooms with a choice of their own. */
function Rooms(): ReactNode {
  const t = useT();
  const id = useId();
  const subscriptions = useStore((state) => state.subscriptions);
  const rooms = useStore((state) => state.rooms);
  const own = Object.values(subscriptions).filter(differs).slice(0, 200);
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("notify.rooms")}</h3>
      <p>{t(own.length > 0 ? "notify.roomsMore" : "notify.roomsNone")}</p>
      <ul className={css.rows}>
        {own.map((sub) => (
          <li key={sub.rid}>
            <span dir="auto">{title(sub, rooms[sub.rid])}</span>
            <Link href={`${path(sub)}/notifications`} aria-label={t("notify.change", { name: title(sub) })}>
              {t("notify.changeShort")}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
