import { Megaphone } from "lucide-react";
import { type DragEvent, type ReactNode, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { get } from "@/api/rest";
import type { Id, Message, Room as Noun, RoomType } from "@/api/types";
import { useT } from "@/i18n";
import { isLeaving, join } from "@/store/actions";
import { useDesk } from "@/store/desk";
import { loadAround, open, openAfresh, update } from "@/store/history";
import { listenToRoom, watchPresence } from "@/store/live";
import { find, path, title } from "@/store/rooms";
import { change, may, type State, state, useStore } from "@/store/state";
import { fresh } from "@/store/timeline";
import { addUploads } from "@/store/uploads";
import { Avatar } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import { CaseBar } from "../support/lazy";
import { Composer, type ComposerHandle } from "./composer";
import { editFrom } from "./begun";
import { RoomHeader } from "./header";
import { mayEdit, type Place, roomPath } from "./place";
import { plainly } from "./preview";
import { Side } from "./later";
import css from "./room.module.css";
import { Timeline } from "./timeline";
import { Typing } from "./typing";
import { Sending } from "./sending";

interface Props {
  kind: string;
  name: string;
  rest: string;
}

/** A conversation by its address. */
export function Room({ kind, name, rest }: Props): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const search = useSearch();
  const [missing, setMissing] = useState(false);
  // What the address led to stays what is shown when the room gets another name, and so another address.
  const was = useRef<{ rid: Id; t?: RoomType | undefined }>(undefined);
  const known = ({ subscriptions, rooms }: State, id = was.current?.rid): Id | undefined =>
    id && (subscriptions[id] ?? rooms[id]) ? id : undefined;
  const rid = useStore((from) => find(from, kind, name) ?? known(from));
  const moved = useStore((from) => (rid && find(from, kind, name) !== rid ? roomPath(rid, from) : undefined));
  useEffect(() => {
    if (moved) go(`${moved}${rest && `/${rest}`}${search && `?${search}`}`, { replace: true });
  }, [moved, rest, search, go]);
  useEffect(() => {
    const { subscriptions, rooms } = state();
    const before = was.current;
    if (rid) was.current = { rid, t: subscriptions[rid]?.t ?? rooms[rid]?.t };
    if (rid && rooms[rid]) return;
    // Taken away while it was looked at: only some rooms may be looked at by those who are not in them.
    if (!rid && before && isLeaving(before.rid)) return;
    if (!rid && (before?.t === "p" || before?.t === "d")) return setMissing(true);
    const id = rid ?? before?.rid ?? (kind === "direct" ? name : undefined);
    get<{ room: Noun }>("rooms.info", id ? { roomId: id } : { roomName: name })
      .then(({ room }) =>
        change((now) => ({ rooms: { ...now.rooms, [room._id]: { ...now.rooms[room._id], ...room } } })),
      )
      .catch(() => setMissing(!rid));
  }, [rid, kind, name]);
  if (rid) return <Open key={rid} rid={rid} rest={rest} />;
  return (
    <main className={css.missing} aria-busy={!missing}>
      {missing && (
        <>
          <h1>{t("room.missing")}</h1>
          <p>{t("room.missingMore")}</p>
          <Link href="/">{t("room.back")}</Link>
        </>
      )}
    </main>
  );
}

