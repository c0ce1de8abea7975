import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { get } from "@/api/rest";
import type { Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Select } from "@/ui/select";
import { Filters, Part } from "../kit/page";
import css from "./data.module.css";

interface Line {
  id: string;
  ts: Wire;
  level: "debug" | "info" | "warn" | "error";
  target: string;
  text: string;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;
/** How often further lines are asked for (ms), and how many are shown. */
const AGAIN = 3_000;
const MOST = 500;

/** The last lines of the server's own log, as they come. */
export function Log(): ReactNode {
  const t = useT();
  const [level, setLevel] = useState("info");
  const [word, setWord] = useState("");
  const [paused, setPaused] = useState(false);
  const { lines, away } = useLines(level, paused);
  const box = useRef<HTMLOListElement>(null);
  const end = useRef(true);
  const wanted = word.trim().toLowerCase();
  const shown = wanted ? lines.filter((one) => `${one.target} ${one.text}`.toLowerCase().includes(wanted)) : lines;
  useLayoutEffect(() => {
    if (end.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown.length]);
  const clock = new Intl.DateTimeFormat(intl(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return (
    <Part title={t("log.title")} level={2}>
      <Filters>
        <Field label={t("log.find")} type="search" value={word} onChange={(event) => setWord(event.target.value)} />
        <Select
          label={t("log.level")}
          value={level}
          choose={setLevel}
          choices={LEVELS.map((one) => [one, t(`log.from.${one}`)] as const)}
        />
      </Filters>
      <div className={css.state}>
        <p role="status" className={css.count}>
          {away ? t("admin.loadFailed") : t("log.count", { count: shown.length })}
        </p>
        <Button aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {t("log.pause")}
        </Button>
      </div>
      <ol
        ref={box}
        className={css.log}
        hidden={shown.length === 0}
        aria-label={t("log.title")}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          end.current = scrollHeight - scrollTop - clientHeight < 40;
        }}
      >
        {shown.map((one) => (
          <li key={one.id} data-level={one.level}>
            <time dateTime={new Date(millis(one.ts)).toISOString()} title={full(intl(), millis(one.ts))}>
              {clock.format(millis(one.ts))}
            </time>
            <b>{t(`log.${one.level}`)}</b>
            <span dir="ltr">
              {one.text} <small>{one.target}</small>
            </span>
          </li>
        ))}
      </ol>
    </Part>
  );
}

/** The newest lines of a level, with those that come while somebody looks. */
function useLines(level: string, paused: boolean): { lines: Line[]; away: boolean } {
  const [lines, setLines] = useState<Line[]>([]);
  const [away, setAway] = useState(false);
  useEffect(() => setLines([]), [level]);
  useEffect(() => {
    if (paused) return undefined;
    let live = true;
    let last: string | undefined;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      if (!document.hidden) {
        try {
          const { queue } = await get<{ queue: Line[] }>("stdout.queue", { level, after: last, count: MOST });
          if (!live) return;
          // A server that was started again counts from the beginning.
          setLines((old) => (last ? [...old, ...queue].slice(-MOST) : queue));
          last = queue.at(-1)?.id ?? last;
          setAway(false);
        } catch {
          if (live) setAway(true);
          last = undefined;
        }
      }
      if (live) timer = setTimeout(() => void look(), AGAIN);
    };
    void look();
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [level, paused]);
  return { lines, away };
}
