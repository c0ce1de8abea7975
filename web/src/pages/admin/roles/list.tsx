import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useLocation, useRoute } from "wouter";
import { get } from "@/api/rest";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import kit from "../kit/kit.module.css";
import { aboutRole } from "../kit/role";
import { useLoad } from "../kit/load";
import { Mark } from "../kit/page";
import type { Role } from "../users/types";
import { OneRole } from "./role";
import css from "./roles.module.css";

/** The roles that there are, those of one's own making too. */
export function RolesList(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [, chosen] = useRoute("/admin/roles/list/:id");
  const { value, failed, reload } = useLoad("roles", async () => (await get<{ roles: Role[] }>("roles.list")).roles);
  const id = chosen && decodeURIComponent(chosen.id);
  const role = value?.find(({ _id }) => _id === id);
  const close = (): void => go("/admin/roles/list");
  return (
    <div className={css.scroll}>
      <p>
        <Button kind="primary" onClick={() => go("/admin/roles/list/new")}>
          <Plus size={18} aria-hidden /> {t("roles.new")}
        </Button>
      </p>
      <p role="status" className={kit.count}>
        {failed ? t("admin.loadFailed") : value ? t("roles.countRoles", { count: value.length }) : t("app.loading")}
        {failed && <Button onClick={reload}>{t("admin.again")}</Button>}
      </p>
      <ul className={kit.cards} aria-label={t("roles.view.list")}>
        {value?.map((one) => (
          <li key={one._id}>
            <Link href={`/admin/roles/list/${encodeURIComponent(one._id)}`} className={kit.card}>
              <span className={kit.main}>
                <b dir="auto">{one.name}</b>
                <small dir="auto">{aboutRole(t, one)}</small>
              </span>
              <Mark>{t(`roles.scope.${one.scope}`)}</Mark>
              {!one.protected && <Mark>{t("roles.own")}</Mark>}
              {one.mandatory2fa && <Mark>{t("roles.two")}</Mark>}
            </Link>
          </li>
        ))}
      </ul>
      {id === "new" && <OneRole close={close} changed={reload} />}
      {role && id !== "new" && <OneRole key={role._id} role={role} close={close} changed={reload} />}
    </div>
  );
}
