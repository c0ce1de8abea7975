import { get } from "@/api/rest";
import type { Id, Wire } from "@/api/types";
import { useLoad } from "../kit/load";

/** A user as administrators see one. */
export interface Account {
  _id: Id;
  username: string;
  name?: string;
  emails?: { address: string; verified: boolean }[];
  roles?: string[];
  active?: boolean;
  type?: "user" | "bot" | "app";
  avatarETag?: string;
  createdAt?: Wire;
  lastLogin?: Wire;
  requirePasswordChange?: boolean;
  bio?: string;
  nickname?: string;
  statusText?: string;
}

export interface Role {
  _id: Id;
  name: string;
  description?: string;
  scope: "Users" | "Subscriptions";
  protected?: boolean;
  mandatory2fa?: boolean;
}

export function useRoles(): Role[] {
  const { value } = useLoad("roles", async () => (await get<{ roles: Role[] }>("roles.list")).roles);
  return value ?? [];
}

/** A user's roles by their names; the one that everybody has goes without saying. */
export const roleNames = (account: Account, roles: Role[]): string =>
  (account.roles ?? [])
    .filter((id) => id !== "user")
    .map((id) => roles.find(({ _id }) => _id === id)?.name ?? id)
    .join(", ");
