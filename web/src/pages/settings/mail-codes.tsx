import { type ReactNode, useId, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { change, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { useAttempt } from "./attempt";
import css from "./settings.module.css";

/** Codes by e-mail at each sign-in: for whoever has no authenticator app. */
export function MailCodes(): ReactNode {
  const t = useT();
  const id = useId();
  const attempt = useAttempt();
  const [busy, setBusy] = useState(false);
  const on = useStore((state) => state.me?.services?.email2fa?.enabled ?? false);
  const address = useStore((state) => state.me?.emails?.find(({ verified }) => verified)?.address);
  const turn = async (): Promise<void> => {
    setBusy(true);
    try {
      await post(on ? "users.2fa.disableEmail" : "users.2fa.enableEmail");
      change(({ me }) => (me ? { me: { ...me, services: { ...me.services, email2fa: { enabled: !on } } } } : {}));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("mailCodes.title")}</h3>
      <p>{on ? t("mailCodes.on") : address ? t("mailCodes.off", { address }) : t("mailCodes.unproved")}</p>
      {(on || address) && (
        <Button kind={on ? "danger" : "plain"} busy={busy} onClick={() => attempt(turn())}>
          {t(on ? "mailCodes.stop" : "mailCodes.begin")}
        </Button>
      )}
    </section>
  );
}
