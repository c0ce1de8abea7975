import { type FormEvent, type ReactNode, type Ref, useEffect, useRef, useState } from "react";
import { type Challenge as Asked, digest, type Way } from "@/api/challenge";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { state } from "@/store/state";
import { Button } from "./button";
import css from "./challenge.module.css";
import { Dialog, Footer } from "./dialog";
import { Field, PasswordField } from "./field";

/** A recovery code stands for one of the app. */
type Kind = Way | "recovery";

const DIGITS = 6;

/** Asks for a code or the password before something grave. Six digits go off by themselves. */
export default function Challenge({ challenge }: { challenge: Asked }): ReactNode {
  const t = useT();
  const [kind, setKind] = useState<Kind>(challenge.method);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    setBusy(false);
    setText("");
    field.current?.focus();
  }, [challenge]);
  const go = async (given: string): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setNote(undefined);
    const method = kind === "recovery" ? "totp" : kind;
    challenge.answer({ method, code: kind === "password" ? await digest(given) : given.trim() });
  };
  const type = (given: string): void => {
    const digits = kind === "totp" || kind === "email";
    const clean = digits ? given.replace(/\D/g, "").slice(0, DIGITS) : given;
    setText(clean);
    if (digits && clean.length === DIGITS) void go(clean);
  };
  const take = (other: Kind): void => {
    setKind(other);
    setText("");
    setNote(undefined);
    field.current?.focus();
  };
  const send = (): void => {
    take("email");
    post("users.2fa.sendEmailCode", { emailOrUsername: state().me?.username }, { anonymous: true })
      .then(() => setNote("code.sent"))
      .catch(() => setNote("code.notSent"));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void go(text);
  };
  return (
    <Dialog title={t("question.title")} close={() => challenge.answer(null)} stays>
      <form onSubmit={submit}>
        <p>{t(`question.${kind}`)}</p>
        <div role="alert">
          {challenge.wrong && !busy && text === "" && (
            <p className={css.wrong}>{t(kind === "password" ? "question.wrongPassword" : "code.wrong")}</p>
          )}
        </div>
        <Input kind={kind} value={text} type={type} ref={field} />
        <p role="status" className={css.note}>
          {note && t(note)}
        </p>
        <Others kind={kind} others={[challenge.method, ...challenge.others]} take={take} send={send} />
        <Footer>
          <Button onClick={() => challenge.answer(null)}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t("code.submit")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}

interface InputProps {
  kind: Kind;
  value: string;
  type: (text: string) => void;
  ref: Ref<HTMLInputElement>;
}

const HINTS = { totp: "code.hint", email: "code.emailHint", recovery: "code.recoveryHint" } as const;

function Input({ kind, value, type, ref }: InputProps): ReactNode {
  const t = useT();
  const shared = {
    ref,
    required: true,
    // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog is this field
    autoFocus: true,
    value,
    onChange: (event: { target: { value: string } }) => type(event.target.value),
  };
  if (kind === "password")
    return <PasswordField label={t("login.password")} autoComplete="current-password" {...shared} />;
  return (
    <Field
      label={t(kind === "recovery" ? "code.recovery" : "code.label")}
      hint={t(HINTS[kind])}
      inputMode={kind === "recovery" ? "text" : "numeric"}
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      {...shared}
    />
  );
}

interface OthersProps {
  kind: Kind;
  others: Way[];
  take: (kind: Kind) => void;
  send: () => void;
}

/** What else would do. */
function Others({ kind, others, take, send }: OthersProps): ReactNode {
  const t = useT();
  const ways: [string, () => void][] = [];
  if (kind === "email") ways.push(["code.again", send]);
  if (kind !== "totp" && others.includes("totp")) ways.push(["code.useApp", () => take("totp")]);
  if (kind !== "recovery" && others.includes("totp")) ways.push(["code.useRecovery", () => take("recovery")]);
  if (kind !== "email" && others.includes("email")) ways.push(["question.byEmail", send]);
  if (ways.length === 0) return null;
  return (
    <div className={css.ways}>
      {ways.map(([id, run]) => (
        <Button key={id} kind="quiet" onClick={run}>
          {t(id)}
        </Button>
      ))}
    </div>
  );
}
