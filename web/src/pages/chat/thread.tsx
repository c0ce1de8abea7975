import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { method } from "@/api/method";
import type { Id, Message } from "@/api/types";
import { useT } from "@/i18n";
import { useRove } from "@/lib/rove";
import { follow } from "@/store/actions";
import { openThread } from "@/store/history";
import { useStore } from "@/store/state";
import { fresh } from "@/store/timeline";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import { Composer, type ComposerHandle } from "./composer";
import { mayEdit, type Place, roomPath } from "./place";
import { editOwn } from "./room";
import { rows } from "./rows";
import css from "./side.module.css";
import { RowView, rowKeys } from "./timeline";
import { Sending } from "./sending";

/** A thread: its root on top, its replies, a composer and a draft of its own. */
export function Thread({ rid, tmid }: { rid: Id; tmid: Id }): ReactNode {
  const t = useT();
  const run = useStore((state) => state.timelines[tmid]) ?? fresh;
  const outbox = useStore((state) => state.outbox);
  const me = useStore((state) => state.me?._id ?? "");
  const unread = useStore((state) => state.subscriptions[rid]?.tunread?.includes(tmid) ?? false);
  const composer = useRef<ComposerHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const end = useRef(true);
  useEffect(() => {
    void openThread(tmid);
    composer.current?.focus();
  }, [tmid]);
  const all = useMemo(() => {
    const outgoing = outbox.filter((one) => one.tmid === tmid);
    return rows({ timeline: run, outgoing, me, thread: true });
  }, [run, outbox, tmid, me]);
  const keys = useMemo(() => rowKeys(all), [all]);
  const rove = useRove(box, keys, () => undefined, true);
  useLayoutEffect(() => {
    const own = all.at(-1)?.kind === "outgoing";
    if ((end.current || own) && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [all]);
  // Seen is read: this thread, and nothing else of the room.
  useEffect(() => {
    if (!unread || !run.ready) return undefined;
    const seen = (): void => {
      if (!document.hidden && document.hasFocus()) void method("readThreads", [tmid]).catch(() => undefined);
    };
    seen();
    addEventListener("focus", seen);
    return () => removeEventListener("focus", seen);
  }, [unread, run.ready, tmid]);
  const place = useMemo<Place>(
    () => ({
      rid,
      thread: tmid,
      quote: (message: Message) => composer.current?.quote(message),
      mayEdit,
      threadPath: (id: Id) => `${roomPath(rid)}/thread/${id}`,
      roomPath,
    }),
    [rid, tmid],
  );
  const root = run.messages.find((message) => message._id === tmid);
  const following = root?.replies?.includes(me) ?? false;
  if (run.error) return <p className={css.note}>{t(run.error)}</p>;
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- arrows move between messages */}
      <div
        ref={box}
        className={css.scroll}
        role="group"
        aria-label={t("thread.feed")}
        aria-busy={run.loading}
        tabIndex={-1}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          end.current = scrollHeight - scrollTop - clientHeight < 60;
          rove.moved();
        }}
        {...rove.on}
      >
        {all.map((row) => (
          <RowView key={row.key} row={row} place={place} start={null} />
        ))}
        {root && (
          <div className={css.more}>
            <Button
              kind="quiet"
              aria-pressed={following}
              onClick={() =>
                follow(root)
                  .then(() => openThread(tmid))
                  .catch(failed("failed.follow"))
              }
            >
              {t(following ? "thread.unfollow" : "thread.follow")}
            </Button>
          </div>
        )}
      </div>
      <Sending rid={rid} tmid={tmid} />
      <Composer ref={composer} rid={rid} tmid={tmid} label={t("thread.composer")} editLast={() => editOwn(tmid)} />
    </>
  );
}
