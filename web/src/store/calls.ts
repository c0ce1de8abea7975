// Video calls: held on the configured Jitsi server, in a tab of their own.

import { post } from "@/api/rest";
import type { Id } from "@/api/types";
import { may, setting, type State } from "./state";

/** What a call's message carries. */
export interface CallState {
  callId: string;
  title: string;
  /** 0 rings, 1 goes on, 2 was never answered, 3 ended, 4 was given up. */
  status: number;
  users: { _id: Id; username: string; name: string }[];
  joined: number;
  startedAt: number;
  endedAt: number | null;
}

export const callsPossible = (rid: Id, from: State): boolean =>
  setting("Jitsi_Enabled", false, from) &&
  setting("Jitsi_Domain", "", from).trim() !== "" &&
  may("call-management", rid, from);

export const isOver = ({ status }: CallState): boolean => status > 1;

/** Opens a call in a new tab. The tab is opened at once, or browsers take it for an advertisement. */
export async function joinCall(call: string | (() => Promise<string>)): Promise<void> {
  const tab = window.open("", "_blank");
  try {
    const callId = typeof call === "string" ? call : await call();
    const { url } = await post<{ url: string }>("video-conference.join", { callId });
    if (!/^https?:\/\//.test(url)) throw new Error("no address of a call");
    if (!tab) {
      location.assign(url);
      return;
    }
    tab.opener = null;
    tab.location.replace(url);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

/** Begins a call in a room, and opens it. */
export const startCall = (rid: Id): Promise<void> =>
  joinCall(async () => {
    type Answer = { data: { callId: string } };
    const { data } = await post<Answer>("video-conference.start", { roomId: rid });
    return data.callId;
  });

export const endCall = (callId: string): Promise<unknown> => post("video-conference.end", { callId });
