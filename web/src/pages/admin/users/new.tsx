import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError, post } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Check } from "@/ui/field";
import { toast } from "@/ui/toast";
import kit from "../kit/kit.module.css";
import { reason } from "../kit/reason";
import { type Draft, Fields } from "./form";
import type { Account, Role } from "./types";

const EMPTY: Draft = {
  name: "",
  username: "",
  email: "",
  verified: true,
  roles: ["user"],
  bio: "",
  nickname: "",
  password: "",
  requirePasswordChange: true,
};

/** Which field a refusal is about, and what it says there. */
export function misplaced(error: unknown): Partial<Record<keyof Draft, string>> | null {
  if (!(error instanceof ApiError)) return null;
  const said = `${error.code} ${error.message}`;
  if (/email/i.test(said)) return { email: "users.badEmail" };
  if (/identity|username|field-unavailable|blocked-username/i.test(said)) return { username: "users.badName" };
  if (/password/i.test(said) && !/action-not-allowed/.test(said)) return { password: "users.badPassword" };
  return null;
}

/** A new account, made for somebody. */
export function NewPerson({
  roles,
  close,
  made,
}: {
  roles: Role[];
  close: () => void;
  made: (id: Id) => void;
}): ReactNode {
  const t = useT();
  const [draft, setDraft] = useState(EMPTY);
  const [join, setJoin] = useState(true);
  const [errors, setErrors] = useState<Partial<Record<keyof Draft, string>>>({});
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const assign = useStore((from) => may("assign-roles", undefined, from));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    setErrors({});
    const { roles: given, ...rest } = draft;
    post<{ user: Account }>("users.create", {
      ...rest,
      ...(assign ? { roles: given } : {}),
      joinDefaultChannels: join,
    })
      .then(({ user }) => {
        toast(t("users.made", { name: user.name ?? user.username }));
        made(user._id);
      })
      .catch((error: unknown) => {
        const field = misplaced(error);
        if (field) setErrors(Object.fromEntries(Object.entries(field).map(([key, id]) => [key, t(id)])));
        else setProblem(reason(error, t));
      })
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={t("users.new")} close={close} wide>
      <form onSubmit={submit}>
        <Fields
          draft={draft}
          change={(part) => setDraft({ ...draft, ...part })}
          roles={roles}
          info
          password
          assign={assign}
          fresh
          errors={errors}
        />
        <Check label={t("users.join")} checked={join} onChange={(event) => setJoin(event.target.checked)} />
        {problem && (
          <p role="alert" className={kit.problem}>
            {problem}
          </p>
        )}
        <Footer>
          <Button onClick={close}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t("users.make")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}
