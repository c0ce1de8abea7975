import { X } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { ApiError, get, post } from "@/api/rest";
import type { Id, Room } from "@/api/types";
import { useT } from "@/i18n";
import { direct, refresh } from "@/store/actions";
import { path } from "@/store/rooms";
import { may, state } from "@/store/state";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { why } from "@/ui/failed";
import { Check, Field } from "@/ui/field";
import css from "./create.module.css";

interface Person {
  _id: Id;
  username: string;
  name?: string;
}

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

interface PeopleProps {
  chosen: Person[];
  change: (people: Person[]) => void;
  first: boolean;
}

function People({ chosen, change, first }: PeopleProps): ReactNode {
  const t = useT();
  const [text, setText] = useState("");
  const [found, setFound] = useState<Person[]>([]);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      const selector = JSON.stringify({ term: text.trim(), exceptions: [state().me?.username ?? ""] });
      get<{ items: Person[] }>("users.autocomplete", { selector })
        .then(({ items }) => current && setFound(items))
        .catch(() => current && setFound([]));
    }, 120);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);
  const shown = found.filter((one) => !chosen.some(({ _id }) => _id === one._id)).slice(0, 6);
  return (
    <>
      <Field
        label={t("create.people")}
        type="search"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog begins here
        autoFocus={first}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <ul className={css.chosen} aria-label={t("create.chosen")}>
        {chosen.map((one) => (
          <li key={one._id}>
            <button
              type="button"
              aria-label={t("create.without", { name: one.name ?? one.username })}
              onClick={() => change(chosen.filter(({ _id }) => _id !== one._id))}
            >
              {one.name ?? one.username} <X size={14} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
      <ul className={css.found} aria-label={t("create.found")}>
        {shown.map((one) => (
          <li key={one._id}>
            <button
              type="button"
              onClick={() => {
                change([...chosen, one]);
                setText("");
              }}
            >
              <Avatar username={one.username} size={28} />
              <span dir="auto">{one.name ?? one.username}</span>{" "}
              <small>
                <bdi>@{one.username}</bdi>
              </small>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
