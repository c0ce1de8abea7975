import { Plus } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { call, get, post } from "@/api/rest";
import type { Id, Room, Wire } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Select } from "@/ui/select";
import { Copy } from "../kit/copy";
import { Danger } from "../kit/danger";
import { findOwnRooms } from "../kit/finders";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Mark, Page } from "../kit/page";
import { type Choice, Pick } from "../kit/pick";
import { reason } from "../kit/reason";

interface Invite {
  _id: Id;
  rid: Id;
  userId: Id;
  days: number;
  maxUses: number;
  uses: number;
  createdAt: Wire;
  expires: Wire | null;
  url: string;
}

/** How many are shown at once. */
const PAGE = 100;

/** Links by which people come into a room. */
export default function Invites(): ReactNode {
  const t = useT();
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<Invite | null>(null);
  const [shown, setShown] = useState(PAGE);
  const { value, failed, reload } = useLoad("invites", async () => {
    const all = await get<Invite[]>("listInvites");
    return Object.values(all).filter((one) => typeof one === "object");
  });
  return (
    <Page
      title={t("admin.invites")}
      actions={
        <Button kind="primary" onClick={() => setMaking(true)}>
          <Plus size={18} aria-hidden /> {t("invites.new")}
        </Button>
      }
    >
      <p role="status" className={kit.count}>
        {failed ? t("admin.loadFailed") : value ? t("invites.count", { count: value.length }) : t("app.loading")}
        {failed && <Button onClick={reload}>{t("admin.again")}</Button>}
      </p>
      <ul className={kit.cards} aria-label={t("admin.invites")}>
        {value?.slice(0, shown).map((invite) => (
          <li key={invite._id} className={kit.card}>
            <Shown invite={invite} />
            <Button aria-label={t("invites.endOf", { id: invite._id })} onClick={() => setEnding(invite)}>
              {t("invites.end")}
            </Button>
          </li>
        ))}
      </ul>
      {value && value.length > shown && <Button onClick={() => setShown(shown + PAGE)}>{t("panel.more")}</Button>}
      {making && <NewInvite close={() => setMaking(false)} made={reload} />}
      {ending && (
        <Danger
          title={t("invites.endAsk")}
          yes={t("invites.end")}
          close={() => setEnding(null)}
          done={reload}
          run={() => call("DELETE", `removeInvite/${ending._id}`, {})}
        >
          <p>{t("invites.endMore")}</p>
        </Danger>
      )}
    </Page>
  );
}

const names = new Map<Id, Promise<string>>();

/** Links name their room by its id alone. */
function nameOf(rid: Id): Promise<string> {
  const known = names.get(rid);
  if (known) return known;
  const asked = get<Room>("rooms.adminRooms.getRoom", { rid })
    .then((room) => room.fname || room.name || rid)
    .catch(() => rid);
  names.set(rid, asked);
  return asked;
}

function Shown({ invite }: { invite: Invite }): ReactNode {
  const t = useT();
  const own = useStore((state) => state.rooms[invite.rid]);
  const asked = useLoad(invite.rid, () =>
    own ? Promise.resolve(own.fname || own.name || invite.rid) : nameOf(invite.rid),
  );
  const until = millis(invite.expires);
  const [now] = useState(() => Date.now());
  const over = (until > 0 && until < now) || (invite.maxUses > 0 && invite.uses >= invite.maxUses);
  return (
    <span className={kit.main}>
      <span>
        <b dir="auto">{asked.value ?? invite.rid}</b> {over && <Mark bad>{t("invites.over")}</Mark>}
      </span>
      <small>
        {until ? t("invites.until", { when: full(intl(), until) }) : t("invites.forever")} ·{" "}
        {invite.maxUses > 0
          ? t("invites.usesOf", { uses: invite.uses, max: invite.maxUses })
          : t("invites.uses", { count: invite.uses })}
      </small>
      <small dir="ltr">{invite.url}</small>
    </span>
  );
}

const DAYS = [1, 7, 15, 30, 0];
const USES = [0, 5, 10, 25, 50, 100];

function NewInvite({ close, made }: { close: () => void; made: () => void }): ReactNode {
  const t = useT();
  const [room, setRoom] = useState<Choice | null>(null);
  const [days, setDays] = useState("7");
  const [uses, setUses] = useState("0");
  const [done, setDone] = useState<Invite | null>(null);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    post<Invite>("findOrCreateInvite", { rid: room?.id, days: Number(days), maxUses: Number(uses) })
      .then((invite) => {
        setDone(invite);
        made();
      })
      .catch((error: unknown) => setProblem(reason(error, t)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={t("invites.new")} close={close}>
      {done ? (
        <>
          <p>{t("invites.made")}</p>
          <Copy label={t("invites.link")} text={done.url} />
          <Footer>
            <Button kind="primary" onClick={close}>
              {t("dialog.close")}
            </Button>
          </Footer>
        </>
      ) : (
        <form onSubmit={submit}>
          <Pick
            label={t("invites.room")}
            hint={t("invites.roomHint")}
            value={room}
            choose={setRoom}
            find={findOwnRooms}
          />
          <Select
            label={t("invites.days")}
            value={days}
            choose={setDays}
            choices={DAYS.map((one) => [String(one), t("invites.daysOf", { count: one })] as const)}
          />
          <Select
            label={t("invites.limit")}
            value={uses}
            choose={setUses}
            choices={USES.map((one) => [String(one), t("invites.limitOf", { count: one })] as const)}
          />
          {problem && (
            <p role="alert" className={kit.problem}>
              {problem}
            </p>
          )}
          <Footer>
            <Button onClick={close}>{t("dialog.cancel")}</Button>
            <Button kind="primary" type="submit" busy={busy} disabled={!room || busy}>
              {t("invites.make")}
            </Button>
          </Footer>
        </form>
      )}
    </Dialog>
  );
}
