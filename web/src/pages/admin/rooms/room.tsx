import { type FormEvent, type ReactNode, useState } from "react";
import { Link } from "wouter";
import { ApiError, get, post } from "@/api/rest";
import type { Id, Room } from "@/api/types";
import { intl, useT } from "@/i18n";
import { full, millis } from "@/lib/time";
import { path } from "@/store/rooms";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Dialog, Footer } from "@/ui/dialog";
import { Check, Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import { Area } from "../kit/area";
import { Danger } from "../kit/danger";
import kit from "../kit/kit.module.css";
import { useLoad } from "../kit/load";
import { Facts, Part, Row } from "../kit/page";
import { reason } from "../kit/reason";
import { Export } from "./export";
import { Keep, type Retention } from "./keep";
import { Members } from "./members";
import { nameOf } from "./name";

interface Props {
  rid: Id;
  close: () => void;
  changed: () => void;
}

/** One room: how it is called and behaves, who is in it, its end. */
export function OneRoom({ rid, close, changed }: Props): ReactNode {
  const t = useT();
  const { value, failed, reload } = useLoad(rid, () =>
    get<Room & { retention?: Retention }>("rooms.adminRooms.getRoom", { rid }),
  );
  const again = (): void => {
    reload();
    changed();
  };
  return (
    <Dialog title={value ? nameOf(value) : t("rooms.one")} close={close} wide>
      {failed && <p role="alert">{t("rooms.gone")}</p>}
      {!value && !failed && <p role="status">{t("app.loading")}</p>}
      {value && (
        <div className={kit.scroll}>
          <Seen room={value} />
          {value.t !== "d" && <Edit key={JSON.stringify(value)} room={value} changed={again} />}
          <Part title={t("rooms.members")}>
            <Members room={value} changed={again} />
          </Part>
          {value.t !== "d" && (
            <Part title={t("rooms.keep")}>
              <Keep key={JSON.stringify(value.retention)} room={value} changed={again} />
            </Part>
          )}
          <Part title={t("rooms.export")}>
            <Export room={value} />
          </Part>
          <Part title={t("rooms.end")}>
            <Ends room={value} changed={again} removed={() => (changed(), close())} />
          </Part>
        </div>
      )}
    </Dialog>
  );
}

function Seen({ room }: { room: Room }): ReactNode {
  const t = useT();
  const member = useStore((from) => Boolean(from.subscriptions[room._id]));
  const last = millis(room.lm);
  return (
    <>
      <Facts
        facts={[
          [t("rooms.kind"), t(`rooms.kind.${room.t === "l" ? "p" : room.t}`)],
          [t("rooms.maker"), room.u?.username ? `@${room.u.username}` : "—"],
          [t("rooms.made"), full(intl(), millis(room.ts))],
          [t("rooms.last"), last ? full(intl(), last) : t("rooms.never")],
        ]}
      />
      {member && (
        <p>
          <Link href={path(room)}>{t("rooms.open")}</Link>
        </p>
      )}
    </>
  );
}

interface Draft {
  roomName: string;
  roomTopic: string;
  roomDescription: string;
  roomAnnouncement: string;
  roomType: string;
  readOnly: boolean;
  default: boolean;
  featured: boolean;
}

const draftOf = (room: Room & { featured?: boolean }): Draft => ({
  roomName: room.fname || room.name || "",
  roomTopic: room.topic ?? "",
  roomDescription: room.description ?? "",
  roomAnnouncement: room.announcement ?? "",
  roomType: room.t,
  readOnly: room.ro ?? false,
  default: room.default ?? false,
  featured: room.featured ?? false,
});

function Edit({ room, changed }: { room: Room; changed: () => void }): ReactNode {
  const t = useT();
  const before = draftOf(room);
  const [draft, setDraft] = useState(before);
  const [problem, setProblem] = useState<string>();
  const [taken, setTaken] = useState(false);
  const [busy, setBusy] = useState(false);
  const editor = useStore((from) => may("edit-room", undefined, from));
  const set = (part: Partial<Draft>): void => {
    setTaken(false);
    setDraft({ ...draft, ...part });
  };
  const different = (Object.keys(draft) as (keyof Draft)[]).filter((key) => draft[key] !== before[key]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const body = Object.fromEntries(different.map((key) => [key, draft[key]]));
    post("rooms.saveRoomSettings", { rid: room._id, ...body })
      .then(() => {
        toast(t("admin.saved"));
        changed();
      })
      .catch((error: unknown) => {
        if (error instanceof ApiError && /duplicate|invalid-room-name|field-unavailable/.test(error.code))
          setTaken(true);
        else setProblem(reason(error, t));
      })
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit}>
      <fieldset className={kit.set} disabled={!editor}>
        <div className={kit.two}>
          <Field
            label={t("rooms.name")}
            value={draft.roomName}
            required
            dir="auto"
            error={taken ? t("rooms.badName") : undefined}
            onChange={(event) => set({ roomName: event.target.value })}
          />
          <Field
            label={t("rooms.topic")}
            value={draft.roomTopic}
            dir="auto"
            onChange={(event) => set({ roomTopic: event.target.value })}
          />
        </div>
        <Area
          label={t("rooms.description")}
          value={draft.roomDescription}
          dir="auto"
          rows={2}
          onChange={(event) => set({ roomDescription: event.target.value })}
        />
        <Area
          label={t("rooms.announcement")}
          value={draft.roomAnnouncement}
          dir="auto"
          rows={2}
          onChange={(event) => set({ roomAnnouncement: event.target.value })}
        />
        <div className={kit.two}>
          <Check
            label={t("rooms.private")}
            hint={t("rooms.privateHint")}
            checked={draft.roomType === "p"}
            onChange={(event) => set({ roomType: event.target.checked ? "p" : "c" })}
          />
          <Check
            label={t("rooms.ro")}
            hint={t("rooms.roHint")}
            checked={draft.readOnly}
            onChange={(event) => set({ readOnly: event.target.checked })}
          />
          <Check
            label={t("rooms.default")}
            hint={t("rooms.defaultHint")}
            checked={draft.default}
            onChange={(event) => set({ default: event.target.checked })}
          />
          <Check
            label={t("rooms.featured")}
            hint={t("rooms.featuredHint")}
            checked={draft.featured}
            onChange={(event) => set({ featured: event.target.checked })}
          />
        </div>
      </fieldset>
      {problem && (
        <p role="alert" className={kit.problem}>
          {problem}
        </p>
      )}
      <Footer>
        <Button kind="primary" type="submit" busy={busy} disabled={different.length === 0 || busy}>
          {t("admin.save")}
        </Button>
      </Footer>
    </form>
  );
}

