import { type FormEvent, type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { firstOf } from "@/store/history";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { roomPath } from "./place";

/** Goes to the first message of a day, or the next one after it. */
export default function Jump({ rid, close }: { rid: Id; close: () => void }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const [day, setDay] = useState("");
  const [busy, setBusy] = useState(false);
  const [none, setNone] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
    const found = await firstOf(rid, new Date(year, month - 1, date).getTime()).catch(() => undefined);
    setBusy(false);
    if (!found) {
      setNone(true);
      return;
    }
    go(`${roomPath(rid)}?msg=${found}`);
    close();
  };
  return (
    <Dialog title={t("jump.title")} close={close}>
      <form onSubmit={(event) => void submit(event)}>
        <Field
          label={t("jump.day")}
          type="date"
          required
          value={day}
          onChange={(event) => {
            setDay(event.target.value);
            setNone(false);
          }}
          error={none ? t("jump.none") : undefined}
        />
        <Footer>
          <Button onClick={close}>{t("dialog.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t("jump.go")}
          </Button>
        </Footer>
      </form>
    </Dialog>
  );
}
