import { type FormEvent, type ReactNode, useState } from "react";
import { get, post } from "@/api/rest";
import { useT } from "@/i18n";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Check } from "@/ui/field";
import { toast } from "@/ui/toast";
import { findRooms } from "../kit/finders";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Mark } from "../kit/page";
import { type Choice, Pick } from "../kit/pick";
import { reason } from "../kit/reason";
import { useRoles } from "../users/types";
import css from "./roles.module.css";

interface Rule {
  _id: string;
  roles: string[];
}

/** Rules of a single room, in place of those of the workspace. */
export function InRoom(): ReactNode {
  const t = useT();
  const [room, setRoom] = useState<Choice | null>(null);
  return (
    <div className={css.scroll}>
      <p>{t("roles.roomMore")}</p>
      <div className={css.form}>
        <Pick label={t("roles.room")} value={room} choose={setRoom} find={findRooms} />
      </div>
      {room && <Rules key={room.id} room={room} />}
    </div>
  );
}

function Rules({ room }: { room: Choice }): ReactNode {
  const t = useT();
  const roles = useRoles();
  const permissions = useStore((state) => state.permissions);
  const [permission, setPermission] = useState<Choice | null>(null);
  const [chosen, setChosen] = useState<string[]>([]);
  const { value, failed, reload } = useLoad(room.id, async () => {
    return (await get<{ permissions: Rule[] }>("permissions.room", { roomId: room.id })).permissions;
  });
  const name = (id: string): string => roles.find(({ _id }) => _id === id)?.name ?? id;
  const set = (permissionId: string, given: string[] | null): void =>
    void post("permissions.setInRoom", { roomId: room.id, permissionId, roles: given })
      .then(() => {
        toast(t("admin.saved"));
        setPermission(null);
        reload();
      })
      .catch((error: unknown) => toast(reason(error, t), { bad: true }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (permission) set(permission.id, chosen);
  };
  const choose = (next: Choice | null): void => {
    setPermission(next);
    // What is in force is where one begins.
    if (next) setChosen(value?.find(({ _id }) => _id === next.id)?.roles ?? permissions[next.id] ?? []);
  };
  return (
    <>
      <p role="status" className={kit.count}>
        {failed ? t("admin.loadFailed") : value ? t("roles.rules", { count: value.length }) : t("app.loading")}
      </p>
      <ul className={kit.cards} aria-label={t("roles.view.room")}>
        {value?.map((rule) => (
          <li key={rule._id} className={kit.card}>
            <span className={kit.main}>
              <code dir="ltr">{rule._id}</code>
              <span>
                {rule.roles.length === 0 && <small>{t("roles.nobody")}</small>}
                {rule.roles.map((id) => (
                  <Mark key={id}>{name(id)}</Mark>
                ))}
              </span>
            </span>
            <Button onClick={() => choose({ id: rule._id, name: rule._id })}>{t("roles.changeRule")}</Button>
            <Button aria-label={t("roles.dropRuleOf", { permission: rule._id })} onClick={() => set(rule._id, null)}>
              {t("roles.dropRule")}
            </Button>
          </li>
        ))}
      </ul>
      <form onSubmit={submit} className={css.answer}>
        <Pick
          label={t("roles.permission")}
          hint={t("roles.ruleHint")}
          value={permission}
          choose={choose}
          find={async (text) =>
            Object.keys(permissions)
              .filter((id) => id.includes(text.toLowerCase()))
              .map((id) => ({ id, name: id }))
          }
        />
        {permission && (
          <fieldset className={kit.set}>
            <legend>{t("roles.holdersHere")}</legend>
            <div className={kit.two}>
              {roles.map((role) => (
                <Check
                  key={role._id}
                  label={role.name}
                  checked={chosen.includes(role._id)}
                  onChange={(event) =>
                    setChosen(event.target.checked ? [...chosen, role._id] : chosen.filter((one) => one !== role._id))
                  }
                />
              ))}
            </div>
          </fieldset>
        )}
        <Button kind="primary" type="submit" disabled={!permission}>
          {t("roles.setRule")}
        </Button>
      </form>
    </>
  );
}
