import { type FormEvent, type ReactNode, Suspense, useEffect, useId, useState } from "react";
import { method } from "@/api/method";
import { useT } from "@/i18n";
import { copyText } from "@/lib/copy";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { page } from "../lazy";
import { useAttempt } from "./attempt";
import css from "./settings.module.css";

const Qr = page(() => import("./qr"));

type Stage =
  | { is: "unknown" }
  | { is: "off" }
  | { is: "offered"; secret: string; url: string }
  | { is: "codes"; codes: string[] }
  | { is: "on"; left: number };

/** The authenticator app: offered with a picture and a text key, proved by a first code, with codes for bad days. */
export function TwoFactor(): ReactNode {
  const t = useT();
  const id = useId();
  const attempt = useAttempt();
  const [stage, setStage] = useState<Stage>({ is: "unknown" });
  useEffect(() => {
    method<{ remaining: number }>("2fa:checkCodesRemaining")
      .then(({ remaining }) => setStage({ is: "on", left: remaining }))
      .catch(() => setStage({ is: "off" }));
  }, []);
  const offer = async (): Promise<void> => {
    const { secret, url } = await method<{ secret: string; url: string }>("2fa:enable");
    setStage({ is: "offered", secret, url });
  };
  return (
    <section className={css.part} aria-labelledby={id}>
      <h3 id={id}>{t("factor.title")}</h3>
      {stage.is === "off" && (
        <>
          <p>{t("factor.off")}</p>
          <Button onClick={() => attempt(offer())}>{t("factor.begin")}</Button>
        </>
      )}
      {stage.is === "offered" && (
        <>
          <p>{t("factor.scan")}</p>
          <Suspense fallback={<div className={css.qr} aria-busy />}>
            <Qr text={stage.url} label={t("factor.picture")} />
          </Suspense>
          <p>{t("factor.key")}</p>
          <code className={css.secret}>{stage.secret}</code>
          <CodeForm
            label={t("code.label")}
            submit={t("factor.finish")}
            run={async (code) => {
              const { codes } = await method<{ codes?: string[] }>("2fa:validateTempToken", [code]);
              if (codes) setStage({ is: "codes", codes });
              return Boolean(codes);
            }}
          />
        </>
      )}
      {stage.is === "codes" && (
        <>
          <p role="status">{t("factor.keep")}</p>
          <ul className={css.codes} aria-label={t("factor.codes")}>
            {stage.codes.map((code) => (
              <li key={code}>{code}</li>
            ))}
          </ul>
          <div className={css.buttons}>
            <Button
              onClick={() =>
                void copyText(stage.codes.join("\n"))
                  .then(() => toast(t("action.copied")))
                  .catch(failed("failed.copy"))
              }
            >
              {t("factor.copy")}
            </Button>
            <Button kind="primary" onClick={() => setStage({ is: "on", left: stage.codes.length })}>
              {t("factor.kept")}
            </Button>
          </div>
        </>
      )}
      {stage.is === "on" && <On left={stage.left} change={setStage} />}
    </section>
  );
}

function On({ left, change }: { left: number; change: (stage: Stage) => void }): ReactNode {
  const t = useT();
  const [doing, setDoing] = useState<"renew" | "stop">();
  return (
    <>
      <p>{t("factor.on", { count: left })}</p>
      {!doing && (
        <div className={css.buttons}>
          <Button onClick={() => setDoing("renew")}>{t("factor.renew")}</Button>
          <Button kind="danger" onClick={() => setDoing("stop")}>
            {t("factor.stop")}
          </Button>
        </div>
      )}
      {doing && (
        <CodeForm
          key={doing}
          label={t("question.code")}
          submit={t(doing === "renew" ? "factor.renew" : "factor.stop")}
          cancel={() => setDoing(undefined)}
          run={async (code) => {
            if (doing === "stop") {
              const done = await method<boolean>("2fa:disable", [code]);
              if (done) change({ is: "off" });
              return done;
            }
            const { codes } = await method<{ codes?: string[] }>("2fa:regenerateCodes", [code]);
            if (codes) change({ is: "codes", codes });
            return Boolean(codes);
          }}
        />
      )}
    </>
  );
}

interface FormProps {
  label: string;
  submit: string;
  cancel?: () => void;
  /** Whether the code was right. */
  run: (code: string) => Promise<boolean>;
}

function CodeForm({ label, submit, cancel, run }: FormProps): ReactNode {
  const t = useT();
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const go = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const right = await run(code.trim()).catch(() => false);
    if (!right) {
      setProblem("code.wrong");
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void go(event)}>
      <Field
        label={label}
        inputMode="numeric"
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        required
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- this is what was asked for
        autoFocus
        value={code}
        onChange={(event) => setCode(event.target.value)}
        error={problem && t(problem)}
      />
      <div className={css.buttons}>
        <Button kind="primary" type="submit" busy={busy}>
          {submit}
        </Button>
        {cancel && (
          <Button kind="quiet" onClick={cancel}>
            {t("dialog.cancel")}
          </Button>
        )}
      </div>
    </form>
  );
}
