// Which permissions open which administration page: one of them is enough. The server judges again.

import { may, type State } from "@/store/state";

export const NEEDS = {
  users: ["view-user-administration"],
  rooms: ["view-room-administration"],
  roles: ["access-permissions"],
  settings: ["view-privileged-setting", "edit-privileged-setting", "manage-selected-settings"],
  integrations: [
    "manage-incoming-integrations",
    "manage-own-incoming-integrations",
    "manage-outgoing-integrations",
    "manage-own-outgoing-integrations",
  ],
  apps: ["manage-oauth-apps"],
  invites: ["create-invite-links"],
  emoji: ["manage-emoji"],
  reports: ["view-moderation-console"],
  audit: ["can-audit-log"],
  health: ["view-statistics"],
  data: ["run-migration", "run-import", "view-logs"],
} as const satisfies Record<string, readonly string[]>;

export type SectionId = keyof typeof NEEDS;

export const opens = (section: SectionId, from: State): boolean =>
  NEEDS[section].some((permission) => may(permission, undefined, from));

/** Whether somebody sees the administration at all. */
export const administers = (from: State): boolean =>
  (Object.keys(NEEDS) as SectionId[]).some((section) => opens(section, from));
