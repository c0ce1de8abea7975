import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { digest, type Question as Asked } from "@/store/confirm";
import { state } from "@/store/state";
import { Button } from "./button";
import { Dialog, Footer } from "./dialog";
import { Field, PasswordField } from "./field";

/** Asks for the password or a code before something grave. */
export default function Question({ question }: { question: Asked }): ReactNode {
  const t = useT();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const password = question.method === "password";
  useEffect(() => {
    setBusy(false);
    setText("");
    if (question.method === "email" && !question.wrong) {
      const emailOrUsername = state().me?.username;
      void post("users.2fa.sendEmailCode", { emailOrUsername }).catch(() => undefined);
    }
  }, [question]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const code = password ? await digest(text) : text.trim();
    question.answer({ "x-2fa-code": code, "x-2fa-method": question.method });
  };
  const shown = {
    required: true,
    // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog is this field
    autoFocus: true,
    value: text,
    error: question.wrong ? t(password ? "question.wrongPassword" : "code.wrong") : undefined,
    onChange: (event: { target: { value: string } }) => setText(event.target.value),
  };
  return (
    <Dialog title={t("question.title")} close={() => question.answer(null)}>
      <form onSubmit={(event) => void submit(event)}>
        <p>{t(`question.${question.method}`)}</p>
        {password ? (
          <PasswordField label={t("login.password")} autoComplete="current-password" {...shown} />
        ) : (
          <Field
            label={t("question.code")}
            hint={t(question.method === "email" ? "code.emailHint" : "question.codeHint")}
            autoComplete="one-time-code"
            autoCapitalize="none"
            spellCheck={false}
            {...shown}
          />
        )}
        <Footer>
          <Button onClick={() => question.answer(null)}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t("code.submit")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}
