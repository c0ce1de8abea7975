import { Plus } from "lucide-react";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { useLocation, useRoute } from "wouter";
import { get, post } from "@/api/rest";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { List } from "../kit/list";
import { useLoad } from "../kit/load";
import { Filters, Page } from "../kit/page";
import { reason } from "../kit/reason";
import { useWindow } from "../kit/window";

interface Emoji {
  _id: Id;
  name: string;
  aliases?: string[];
  extension: string;
  etag?: string;
}

const picture = ({ name, extension, etag }: Emoji): string =>
  `/emoji-custom/${encodeURIComponent(name)}.${extension}${etag ? `?etag=${etag}` : ""}`;

/** Emoji of the workspace's own. */
export default function CustomEmoji(): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [, chosen] = useRoute("/admin/emoji/:id");
  const [text, setText] = useState("");
  const name = text.trim().replaceAll(":", "") || undefined;
  const rows = useWindow<Emoji>(`${name}`, async (offset, count) => {
    const found = await get<{ emojis: Emoji[]; total: number }>("emoji-custom.all", { name, offset, count });
    return { items: found.emojis, total: found.total };
  });
  const close = (): void => go("/admin/emoji");
  const changed = (): void => {
    rows.reload();
    close();
  };
  return (
    <Page
      fixed
      title={t("admin.emoji")}
      actions={
        <Button kind="primary" onClick={() => go("/admin/emoji/new")}>
          <Plus size={18} aria-hidden /> {t("emojis.new")}
        </Button>
      }
    >
      <Filters>
        <Field label={t("emojis.find")} type="search" value={text} onChange={(event) => setText(event.target.value)} />
      </Filters>
      <List
        label={t("admin.emoji")}
        rows={rows}
        count={(count) => t("emojis.count", { count })}
        empty={t("emojis.none")}
        href={({ _id }) => `/admin/emoji/${_id}`}
      >
        {(emoji) => (
          <>
            <img src={picture(emoji)} alt="" width={32} height={32} />
            <span className={kit.main}>
              <b>:{emoji.name}:</b>
              <small>
                {(emoji.aliases ?? [])
                  .filter(Boolean)
                  .map((one) => `:${one}:`)
                  .join(" ")}
              </small>
            </span>
          </>
        )}
      </List>
      {chosen?.id === "new" && <Edit close={close} changed={changed} />}
      {chosen && chosen.id !== "new" && <One key={chosen.id} id={chosen.id} close={close} changed={changed} />}
    </Page>
  );
}

interface Ways {
  close: () => void;
  changed: () => void;
}

function One({ id, ...ways }: Ways & { id: Id }): ReactNode {
  const t = useT();
  const { value, failed } = useLoad(id, async () => {
    const { emojis } = await get<{ emojis: Emoji[] }>("emoji-custom.all", { _id: id });
    if (!emojis[0]) throw new Error("gone");
    return emojis[0];
  });
  if (value) return <Edit emoji={value} {...ways} />;
  return (
    <Dialog title={t("admin.emoji")} close={ways.close}>
      <p role={failed ? "alert" : "status"}>{t(failed ? "emojis.gone" : "app.loading")}</p>
    </Dialog>
  );
}

function Edit({ emoji, close, changed }: Ways & { emoji?: Emoji }): ReactNode {
  const t = useT();
  const id = useId();
  const [name, setName] = useState(emoji?.name ?? "");
  const [aliases, setAliases] = useState((emoji?.aliases ?? []).join(", "));
  const [file, setFile] = useState<File | null>(null);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [ending, setEnding] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const form = new FormData();
    if (emoji) form.set("_id", emoji._id);
    form.set("name", name.trim().replaceAll(":", ""));
    form.set(
      "aliases",
      aliases
        .replaceAll(":", "")
        .replace(/\s*,\s*/g, ",")
        .trim(),
    );
    if (file) form.set("emoji", file);
    post(emoji ? "emoji-custom.update" : "emoji-custom.create", form, { timeout: 60_000 })
      .then(() => {
        toast(t("admin.saved"));
        changed();
      })
      .catch((error: unknown) => setProblem(reason(error, t)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={emoji ? `:${emoji.name}:` : t("emojis.new")} close={close}>
      <form onSubmit={submit}>
        {emoji && <img src={picture(emoji)} alt={`:${emoji.name}:`} width={64} height={64} />}
        <Field
          label={t("emojis.name")}
          hint={t("emojis.nameHint")}
          required
          autoCapitalize="none"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Field
          label={t("emojis.aliases")}
          hint={t("emojis.aliasesHint")}
          autoCapitalize="none"
          value={aliases}
          onChange={(event) => setAliases(event.target.value)}
        />
        <div className={kit.area}>
          <label htmlFor={id}>{t(emoji ? "emojis.replace" : "emojis.picture")}</label>
          <input
            id={id}
            type="file"
            accept="image/png,image/gif,image/jpeg,image/webp"
            required={!emoji}
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          />
        </div>
        {problem && (
          <p role="alert" className={kit.problem}>
            {problem}
          </p>
        )}
        <Footer>
          {emoji && (
            <Button kind="danger" onClick={() => setEnding(true)}>
              {t("emojis.delete")}
            </Button>
          )}
          <Button kind="primary" type="submit" busy={busy}>
            {t(emoji ? "admin.save" : "emojis.make")}
          </Button>
        </Footer>
      </form>
      {ending && emoji && (
        <Danger
          title={t("emojis.deleteAsk", { name: emoji.name })}
          yes={t("emojis.delete")}
          close={() => setEnding(false)}
          done={changed}
          run={() => post("emoji-custom.delete", { emojiId: emoji._id })}
        >
          <p>{t("emojis.deleteMore", { name: emoji.name })}</p>
        </Danger>
      )}
    </Dialog>
  );
}
