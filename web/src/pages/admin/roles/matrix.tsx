import { type ReactNode, useMemo, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { plain } from "@/lib/text";
import { useStore } from "@/store/state";
import { Field } from "@/ui/field";
import { Select } from "@/ui/select";
import { toast } from "@/ui/toast";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { Filters } from "../kit/page";
import { reason } from "../kit/reason";
import { useRoles } from "../users/types";
import { type Cell, Grid } from "./grid";

/** Whoever takes these away may not be able to give them back. */
const GRAVE = /^(access-permissions|view-room-administration|view-user-administration|edit-privileged-setting)$/;

/** Permissions by roles: all of them, or one role's on narrow windows. Changes are in force at once. */
export function Matrix(): ReactNode {
  const t = useT();
  const roles = useRoles();
  const permissions = useStore((state) => state.permissions);
  const [text, setText] = useState("");
  const [which, setWhich] = useState(() => (matchMedia("(max-width: 48rem)").matches ? "user" : "workspace"));
  const [asked, setAsked] = useState<Cell | null>(null);
  const columns = roles.filter(({ _id, scope }) =>
    which === "workspace" ? scope === "Users" : which === "room" ? scope === "Subscriptions" : which === _id,
  );
  const shown = useMemo(() => {
    const words = plain(text).split(/\s+/).filter(Boolean);
    return Object.keys(permissions).filter((id) => words.every((word) => id.includes(word)));
  }, [permissions, text]);
  const set = ({ permission, role, given }: Cell): Promise<unknown> =>
    post(`permissions.${given ? "addRole" : "removeRole"}`, { permissionId: permission, role: role._id });
  const toggle = (cell: Cell): void => {
    if (!cell.given && GRAVE.test(cell.permission)) setAsked(cell);
    else void set(cell).catch((error: unknown) => toast(reason(error, t), { bad: true }));
  };
  return (
    <>
      <Filters>
        <Field label={t("roles.find")} type="search" value={text} onChange={(event) => setText(event.target.value)} />
        <Select
          label={t("roles.which")}
          value={which}
          choose={setWhich}
          choices={[
            ["workspace", t("roles.workspace")] as const,
            ["room", t("roles.inRooms")] as const,
            ...roles.map(({ _id, name }) => [_id, name] as const),
          ]}
        />
      </Filters>
      <p className={kit.count} role="status">
        {t("roles.count", { count: shown.length })}
      </p>
      {columns.length > 0 && shown.length > 0 && (
        <Grid key={which} columns={columns} rows={shown} permissions={permissions} toggle={toggle} />
      )}
      {asked && (
        <Danger
          title={t("roles.takeAsk", { permission: asked.permission, role: asked.role.name })}
          yes={t("roles.take")}
          close={() => setAsked(null)}
          run={() => set(asked)}
        >
          <p>{t("roles.takeMore", { role: asked.role.name })}</p>
        </Danger>
      )}
    </>
  );
}
