import type { ReactNode } from "react";
import { useT } from "@/i18n";
import { Check, Field } from "@/ui/field";
import { Select } from "@/ui/select";
import { Area } from "../kit/area";
import kit from "../kit/kit.module.css";
import { DELAYS, type Draft, EVENTS } from "./types";

interface Props {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  outgoing: boolean;
}

/** Fields of a webhook. */
export function Fields({ draft, change, outgoing }: Props): ReactNode {
  const t = useT();
  const text = (key: "name" | "username" | "channel" | "alias" | "emoji" | "triggerWords" | "token"): object => ({
    value: draft[key],
    onChange: (event: { target: { value: string } }) => change({ [key]: event.target.value }),
  });
  const check = (
    key: "enabled" | "overrideDestinationChannelEnabled" | "triggerWordAnywhere" | "runOnEdits" | "retryFailedCalls",
  ): object => ({
    checked: draft[key],
    onChange: (event: { target: { checked: boolean } }) => change({ [key]: event.target.checked }),
  });
  return (
    <>
      <Check label={t("hooks.enabled")} {...check("enabled")} />
      <div className={kit.two}>
        <Field label={t("hooks.name")} required dir="auto" {...text("name")} />
        <Field
          label={t("hooks.channel")}
          hint={t("hooks.channelHint")}
          required
          autoCapitalize="none"
          {...text("channel")}
        />
        <Field
          label={t("hooks.username")}
          hint={t("hooks.usernameHint")}
          required
          autoCapitalize="none"
          {...text("username")}
        />
        <Field label={t("hooks.alias")} hint={t("hooks.aliasHint")} dir="auto" {...text("alias")} />
      </div>
      {!outgoing && (
        <Check label={t("hooks.free")} hint={t("hooks.freeHint")} {...check("overrideDestinationChannelEnabled")} />
      )}
      {outgoing && (
        <>
          <Select
            label={t("hooks.event")}
            value={draft.event}
            choose={(event) => change({ event })}
            choices={EVENTS.map((one) => [one, t(`hooks.event.${one}`)] as const)}
          />
          <Area
            label={t("hooks.urls")}
            hint={t("hooks.urlsHint")}
            required
            dir="ltr"
            spellCheck={false}
            value={draft.urls}
            onChange={(event) => change({ urls: event.target.value })}
          />
          <div className={kit.two}>
            <Field label={t("hooks.words")} hint={t("hooks.wordsHint")} dir="auto" {...text("triggerWords")} />
            <Field label={t("hooks.secret")} hint={t("hooks.secretHint")} autoComplete="off" {...text("token")} />
          </div>
          <Check label={t("hooks.anywhere")} {...check("triggerWordAnywhere")} />
          <Check label={t("hooks.edits")} {...check("runOnEdits")} />
          <Check label={t("hooks.retry")} {...check("retryFailedCalls")} />
          <div className={kit.two}>
            <Field
              label={t("hooks.tries")}
              type="number"
              min={0}
              max={50}
              value={draft.retryCount}
              onChange={(event) => change({ retryCount: Number(event.target.value) })}
            />
            <Select
              label={t("hooks.delay")}
              value={draft.retryDelay}
              choose={(retryDelay) => change({ retryDelay })}
              choices={DELAYS.map((one) => [one, t(`hooks.delay.${one}`)] as const)}
            />
          </div>
        </>
      )}
    </>
  );
}
