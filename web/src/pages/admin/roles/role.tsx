import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError, get, post } from "@/api/rest";
import { useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Check, Field } from "@/ui/field";
import { Select } from "@/ui/select";
import { toast } from "@/ui/toast";
import { Danger } from "../kit/danger";
import { findUsers } from "../kit/finders";
import kit from "../kit/kit.module.css";
import { Part } from "../kit/page";
import { type Choice, Pick } from "../kit/pick";
import { reason } from "../kit/reason";
import type { Account, Role } from "../users/types";

interface Props {
  role?: Role;
  close: () => void;
  changed: () => void;
}

/** A role: what it is called, who has it; made, changed, removed. */
export function OneRole({ role, close, changed }: Props): ReactNode {
  const t = useT();
  const [name, setName] = useState(role?.name ?? "");
  const [description, setDescription] = useState(role?.description ?? "");
  const [scope, setScope] = useState<string>(role?.scope ?? "Users");
  const [mandatory2fa, setMandatory] = useState(role?.mandatory2fa ?? false);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [ending, setEnding] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const body = { name: name.trim(), description, scope, mandatory2fa };
    post(role ? "roles.update" : "roles.create", role ? { roleId: role._id, ...body } : body)
      .then(() => {
        toast(t("admin.saved"));
        changed();
        close();
      })
      .catch((error: unknown) => setProblem(reason(error, t)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={role ? role.name : t("roles.new")} close={close} wide>
      <form onSubmit={submit}>
        <Field
          label={t("roles.name")}
          required
          maxLength={100}
          value={name}
          disabled={role?.protected ?? false}
          error={problem}
          onChange={(event) => setName(event.target.value)}
        />
        <Field
          label={t("roles.description")}
          value={description}
          onChange={(event) => setDescription(event.target.value)}
        />
        <Select
          label={t("roles.scope")}
          value={scope}
          choose={setScope}
          disabled={role !== undefined}
          hint={t("roles.scopeHint")}
          choices={[
            ["Users", t("roles.scope.Users")] as const,
            ["Subscriptions", t("roles.scope.Subscriptions")] as const,
          ]}
        />
        <Check
          label={t("roles.two")}
          hint={t("roles.twoHint")}
          checked={mandatory2fa}
          onChange={(event) => setMandatory(event.target.checked)}
        />
        <Footer>
          {role && !role.protected && (
            <Button kind="danger" onClick={() => setEnding(true)}>
              {t("roles.delete")}
            </Button>
          )}
          <Button kind="primary" type="submit" busy={busy}>
            {t(role ? "admin.save" : "roles.make")}
          </Button>
        </Footer>
      </form>
      {role?.scope === "Users" && (
        <Part title={t("roles.holders")}>
          <Holders role={role} />
        </Part>
      )}
      {ending && role && (
        <Danger
          title={t("roles.deleteAsk", { name: role.name })}
          yes={t("roles.delete")}
          close={() => setEnding(false)}
          done={() => {
            changed();
            close();
          }}
          explain={(error) =>
            error instanceof ApiError && /in.use/i.test(`${error.code} ${error.message}`) ? t("roles.inUse") : undefined
          }
          run={() => post("roles.delete", { roleId: role._id })}
        >
          <p>{t("roles.deleteMore")}</p>
        </Danger>
      )}
    </Dialog>
  );
}

function Holders({ role }: { role: Role }): ReactNode {
  const t = useT();
  const [round, setRound] = useState(0);
  const [picked, setPicked] = useState<Choice | null>(null);
  const { items, loading, failed, more, next } = usePaged<Account>(`${role._id}/${round}`, async (offset) => {
    const query = { role: role._id, offset, count: 50 };
    return (await get<{ users: Account[] }>("roles.getUsersInRole", query)).users;
  });
  const change = (verb: "addUserToRole" | "removeUserFromRole", username: string): void =>
    void post(`roles.${verb}`, { roleId: role._id, username })
      .then(() => setRound((now) => now + 1))
      .catch((error: unknown) => toast(reason(error, t), { bad: true }));
  return (
    <>
      <Pick label={t("roles.give")} value={picked} choose={setPicked} find={findUsers} />
      <p>
        <Button
          // Never switched off: a button that is loses the focus, and the dialog its keys.
          onClick={() => {
            if (picked) change("addUserToRole", picked.more?.slice(1) ?? "");
            setPicked(null);
          }}
        >
          {t("roles.giveShort")}
        </Button>
      </p>
      <p role="status" className={kit.note}>
        {failed ? t("admin.loadFailed") : loading ? t("app.loading") : items.length === 0 ? t("roles.nobody") : ""}
      </p>
      <ul className={kit.plain} aria-label={t("roles.holders")}>
        {items.map((user) => (
          <li key={user._id} className={kit.row}>
            <Avatar username={user.username} size={32} />
            <span className={kit.main}>
              <b dir="auto">{user.name || user.username}</b>
              <small>
                <bdi>@{user.username}</bdi>
              </small>
            </span>
            <Button
              aria-label={t("roles.takeFrom", { name: user.name || user.username })}
              onClick={() => change("removeUserFromRole", user.username)}
            >
              {t("roles.take")}
            </Button>
          </li>
        ))}
      </ul>
      {more && (
        <Button onClick={next} busy={loading}>
          {t("panel.more")}
        </Button>
      )}
    </>
  );
}
