import { type FormEvent, type ReactNode, useState } from "react";
import { call, get, post } from "@/api/rest";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { toast } from "@/ui/toast";
import { Copy } from "../kit/copy";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Facts, Part } from "../kit/page";
import { reason } from "../kit/reason";
import { Deliveries } from "./deliveries";
import { Fields } from "./form";
import { curl } from "./new";
import { bodyOf, draftOf, type Integration } from "./types";

interface Props {
  id: string;
  close: () => void;
  changed: () => void;
}

/** One webhook: its fields, how it is called, what it did. */
export function OneHook({ id, close, changed }: Props): ReactNode {
  const t = useT();
  const [ending, setEnding] = useState(false);
  const { value, failed, reload } = useLoad(id, async () => {
    return (await get<{ integration: Integration }>("integrations.get", { integrationId: id })).integration;
  });
  const again = (): void => {
    reload();
    changed();
  };
  return (
    <Dialog title={value?.name || t("hooks.one")} close={close} wide>
      {failed && <p role="alert">{t("hooks.gone")}</p>}
      {!value && !failed && <p role="status">{t("app.loading")}</p>}
      {value && (
        <div className={kit.scroll}>
          <Facts
            facts={[
              [t("hooks.type"), t(`hooks.${value.type}`)],
              [t("hooks.by"), `@${value._createdBy?.username ?? ""}`],
              [t("hooks.when"), full(intl(), millis(value._createdAt))],
            ]}
          />
          <Edit key={JSON.stringify(value)} hook={value} changed={again} />
          {value.type === "webhook-incoming" ? (
            <Part title={t("hooks.use")}>
              <p>{t("hooks.tokenGone")}</p>
              <Copy label={t("hooks.command")} text={curl(value._id, "TOKEN")} />
            </Part>
          ) : (
            <Part title={t("hooks.deliveries")}>
              <Deliveries id={value._id} />
            </Part>
          )}
          <Part title={t("hooks.end")}>
            <div className={kit.buttons}>
              <Button kind="danger" onClick={() => setEnding(true)}>
                {t("hooks.delete")}
              </Button>
            </div>
          </Part>
        </div>
      )}
      {ending && value && (
        <Danger
          title={t("hooks.deleteAsk", { name: value.name })}
          yes={t("hooks.delete")}
          close={() => setEnding(false)}
          done={() => {
            changed();
            close();
          }}
          run={() => post("integrations.remove", { type: value.type, integrationId: value._id })}
        >
          <p>{t(`hooks.deleteMore.${value.type}`)}</p>
        </Danger>
      )}
    </Dialog>
  );
}

function Edit({ hook, changed }: { hook: Integration; changed: () => void }): ReactNode {
  const t = useT();
  const outgoing = hook.type === "webhook-outgoing";
  const before = draftOf(hook, "");
  const [draft, setDraft] = useState(before);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const body = { type: hook.type, integrationId: hook._id, ...bodyOf(draft, outgoing) };
    call("PUT", "integrations.update", { body })
      .then(() => {
        toast(t("admin.saved"));
        changed();
      })
      .catch((error: unknown) => setProblem(reason(error, t)))
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit}>
      <Fields draft={draft} change={(part) => setDraft({ ...draft, ...part })} outgoing={outgoing} />
      {problem && (
        <p role="alert" className={kit.problem}>
          {problem}
        </p>
      )}
      <Footer>
        <Button
          kind="primary"
          type="submit"
          busy={busy}
          disabled={busy || JSON.stringify(before) === JSON.stringify(draft)}
        >
          {t("admin.save")}
        </Button>
      </Footer>
    </form>
  );
}
