import { ChevronLeft, ChevronRight, Download, ZoomIn, ZoomOut } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import type { Attachment, Id } from "@/api/types";
import { useT } from "@/i18n";
import { useStore } from "@/store/state";
import { IconButton } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import css from "./gallery.module.css";

interface Props {
  rid: Id;
  start: Attachment;
  close: () => void;
}

/** A room's loaded pictures, one at a time: arrows, zoom, download. */
export default function Gallery({ rid, start, close }: Props): ReactNode {
  const t = useT();
  const run = useStore((state) => state.timelines[rid]?.messages);
  const all = (run ?? []).flatMap((message) => message.attachments ?? []).filter((one) => one.image_url);
  const pictures = all.some((one) => one.image_url === start.image_url) ? all : [start];
  const first = pictures.findIndex((one) => one.image_url === start.image_url);
  const [at, setAt] = useState(Math.max(0, first));
  const [zoom, setZoom] = useState(1);
  const shown = pictures[at] ?? start;
  const name = shown.description || shown.title || "";
  const move = (by: number): void => {
    setZoom(1);
    setAt((at + by + pictures.length) % pictures.length);
  };
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      const rtl = document.documentElement.dir === "rtl" ? -1 : 1;
      if (event.key === "ArrowRight") move(rtl);
      if (event.key === "ArrowLeft") move(-rtl);
      if (event.key === "+" || event.key === "=") setZoom(Math.min(4, zoom * 1.5));
      if (event.key === "-") setZoom(Math.max(1, zoom / 1.5));
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });
  return (
    <Dialog title={name || t("gallery.title")} close={close} whole>
      <div className={css.gallery}>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls when zoomed */}
        <div className={css.stage} tabIndex={0} role="region" aria-label={t("gallery.picture")}>
          <img src={shown.title_link ?? shown.image_url} alt={name} style={{ scale: zoom }} />
        </div>
        <div className={css.bar}>
          <IconButton label={t("gallery.previous")} onClick={() => move(-1)} disabled={pictures.length < 2}>
            <ChevronLeft size={20} aria-hidden className={css.arrow} />
          </IconButton>
          <span aria-live="polite">{t("gallery.count", { at: at + 1, count: pictures.length })}</span>
          <IconButton label={t("gallery.next")} onClick={() => move(1)} disabled={pictures.length < 2}>
            <ChevronRight size={20} aria-hidden className={css.arrow} />
          </IconButton>
          <IconButton label={t("gallery.in")} onClick={() => setZoom(Math.min(4, zoom * 1.5))}>
            <ZoomIn size={20} aria-hidden />
          </IconButton>
          <IconButton label={t("gallery.out")} onClick={() => setZoom(Math.max(1, zoom / 1.5))}>
            <ZoomOut size={20} aria-hidden />
          </IconButton>
          <a href={`${shown.title_link ?? shown.image_url}?download`} download aria-label={t("gallery.download")}>
            <Download size={20} aria-hidden />
          </a>
        </div>
      </div>
    </Dialog>
  );
}
