import { Keyboard, LogOut, Moon, Palette, Settings, ShieldCheck } from "lucide-react";
import { type ReactNode, Suspense, useState } from "react";
import { useLocation } from "wouter";
import { post } from "@/api/rest";
import type { Status } from "@/api/types";
import { useT } from "@/i18n";
import { setTheme, theme } from "@/lib/look";
import { signOut } from "@/store/account";
import { change, useStore } from "@/store/state";
import { Avatar, Presence } from "@/ui/avatar";
import { Menu } from "@/ui/menu";
import { failed } from "@/ui/failed";
import { administers } from "../admin/needs";
import { Confirm } from "./later";
import type { Overlay } from "./overlays";
import css from "./sidebar.module.css";

const STATUSES: Status[] = ["online", "away", "busy", "offline"];

/** The own account: presence, look, preferences, the way out. */
export function OwnMenu({ open, paths }: { open: (overlay: Overlay) => void; paths: string[] }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [asking, setAsking] = useState(false);
  const [, setLooked] = useState(0);
  const me = useStore((state) => state.me);
  const status = useStore((state) =>
    state.me ? (state.presence[state.me._id]?.status ?? state.me.status) : undefined,
  );
  const administrator = useStore(administers);
  const has = (path: string): boolean => paths.some((one) => one.startsWith(path));
  const setStatus = (next: Status): void => {
    post("users.setStatus", { status: next, message: me?.statusText ?? "" })
      .then(() => change(({ me: own }) => (own ? { me: { ...own, status: next } } : {})))
      .catch(failed("failed.status"));
  };
  const dark = theme() === "dark";
  const icon = 18;
  const unsent = useStore((state) => state.outbox.length);
  const leave = (): void => (unsent > 0 ? setAsking(true) : void signOut());
  return (
    <>
      {asking && (
        <Suspense fallback={null}>
          <Confirm
            title={t("own.out")}
            text={t("own.unsent", { count: unsent })}
            yes={t("own.outAnyway")}
            run={() => void signOut()}
            close={() => setAsking(false)}
          />
        </Suspense>
      )}
      <Menu
        className={css.own ?? ""}
        label={t("own.menu", { name: me?.name ?? me?.username })}
        // The theme may have been changed elsewhere meanwhile.
        onOpenChange={() => setLooked((count) => count + 1)}
        groups={[
          STATUSES.map((one) => ({
            id: one,
            label: t(`presence.${one}`),
            icon: (
              <span aria-hidden className={css.shape}>
                <Presence status={one} />
              </span>
            ),
            run: () => setStatus(one),
          })),
          [
            ...(has("/settings")
              ? [
                  {
                    id: "settings",
                    label: t("own.settings"),
                    icon: <Settings size={icon} aria-hidden />,
                    run: () => go("/settings"),
                  },
                ]
              : []),
            ...(administrator && has("/admin")
              ? [
                  {
                    id: "admin",
                    label: t("own.admin"),
                    icon: <ShieldCheck size={icon} aria-hidden />,
                    run: () => go("/admin"),
                  },
                ]
              : []),
            {
              id: "theme",
              label: t(dark ? "own.light" : "own.dark"),
              icon: dark ? <Palette size={icon} aria-hidden /> : <Moon size={icon} aria-hidden />,
              run: () => setTheme(dark ? "light" : "dark"),
            },
            {
              id: "keys",
              label: t("own.keys"),
              icon: <Keyboard size={icon} aria-hidden />,
              run: () => open("shortcuts"),
            },
          ],
          [{ id: "out", label: t("own.out"), icon: <LogOut size={icon} aria-hidden />, run: leave }],
        ]}
      >
        <Avatar username={me?.username} etag={me?.avatarETag} letters={me?.username} size={36} />
        {status && (
          <span aria-hidden style={{ position: "relative", inlineSize: 0, insetInlineEnd: 8, insetBlockStart: 14 }}>
            <Presence status={status} />
          </span>
        )}
      </Menu>
    </>
  );
}
