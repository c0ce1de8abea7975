/** The address of a room, and what is shown beside it: `/channel/general`, `/channel/general/thread/ID`. */
export const ROOM = /^\/(?<kind>channel|group|direct)\/(?<name>[^/]+)(?:\/(?<rest>.*))?$/;
