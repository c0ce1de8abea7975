import type { Id, Wire } from "@/api/types";

export interface Integration {
  _id: Id;
  type: "webhook-incoming" | "webhook-outgoing";
  name: string;
  enabled: boolean;
  username: string;
  channel: string[];
  alias?: string;
  avatar?: string;
  emoji?: string;
  overrideDestinationChannelEnabled?: boolean;
  event?: string;
  urls?: string[];
  triggerWords?: string[];
  triggerWordAnywhere?: boolean;
  runOnEdits?: boolean;
  retryFailedCalls?: boolean;
  retryCount?: number;
  retryDelay?: string;
  /** Told once, when it is made. */
  token?: string;
  _createdAt?: Wire;
  _createdBy?: { username?: string };
}

export const EVENTS = [
  "sendMessage",
  "fileUploaded",
  "roomArchived",
  "roomCreated",
  "roomJoined",
  "roomLeft",
  "userCreated",
] as const;
export const DELAYS = ["powers-of-ten", "powers-of-two", "increments-of-two"] as const;

export interface Draft {
  name: string;
  enabled: boolean;
  username: string;
  channel: string;
  alias: string;
  emoji: string;
  overrideDestinationChannelEnabled: boolean;
  event: string;
  urls: string;
  triggerWords: string;
  triggerWordAnywhere: boolean;
  runOnEdits: boolean;
  retryFailedCalls: boolean;
  retryCount: number;
  retryDelay: string;
  token: string;
}

export const draftOf = (one: Partial<Integration>, username: string): Draft => ({
  name: one.name ?? "",
  enabled: one.enabled ?? true,
  username: one.username ?? username,
  channel: (one.channel ?? []).join(", "),
  alias: one.alias ?? "",
  emoji: one.emoji ?? "",
  overrideDestinationChannelEnabled: one.overrideDestinationChannelEnabled ?? false,
  event: one.event ?? "sendMessage",
  urls: (one.urls ?? []).join("\n"),
  triggerWords: (one.triggerWords ?? []).join(", "),
  triggerWordAnywhere: one.triggerWordAnywhere ?? false,
  runOnEdits: one.runOnEdits ?? true,
  retryFailedCalls: one.retryFailedCalls ?? true,
  retryCount: one.retryCount ?? 6,
  retryDelay: one.retryDelay ?? "powers-of-ten",
  token: "",
});

/** The request's body: an outgoing one has more. */
export function bodyOf(draft: Draft, outgoing: boolean): Record<string, unknown> {
  const { event, urls, triggerWords, triggerWordAnywhere, runOnEdits, token, ...rest } = draft;
  const { retryFailedCalls, retryCount, retryDelay, ...common } = rest;
  const lines = (text: string, by: RegExp): string[] => text.split(by).flatMap((one) => one.trim() || []);
  if (!outgoing) return { ...common, scriptEnabled: false };
  return {
    ...common,
    scriptEnabled: false,
    event,
    urls: lines(urls, /\n/),
    triggerWords: lines(triggerWords, /,/),
    triggerWordAnywhere,
    runOnEdits,
    retryFailedCalls,
    retryCount,
    retryDelay,
    ...(token ? { token } : {}),
  };
}
