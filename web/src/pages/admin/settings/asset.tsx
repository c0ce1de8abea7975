import { type ChangeEvent, type ReactNode, useId, useState } from "react";
import { post } from "@/api/rest";
import { useT } from "@/i18n";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";
import { reason } from "../kit/reason";
import type { Setting } from "./draft";
import { label } from "./label";
import css from "./settings.module.css";

/** A picture of the workspace: shown, replaced, taken away. In force at once. */
export function Asset({ setting, editor }: { setting: Setting; editor: boolean }): ReactNode {
  const t = useT();
  const id = useId();
  const [round, setRound] = useState(0);
  const asset = setting._id.replace(/^Assets_/, "");
  const { url, defaultUrl } = setting.value as { url?: string; defaultUrl?: string };
  const address = url ?? defaultUrl;
  const run = (done: Promise<unknown>): void =>
    void done
      .then(() => {
        toast(t("admin.saved"));
        setRound((now) => now + 1);
      })
      .catch((error: unknown) => toast(reason(error, t), { bad: true }));
  const upload = (event: ChangeEvent<HTMLInputElement>): void => {
    const file = event.target.files?.[0];
    if (!file) return;
    const form = new FormData();
    form.set("assetName", asset);
    form.set("asset", file);
    run(post("assets.setAsset", form, { timeout: 60_000 }));
    event.target.value = "";
  };
  return (
    <div className={css.asset}>
      <label htmlFor={id}>{label(setting._id)}</label>
      {address && <img key={round} src={`/${address.replace(/^\//, "")}?${round}`} alt="" height={40} />}
      <input id={id} type="file" accept="image/*" disabled={!editor} onChange={upload} />
      {url && editor && (
        <Button onClick={() => run(post("assets.unsetAsset", { assetName: asset }))}>{t("config.remove")}</Button>
      )}
    </div>
  );
}
