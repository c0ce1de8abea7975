import { RotateCcw } from "lucide-react";
import { memo, type ReactNode } from "react";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import { Check, Field } from "@/ui/field";
import { Select } from "@/ui/select";
import { Area } from "../kit/area";
import { Mark } from "../kit/page";
import { Asset } from "./asset";
import { forget, isChosen, note, type Setting, useDraft, type Value } from "./draft";
import { label } from "./label";
import css from "./settings.module.css";

/** Texts that are longer than a line. */
const LONG = /css|Body|Terms|Policy$|Notice|Footer|CustomFields|List$|style|Whitelist|highlight/i;

/** One setting: what it is, its value, whether it was chosen, the way back. */
export const One = memo(function One({ setting, editor }: { setting: Setting; editor: boolean }): ReactNode {
  const t = useT();
  const drafted = useDraft(({ values }) => values[setting._id]);
  const problem = useDraft(({ problems }) => problems[setting._id]);
  const dirty = drafted !== undefined;
  const value = drafted ?? (setting.secret ? "" : setting.value);
  const chosen = isChosen(setting);
  return (
    <div className={css.one} id={setting._id} data-dirty={dirty || undefined}>
      <Control setting={setting} value={value} problem={problem} editor={editor} />
      <p className={css.about}>
        <code dir="ltr">{setting._id}</code>
        {chosen && <Mark>{t("config.chosen")}</Mark>}
        {dirty && <Mark bad>{t("config.unsaved")}</Mark>}
        {dirty && (
          <Button kind="quiet" onClick={() => forget(setting._id)}>
            {t("config.back")}
          </Button>
        )}
        {!dirty && chosen && editor && setting.type !== "asset" && (
          <Button
            kind="quiet"
            aria-label={t("config.resetOne", { name: label(setting._id) })}
            onClick={() => note(setting, setting.secret ? "" : setting.packageValue)}
          >
            <RotateCcw size={14} aria-hidden /> {t(setting.secret ? "config.clear" : "config.reset")}
          </Button>
        )}
      </p>
    </div>
  );
});

interface ControlProps {
  setting: Setting;
  value: Value;
  problem: string | undefined;
  editor: boolean;
}

function Control({ setting, value, problem, editor }: ControlProps): ReactNode {
  const t = useT();
  const name = label(setting._id);
  const set = (next: Value): void => note(setting, next);
  const usual = { label: name, disabled: !editor, error: problem };
  switch (setting.type) {
    case "boolean":
      return (
        <>
          <Check
            label={name}
            disabled={!editor}
            checked={value === true}
            onChange={(event) => set(event.target.checked)}
          />
          {problem && <p role="alert">{problem}</p>}
        </>
      );
    case "int":
    case "float":
      return (
        <Field
          {...usual}
          type="number"
          inputMode="decimal"
          step={setting.type === "float" ? "any" : 1}
          value={String(value)}
          onChange={(event) => set(event.target.value === "" ? "" : Number(event.target.value))}
        />
      );
    case "select":
      return (
        <Select
          label={name}
          disabled={!editor}
          value={String(value)}
          choose={set}
          hint={problem}
          choices={(setting.values ?? []).map(({ key }) => [key, key] as const)}
        />
      );
    case "multiSelect":
      return (
        <Area
          {...usual}
          hint={t("config.lines")}
          dir="ltr"
          value={Array.isArray(value) ? value.join("\n") : ""}
          onChange={(event) => set(event.target.value.split("\n").filter((line) => line !== ""))}
        />
      );
    case "asset":
      return <Asset setting={setting} editor={editor} />;
    case "password":
      return (
        <Field
          {...usual}
          type="password"
          autoComplete="new-password"
          hint={t(setting.value === "" ? "config.secretNone" : "config.secretSet")}
          value={String(value)}
          onChange={(event) => (event.target.value === "" ? forget(setting._id) : set(event.target.value))}
        />
      );
    default:
      if (LONG.test(setting._id) || String(value).includes("\n"))
        return (
          <Area
            {...usual}
            rows={4}
            dir="auto"
            spellCheck={false}
            value={String(value)}
            onChange={(event) => set(event.target.value)}
          />
        );
      return (
        <Field
          {...usual}
          dir="auto"
          spellCheck={false}
          autoComplete="off"
          value={String(value)}
          onChange={(event) => set(event.target.value)}
        />
      );
  }
}
