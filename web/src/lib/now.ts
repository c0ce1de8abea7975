import { useEffect, useState, useSyncExternalStore } from "react";
import { day } from "./time";

/** The time, anew every half minute: for "since …" texts. */
export function useNow(every = 30_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** How often the day is looked at (ms). */
const LOOK = 30_000;
let today = day(Date.now());
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function look(): void {
  const now = day(Date.now());
  if (now === today) return;
  today = now;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    timer = setInterval(look, LOOK);
    // A machine that slept through midnight.
    document.addEventListener("visibilitychange", look);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}

/** The day it is (its start, ms), anew at midnight: for texts like "today". */
export const useToday = (): number => useSyncExternalStore(subscribe, () => today);
