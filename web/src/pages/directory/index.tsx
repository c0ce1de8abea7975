import { ArrowLeft, Hash } from "lucide-react";
import { type ReactNode, useDeferredValue, useState } from "react";
import { useLocation } from "wouter";
import { get } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { direct } from "@/store/actions";
import { path } from "@/store/rooms";
import { Avatar } from "@/ui/avatar";
import { Button, IconButton } from "@/ui/button";
import { Field } from "@/ui/field";
import { failed as told } from "@/ui/failed";
import css from "./directory.module.css";

interface Entry {
  _id: Id;
  username?: string;
  name?: string;
  fname?: string;
  topic?: string;
  bio?: string;
  usersCount?: number;
}

/** Public rooms and people of the workspace. */
export default function Directory(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [type, setType] = useState<"channels" | "users">("channels");
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim());
  const { items, loading, failed, more, next } = usePaged<Entry>(`${type}/${wanted}`, async (offset) => {
    const query = { text: wanted, type, workspace: "local", offset, count: 50 };
    const { result } = await get<{ result: Entry[] }>("directory", query);
    return result;
  });
  const open = (entry: Entry): void => {
    const to = entry.username
      ? direct([entry.username]).then(path)
      : Promise.resolve(path({ _id: entry._id, t: "c", ...(entry.name ? { name: entry.name } : {}) }));
    to.then((address) => go(address)).catch(told("failed.open"));
  };
  return (
    <main className={css.page}>
      <header>
        <IconButton label={t("room.back")} className={css.back} onClick={() => go("/")}>
          <ArrowLeft size={20} aria-hidden />
        </IconButton>
        <h1>{t("directory.title")}</h1>
      </header>
      <search>
        <div role="group" aria-label={t("directory.kinds")} className={css.kinds}>
          {(["channels", "users"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={one === type} onClick={() => setType(one)}>
              {t(`directory.${one}`)}
            </button>
          ))}
        </div>
        <Field
          label={t("directory.find")}
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </search>
      <p role="status" className={items.length > 0 ? "hidden" : css.note}>
        {failed ? t("room.loadFailed") : loading ? t("app.loading") : t("directory.count", { count: items.length })}
      </p>
      <ul className={css.list}>
        {items.map((entry) => (
          <li key={entry._id}>
            <button type="button" onClick={() => open(entry)}>
              {entry.username ? <Avatar username={entry.username} size={40} /> : <Avatar rid={entry._id} size={40} />}
              <span>
                <b dir="auto">
                  {!entry.username && <Hash size={14} aria-hidden />}
                  {entry.fname ?? entry.name ?? entry.username}
                </b>
                <small dir="auto">
                  {entry.username
                    ? [`@${entry.username}`, entry.bio].filter(Boolean).join(" · ")
                    : [t("room.members", { count: entry.usersCount ?? 0 }), entry.topic].filter(Boolean).join(" · ")}
                </small>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {more && (
        <Button onClick={next} busy={loading}>
          {t("panel.more")}
        </Button>
      )}
    </main>
  );
}
