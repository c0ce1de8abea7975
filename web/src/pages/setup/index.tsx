import { type FormEvent, type ReactNode, useState } from "react";
import { Redirect, useLocation } from "wouter";
import { ApiError, get, post } from "@/api/rest";
import type { Me, Room } from "@/api/types";
import { useT } from "@/i18n";
import { signIn, start } from "@/store/account";
import { setting, state, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { why } from "@/ui/failed";
import { Check, Field, PasswordField } from "@/ui/field";
import { Frame } from "../login/frame";
import css from "../login/login.module.css";

const STEPS = ["setup.admin", "setup.organisation", "setup.rooms"];
/** Rooms that are offered; the names are the workspace's own from then on. */
const OFFERED = ["announcements", "random"];

/** The first visit to a fresh server: three steps, and never again. */
export default function Setup(): ReactNode {
  const t = useT();
  const me = useStore((from) => from.me);
  const how = useStore((from) => setting("Show_Setup_Wizard", "completed", from));
  const [reached, setStep] = useState<number>();
  const mine = me?.roles.includes("admin") ?? false;
  // Closed for ever, except for the one who is in the middle of it.
  if (how === "completed" && reached === undefined) return <Redirect to="/" replace />;
  if (how === "in_progress" && !mine && reached === undefined) return <Redirect to="/login" replace />;
  const step = reached ?? (how === "in_progress" ? 1 : 0);
  return (
    <Frame title={t(STEPS[step] ?? "setup.admin")}>
      <ol className={css.steps} aria-label={t("setup.steps")}>
        {STEPS.map((id, index) => (
          <li key={id} aria-current={index === step ? "step" : undefined}>
            {t(id)}
          </li>
        ))}
      </ol>
      {step === 0 && <Administrator next={() => setStep(1)} />}
      {step === 1 && <Organisation next={() => setStep(2)} />}
      {step === 2 && <Rooms />}
    </Frame>
  );
}

interface StepProps {
  submit: () => Promise<void>;
  label: string;
  children: ReactNode;
}

/** A form with one button, and what went wrong above it. */
function Step({ submit, label, children }: StepProps): ReactNode {
  const t = useT();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const go = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    submit()
      .catch((error: unknown) => setProblem(error instanceof ApiError && !error.isAway ? error.message : t(why(error))))
      .finally(() => setBusy(false));
  };
  return (
    <form className={css.form} onSubmit={go}>
      <div role="alert">{problem && <p className={css.problem}>{problem}</p>}</div>
      {children}
      <Button kind="primary" type="submit" busy={busy}>
        {label}
      </Button>
    </form>
  );
}

function Administrator({ next }: { next: () => void }): ReactNode {
  const t = useT();
  const [name, setName] = useState("");
  const [username, setUsername] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const submit = async (): Promise<void> => {
    const body = { name: name.trim(), username: username.trim(), email: email.trim(), pass: password };
    await post("users.register", body, { anonymous: true });
    await signIn(username.trim(), password);
    await start();
    // Somebody else may have been first: then this is an account like any other.
    const me = state().me ?? (await get<Me>("me"));
    if (me.roles.includes("admin")) next();
    else location.assign("/");
  };
  return (
    <Step submit={submit} label={t("setup.next")}>
      <Field
        label={t("setup.name")}
        autoComplete="name"
        required
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page begins here
        autoFocus
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Field
        label={t("setup.username")}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        pattern="[0-9a-zA-Z\-_.]+"
        hint={t("setup.usernameHint")}
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <Field
        label={t("setup.email")}
        type="email"
        autoComplete="email"
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <PasswordField
        label={t("login.password")}
        autoComplete="new-password"
        required
        minLength={8}
        hint={t("setup.passwordHint")}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </Step>
  );
}

function Organisation({ next }: { next: () => void }): ReactNode {
  const t = useT();
  const [name, setName] = useState("");
  const [open, setOpen] = useState(false);
  const submit = async (): Promise<void> => {
    await post("settings/Site_Name", { value: name.trim() });
    await post("settings/Organization_Name", { value: name.trim() });
    await post("settings/Accounts_RegistrationForm", { value: open ? "Public" : "Disabled" });
    next();
  };
  return (
    <Step submit={submit} label={t("setup.next")}>
      <Field
        label={t("setup.siteName")}
        hint={t("setup.siteHint")}
        autoComplete="organization"
        required
        maxLength={80}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the step begins here
        autoFocus
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Check
        label={t("setup.open")}
        hint={t("setup.openHint")}
        checked={open}
        onChange={(event) => setOpen(event.target.checked)}
      />
    </Step>
  );
}

function Rooms(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [chosen, setChosen] = useState<string[]>(OFFERED);
  const submit = async (): Promise<void> => {
    for (const name of chosen) {
      const { channel } = await post<{ channel: Room }>("channels.create", { name });
      await post("channels.setDefault", { roomId: channel._id, default: true });
    }
    const { room } = await get<{ room: Room }>("rooms.info", { roomName: "general" });
    type Invite = { url?: string };
    const invite = await post<Invite>("findOrCreateInvite", { rid: room._id, days: 0, maxUses: 0 }).catch(() => null);
    const site = setting("Site_Name", "Parlor");
    const link = invite?.url ? t("setup.invite", { url: invite.url }) : "";
    await post("chat.sendMessage", {
      message: { rid: room._id, msg: [t("setup.welcome", { site }), link].filter(Boolean).join("\n") },
    });
    await post("settings/Show_Setup_Wizard", { value: "completed" });
    go("/channel/general");
  };
  return (
    <Step submit={submit} label={t("setup.finish")}>
      <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
        <legend>{t("setup.roomsHint")}</legend>
        <Check label="#general" checked disabled readOnly />
        {OFFERED.map((name) => (
          <Check
            key={name}
            label={`#${name}`}
            checked={chosen.includes(name)}
            onChange={(event) =>
              setChosen(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))
            }
          />
        ))}
      </fieldset>
    </Step>
  );
}
