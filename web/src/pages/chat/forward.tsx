import { type ReactNode, useMemo, useState } from "react";
import type { Id, Message } from "@/api/types";
import { useT } from "@/i18n";
import { fit } from "@/lib/text";
import { ordered, title } from "@/store/rooms";
import { send } from "@/store/outbox";
import { state } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Check, Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import { permalink } from "./place";
import css from "./forward.module.css";

/** At most so many rooms at once. */
const MOST = 10;

/** Sends a message on to other rooms, with a comment. It arrives as a quote that leads back to where it stands. */
export default function Forward({ message, close }: { message: Message; close: () => void }): ReactNode {
  const t = useT();
  const [wanted, setWanted] = useState("");
  const [comment, setComment] = useState("");
  const [chosen, setChosen] = useState<Id[]>([]);
  const rooms = useMemo(() => {
    const { rooms: known } = state();
    return ordered(state()).map((sub) => ({ rid: sub.rid, name: title(sub, known[sub.rid]) }));
  }, []);
  const shown = rooms.filter(({ rid, name }) => chosen.includes(rid) || fit(name, wanted) > 0).slice(0, 30);
  const toggle = (rid: Id): void =>
    setChosen(chosen.includes(rid) ? chosen.filter((one) => one !== rid) : [...chosen, rid].slice(0, MOST));
  const go = (): void => {
    for (const rid of chosen) send(rid, `[ ](${permalink(message)}) ${comment.trim()}`.trim());
    toast(t("forward.done", { count: chosen.length }));
    close();
  };
  return (
    <Dialog title={t("forward.title")} close={close}>
      <Field
        label={t("forward.search")}
        type="search"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- one types where it goes
        autoFocus
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      <fieldset className={css.rooms}>
        <legend className="hidden">{t("forward.rooms")}</legend>
        {shown.map(({ rid, name }) => (
          <Check key={rid} label={name} checked={chosen.includes(rid)} onChange={() => toggle(rid)} />
        ))}
      </fieldset>
      <Field label={t("forward.comment")} value={comment} onChange={(event) => setComment(event.target.value)} />
      <Footer>
        <Button onClick={close}>{t("dialog.cancel")}</Button>
        <Button kind="primary" disabled={chosen.length === 0} onClick={go}>
          {t("forward.send", { count: chosen.length })}
        </Button>
      </Footer>
    </Dialog>
  );
}
