import type { ReactNode } from "react";
import { useT } from "@/i18n";
import { Check, Field, PasswordField } from "@/ui/field";
import kit from "../kit/kit.module.css";
import { aboutRole } from "../kit/role";
import type { Role } from "./types";

export interface Draft {
  name: string;
  username: string;
  email: string;
  verified: boolean;
  roles: string[];
  bio: string;
  nickname: string;
  password: string;
  requirePasswordChange: boolean;
}

interface Props {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  roles: Role[];
  /** Which fields may be changed. */
  info: boolean;
  password: boolean;
  assign: boolean;
  /** A new account needs a password. */
  fresh?: boolean;
  errors: Partial<Record<keyof Draft, string>>;
}

/** A user's fields, for new accounts and those that are there. */
export function Fields({ draft, change, roles, info, password, assign, fresh = false, errors }: Props): ReactNode {
  const t = useT();
  const text = (key: "name" | "username" | "email" | "bio" | "nickname"): object => ({
    label: t(`users.${key}`),
    value: draft[key],
    disabled: !info,
    error: errors[key],
    onChange: (event: { target: { value: string } }) => change({ [key]: event.target.value }),
  });
  const toggle = (id: string, on: boolean): void =>
    change({ roles: on ? [...draft.roles, id] : draft.roles.filter((one) => one !== id) });
  return (
    <>
      <div className={kit.two}>
        <Field label="" {...text("name")} required dir="auto" autoComplete="off" />
        <Field label="" {...text("username")} required autoComplete="off" autoCapitalize="none" spellCheck={false} />
        <Field label="" {...text("email")} required={fresh} type="email" autoComplete="off" />
        <PasswordField
          label={t(fresh ? "login.password" : "users.newPassword")}
          hint={t(fresh ? "users.passwordHint" : "users.newPasswordHint")}
          error={errors.password}
          autoComplete="new-password"
          required={fresh}
          disabled={!password}
          value={draft.password}
          onChange={(event) => change({ password: event.target.value })}
        />
      </div>
      <Check
        label={t("users.verified")}
        checked={draft.verified}
        disabled={!info}
        onChange={(event) => change({ verified: event.target.checked })}
      />
      <Check
        label={t("users.mustChange")}
        hint={t("users.mustChangeHint")}
        checked={draft.requirePasswordChange}
        disabled={!info}
        onChange={(event) => change({ requirePasswordChange: event.target.checked })}
      />
      <div className={kit.two}>
        <Field label="" {...text("nickname")} dir="auto" autoComplete="off" />
        <Field label="" {...text("bio")} dir="auto" autoComplete="off" />
      </div>
      <fieldset className={kit.set} disabled={!assign}>
        <legend>{t("users.roles")}</legend>
        <div className={kit.two}>
          {roles.map((role) => (
            <Check
              key={role._id}
              label={role.name}
              hint={aboutRole(t, role) || undefined}
              checked={draft.roles.includes(role._id)}
              onChange={(event) => toggle(role._id, event.target.checked)}
            />
          ))}
        </div>
      </fieldset>
    </>
  );
}
