import { useCallback, useEffect, useRef, useState } from "react";

export interface Paged<T> {
  items: T[];
  loading: boolean;
  failed: boolean;
  /** There may be another page. */
  more: boolean;
  next: () => void;
}

/** A list that comes in pages. A new `key` starts afresh; answers of an older one are dropped. */
export function usePaged<T>(key: string | null, load: (offset: number) => Promise<T[]>, page = 50): Paged<T> {
  const [items, setItems] = useState<T[]>([]);
  const [loading, setLoading] = useState(false);
  const [failed, setFailed] = useState(false);
  const [more, setMore] = useState(false);
  const wanted = useRef(key);
  const loader = useRef(load);
  loader.current = load;
  const fetchPage = useCallback(
    async (offset: number) => {
      const mine = wanted.current;
      setLoading(true);
      setFailed(false);
      try {
        const found = await loader.current(offset);
        if (wanted.current !== mine) return;
        setItems((old) => (offset === 0 ? found : [...old, ...found]));
        setMore(found.length >= page);
      } catch {
        if (wanted.current === mine) setFailed(true);
      } finally {
        if (wanted.current === mine) setLoading(false);
      }
    },
    [page],
  );
  useEffect(() => {
    wanted.current = key;
    setItems([]);
    setMore(false);
    if (key !== null) void fetchPage(0);
  }, [key, fetchPage]);
  return { items, loading, failed, more, next: () => void fetchPage(items.length) };
}
