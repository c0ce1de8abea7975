// What `Pick` asks the server for.

import { get } from "@/api/rest";
import type { Id } from "@/api/types";
import type { Choice } from "./pick";

export async function findUsers(term: string): Promise<Choice[]> {
  const selector = JSON.stringify({ term });
  const { items } = await get<{ items: { _id: Id; username: string; name?: string }[] }>("users.autocomplete", {
    selector,
  });
  return items.map(({ _id, username, name }) => ({ id: _id, name: name || username, more: `@${username}` }));
}

interface Found {
  _id: Id;
  name?: string;
  fname?: string;
}

/** Channels and groups, also those that one is not in. */
export async function findRooms(name: string): Promise<Choice[]> {
  const selector = JSON.stringify({ name });
  const { items } = await get<{ items: Found[] }>("rooms.autocomplete.adminRooms", { selector });
  return items.map((room) => ({ id: room._id, name: room.fname || room.name || room._id }));
}

/** Channels and groups that one is in. */
export async function findOwnRooms(name: string): Promise<Choice[]> {
  const selector = JSON.stringify({ name });
  const { items } = await get<{ items: Found[] }>("rooms.autocomplete.channelAndPrivate", { selector });
  return items.map((room) => ({ id: room._id, name: room.fname || room.name || room._id }));
}
