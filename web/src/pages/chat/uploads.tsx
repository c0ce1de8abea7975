import { FileText, RotateCcw, SendHorizontal, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Id } from "@/api/types";
import { intl, useT } from "@/i18n";
import { size } from "@/lib/text";
import { setting } from "@/store/state";
import { describe, removeUpload, sendUpload, type Upload, useUploads } from "@/store/uploads";
import { Button, IconButton } from "@/ui/button";
import css from "./uploads.module.css";

/** Files that were chosen for a room, and how far they are. */
export default function Uploads({ rid, tmid }: { rid: Id; tmid?: Id | undefined }): ReactNode {
  const t = useT();
  const everything = useUploads((state) => state.all);
  const all = everything.filter((one) => one.rid === rid && one.tmid === tmid);
  if (all.length === 0) return null;
  const waiting = all.filter(({ state }) => state === "chosen");
  return (
    <ul className={css.uploads} aria-label={t("upload.label")}>
      {all.map((one) => (
        <One key={one.id} upload={one} />
      ))}
      {waiting.length > 1 && (
        <li className={css.all}>
          <Button kind="primary" onClick={() => void sendInOrder(waiting)}>
            {t("upload.sendAll", { count: waiting.length })}
          </Button>
        </li>
      )}
    </ul>
  );
}

/** So that they arrive as they were chosen. */
async function sendInOrder(all: Upload[]): Promise<void> {
  for (const { id } of all) await sendUpload(id);
}

function One({ upload }: { upload: Upload }): ReactNode {
  const t = useT();
  const { id, file, caption, preview, state, sent, speed, reason } = upload;
  const [unseen, setUnseen] = useState(false);
  const whole = size(intl(), file.size);
  const limit = size(intl(), setting("FileUpload_MaxFileSize", 104_857_600));
  const hopeless = reason === "upload.tooLarge" || reason === "upload.wrongType";
  const send = (): void => void sendUpload(id);
  return (
    <li className={css.upload}>
      {preview && !unseen ? (
        // Not every picture is one that the browser can show.
        <img src={preview} alt="" width={48} height={48} onError={() => setUnseen(true)} />
      ) : (
        <FileText size={32} aria-hidden />
      )}
      <div className={css.about}>
        <b dir="auto">{file.name}</b>
        {state === "chosen" && (
          <input
            aria-label={t("upload.caption", { name: file.name })}
            placeholder={t("upload.captionShort")}
            value={caption}
            onChange={(event) => describe(id, event.target.value)}
            onKeyDown={(event) => event.key === "Enter" && !event.nativeEvent.isComposing && send()}
          />
        )}
        {state === "sending" && (
          <>
            <progress max={file.size} value={sent} aria-label={t("upload.progress", { name: file.name })} />
            <small>{t("upload.speed", { sent: size(intl(), sent), whole, speed: size(intl(), speed) })}</small>
          </>
        )}
        {state === "failed" && (
          <small role="alert" className={css.bad}>
            {t(reason ?? "upload.failed", { limit })}
          </small>
        )}
      </div>
      {state === "chosen" && (
        <Button kind="primary" onClick={send} aria-label={t("upload.send", { name: file.name })}>
          <SendHorizontal size={18} aria-hidden /> <span>{t("upload.sendShort")}</span>
        </Button>
      )}
      {state === "failed" && !hopeless && (
        <IconButton label={t("upload.retry", { name: file.name })} onClick={send}>
          <RotateCcw size={18} aria-hidden />
        </IconButton>
      )}
      <IconButton label={t("upload.cancel", { name: file.name })} onClick={() => removeUpload(id)}>
        <X size={18} aria-hidden />
      </IconButton>
    </li>
  );
}
