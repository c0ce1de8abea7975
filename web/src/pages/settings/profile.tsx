import { type ChangeEvent, type FormEvent, type ReactNode, useId, useRef, useState } from "react";
import { digest, Unanswered } from "@/api/challenge";
import { get, post } from "@/api/rest";
import type { Me, Status } from "@/api/types";
import { useT } from "@/i18n";
import { prefer } from "@/store/preferences";
import { change, setting, useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Field, PasswordField } from "@/ui/field";
import { Select } from "@/ui/select";
import { toast } from "@/ui/toast";
import { problemOf, useAttempt } from "./attempt";
import css from "./settings.module.css";

async function again(): Promise<void> {
  change({ me: await get<Me>("me") });
}

/** Picture, status, and what others read of somebody. */
export function Profile(): ReactNode {
  return (
    <>
      <Picture />
      <StatusForm />
      <About />
    </>
  );
}

function Picture(): ReactNode {
  const t = useT();
  const id = useId();
  const me = useStore((state) => state.me);
  const file = useRef<HTMLInputElement>(null);
  const allowed = useStore((state) => setting("Accounts_AllowUserAvatarChange", true, state));
  const attempt = useAttempt();
  const choose = (event: ChangeEvent<HTMLInputElement>): void => {
    const chosen = event.target.files?.[0];
    event.target.value = "";
    if (!chosen) return;
    const form = new FormData();
    form.append("image", chosen);
    attempt(post("users.setAvatar", form, { timeout: 60_000 }).then(again), "profile.pictureDone");
  };
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("profile.picture")}</h3>
      <div className={css.picture}>
        <Avatar username={me?.username} etag={me?.avatarETag} size={72} />
        {allowed && (
          <>
            <input ref={file} type="file" accept="image/*" hidden onChange={choose} />
            <Button onClick={() => file.current?.click()}>{t("profile.choosePicture")}</Button>
            {me?.avatarETag && (
              <Button
                kind="quiet"
                onClick={() => attempt(post("users.resetAvatar").then(again), "profile.pictureGone")}
              >
                {t("profile.removePicture")}
              </Button>
            )}
          </>
        )}
      </div>
    </section>
  );
}

const STATUSES: Status[] = ["online", "away", "busy", "offline"];
/** After how many minutes a status text goes by itself; 0 is never. */
const SPANS = ["0", "30", "60", "240", "1440"] as const;

function StatusForm(): ReactNode {
  const t = useT();
  const id = useId();
  const me = useStore((state) => state.me);
  const now = useStore((state) => state.presence[me?._id ?? ""]?.status ?? "offline");
  // Whoever looks at this page is there: "offline" is what nobody heard yet.
  const [chosen, setStatus] = useState<Status>();
  const status = chosen ?? (now === "offline" ? "online" : now);
  const [text, setText] = useState(me?.statusText ?? "");
  const [span, setSpan] = useState<string>("0");
  const attempt = useAttempt();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const message = text.trim();
    const until = message && span !== "0" ? Date.now() + Number(span) * 60_000 : null;
    const work = post("users.setStatus", { status, message })
      .then(() => prefer({ statusTextUntil: until }))
      .then(() => change(({ me: own }) => (own ? { me: { ...own, status, statusText: message } } : {})));
    attempt(work, "profile.statusDone");
  };
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("profile.status")}</h3>
      <form onSubmit={submit}>
        <Select
          label={t("profile.presence")}
          value={status}
          choose={(value) => setStatus(value as Status)}
          choices={STATUSES.map((one) => [one, t(`presence.${one}`)] as const)}
        />
        <Field
          label={t("profile.statusText")}
          maxLength={120}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Select
          label={t("profile.until")}
          value={span}
          choose={setSpan}
          choices={SPANS.map((one) => [one, t(`profile.until${one}`)] as const)}
        />
        <Button type="submit">{t("profile.setStatus")}</Button>
      </form>
    </section>
  );
}

function About(): ReactNode {
  const t = useT();
  const id = useId();
  const me = useStore((state) => state.me);
  const [values, setValues] = useState(() => ({
    name: me?.name ?? "",
    username: me?.username ?? "",
    email: me?.emails?.[0]?.address ?? "",
    nickname: me?.nickname ?? "",
    bio: me?.bio ?? "",
  }));
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const put = (name: keyof typeof values) => (event: { target: { value: string } }) =>
    setValues({ ...values, [name]: event.target.value });
  const email = me?.emails?.[0];
  const proves = values.email.trim() !== (email?.address ?? "") && me?.services?.password?.exists === true;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const data: Record<string, string> = { ...values, email: values.email.trim(), username: values.username.trim() };
    if (!data["email"]) delete data["email"];
    if (proves) data["currentPassword"] = await digest(password);
    try {
      await post("users.updateOwnBasicInfo", { data });
      await again();
      setPassword("");
      toast(t("profile.saved"));
    } catch (error) {
      if (!(error instanceof Unanswered)) setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  const verify = (): void =>
    attempt(post("users.sendConfirmationEmail", { email: email?.address }), "profile.verifySent");
  const attempt = useAttempt();
  const at = (...ids: string[]): string | undefined => (problem && ids.includes(problem) ? t(problem) : undefined);
  const elsewhere = problem && !["profile.badUsername", "profile.badEmail", "profile.wrongPassword"].includes(problem);
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("profile.about")}</h3>
      <div role="alert">{elsewhere && <p className={css.problem}>{t(problem)}</p>}</div>
      <form onSubmit={(event) => void submit(event)}>
        <Field label={t("profile.name")} autoComplete="name" value={values.name} onChange={put("name")} />
        <Field
          label={t("profile.username")}
          autoComplete="username"
          autoCapitalize="none"
          required
          value={values.username}
          onChange={put("username")}
          error={at("profile.badUsername")}
        />
        <Field
          label={t("profile.email")}
          type="email"
          autoComplete="email"
          hint={email && t(email.verified ? "profile.verified" : "profile.unverified")}
          value={values.email}
          onChange={put("email")}
          error={at("profile.badEmail")}
        />
        {email && !email.verified && (
          <p className={css.note}>
            <Button kind="quiet" onClick={verify}>
              {t("profile.verify")}
            </Button>
          </p>
        )}
        {proves && (
          <PasswordField
            label={t("profile.currentPassword")}
            hint={t("profile.currentHint")}
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            error={at("profile.wrongPassword")}
          />
        )}
        <Field label={t("profile.nickname")} value={values.nickname} onChange={put("nickname")} />
        <div className={css.area}>
          <label htmlFor={`${id}-bio`}>{t("profile.bio")}</label>
          <textarea id={`${id}-bio`} maxLength={260} value={values.bio} onChange={put("bio")} />
        </div>
        <Button kind="primary" type="submit" busy={busy}>
          {t("settings.save")}
        </Button>
      </form>
    </section>
  );
}
