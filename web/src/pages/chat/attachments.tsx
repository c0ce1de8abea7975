import { Download, FileText } from "lucide-react";
import { type ReactNode, Suspense, useState } from "react";
import type { Attachment, Message } from "@/api/types";
import { intl, useT } from "@/i18n";
import { size } from "@/lib/text";
import { clock, millis } from "@/lib/time";
import { Anchor, safe, Tree } from "@/markup/tree";
import { Gallery } from "./later";
import css from "./attachments.module.css";

/** The largest side of a picture in the timeline (px). */
const WIDEST = 420;
const HIGHEST = 320;

/** What hangs below a message: files, pictures, sound, film, quotes, cards of integrations. */
export function Attachments({ message }: { message: Message }): ReactNode {
  const all = message.attachments ?? [];
  if (all.length === 0) return null;
  return (
    <div className={css.attachments}>
      {all.map((one, index) => (
        <One key={one.title_link ?? one.message_link ?? index} attachment={one} message={message} depth={0} />
      ))}
    </div>
  );
}

interface Props {
  attachment: Attachment;
  message: Message;
  depth: number;
}

function One({ attachment, message, depth }: Props): ReactNode {
  const below = attachment.descriptionMd?.length ? <Tree blocks={attachment.descriptionMd} /> : null;
  if (depth > 3) return null;
  if (attachment.image_url) return [<Picture key="image" attachment={attachment} message={message} />, below];
  if (attachment.audio_url) {
    return [
      // oxlint-disable-next-line jsx-a11y/media-has-caption -- what people send has no captions
      <audio key="audio" controls preload="metadata" src={attachment.audio_url} aria-label={attachment.title} />,
      below,
    ];
  }
  if (attachment.video_url) return [<Film key="video" src={attachment.video_url} title={attachment.title} />, below];
  if (attachment.type === "file") return [<FileCard key="file" attachment={attachment} />, below];
  return <Card attachment={attachment} message={message} depth={depth} />;
}

/** A film; one without pictures is sound: containers are alike, and what was spoken into a browser is called a film. */
function Film({ src, title }: { src: string; title: string | undefined }): ReactNode {
  const [heard, setHeard] = useState(/^voice-/.test(title ?? ""));
  const shared = { controls: true, preload: "metadata", src, "aria-label": title } as const;
  // oxlint-disable-next-line jsx-a11y/media-has-caption -- what people send has no captions
  if (heard) return <audio {...shared} />;
  // oxlint-disable-next-line jsx-a11y/media-has-caption -- what people send has no captions
  return <video {...shared} onLoadedMetadata={(event) => setHeard(event.currentTarget.videoWidth === 0)} />;
}

/** The size at which a picture is shown, reserved before it comes so that nothing moves. */
export function fitted(dimensions?: { width: number; height: number }): { width: number; height: number } {
  const { width, height } = dimensions ?? { width: 320, height: 240 };
  const scale = Math.min(1, WIDEST / Math.max(1, width), HIGHEST / Math.max(1, height));
  return { width: Math.max(48, Math.round(width * scale)), height: Math.max(48, Math.round(height * scale)) };
}

function Picture({ attachment, message }: Omit<Props, "depth">): ReactNode {
  const t = useT();
  const [open, setOpen] = useState(false);
  const { width, height } = fitted(attachment.image_dimensions);
  const name = attachment.description || attachment.title || "";
  const preview = attachment.image_preview && /^[\w+/=]+$/.test(attachment.image_preview);
  const behind = preview ? { backgroundImage: `url("data:image/png;base64,${attachment.image_preview}")` } : {};
  return (
    <>
      <button
        type="button"
        className={css.picture}
        style={{ inlineSize: width, aspectRatio: `${width} / ${height}`, ...behind }}
        aria-label={t("image.open", { name })}
        onClick={() => setOpen(true)}
      >
        <img src={attachment.image_url} alt={name} width={width} height={height} loading="lazy" decoding="async" />
      </button>
      {open && (
        <Suspense fallback={null}>
          <Gallery rid={message.rid} start={attachment} close={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function FileCard({ attachment }: { attachment: Attachment }): ReactNode {
  const t = useT();
  const bytes = attachment.size ? size(intl(), attachment.size) : "";
  const to = safe(attachment.title_link ?? "");
  return (
    <a
      className={css.file}
      href={to && (to.startsWith("/") ? `${to}?download` : to)}
      download
      aria-label={t("file.download", { name: attachment.title, size: bytes })}
    >
      <FileText size={28} aria-hidden />
      <span>
        <b dir="auto">{attachment.title}</b>
        <small>{[attachment.format, bytes].filter(Boolean).join(" · ")}</small>
      </span>
      <Download size={18} aria-hidden />
    </a>
  );
}

function Card({ attachment, message, depth }: Props): ReactNode {
  const { author_link, title, title_link, text, md, fields, color, thumb_url } = attachment;
  // As the message itself names its author.
  const author_name = attachment.parlorAuthorName ?? attachment.author_name;
  const edge = color && /^(#[\da-f]{3,8}|[a-z]+)$/i.test(color) ? { borderInlineStartColor: color } : {};
  const picture = thumb_url && safe(thumb_url);
  return (
    <figure className={css.card} style={edge}>
      {author_name && (
        <figcaption>
          {author_link ? <Anchor address={author_link}>{author_name}</Anchor> : author_name}
          {attachment.ts && attachment.message_link && (
            <Anchor address={attachment.message_link}>
              <time>{clock(intl(), millis(attachment.ts))}</time>
            </Anchor>
          )}
        </figcaption>
      )}
      {title && <b>{title_link ? <Anchor address={title_link}>{title}</Anchor> : title}</b>}
      {md?.length ? <Tree blocks={md} /> : text && <p dir="auto">{text}</p>}
      {fields && (
        <dl>
          {fields.map((field, index) => (
            <div key={index}>
              <dt>{field.title}</dt>
              <dd>{field.value}</dd>
            </div>
          ))}
        </dl>
      )}
      {picture && <img src={picture} alt="" loading="lazy" width={75} height={75} />}
      {attachment.attachments?.map((one, index) => (
        <One key={index} attachment={one} message={message} depth={depth + 1} />
      ))}
    </figure>
  );
}
