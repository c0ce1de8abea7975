import { type FormEvent, type ReactNode, useState } from "react";
import { get } from "@/api/rest";
import { useT } from "@/i18n";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { findRooms, findUsers } from "../kit/finders";
import kit from "../kit/kit.module.css";
import { Facts } from "../kit/page";
import { type Choice, Pick } from "../kit/pick";
import { reason } from "../kit/reason";
import css from "./roles.module.css";

interface Told {
  permission: string;
  allowed: boolean;
  active: boolean;
  by?: string | null;
  roles: string[];
  roomRoles: string[];
  holders: string[];
  ownRuleOfRoom: boolean;
  member: boolean;
  mayReadRoom: boolean | null;
}

/** Which rule allows or denies something to somebody, in words. */
export function Explain(): ReactNode {
  const t = useT();
  const permissions = useStore((state) => state.permissions);
  const [permission, setPermission] = useState<Choice | null>(null);
  const [user, setUser] = useState<Choice | null>(null);
  const [room, setRoom] = useState<Choice | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const [problem, setProblem] = useState<string>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setProblem(undefined);
    const query = { permission: permission?.id ?? "", userId: user?.id ?? "", roomId: room?.id };
    get<Told>("permissions.explain", query)
      .then(setTold)
      .catch((error: unknown) => {
        setTold(null);
        setProblem(reason(error, t));
      });
  };
  const changed = <T,>(set: (value: T) => void) => {
    return (value: T): void => {
      set(value);
      setTold(null);
    };
  };
  return (
    <div className={css.scroll}>
      <form onSubmit={submit} className={css.form}>
        <p>{t("roles.explainMore")}</p>
        <Pick label={t("roles.who")} value={user} choose={changed(setUser)} find={findUsers} />
        <Pick
          label={t("roles.permission")}
          value={permission}
          choose={changed(setPermission)}
          find={async (text) =>
            Object.keys(permissions)
              .filter((id) => id.includes(text.toLowerCase()))
              .map((id) => ({ id, name: id }))
          }
        />
        <Pick
          label={t("roles.room")}
          hint={t("roles.roomOptional")}
          value={room}
          choose={changed(setRoom)}
          find={findRooms}
        />
        <Button kind="primary" type="submit" disabled={!permission || !user}>
          {t("roles.ask")}
        </Button>
      </form>
      {problem && (
        <p role="alert" className={kit.problem}>
          {problem}
        </p>
      )}
      {told && <Answer told={told} name={user?.name ?? ""} room={room?.name} />}
    </div>
  );
}

function Answer({ told, name, room }: { told: Told; name: string; room: string | undefined }): ReactNode {
  const t = useT();
  const list = (roles: string[]): string => (roles.length > 0 ? roles.join(", ") : t("roles.none"));
  const why = !told.active
    ? "inactive"
    : told.allowed
      ? told.ownRuleOfRoom
        ? "byRoom"
        : "byRole"
      : told.holders.length === 0
        ? "noHolder"
        : "noRole";
  const facts: [string, string][] = [
    [t("roles.fact.roles"), list(told.roles)],
    [t("roles.fact.holders"), list(told.holders)],
  ];
  if (room) {
    facts.splice(1, 0, [t("roles.fact.roomRoles"), list(told.roomRoles)]);
    facts.push([t("roles.fact.rule"), t(told.ownRuleOfRoom ? "roles.fact.ofRoom" : "roles.fact.ofWorkspace")]);
    facts.push([t("roles.fact.member"), t(told.member ? "roles.yes" : "roles.no")]);
    if (told.mayReadRoom !== null) facts.push([t("roles.fact.reads"), t(told.mayReadRoom ? "roles.yes" : "roles.no")]);
  }
  return (
    <section className={css.answer} role="status">
      <h2>{t(told.allowed ? "roles.allowed" : "roles.denied", { name, permission: told.permission })}</h2>
      <p>{t(`roles.why.${why}`, { role: told.by ?? "", permission: told.permission })}</p>
      <Facts facts={facts} />
    </section>
  );
}
