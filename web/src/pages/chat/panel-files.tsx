import { FileText } from "lucide-react";
import { type ReactNode, useState } from "react";
import { get } from "@/api/rest";
import type { Id, UserRef, Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { usePaged } from "@/lib/paged";
import { size } from "@/lib/text";
import { brief, millis } from "@/lib/time";
import { state } from "@/store/state";
import { Button } from "@/ui/button";
import css from "./side.module.css";

interface Stored {
  _id: Id;
  name: string;
  type?: string;
  size: number;
  path?: string;
  url?: string;
  uploadedAt: Wire;
  user?: UserRef;
}

const TYPES = ["all", "image", "audio", "video", "text", "application"] as const;

/** A room's files, by type. */
export function FilesPanel({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const [type, setType] = useState<(typeof TYPES)[number]>("all");
  const kind = state().subscriptions[rid]?.t ?? state().rooms[rid]?.t ?? "c";
  const family = { c: "channels", p: "groups", d: "im", l: "groups" }[kind];
  const { items, loading, more, next } = usePaged<Stored>(`${rid}/${type}`, async (offset) => {
    const query = { roomId: rid, offset, count: 50, typeGroup: type === "all" ? undefined : type };
    const { files } = await get<{ files: Stored[] }>(`${family}.files`, query);
    return files;
  });
  const shown = items.filter((file) => type === "all" || file.type?.startsWith(`${type}/`));
  return (
    <>
      <div className={css.chips} role="group" aria-label={t("files.types")}>
        {TYPES.map((one) => (
          <button key={one} type="button" aria-pressed={one === type} onClick={() => setType(one)}>
            {t(`files.${one}`)}
          </button>
        ))}
      </div>
      <div className={css.scroll}>
        <p role="status" className={shown.length === 0 ? css.note : "hidden"}>
          {loading
            ? t("app.loading")
            : shown.length === 0
              ? t("files.none")
              : t("files.found", { count: shown.length })}
        </p>
        <ul className={css.hits}>
          {shown.map((file) => (
            <li key={file._id}>
              <a href={`${file.path ?? `/file-upload/${file._id}/${encodeURIComponent(file.name)}`}?download`} download>
                {file.type?.startsWith("image/") ? (
                  <img
                    src={file.path ?? `/file-upload/${file._id}/${encodeURIComponent(file.name)}`}
                    alt=""
                    width={40}
                    height={40}
                    loading="lazy"
                    style={{ objectFit: "cover", borderRadius: 6 }}
                  />
                ) : (
                  <FileText size={40} strokeWidth={1.5} aria-hidden style={{ flex: "none" }} />
                )}
                <span>
                  <b dir="auto">{file.name}</b>
                  <br />
                  <small>
                    {[
                      file.user?.name ?? file.user?.username,
                      size(intl(), file.size),
                      brief(intl(), millis(file.uploadedAt)),
                    ]
                      .filter(Boolean)
                      .join(" · ")}
                  </small>
                </span>
              </a>
            </li>
          ))}
        </ul>
        {more && (
          <div className={css.more}>
            <Button onClick={next}>{t("panel.more")}</Button>
          </div>
        )}
      </div>
    </>
  );
}
