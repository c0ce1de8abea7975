import type { Room } from "@/api/types";

/** How a room is called where nobody's own list names it. */
export const nameOf = (room: Room): string => room.fname || room.name || (room.usernames ?? []).join(", ") || room._id;
