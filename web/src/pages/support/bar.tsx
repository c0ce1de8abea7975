import { type ReactNode, useCallback, useEffect, useState } from "react";
import { Link } from "wouter";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { refresh } from "@/store/actions";
import { answers, type Case, close, giveBack, onCase, readCase, reopen, take, watchDesk } from "@/store/desk";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { failed } from "@/ui/failed";
import css from "./support.module.css";

/** How a case stands, above its conversation; with what may be done about it. */
export default function Bar({ rid, base }: { rid: Id; base: string }): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me);
  const kind = useStore((state) => state.rooms[rid]?.parlorKind);
  const last = useStore((state) => state.timelines[rid]?.messages.findLast((one) => one.t)?._id);
  const [one, setOne] = useState<Case>();
  const [asking, setAsking] = useState(false);
  const read = useCallback(() => void readCase(rid).then(setOne, () => undefined), [rid]);
  const control = answers(me);
  useEffect(() => {
    if (kind === "case") read();
  }, [read, kind, last]);
  useEffect(() => {
    if (!control || kind !== "case") return undefined;
    const ends = [watchDesk(), onCase((changed) => changed === rid && read())];
    return () => ends.forEach((end) => end());
  }, [control, kind, rid, read]);
  if (kind === "ticket") {
    return (
      <div className={css.bar}>
        <p>{t("ticket.room")}</p>
        <Link href={`${base}/case`}>{t("ticket.facts")}</Link>
      </div>
    );
  }
  if (!one) return null;
  const served = one.servedBy ?? [];
  const mine = served.some(({ _id }) => _id === me?._id);
  const run = (work: Promise<unknown>): void =>
    void work
      .then(() => refresh(rid))
      .then(read)
      .catch(failed("failed.case"));
  const words = one.open
    ? served.length > 0
      ? mine
        ? t("support.takenByYou")
        : t("support.takenBy", { name: served.map((user) => user.name ?? user.username).join(", ") })
      : t("support.ahead", { count: one.ahead ?? 0 })
    : t("support.isClosed");
  const own = one.requester?._id === me?._id;
  return (
    <div className={css.bar} data-priority={one.priority} data-open={one.open}>
      <p role="status">
        {one.priority === "emergency" && <em className={css.tag}>{t("support.emergency")}</em>} {words}
      </p>
      {control && one.open && !mine && (
        <Button kind="primary" onClick={() => run(take(rid))}>
          {t("support.take")}
        </Button>
      )}
      {control && one.open && mine && <Button onClick={() => run(giveBack(rid))}>{t("support.giveBack")}</Button>}
      {(control || own) &&
        (one.open ? (
          <Button onClick={() => setAsking(true)}>{t("support.close")}</Button>
        ) : (
          <Button onClick={() => run(reopen(rid))}>{t("support.reopen")}</Button>
        ))}
      {control && <Link href={`${base}/case`}>{t("support.notes")}</Link>}
      {asking && <Closing close={() => setAsking(false)} run={(reason) => run(close(rid, reason))} />}
    </div>
  );
}

function Closing({ close: leave, run }: { close: () => void; run: (reason: string) => void }): ReactNode {
  const t = useT();
  const [reason, setReason] = useState("");
  return (
    <Dialog title={t("support.closeTitle")} close={leave}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(reason.trim());
          leave();
        }}
      >
        <Field
          label={t("support.reason")}
          hint={t("support.reasonHint")}
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        <Footer>
          <Button onClick={leave}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit">
            {t("support.close")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}
