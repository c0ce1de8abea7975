import { type FormEvent, type ReactNode, useState } from "react";
import { post } from "@/api/rest";
import type { Room } from "@/api/types";
import { useT } from "@/i18n";
import { may, setting, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Check, Field } from "@/ui/field";
import { toast } from "@/ui/toast";
import kit from "../kit/kit.module.css";
import { Row } from "../kit/page";
import { reason } from "../kit/reason";

/** A room's own rule, as `rooms.adminRooms.getRoom` tells it. */
export interface Retention {
  enabled: boolean;
  overrideGlobal: boolean;
  maxAge: number;
  excludePinned: boolean;
  filesOnly: boolean;
  ignoreThreads: boolean;
}

const USUAL: Retention = {
  enabled: false,
  overrideGlobal: false,
  maxAge: 30,
  excludePinned: false,
  filesOnly: false,
  ignoreThreads: false,
};
const KEYS = {
  enabled: "retentionEnabled",
  overrideGlobal: "retentionOverrideGlobal",
  maxAge: "retentionMaxAge",
  excludePinned: "retentionExcludePinned",
  filesOnly: "retentionFilesOnly",
  ignoreThreads: "retentionIgnoreThreads",
} as const;
const FLAGS = ["excludePinned", "ignoreThreads", "filesOnly"] as const;

/** How long messages stay in a room: by the workspace's rule or by its own. */
export function Keep({ room, changed }: { room: Room & { retention?: Retention }; changed: () => void }): ReactNode {
  const t = useT();
  const before = room.retention ?? USUAL;
  const [rule, setRule] = useState(before);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const on = useStore((from) => setting("RetentionPolicy_Enabled", false, from));
  const allowed = useStore((from) => may("edit-room-retention-policy", room._id, from));
  const set = (part: Partial<Retention>): void => setRule({ ...rule, ...part });
  const different = (Object.keys(KEYS) as (keyof Retention)[]).filter((key) => rule[key] !== before[key]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const body = Object.fromEntries(different.map((key) => [KEYS[key], rule[key]]));
    post("rooms.saveRoomSettings", { rid: room._id, ...body })
      .then(() => {
        toast(t("admin.saved"));
        changed();
      })
      .catch((error: unknown) => setProblem(reason(error, t)))
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit}>
      {!on && <p className={kit.note}>{t("rooms.keepOff")}</p>}
      <fieldset className={kit.set} disabled={!allowed}>
        <Check
          label={t("rooms.keepOwn")}
          hint={t("rooms.keepOwnHint")}
          checked={rule.overrideGlobal}
          onChange={(event) => set({ overrideGlobal: event.target.checked })}
        />
        {rule.overrideGlobal && (
          <>
            <Check
              label={t("rooms.keepEnabled")}
              hint={t("rooms.keepEnabledHint")}
              checked={rule.enabled}
              onChange={(event) => set({ enabled: event.target.checked })}
            />
            <Field
              label={t("rooms.keepDays")}
              type="number"
              min={1}
              max={36_500}
              required
              disabled={!rule.enabled}
              value={rule.maxAge}
              onChange={(event) => set({ maxAge: Number(event.target.value) })}
            />
            {FLAGS.map((flag) => (
              <Check
                key={flag}
                label={t(`rooms.keep.${flag}`)}
                disabled={!rule.enabled}
                checked={rule[flag]}
                onChange={(event) => set({ [flag]: event.target.checked })}
              />
            ))}
          </>
        )}
      </fieldset>
      {problem && (
        <p role="alert" className={kit.problem}>
          {problem}
        </p>
      )}
      <Row>
        <Button type="submit" busy={busy} disabled={different.length === 0 || busy}>
          {t("rooms.keepSave")}
        </Button>
      </Row>
    </form>
  );
}
