import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useLocation, useRoute } from "wouter";
import { get } from "@/api/rest";
import { intl, useT } from "@/i18n";
import { brief, millis } from "@/lib/time";
import { may, useStore } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Select } from "@/ui/select";
import kit from "../kit/kit.module.css";
import { List } from "../kit/list";
import { Filters, Mark, Page } from "../kit/page";
import { useWindow } from "../kit/window";
import { Bulk } from "./bulk";
import { NewPerson } from "./new";
import { Person } from "./person";
import { type Account, roleNames, useRoles } from "./types";

const SORTS = ["name", "username", "-createdAt", "-lastLogin"] as const;
const STATES = ["all", "active", "deactivated", "never"] as const;

/** What `users.listByStatus` is asked for. */
function asked(text: string, state: string, role: string, sort: string): Record<string, string> {
  const key = sort.replace(/^-/, "");
  const query: Record<string, string> = { sort: JSON.stringify({ [key]: sort.startsWith("-") ? -1 : 1 }) };
  if (text.trim()) query.searchTerm = text.trim();
  if (state === "active" || state === "deactivated") query.status = state;
  if (state === "never") query.hasLoggedIn = "false";
  if (role) query["roles[]"] = role;
  return query;
}

/** All accounts: found, made, changed, switched off, removed. */
export default function People(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [, chosen] = useRoute("/admin/users/:id");
  const [text, setText] = useState("");
  const [state, setState] = useState<string>("all");
  const [role, setRole] = useState("");
  const [sort, setSort] = useState<string>("name");
  const roles = useRoles();
  const maker = useStore((from) => may("create-user", undefined, from));
  const query = asked(text, state, role, sort);
  const rows = useWindow<Account>(JSON.stringify(query), async (offset, count) => {
    const found = await get<{ users: Account[]; total: number }>("users.listByStatus", { ...query, offset, count });
    return { items: found.users, total: found.total };
  });
  const [many, setMany] = useState<ReadonlyMap<string, Account>>(new Map());
  const choose = (account: Account, on: boolean): void => {
    const next = new Map(many);
    if (on) next.set(account._id, account);
    else next.delete(account._id);
    setMany(next);
  };
  const close = (): void => go("/admin/users");
  const workspace = roles.filter((one) => one.scope === "Users");
  return (
    <Page
      fixed
      title={t("admin.users")}
      actions={
        maker && (
          <Button kind="primary" onClick={() => go("/admin/users/new")}>
            <Plus size={18} aria-hidden /> {t("users.new")}
          </Button>
        )
      }
    >
      <Filters>
        <Field
          label={t("users.find")}
          hint={t("users.findHint")}
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Select
          label={t("users.state")}
          value={state}
          choose={setState}
          choices={STATES.map((one) => [one, t(`users.state.${one}`)] as const)}
        />
        <Select
          label={t("users.role")}
          value={role}
          choose={setRole}
          choices={[["", t("users.anyRole")] as const, ...workspace.map((one) => [one._id, one.name] as const)]}
        />
        <Select
          label={t("admin.sort")}
          value={sort}
          choose={setSort}
          choices={SORTS.map((one) => [one, t(`users.sort.${one.replace("-", "")}`)] as const)}
        />
      </Filters>
      <Bulk accounts={[...many.values()]} roles={workspace} clear={() => setMany(new Map())} changed={rows.reload} />
      <List
        label={t("admin.users")}
        rows={rows}
        count={(count) => t("users.count", { count })}
        empty={t("users.none")}
        href={({ _id }) => `/admin/users/${_id}`}
        beside={(account, tabIndex) => (
          <label>
            <input
              type="checkbox"
              tabIndex={tabIndex}
              aria-label={t("bulk.choose", { name: account.name || account.username })}
              checked={many.has(account._id)}
              onChange={(event) => choose(account, event.target.checked)}
            />
          </label>
        )}
      >
        {(account) => <Shown account={account} roles={roleNames(account, roles)} />}
      </List>
      {chosen?.id === "new" && (
        <NewPerson
          roles={workspace}
          close={close}
          made={(id) => {
            rows.reload();
            go(`/admin/users/${id}`);
          }}
        />
      )}
      {chosen && chosen.id !== "new" && (
        <Person key={chosen.id} id={chosen.id} roles={workspace} close={close} changed={rows.reload} />
      )}
    </Page>
  );
}

function Shown({ account, roles }: { account: Account; roles: string }): ReactNode {
  const t = useT();
  const seen = millis(account.lastLogin);
  return (
    <>
      <Avatar username={account.username} etag={account.avatarETag} size={36} />
      <span className={kit.main}>
        <b dir="auto">{account.name || account.username}</b>
        <small dir="auto">
          @{account.username}
          {account.emails?.[0] && ` · ${account.emails[0].address}`}
        </small>
      </span>
      <span className={kit.side}>
        <span>
          {account.type === "bot" && <Mark>{t("users.bot")}</Mark>}{" "}
          {!account.active && <Mark bad>{t("users.off")}</Mark>} {roles}
        </span>
        <small>{seen ? t("users.seen", { when: brief(intl(), seen) }) : t("users.neverSeen")}</small>
      </span>
    </>
  );
}
