// The administration's pages, in the order of their list. Each is fetched when it is opened, with its own texts.

import {
  Activity,
  AppWindow,
  Database,
  DoorOpen,
  Flag,
  KeyRound,
  ScrollText,
  Settings,
  Smile,
  Ticket,
  Users,
  Webhook,
} from "lucide-react";
import type { ComponentType } from "react";
import { page } from "../lazy";
import type { SectionId } from "./needs";

interface Section {
  id: SectionId;
  icon: ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
  page: ComponentType<object>;
}

export const sections: Section[] = [
  { id: "users", icon: Users, page: page(() => import("./users"), import.meta.glob("./users/locales/*.json")) },
  { id: "rooms", icon: DoorOpen, page: page(() => import("./rooms"), import.meta.glob("./rooms/locales/*.json")) },
  { id: "roles", icon: KeyRound, page: page(() => import("./roles"), import.meta.glob("./roles/locales/*.json")) },
  {
    id: "settings",
    icon: Settings,
    page: page(() => import("./settings"), import.meta.glob("./settings/locales/*.json")),
  },
  {
    id: "integrations",
    icon: Webhook,
    page: page(() => import("./integrations"), import.meta.glob("./integrations/locales/*.json")),
  },
  { id: "apps", icon: AppWindow, page: page(() => import("./apps"), import.meta.glob("./apps/locales/*.json")) },
  {
    id: "invites",
    icon: Ticket,
    page: page(() => import("./invites"), import.meta.glob("./invites/locales/*.json")),
  },
  {
    id: "emoji",
    icon: Smile,
    page: page(() => import("./emoji"), import.meta.glob("./emoji/locales/*.json")),
  },
  {
    id: "reports",
    icon: Flag,
    page: page(() => import("./reports"), import.meta.glob("./reports/locales/*.json")),
  },
  {
    id: "audit",
    icon: ScrollText,
    page: page(() => import("./audit"), import.meta.glob("./audit/locales/*.json")),
  },
  {
    id: "health",
    icon: Activity,
    page: page(() => import("./health"), import.meta.glob("./health/locales/*.json")),
  },
  {
    id: "data",
    icon: Database,
    page: page(() => import("./data"), import.meta.glob("./data/locales/*.json")),
  },
];
