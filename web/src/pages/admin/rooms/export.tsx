import { type ReactNode, useEffect, useState } from "react";
import { post } from "@/api/rest";
import type { Room } from "@/api/types";
import { useT } from "@/i18n";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Select } from "@/ui/select";
import kit from "../kit/kit.module.css";
import { Row } from "../kit/page";
import { reason } from "../kit/reason";

/** How often it is looked whether the archive is ready (ms), and how long at most. */
const EVERY = 1_000;
const LONGEST = 10 * 60_000;
const FORMATS = ["html", "json"] as const;

type Step = "none" | "busy" | "ready" | "late";

/** A copy of a room's messages as an archive: to be read, or as data. */
export function Export({ room }: { room: Room }): ReactNode {
  const t = useT();
  const [format, setFormat] = useState<string>("html");
  const [step, setStep] = useState<Step>("none");
  const [place, setPlace] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const allowed = useStore((from) => may("mail-messages", room._id, from));
  // What is private is copied by those who may read it.
  const reads = useStore((from) => room.t === "c" || Boolean(from.subscriptions[room._id]));
  useEffect(() => {
    if (step !== "busy" || !place) return undefined;
    const began = Date.now();
    const look = (): void =>
      void fetch(place, { method: "HEAD", cache: "no-store" })
        .then(({ ok }) => ok && setStep("ready"))
        .catch(() => undefined)
        .finally(() => Date.now() - began > LONGEST && setStep("late"));
    const timer = setInterval(look, EVERY);
    return () => clearInterval(timer);
  }, [step, place]);
  if (!allowed || !reads) return <p className={kit.note}>{t(allowed ? "rooms.exportMembers" : "admin.notAllowed")}</p>;
  const begin = (): void => {
    setProblem(undefined);
    setStep("busy");
    post<{ url: string }>("rooms.export", { rid: room._id, type: "file", format })
      .then(({ url }) => setPlace(new URL(url).pathname))
      .catch((error: unknown) => {
        setStep("none");
        setProblem(reason(error, t));
      });
  };
  return (
    <>
      <p className={kit.note}>{t("rooms.exportMore")}</p>
      <Row>
        <Select
          label={t("rooms.exportAs")}
          value={format}
          choose={(next) => {
            setFormat(next);
            setStep("none");
          }}
          choices={FORMATS.map((one) => [one, t(`rooms.exportAs.${one}`)] as const)}
        />
        <Button busy={step === "busy"} onClick={begin}>
          {t("rooms.exportBegin")}
        </Button>
        <span role="status">
          {step === "busy" && t("rooms.exportBusy")}
          {step === "late" && t("rooms.exportLate")}
          {step === "ready" && place && (
            <a href={place} download>
              {t("rooms.exportReady")}
            </a>
          )}
        </span>
      </Row>
      {problem && (
        <p role="alert" className={kit.problem}>
          {problem}
        </p>
      )}
    </>
  );
}
