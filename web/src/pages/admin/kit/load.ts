import { useCallback, useEffect, useRef, useState } from "react";

export interface Loaded<T> {
  value: T | undefined;
  failed: boolean;
  reload: () => void;
  /** Shows a value without asking again. */
  set: (value: T) => void;
}

/** One thing that is fetched; a new `key` drops what was there. */
export function useLoad<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [value, set] = useState<T>();
  const [failed, setFailed] = useState(false);
  const [round, setRound] = useState(0);
  const loader = useRef(load);
  loader.current = load;
  useEffect(() => set(undefined), [key]);
  useEffect(() => {
    let current = true;
    setFailed(false);
    loader
      .current()
      .then((found) => current && set(found))
      .catch(() => current && setFailed(true));
    return () => {
      current = false;
    };
  }, [key, round]);
  const reload = useCallback(() => setRound((now) => now + 1), []);
  return { value, failed, reload, set };
}