function Open({ rid, rest }: { rid: Id; rest: string }): ReactNode {
  const t = useT();
  const [, go] = useLocation();
  const wanted = new URLSearchParams(useSearch()).get("msg") ?? undefined;
  const run = useStore((from) => from.timelines[rid]) ?? fresh;
  const sub = useStore((from) => from.subscriptions[rid]);
  const room = useStore((from) => from.rooms[rid]);
  const composer = useRef<ComposerHandle>(null);
  const [over, setOver] = useState(false);
  const [target, setTarget] = useState<Id>();
  // Raised when the room is looked at afresh.
  const [visit, setVisit] = useState(0);
  const opened = useRef<Promise<void>>(undefined);
  useEffect(() => {
    const stop = listenToRoom(rid);
    opened.current = open(rid);
    watchPresence(state().rooms[rid]?.uids);
    return () => {
      stop();
      // The divider belongs to this visit.
      update(rid, (old) => ({ ...old, unreadSince: undefined }) as typeof old);
    };
  }, [rid]);
  useEffect(() => {
    setTarget(undefined);
    if (!wanted) return;
    // One after the other: two runs that were put together could have a gap between them.
    void Promise.resolve(opened.current)
      .then(() => loadAround(rid, wanted))
      .then((there) => (there ? setTarget(wanted) : toast(t("room.noMessage"))));
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [rid, wanted]);
  const place = useMemo<Place>(
    () => ({
      rid,
      quote: (message: Message) => composer.current?.quote(message),
      mayEdit,
      threadPath: (tmid: Id) => `${roomPath(rid)}/thread/${tmid}`,
      roomPath,
    }),
    [rid],
  );
  const toUnread = (): void => {
    go(roomPath(rid), { replace: true });
    void openAfresh(rid).then(() => setVisit((count) => count + 1));
  };
  const start = useMemo(() => <Start rid={rid} />, [rid]);
  const editLast = useCallback(() => editOwn(rid), [rid]);
  const name = title(sub, room);
  const closed = useClosed(rid);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    if (sub && !closed) addUploads(rid, [...event.dataTransfer.files]);
  };
  const [panel, id] = rest.split("/");
  const leave = (): void => go(sub || room ? path((sub ?? room) as Noun) : "/");
  return (
    <div className={css.split} data-panel={Boolean(panel)}>
      <main
        className={`${css.room} ${over ? css.over : ""}`}
        aria-label={name}
        onDragOver={(event) => {
          if (!sub || !event.dataTransfer.types.includes("Files")) return;
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)}
        onDrop={drop}
      >
        <RoomHeader rid={rid} />
        {room?.announcement && (
          <Link className={css.announcement} href={`${roomPath(rid)}/about`}>
            <Megaphone size={16} role="img" aria-label={t("room.announcement")} />
            <span dir="auto">{plainly(room.announcement)}</span>
          </Link>
        )}
        {room?.parlorKind && (
          <Suspense fallback={null}>
            <CaseBar rid={rid} base={roomPath(rid)} />
          </Suspense>
        )}
        {run.error ? (
          <div className={css.missing}>
            <h2>{t(run.error)}</h2>
            <Button onClick={() => void open(rid)}>{t("room.again")}</Button>
          </div>
        ) : (
          <Timeline key={visit} rid={rid} run={run} place={place} start={start} target={target} toUnread={toUnread} />
        )}
        <Typing rid={rid} />
        <Sending rid={rid} />
        {sub || !room ? (
          <Composer
            ref={composer}
            rid={rid}
            closed={closed}
            label={t("composer.label", { name })}
            editLast={editLast}
          />
        ) : room.parlorKind ? null : (
          <div className={css.join}>
            <p>{t("room.preview")}</p>
            <Button kind="primary" onClick={() => void join(room).catch(failed("failed.join"))}>
              {t("room.join")}
            </Button>
          </div>
        )}
        {over && (
          <p className={css.drop} aria-hidden>
            {t("upload.drop", { name })}
          </p>
        )}
      </main>
      {panel && (
        <Suspense fallback={<aside aria-busy />}>
          <Side key={rest} rid={rid} kind={panel} id={id} close={leave} />
        </Suspense>
      )}
    </div>
  );
}

/** Opens the last own message for editing: its row does it when it gets the key. */
export function editOwn(key: Id): void {
  const me = state().me?._id;
  const last = (state().timelines[key]?.messages ?? []).findLast((one) => one.u._id === me && mayEdit(one));
  const row = last && document.querySelector<HTMLElement>(`[data-message="${CSS.escape(last._id)}"]`);
  editFrom(document.activeElement);
  row?.focus();
  row?.dispatchEvent(new KeyboardEvent("keydown", { key: "e", bubbles: true }));
}

/** Why nothing can be written in a room, if so. */
function useClosed(rid: Id): string | undefined {
  const t = useT();
  const sub = useStore((from) => from.subscriptions[rid]);
  const room = useStore((from) => from.rooms[rid]);
  const me = useStore((from) => from.me?.username ?? "");
  const done = useDesk((from) => from.rooms[rid]?.open === false);
  const mayAnyway = useStore((from) => may("post-readonly", rid, from));
  if (done) return t("closed.case");
  if (room?.archived || sub?.archived) return t("closed.archived");
  if (sub?.blocked || sub?.blocker) return t("closed.blocked");
  if (room?.muted?.includes(me)) return t("closed.muted");
  if (room?.ro && !mayAnyway && !room.unmuted?.includes(me))
    return t(room.t === "d" ? "closed.gone" : "closed.readOnly");
  return undefined;
}

/** What stands above the first message of a room. */
function Start({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const sub = useStore((from) => from.subscriptions[rid]);
  const room = useStore((from) => from.rooms[rid]);
  const type = sub?.t ?? room?.t ?? "c";
  const name = title(sub, room);
  return (
    <div className={css.start}>
      {type === "d" ? (
        <Avatar username={sub?.name.split(",")[0]} size={64} />
      ) : (
        <Avatar rid={rid} etag={room?.avatarETag} letters={room && (room.fname || room.name)} size={64} />
      )}
      <h2 dir="auto">{name}</h2>
      <p>{t(`start.${type}`, { name })}</p>
      {room?.topic && <p dir="auto">{room.topic}</p>}
    </div>
  );
}
