import { type FormEvent, type ReactNode, useCallback, useEffect, useId, useState } from "react";
import { Unanswered } from "@/api/challenge";
import { ApiError, get, post } from "@/api/rest";
import { intl, useT } from "@/i18n";
import { copyText } from "@/lib/copy";
import { full } from "@/lib/time";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import Confirm from "@/ui/confirm";
import { failed, why } from "@/ui/failed";
import { Check, Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import { useAttempt } from "./attempt";
import css from "./settings.module.css";

interface Token {
  name: string;
  lastTokenPart: string;
  bypassTwoFactor: boolean;
  createdAt: string;
}

/** Tokens for programs that act as this account. Each is shown once. */
export function Tokens(): ReactNode {
  const t = useT();
  const id = useId();
  const attempt = useAttempt();
  const [all, setAll] = useState<Token[]>();
  const [closed, setClosed] = useState(false);
  const [made, setMade] = useState<string>();
  const [leaving, setLeaving] = useState<string>();
  const read = useCallback(async () => {
    try {
      setAll((await get<{ tokens: Token[] }>("users.getPersonalAccessTokens")).tokens);
    } catch {
      setClosed(true);
    }
  }, []);
  useEffect(() => void read(), [read]);
  const renew = async (tokenName: string): Promise<void> => {
    type Answer = { token: string };
    const { token } = await post<Answer>("users.regeneratePersonalAccessToken", { tokenName });
    setMade(token);
    await read();
  };
  const remove = (tokenName: string): Promise<unknown> =>
    post("users.removePersonalAccessToken", { tokenName }).then(read);
  if (closed) return <p className={css.note}>{t("tokens.closed")}</p>;
  return (
    <>
      <section className={css.part} aria-labelledby={id}>
        <h3 id={id}>{t("tokens.new")}</h3>
        <p>{t("tokens.more")}</p>
        <Make
          made={(token) => {
            setMade(token);
            void read();
          }}
        />
        {made && <Once token={made} />}
      </section>
      <section className={css.part} aria-labelledby={`${id}-list`}>
        <h3 id={`${id}-list`}>{t("tokens.yours")}</h3>
        {all?.length === 0 && <p>{t("tokens.none")}</p>}
        <ul className={css.rows} aria-busy={!all}>
          {all?.map((one) => (
            <li key={one.name}>
              <span>
                <b dir="auto">{one.name}</b>{" "}
                {one.bypassTwoFactor && <em className={css.tag}>{t("tokens.bypasses")}</em>}
                <small>
                  {t("tokens.about", { end: one.lastTokenPart, time: full(intl(), Date.parse(one.createdAt)) })}
                </small>
              </span>
              <Button
                kind="quiet"
                aria-label={t("tokens.renewOf", { name: one.name })}
                onClick={() => attempt(renew(one.name))}
              >
                {t("tokens.renew")}
              </Button>
              <Button
                kind="quiet"
                aria-label={t("tokens.removeOf", { name: one.name })}
                onClick={() => setLeaving(one.name)}
              >
                {t("settings.remove")}
              </Button>
            </li>
          ))}
        </ul>
      </section>
      {leaving && (
        <Confirm
          title={t("tokens.removeTitle", { name: leaving })}
          text={t("tokens.removeText")}
          yes={t("settings.remove")}
          run={() => attempt(remove(leaving), "tokens.removed")}
          close={() => setLeaving(undefined)}
        />
      )}
    </>
  );
}

function Make({ made }: { made: (token: string) => void }): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me?._id);
  const [name, setName] = useState("");
  const [bypass, setBypass] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(undefined);
    const body = { tokenName: name.trim(), bypassTwoFactor: bypass };
    try {
      const { token } = await post<{ token: string }>("users.generatePersonalAccessToken", body);
      setName("");
      setBypass(false);
      made(token);
    } catch (error) {
      if (error instanceof Unanswered) return;
      const taken = error instanceof ApiError && /already-exists/.test(error.code);
      setProblem(taken ? "tokens.taken" : why(error));
    }
  };
  return (
    <form key={me} onSubmit={(event) => void submit(event)}>
      <Field
        label={t("tokens.name")}
        maxLength={100}
        required
        value={name}
        onChange={(event) => setName(event.target.value)}
        error={problem && t(problem)}
      />
      <Check
        label={t("tokens.bypass")}
        hint={t("tokens.bypassHint")}
        checked={bypass}
        onChange={(event) => setBypass(event.target.checked)}
      />
      <Button kind="primary" type="submit">
        {t("tokens.make")}
      </Button>
    </form>
  );
}

function Once({ token }: { token: string }): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me?._id ?? "");
  const copy = (text: string): void =>
    void copyText(text)
      .then(() => toast(t("action.copied")))
      .catch(failed("failed.copy"));
  return (
    <div role="status">
      <p className={css.note}>{t("tokens.once")}</p>
      <code className={css.secret}>{token}</code>
      <p className={css.note}>{t("tokens.user", { id: me })}</p>
      <Button onClick={() => copy(token)}>{t("tokens.copy")}</Button>
    </div>
  );
}
