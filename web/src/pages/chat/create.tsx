import { type FormEvent, type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import { ApiError, post } from "@/api/rest";
import type { Room } from "@/api/types";
import { useT } from "@/i18n";
import { direct, refresh } from "@/store/actions";
import { path } from "@/store/rooms";
import { may } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { why } from "@/ui/failed";
import { Check, Field } from "@/ui/field";
import css from "./create.module.css";
import { People, type Person } from "./people";

/** A new conversation: with people, or a room of its own. */
export default function Create({ direct: withPeople, close }: { direct: boolean; close: () => void }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [isPrivate, setPrivate] = useState(!may("create-c"));
  const [people, setPeople] = useState<Person[]>([]);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const make = async (): Promise<string> => {
    const members = people.map(({ username }) => username);
    if (withPeople) return path(await direct(members));
    const family = isPrivate ? "groups" : "channels";
    const body = { name: slug(name), members, extraData: topic.trim() ? { topic: topic.trim() } : {} };
    const answer = await post<{ channel?: Room; group?: Room }>(`${family}.create`, body);
    const room = (answer.channel ?? answer.group) as Room;
    await refresh(room._id);
    return path(room);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    make()
      .then((to) => {
        close();
        go(to);
      })
      .catch((error: unknown) => setProblem(reason(error)))
      .finally(() => setBusy(false));
  };
  const ready = withPeople ? people.length > 0 : slug(name) !== "";
  return (
    <Dialog title={t(withPeople ? "create.direct" : "create.room")} close={close}>
      <form className={css.form} onSubmit={submit}>
        {!withPeople && (
          <>
            <Field
              label={t("create.name")}
              hint={name && slug(name) !== name ? t("create.slug", { name: slug(name) }) : t("create.nameHint")}
              error={problem && t(problem)}
              // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog begins here
              autoFocus
              required
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
            <Field
              label={t("create.topic")}
              value={topic}
              maxLength={300}
              onChange={(event) => setTopic(event.target.value)}
            />
            <Check
              label={t("create.private")}
              hint={t("create.privateHint")}
              checked={isPrivate}
              disabled={!may("create-c") || !may("create-p")}
              onChange={(event) => setPrivate(event.target.checked)}
            />
          </>
        )}
        <People chosen={people} change={setPeople} first={withPeople} />
        {withPeople && problem && <p role="alert">{t(problem)}</p>}
        <Footer>
          <Button onClick={close}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!ready || busy}>
            {t(withPeople ? "create.open" : "create.make")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}

/** A name as addresses and mentions carry it. */
export const slug = (name: string): string =>
  name
    .trim()
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_.]+/gu, "-")
    .replace(/^-+|-+$/g, "");

function reason(error: unknown): string {
  if (!(error instanceof ApiError)) return why(error);
  if (/duplicate/.test(error.code)) return "create.taken";
  if (/invalid-room-name/.test(error.code)) return "create.badName";
  return why(error);
}
