import { type ReactNode, useEffect, useMemo, useState } from "react";
import { Link, useRoute } from "wouter";
import { ApiError, get, post } from "@/api/rest";
import { useT } from "@/i18n";
import { plain } from "@/lib/text";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Check, Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Filters, Mark, Page } from "../kit/page";
import { reason } from "../kit/reason";
import { discard, isChosen, type Setting, useDraft } from "./draft";
import { Guard } from "./guard";
import { group as groupName, label, section as sectionName } from "./label";
import { One } from "./one";
import css from "./settings.module.css";

const PAGE = 100;

/** All settings, however long the server's pages are. */
async function readAll(): Promise<Setting[]> {
  type Part = { settings: Setting[]; total: number };
  const page = (offset: number): Promise<Part> => get<Part>("settings", { count: PAGE, offset });
  const { settings, total } = await page(0);
  const offsets = Array.from({ length: Math.ceil(total / PAGE) - 1 }, (_, at) => (at + 1) * PAGE);
  const rest = await Promise.all(offsets.map(page));
  return [...settings, ...rest.flatMap((part) => part.settings)];
}

/** The settings of the workspace: by group, or found among all of them. */
export default function Settings(): ReactNode {
  const t = useT();
  const [, chosen] = useRoute("/admin/settings/:group");
  const [text, setText] = useState("");
  const [only, setOnly] = useState(false);
  const { value: all, failed, reload } = useLoad("settings", readAll);
  const editor = useStore((from) => may("edit-privileged-setting", undefined, from));
  const group = chosen ? decodeURIComponent(chosen.group) : undefined;
  const shown = useMemo(() => find(all ?? [], text, only, group), [all, text, only, group]);
  const searching = text.trim() !== "" || only;
  return (
    <Page
      title={group && !searching ? groupName(group) : t("admin.settings")}
      back={group ? "/admin/settings" : "/admin"}
    >
      <Filters>
        <Field
          label={t("config.find")}
          hint={t("config.findHint")}
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Check label={t("config.only")} checked={only} onChange={(event) => setOnly(event.target.checked)} />
      </Filters>
      <p role="status" className={kit.count}>
        {failed
          ? t("admin.loadFailed")
          : all
            ? searching && t("config.count", { count: shown.length })
            : t("app.loading")}
        {failed && <Button onClick={reload}>{t("admin.again")}</Button>}
      </p>
      {all && !group && !searching && <Groups all={all} />}
      {group && !searching && (
        <p>
          <Link href="/admin/settings">{t("config.all")}</Link>
        </p>
      )}
      {all && (group || searching) && <Sections settings={shown} editor={editor} mixed={searching} />}
      {editor && all && <Bar all={all} saved={reload} />}
      <Guard />
    </Page>
  );
}

function find(all: Setting[], text: string, only: boolean, group: string | undefined): Setting[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const searching = words.length > 0 || only;
  const fits = (setting: Setting): boolean => {
    if (only && !isChosen(setting)) return false;
    const hay = plain(
      `${setting._id} ${label(setting._id)} ${groupName(setting.group)} ${sectionName(setting.section)}`,
    );
    return words.every((word) => hay.includes(word));
  };
  return all
    .filter((setting) => (searching ? fits(setting) : setting.group === group))
    .sort((a, b) => (a.section < b.section ? -1 : a.section > b.section ? 1 : 0));
}

function Groups({ all }: { all: Setting[] }): ReactNode {
  const t = useT();
  const groups = [...new Set(all.map((one) => one.group))].map((id) => {
    const mine = all.filter((one) => one.group === id);
    return { id, name: groupName(id), count: mine.length, chosen: mine.filter(isChosen).length };
  });
  groups.sort((a, b) => a.name.localeCompare(b.name));
  return (
    <ul className={css.groups}>
      {groups.map(({ id, name, count, chosen }) => (
        <li key={id}>
          <Link href={`/admin/settings/${encodeURIComponent(id)}`} className={css.group}>
            <b>{name}</b>
            <small>{t("config.count", { count })}</small>
            {chosen > 0 && <Mark>{t("config.chosenCount", { count: chosen })}</Mark>}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Sections({ settings, editor, mixed }: { settings: Setting[]; editor: boolean; mixed: boolean }): ReactNode {
  const t = useT();
  const keyOf = (one: Setting): string => (mixed ? `${one.group}\n${one.section}` : one.section);
  const keys = [...new Set(settings.map(keyOf))];
  const title = (key: string): string => {
    const [group, part] = mixed ? key.split("\n") : ["", key];
    return [group && groupName(group), part && sectionName(part)].filter(Boolean).join(" · ") || t("config.general");
  };
  return keys.map((key) => (
    <section key={key} className={css.section}>
      <h2>{title(key)}</h2>
      {settings
        .filter((one) => keyOf(one) === key)
        .map((one) => (
          <One key={one._id} setting={one} editor={editor} />
        ))}
    </section>
  ));
}

/** What is not saved yet, and the two ways on. */
function Bar({ all, saved }: { all: Setting[]; saved: () => void }): ReactNode {
  const t = useT();
  const values = useDraft((draft) => draft.values);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const ids = Object.keys(values);
  useEffect(() => setProblem(undefined), [values]);
  if (ids.length === 0) return null;
  const save = (): void => {
    setBusy(true);
    post("settings", { settings: ids.map((_id) => ({ _id, value: values[_id] })) })
      .then(() => {
        discard();
        saved();
        toast(t("config.saved", { count: ids.length }));
      })
      .catch((error: unknown) => {
        // The server names the setting that it can't take: what it says stands there.
        const said = error instanceof ApiError ? error.message : "";
        const bad = all.find(({ _id }) => ids.includes(_id) && said.includes(`${_id} `));
        if (bad) {
          useDraft.setState({ problems: { [bad._id]: reason(error, t) } });
          document.getElementById(bad._id)?.querySelector<HTMLElement>("input, textarea, select")?.focus();
        }
        setProblem(reason(error, t));
      })
      .finally(() => setBusy(false));
  };
  return (
    <div className={css.bar} role="region" aria-label={t("config.bar")}>
      <p role="status">{t("config.dirty", { count: ids.length })}</p>
      {problem && (
        <p role="alert" className={kit.problem}>
          {problem}
        </p>
      )}
      <Button onClick={discard}>{t("config.discard")}</Button>
      <Button kind="primary" busy={busy} onClick={save}>
        {t("admin.save")}
      </Button>
    </div>
  );
}
