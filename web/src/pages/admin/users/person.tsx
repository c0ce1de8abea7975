import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { get, post } from "@/api/rest";
import type { Id } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { toast } from "@/ui/toast";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Facts, Mark, Part } from "../kit/page";
import { reason } from "../kit/reason";
import { Acts } from "./acts";
import { type Draft, Fields } from "./form";
import { misplaced } from "./new";
import type { Account, Role } from "./types";

interface Props {
  id: Id;
  roles: Role[];
  close: () => void;
  changed: () => void;
}

/** One account: its fields, and what can be done to it. */
export function Person({ id, roles, close, changed }: Props): ReactNode {
  const t = useT();
  const { value, failed, reload } = useLoad(id, async () => {
    return (await get<{ user: Account }>("users.info", { userId: id })).user;
  });
  const title = value ? value.name || value.username : t("users.one");
  const again = (): void => {
    reload();
    changed();
  };
  return (
    <Dialog title={title} close={close} wide>
      {failed && <p role="alert">{t("users.gone")}</p>}
      {!value && !failed && <p role="status">{t("app.loading")}</p>}
      {value && (
        <div className={kit.scroll}>
          <Seen account={value} />
          <Edit key={JSON.stringify(value)} account={value} roles={roles} changed={again} />
          <Part title={t("users.acts")}>
            <Acts account={value} changed={again} removed={() => (changed(), close())} />
          </Part>
        </div>
      )}
    </Dialog>
  );
}

function Seen({ account }: { account: Account }): ReactNode {
  const t = useT();
  const when = (wire: Account["lastLogin"]): string => (wire ? full(intl(), millis(wire)) : t("users.neverSeen"));
  return (
    <Facts
      facts={[
        [t("users.username"), <span key="name">@{account.username}</span>],
        [
          t("users.state"),
          account.active ? (
            t("users.state.active")
          ) : (
            <Mark bad key="off">
              {t("users.off")}
            </Mark>
          ),
        ],
        [t("users.created"), when(account.createdAt)],
        [t("users.lastLogin"), when(account.lastLogin)],
      ]}
    />
  );
}

const draftOf = (account: Account): Draft => ({
  name: account.name ?? "",
  username: account.username,
  email: account.emails?.[0]?.address ?? "",
  verified: account.emails?.[0]?.verified ?? false,
  roles: account.roles ?? [],
  bio: account.bio ?? "",
  nickname: account.nickname ?? "",
  password: "",
  requirePasswordChange: account.requirePasswordChange ?? false,
});

function Edit({ account, roles, changed }: { account: Account; roles: Role[]; changed: () => void }): ReactNode {
  const t = useT();
  const before = draftOf(account);
  const [draft, setDraft] = useState(before);
  const [errors, setErrors] = useState<Partial<Record<keyof Draft, string>>>({});
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const info = useStore((from) => may("edit-other-user-info", undefined, from));
  const password = useStore((from) => may("edit-other-user-password", undefined, from));
  const assign = useStore((from) => may("assign-roles", undefined, from));
  const different = (Object.keys(draft) as (keyof Draft)[]).filter(
    (key) => JSON.stringify(draft[key]) !== JSON.stringify(before[key]),
  );
  useEffect(() => setErrors({}), [draft]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const data = Object.fromEntries(different.map((key) => [key, draft[key]]));
    post("users.update", { userId: account._id, data })
      .then(() => {
        toast(t("admin.saved"));
        changed();
      })
      .catch((error: unknown) => {
        const field = misplaced(error);
        if (field) setErrors(Object.fromEntries(Object.entries(field).map(([key, id]) => [key, t(id)])));
        else setProblem(reason(error, t));
      })
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit}>
      <Fields
        draft={draft}
        change={(part) => setDraft({ ...draft, ...part })}
        roles={roles}
        info={info}
        password={info && password}
        assign={info && assign}
        errors={errors}
      />
      {problem && (
        <p role="alert" className={kit.problem}>
          {problem}
        </p>
      )}
      <Footer>
        <Button kind="primary" type="submit" busy={busy} disabled={different.length === 0 || busy}>
          {t("admin.save")}
        </Button>
      </Footer>
    </form>
  );
}
