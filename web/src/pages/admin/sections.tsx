// The administration's pages, in the order of their list. Each is fetched when it is opened, with its own texts.

import { DoorOpen, KeyRound, Settings, Users } from "lucide-react";
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
];
