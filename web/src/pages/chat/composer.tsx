import { Mic, Paperclip, SendHorizontal, Smile, X } from "lucide-react";
import {
  type ClipboardEvent,
  type KeyboardEvent,
  memo,
  type ReactNode,
  type Ref,
  Suspense,
  useCallback,
  useEffect,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { post } from "@/api/rest";
import type { Id, Message } from "@/api/types";
import { useT } from "@/i18n";
import { typing } from "@/store/actions";
import { draftKey, setDraft } from "@/store/drafts";
import { send } from "@/store/outbox";
import { preference } from "@/store/preferences";
import { setting, state, useStore } from "@/store/state";
import { addUploads } from "@/store/uploads";
import { Avatar } from "@/ui/avatar";
import { IconButton } from "@/ui/button";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { EmojiPicker, Voice } from "./later";
import css from "./composer.module.css";
import { permalink } from "./place";
import { type Choice, typed, type Typed } from "./typed";

export interface ComposerHandle {
  quote: (message: Message) => void;
  focus: () => void;
}

const SIZES = CSS.supports("field-sizing", "content");

/** Where a room's name would be cut off. */
const NARROW = "(max-width: 30rem)";

interface Props {
  rid: Id;
  tmid?: Id | undefined;
  /** Why nothing can be written here. */
  closed?: string | undefined;
  label: string;
  /** Edits the last own message: ArrowUp in an empty composer. */
  editLast: () => void;
  ref?: Ref<ComposerHandle>;
}

/** Where messages are written. */
export const Composer = memo(function Composer({ rid, tmid, closed, label, editLast, ref }: Props): ReactNode {
  const t = useT();
  const id = useId();
  const key = draftKey(rid, tmid);
  const [text, setText] = useState(() => state().drafts[key] ?? "");
  const [quoted, setQuoted] = useState<Message | null>(null);
  const [picking, setPicking] = useState(false);
  const [speaking, setSpeaking] = useState(false);
  const [also, setAlso] = useState(false);
  const [code, setCode] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const completion = useCompletion(rid, text, area);
  const limit = useStore((from) => setting("Message_MaxAllowedSize", 5000, from));
  const late = useStore((from) => from.drafts[key]);

  useImperativeHandle(ref, () => ({
    quote: (message) => {
      setQuoted(message);
      area.current?.focus();
    },
    focus: () => area.current?.focus(),
  }));
  // The disk may answer after the composer stands.
  useEffect(() => setText((now) => now || (late ?? "")), [late]);
  useLayoutEffect(() => {
    const box = area.current;
    // Where the browser can size it, nothing is measured at each key.
    if (!box || SIZES) return;
    box.style.blockSize = "auto";
    box.style.blockSize = `${Math.min(box.scrollHeight + 2, innerHeight * 0.4)}px`;
  }, [text]);
  useEffect(() => () => typing(rid, false), [rid]);

  const type = (next: string): void => {
    setText(next);
    setDraft(key, next);
    typing(rid, next.trim() !== "" && !next.startsWith("/"), tmid);
  };
  const submit = (): void => {
    const clean = text.trim();
    if (!clean && !quoted) return;
    if (clean.length > limit) {
      addUploads(rid, [new File([clean], "message.txt", { type: "text/plain" })], tmid);
      toast(t("composer.asFile"));
    } else if (clean.startsWith("/") && !clean.startsWith("//")) {
      // What was no command comes back, unless something else was written meanwhile.
      void runCommand(rid, clean, tmid).then((done) => {
        if (!done && (state().drafts[key] ?? "") === "") type(text);
      });
    } else {
      const quote = quoted ? `[ ](${permalink(quoted)}) ` : "";
      send(rid, quote + clean, tmid ? { tmid, tshow: also } : undefined);
    }
    setQuoted(null);
    type("");
    area.current?.focus();
  };
  const insert = (what: string): void => {
    const box = area.current;
    const [from, to] = [box?.selectionStart ?? text.length, box?.selectionEnd ?? text.length];
    type(text.slice(0, from) + what + text.slice(to));
    requestAnimationFrame(() => box?.setSelectionRange(from + what.length, from + what.length));
    box?.focus();
  };
  const keys = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    // While an input method composes, its keys are its own.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (completion.keys(event, (choice, at) => type(text.slice(0, at.from) + choice.insert + text.slice(at.to))))
      return;
    const enterSends = preference<string>("sendOnEnter", "normal") !== "alternative";
    const wanted = enterSends ? !event.shiftKey && !event.altKey : event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && wanted) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && text === "") {
      event.preventDefault();
      editLast();
    } else if (event.key === "Escape" && quoted) setQuoted(null);
  };
  const paste = (event: ClipboardEvent): void => {
    const pasted = [...event.clipboardData.files];
    if (pasted.length > 0) {
      event.preventDefault();
      addUploads(rid, pasted, tmid);
      return;
    }
    const box = area.current;
    const chosen = box ? text.slice(box.selectionStart, box.selectionEnd) : "";
    const whole = event.clipboardData.getData("text/plain");
    setCode(isCode(whole) ? whole.replaceAll("\r\n", "\n") : "");
    const address = whole.trim();
    if (chosen && /^https?:\/\/\S+$/.test(address) && !chosen.includes("\n")) {
      event.preventDefault();
      insert(`[${chosen}](${address})`);
    }
  };
  if (closed) return <p className={css.closed}>{closed}</p>;
  const left = limit - text.length;
  return (
    <div className={css.composer} id={tmid ? undefined : "composer"}>
      {quoted && (
        <div className={css.quoted}>
          <p dir="auto">
            {t("composer.quoting", { name: quoted.u.name ?? quoted.u.username, text: quoted.msg.slice(0, 120) })}
          </p>
          <IconButton label={t("composer.noQuote")} onClick={() => setQuoted(null)}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      )}
      {completion.list(id)}
      {speaking && (
        <Suspense fallback={null}>
          <Voice rid={rid} tmid={tmid} close={() => setSpeaking(false)} />
        </Suspense>
      )}
      <div className={css.box}>
        <input
          ref={files}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            addUploads(rid, [...(event.target.files ?? [])], tmid);
            event.target.value = "";
          }}
        />
        <IconButton label={t("composer.attach")} onClick={() => files.current?.click()}>
          <Paperclip size={20} aria-hidden />
        </IconButton>
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          role="combobox"
          aria-label={label}
          aria-autocomplete="list"
          aria-expanded={completion.open}
          aria-controls={`${id}-list`}
          aria-activedescendant={completion.active(id)}
          placeholder={matchMedia(NARROW).matches ? t("composer.short") : label}
          value={text}
          onChange={(event) => type(event.target.value)}
          onSelect={completion.look}
          onKeyDown={keys}
          onPaste={paste}
          onBlur={() => typing(rid, false, tmid)}
        />
        <IconButton label={t("composer.emoji")} onClick={() => setPicking(true)}>
          <Smile size={20} aria-hidden />
        </IconButton>
        {"mediaDevices" in navigator && !text && (
          <IconButton label={t("voice.begin")} onClick={() => setSpeaking(true)}>
            <Mic size={20} aria-hidden />
          </IconButton>
        )}
        <IconButton label={t("composer.send")} className={css.send} disabled={!text.trim() && !quoted} onClick={submit}>
          <SendHorizontal size={20} aria-hidden />
        </IconButton>
      </div>
      <div className={css.below}>
        {tmid && (
          <label>
            <input type="checkbox" checked={also} onChange={(event) => setAlso(event.target.checked)} />{" "}
            {t("composer.also")}
          </label>
        )}
        {code && text.includes(code) && (
          <button
            type="button"
            className={css.offer}
            onClick={() => {
              type(text.replace(code, () => block(text, code)));
              setCode("");
              area.current?.focus();
            }}
          >
            {t("composer.codeBlock")}
          </button>
        )}
        {left < 200 && (
          <span role="status">{t(left < 0 ? "composer.tooLong" : "composer.left", { count: Math.abs(left) })}</span>
        )}
      </div>
      {picking && (
        <Suspense fallback={null}>
          <EmojiPicker
            close={() => setPicking(false)}
            choose={(code) => {
              setPicking(false);
              insert(`:${code}: `);
            }}
          />
        </Suspense>
      )}
    </div>
  );
});

