import { Siren } from "lucide-react";
import { type ReactNode, useEffect, useId } from "react";
import { Link } from "wouter";
import { intl, type Translate, useT } from "@/i18n";
import { useNow } from "@/lib/now";
import { clock, millis } from "@/lib/time";
import { acknowledge, type Case, readCase, readDesk, take, useDesk, waited, watchDesk } from "@/store/desk";
import { useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { failed } from "@/ui/failed";
import { toast } from "@/ui/toast";
import css from "./support.module.css";

/** The live queue: emergencies on top, then what nobody has taken, one's own, the rest, and what was closed. */
export function Lanes(): ReactNode {
  const t = useT();
  const me = useStore((state) => state.me?._id ?? "");
  const { open, closed, more, ready, failed } = useDesk();
  const now = useNow();
  useEffect(watchDesk, []);
  const isMine = (one: Case): boolean => one.servedBy?.some(({ _id }) => _id === me) ?? false;
  const emergencies = open.filter((one) => one.priority === "emergency");
  const rest = open.filter((one) => one.priority !== "emergency");
  const lanes: [string, Case[]][] = [
    ["unassigned", rest.filter((one) => !one.servedBy?.length)],
    ["mine", rest.filter(isMine)],
    ["others", rest.filter((one) => Boolean(one.servedBy?.length) && !isMine(one))],
    ["closed", closed],
  ];
  return (
    <div aria-busy={!ready}>
      {failed && (
        <p role="alert" className={css.note}>
          {t("room.loadFailed")}{" "}
          <Button kind="quiet" onClick={() => void readDesk()}>
            {t("room.again")}
          </Button>
        </p>
      )}
      <Lane name="emergency" cases={emergencies} now={now} me={me} ready={ready} />
      <div className={css.lanes}>
        {lanes.map(([name, cases]) => (
          <Lane key={name} name={name} cases={cases} now={now} me={me} ready={ready} />
        ))}
      </div>
      {more > 0 && <p className={css.note}>{t("support.further", { count: more })}</p>}
    </div>
  );
}

interface LaneProps {
  name: string;
  cases: Case[];
  now: number;
  me: string;
  ready: boolean;
}

function Lane({ name, cases, now, me, ready }: LaneProps): ReactNode {
  const t = useT();
  const id = useId();
  const emergency = name === "emergency";
  return (
    <section className={`${css.lane} ${emergency ? css.emergency : ""}`} aria-labelledby={id}>
      <h2 id={id}>
        {emergency && <Siren size={20} aria-hidden />}
        {t(`support.${name}`)} <span className={css.count}>{cases.length}</span>
      </h2>
      {cases.length === 0 ? (
        <p className={css.note}>{t(ready ? "support.none" : "app.loading")}</p>
      ) : (
        <ul>
          {cases.map((one) => (
            <li key={one.rid}>
              <Card one={one} now={now} me={me} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Takes a case; somebody else may have been quicker, which is told by name. */
function useTake(): (one: Case) => void {
  const t = useT();
  return (one) => {
    readCase(one.rid)
      .then(async (now) => {
        const other = now.servedBy?.[0];
        if (other) toast(t("support.takenBy", { name: other.name ?? other.username }));
        else {
          await take(one.rid);
          toast(t("support.yours", { title: one.title }));
        }
        await readDesk();
      })
      .catch(failed("failed.take"));
  };
}

function Card({ one, now, me }: { one: Case; now: number; me: string }): ReactNode {
  const t = useT();
  const takeIt = useTake();
  const served = one.servedBy ?? [];
  const name = one.requester?.name ?? one.requester?.username ?? "";
  const role = roleText(one);
  const ack = one.acknowledgedBy;
  const state = !one.open
    ? t("support.isClosed")
    : served.length > 0
      ? served.some(({ _id }) => _id === me)
        ? t("support.takenByYou")
        : t("support.takenBy", { name: served.map((user) => user.name ?? user.username).join(", ") })
      : waits(t, waited(one, now));
  return (
    <article className={css.card} aria-label={one.title} data-priority={one.priority}>
      <h3 dir="auto">
        {one.priority === "high" && <em className={css.tag}>{t("support.high")}</em>}
        <Link href={`/group/${encodeURIComponent(one.name)}`}>{one.title}</Link>
      </h3>
      {name && <p dir="auto">{role ? t("support.from", { name, role }) : name}</p>}
      {one.last && (
        <p className={css.last} dir="auto">
          {one.last.text}
        </p>
      )}
      <p className={css.state}>
        {state}
        {ack && ` · ${t("support.acknowledged", { name: ack.name, time: clock(intl(), millis(ack.at)) })}`}
      </p>
      {one.open && (
        <div className={css.buttons}>
          {one.priority === "emergency" && !ack && served.length === 0 && (
            <Button
              kind="danger"
              aria-label={t("support.acknowledgeOf", { title: one.title })}
              onClick={() => void acknowledge(one.rid).catch(failed("failed.acknowledge"))}
            >
              {t("support.acknowledge")}
            </Button>
          )}
          {served.length === 0 && (
            <Button kind="primary" aria-label={t("support.takeOf", { title: one.title })} onClick={() => takeIt(one)}>
              {t("support.take")}
            </Button>
          )}
        </div>
      )}
    </article>
  );
}

/** How long a case waits: minutes, then whole hours, then whole days. */
function waits(t: Translate, minutes: number): string {
  if (minutes < 60) return t("support.waits", { count: minutes });
  const [unit, count] = minutes < 1_440 ? ["hour", minutes / 60] : ["day", minutes / 1_440];
  const long = new Intl.NumberFormat(intl(), { style: "unit", unit, unitDisplay: "long" });
  return t("support.waitsLong", { time: long.format(Math.floor(count)) });
}

/** The role words that the host application gives, as it writes them. */
const roleText = (one: Case): string =>
  (one.requester?.roles ?? [])
    .filter((role) => role !== "USER")
    .join(", ")
    .replaceAll("_", " ")
    .toLowerCase();
