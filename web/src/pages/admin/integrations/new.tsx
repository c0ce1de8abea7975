import { type FormEvent, type ReactNode, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { state } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { Copy } from "../kit/copy";
import kit from "../kit/kit.module.css";
import { reason } from "../kit/reason";
import { Fields } from "./form";
import { bodyOf, draftOf, type Integration } from "./types";

/** What a terminal needs to post by a webhook. */
export const curl = (id: string, token: string): string =>
  `curl -X POST ${location.origin}/hooks/${id}/${token} \\\n  -H 'Content-Type: application/json' \\\n  -d '{"text":"Hello"}'`;

/** A new webhook; its token is shown once. */
export function NewHook({
  outgoing,
  close,
  made,
}: {
  outgoing: boolean;
  close: () => void;
  made: () => void;
}): ReactNode {
  const t = useT();
  const [draft, setDraft] = useState(() => draftOf({}, state().me?.username ?? ""));
  const [done, setDone] = useState<Integration | null>(null);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const type = outgoing ? "webhook-outgoing" : "webhook-incoming";
    post<{ integration: Integration }>("integrations.create", { type, ...bodyOf(draft, outgoing) })
      .then(({ integration }) => {
        setDone(integration);
        made();
      })
      .catch((error: unknown) => setProblem(reason(error, t)))
      .finally(() => setBusy(false));
  };
  if (done) return <Made hook={done} close={close} />;
  return (
    <Dialog title={t(outgoing ? "hooks.newOutgoing" : "hooks.newIncoming")} close={close} wide>
      <form onSubmit={submit}>
        <Fields draft={draft} change={(part) => setDraft({ ...draft, ...part })} outgoing={outgoing} />
        {problem && (
          <p role="alert" className={kit.problem}>
            {problem}
          </p>
        )}
        <Footer>
          <Button onClick={close}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t("hooks.make")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}

function Made({ hook, close }: { hook: Integration; close: () => void }): ReactNode {
  const t = useT();
  const incoming = hook.type === "webhook-incoming";
  const token = hook.token ?? "";
  const test = (): void => {
    const body = JSON.stringify({ text: t("hooks.testText", { name: hook.name }) });
    void fetch(`/hooks/${hook._id}/${token}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    })
      .then(async (answer) => {
        const { success, error } = (await answer.json()) as { success?: boolean; error?: string };
        if (answer.ok && success !== false) toast(t("hooks.tested"));
        else toast(t("admin.said", { text: error ?? answer.statusText }), { bad: true });
      })
      .catch(failed("failed.hookTest"));
  };
  return (
    <Dialog title={t("hooks.made", { name: hook.name })} close={close} wide alert>
      {token ? (
        <>
          <p>{t("hooks.once")}</p>
          {incoming ? (
            <>
              <Copy label={t("hooks.address")} text={`${location.origin}/hooks/${hook._id}/${token}`} />
              <p>{t("hooks.curl")}</p>
              <Copy label={t("hooks.command")} text={curl(hook._id, token)} />
            </>
          ) : (
            <Copy label={t("hooks.secret")} text={token} />
          )}
        </>
      ) : (
        <p>{t("hooks.unsigned")}</p>
      )}
      <Footer>
        {incoming && <Button onClick={test}>{t("hooks.test")}</Button>}
        <Button kind="primary" onClick={close}>
          {t("hooks.kept")}
        </Button>
      </Footer>
    </Dialog>
  );
}
