import { Mic, Send, Trash2 } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { addUploads, sendUpload, useUploads } from "@/store/uploads";
import { Button, IconButton } from "@/ui/button";
import { toast } from "@/ui/toast";
import css from "./composer.module.css";

/** Longest recording (s). */
const LONGEST = 600;
const KINDS = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];

interface Props {
  rid: Id;
  tmid?: Id | undefined;
  close: () => void;
}

/** Records a voice message: how long it is and how loud, with a way to drop it. Nothing is sent before it is wanted. */
export default function Voice({ rid, tmid, close }: Props): ReactNode {
  const t = useT();
  const [seconds, setSeconds] = useState(0);
  const [level, setLevel] = useState(0);
  const [ready, setReady] = useState(false);
  const end = useRef<(keep: boolean) => void>(close);
  const done = useRef(close);
  done.current = close;
  useEffect(() => {
    let live = true;
    let stop = (): void => undefined;
    const begin = async (): Promise<void> => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      if (!live) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      const kind = KINDS.find((one) => MediaRecorder.isTypeSupported(one));
      const recorder = new MediaRecorder(stream, kind ? { mimeType: kind } : {});
      const pieces: Blob[] = [];
      let keep = false;
      recorder.ondataavailable = ({ data }) => pieces.push(data);
      recorder.onstop = () => {
        stop();
        if (keep) send(rid, tmid, new Blob(pieces, { type: recorder.mimeType.split(";")[0] ?? "audio/webm" }));
        done.current();
      };
      const watch = listen(stream, setLevel);
      const began = Date.now();
      const timer = setInterval(() => {
        const now = Math.floor((Date.now() - began) / 1000);
        setSeconds(now);
        if (now >= LONGEST) end.current(true);
      }, 250);
      stop = () => {
        // What is closed twice complains.
        stop = () => undefined;
        clearInterval(timer);
        watch();
        for (const track of stream.getTracks()) track.stop();
      };
      end.current = (wanted) => {
        keep = wanted;
        if (recorder.state !== "inactive") recorder.stop();
      };
      recorder.start();
      setReady(true);
    };
    begin().catch(() => {
      toast(t("voice.denied"), { bad: true });
      done.current();
    });
    return () => {
      live = false;
      end.current(false);
      stop();
    };
    // One recording as long as this stands.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return (
    <div className={css.voice} role="group" aria-label={t("voice.label")} aria-busy={!ready}>
      <Mic size={20} aria-hidden />
      <span>{time}</span>
      <meter aria-label={t("voice.level")} min={0} max={1} value={level} />
      <IconButton label={t("voice.drop")} onClick={() => (ready ? end.current(false) : close())}>
        <Trash2 size={20} aria-hidden />
      </IconButton>
      <Button kind="primary" disabled={!ready} onClick={() => end.current(true)}>
        <Send size={18} aria-hidden /> {t("voice.send")}
      </Button>
    </div>
  );
}

function send(rid: Id, tmid: Id | undefined, sound: Blob): void {
  const ending = sound.type.includes("ogg") ? "ogg" : sound.type.includes("mp4") ? "m4a" : "webm";
  const stamp = new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");
  addUploads(rid, [new File([sound], `voice-${stamp}.${ending}`, { type: sound.type })], tmid);
  const made = useUploads.getState().all.at(-1);
  if (made?.state === "chosen") void sendUpload(made.id);
}

/** Tells how loud it is, a few times a second. */
function listen(stream: MediaStream, tell: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
    tell(Math.min(1, Math.sqrt(power) * 4));
  }, 120);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