/** Several lines that look like a program rather than like sentences. */
function isCode(text: string): boolean {
  const lines = text.split("\n").filter((line) => line.trim());
  const odd = lines.filter((line) =>
    /^\s{2,}\S|^\t|[;{}]\s*$|^\s*(\/\/|#include|import |def |fn |const )|=>|\)\s*:$/.test(line),
  );
  return lines.length > 1 && !text.includes("```") && odd.length * 3 >= lines.length;
}

/** The same as a block: on lines of its own. */
function block(text: string, code: string): string {
  const at = text.indexOf(code);
  const before = at > 0 && text[at - 1] !== "\n" ? "\n" : "";
  const after = at + code.length < text.length && text[at + code.length] !== "\n" ? "\n" : "";
  return `${before}\`\`\`\n${code.replace(/\n+$/, "")}\n\`\`\`${after}`;
}

/** `/command parameters`. Tells whether it was done; what is no command, or was refused, is said. */
async function runCommand(rid: Id, text: string, tmid?: Id): Promise<boolean> {
  const [word = "", ...rest] = text.slice(1).split(" ");
  const body = { command: word, roomId: rid, params: rest.join(" "), ...(tmid ? { tmid } : {}) };
  try {
    const { commands } = await import("./complete");
    const known = await commands();
    if (!known.some(({ command }) => command === word)) {
      const { t } = await import("@/i18n");
      toast(t("composer.noCommand", { command: word.slice(0, 40) }), { bad: true });
      return false;
    }
    await post("commands.run", body);
    return true;
  } catch (error) {
    failed("failed.command")(error);
    return false;
  }
}

interface Completion {
  open: boolean;
  look: () => void;
  active: (id: string) => string | undefined;
  keys: (event: KeyboardEvent, take: (choice: Choice, at: Typed) => void) => boolean;
  list: (id: string) => ReactNode;
}

function useCompletion(rid: Id, text: string, area: React.RefObject<HTMLTextAreaElement | null>): Completion {
  const t = useT();
  const [at, setAt] = useState<Typed | null>(null);
  const [found, setFound] = useState<Choice[]>([]);
  const [active, setActive] = useState(0);
  const [closed, setClosed] = useState(-1);
  const take = useRef<(choice: Choice, at: Typed) => void>(() => undefined);
  const look = useCallback(() => {
    const box = area.current;
    const next = box && box.selectionStart === box.selectionEnd ? typed(box.value, box.selectionStart) : null;
    setAt((now) => (now?.mark === next?.mark && now?.text === next?.text && now?.from === next?.from ? now : next));
  }, [area]);
  useEffect(look, [text, look]);
  useEffect(() => {
    let current = true;
    setActive(0);
    if (!at) {
      setFound([]);
      // What was put away with Escape was that word alone.
      setClosed(-1);
      return undefined;
    }
    const timer = setTimeout(() => {
      void import("./complete")
        .then(({ choices }) => choices(rid, at))
        .then((all) => current && setFound(all))
        .catch(() => undefined);
    }, 60);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [at, rid]);
  const open = at !== null && found.length > 0 && closed !== at.from;
  const accept = (choice: Choice | undefined): void => {
    if (!choice || !at) return;
    take.current(choice, at);
    const caret = at.from + choice.insert.length;
    requestAnimationFrame(() => area.current?.setSelectionRange(caret, caret));
  };
  const keys: Completion["keys"] = (event, next) => {
    take.current = next;
    if (!open) return false;
    if (event.key === "ArrowDown") setActive((active + 1) % found.length);
    else if (event.key === "ArrowUp") setActive((active - 1 + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") accept(found[active]);
    else if (event.key === "Escape") setClosed(at?.from ?? -1);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const list = (id: string): ReactNode =>
    open && (
      <ul className={css.choices} role="listbox" id={`${id}-list`} aria-label={t("composer.choices")}>
        {found.map((one, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the composer has the keys
          <li
            key={one.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            onPointerDown={(event) => {
              event.preventDefault();
              accept(one);
            }}
          >
            {one.username && <Avatar username={one.username} size={24} />}
            {one.src && <img src={one.src} alt="" width={24} height={24} />}
            {one.char && <span aria-hidden>{one.char}</span>}
            <span dir="auto">{one.label}</span>
            {one.more && <small dir="auto">{one.more}</small>}
          </li>
        ))}
      </ul>
    );
  return { open, look, keys, list, active: (id) => (open ? `${id}-${active}` : undefined) };
}