type Act = "archive" | "delete";

function Ends({ room, changed, removed }: { room: Room; changed: () => void; removed: () => void }): ReactNode {
  const t = useT();
  const [act, setAct] = useState<Act | null>(null);
  const archiver = useStore((from) => may(room.archived ? "unarchive-room" : "archive-room", undefined, from));
  const deleter = useStore((from) => may(`delete-${room.t}`, undefined, from));
  const name = nameOf(room);
  const close = (): void => setAct(null);
  const word = room.archived ? "unarchive" : "archive";
  return (
    <>
      <Row>
        {archiver && room.t !== "d" && <Button onClick={() => setAct("archive")}>{t(`rooms.${word}`)}</Button>}
        {deleter && (
          <Button kind="danger" onClick={() => setAct("delete")}>
            {t("rooms.delete")}
          </Button>
        )}
        {!archiver && !deleter && <p className={kit.note}>{t("admin.notAllowed")}</p>}
      </Row>
      {act === "archive" && (
        <Danger
          title={t(`rooms.${word}Ask`, { name })}
          yes={t(`rooms.${word}`)}
          close={close}
          done={() => {
            toast(t("admin.done"));
            changed();
          }}
          run={() => post("rooms.changeArchivationState", { rid: room._id, action: word })}
        >
          <p>{t(`rooms.${word}More`)}</p>
        </Danger>
      )}
      {act === "delete" && (
        <Danger
          title={t("rooms.deleteAsk", { name })}
          yes={t("rooms.delete")}
          close={close}
          done={() => {
            toast(t("rooms.deleted"));
            removed();
          }}
          run={() => post("rooms.delete", { roomId: room._id })}
        >
          <p>{t("rooms.deleteMore", { members: room.usersCount ?? 0, messages: room.msgs ?? 0 })}</p>
        </Danger>
      )}
    </>
  );
}
