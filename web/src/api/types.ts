// The nouns of the Rocket.Chat API as they come over the wire, as far as this app reads them.

export type Id = string;
/** REST writes dates as ISO texts, DDP as `{$date}`; `lib/time.ts` reads both. */
export type Wire = string | { $date: number };

export type Status = "online" | "away" | "busy" | "offline";

export interface UserRef {
  _id: Id;
  username?: string;
  name?: string;
}

export interface Me extends UserRef {
  username: string;
  emails?: { address: string; verified: boolean }[];
  roles: string[];
  status?: Status;
  statusText?: string;
  language?: string;
  avatarETag?: string;
  bio?: string;
  nickname?: string;
  settings?: { preferences?: Preferences };
  requirePasswordChange?: boolean;
  services?: { password?: { exists?: boolean }; totp?: { enabled?: boolean }; email2fa?: { enabled?: boolean } };
}

/** What `users.setPreferences` keeps; unknown keys are kept by the server too. */
export type Preferences = Record<string, unknown>;

export interface Subscription {
  _id: Id;
  rid: Id;
  t: RoomType;
  name: string;
  fname?: string;
  open: boolean;
  alert: boolean;
  unread: number;
  userMentions: number;
  groupMentions: number;
  /** Parlor's own: all unread messages, whatever the workspace chose to show in `unread`. */
  unreadMessages?: number;
  tunread?: Id[];
  tunreadUser?: Id[];
  ls?: Wire;
  lr?: Wire;
  ts?: Wire;
  f?: boolean;
  roles?: string[];
  archived?: boolean;
  disableNotifications?: boolean;
  hideUnreadStatus?: boolean;
  desktopNotifications?: "all" | "mentions" | "nothing" | "default";
  mobilePushNotifications?: "all" | "mentions" | "nothing" | "default";
  emailNotifications?: "all" | "mentions" | "nothing" | "default";
  /** `user`: what stands there is the user's preference, and nothing is chosen for this room. */
  desktopPrefOrigin?: "user" | "subscription";
  mobilePrefOrigin?: "user" | "subscription";
  emailPrefOrigin?: "user" | "subscription";
  muteGroupMentions?: boolean;
  prid?: Id;
  teamId?: Id;
  teamMain?: boolean;
  blocked?: boolean;
  blocker?: boolean;
  ignored?: Id[];
  _updatedAt: Wire;
}

export type RoomType = "c" | "p" | "d" | "l";

export interface Room {
  _id: Id;
  t: RoomType;
  name?: string;
  fname?: string;
  u?: UserRef;
  usersCount?: number;
  msgs?: number;
  ts?: Wire;
  lm?: Wire;
  lastMessage?: Message;
  topic?: string;
  description?: string;
  announcement?: string;
  ro?: boolean;
  archived?: boolean;
  muted?: string[];
  unmuted?: string[];
  uids?: Id[];
  usernames?: string[];
  prid?: Id;
  teamId?: Id;
  teamMain?: boolean;
  avatarETag?: string;
  encrypted?: boolean;
  default?: boolean;
  /** Parlor's own: a group that is a support case, or a ticket's. */
  parlorKind?: "case" | "ticket";
  _updatedAt: Wire;
}

export interface Message {
  _id: Id;
  rid: Id;
  msg: string;
  ts: Wire;
  u: UserRef;
  _updatedAt?: Wire;
  t?: string;
  md?: Block[];
  urls?: LinkCard[];
  mentions?: (UserRef & { type?: "user" | "team" })[];
  channels?: { _id: Id; name: string; fname?: string }[];
  attachments?: Attachment[];
  file?: { _id: Id; name: string; type: string; size?: number };
  reactions?: Record<string, { usernames: string[] }>;
  starred?: { _id: Id }[];
  pinned?: boolean;
  pinnedBy?: UserRef;
  editedAt?: Wire;
  editedBy?: UserRef;
  tmid?: Id;
  tshow?: boolean;
  tcount?: number;
  tlm?: Wire;
  replies?: Id[];
  drid?: Id;
  dcount?: number;
  dlm?: Wire;
  groupable?: boolean;
  alias?: string;
  avatar?: string;
  emoji?: string;
  private?: boolean;
  role?: string;
  /** Of a video call: how far it got. */
  call?: import("@/store/calls").CallState;
  /** With `Message_Read_Receipt_Enabled`: somebody has not read it yet. */
  unread?: boolean;
}

export interface LinkCard {
  url: string;
  meta?: Record<string, string>;
  headers?: { contentType?: string; contentLength?: string };
  ignoreParse?: boolean;
}

export interface Attachment {
  ts?: Wire;
  title?: string;
  title_link?: string;
  title_link_download?: boolean;
  type?: string;
  text?: string;
  description?: string;
  descriptionMd?: Block[];
  md?: Block[];
  author_name?: string;
  /** The name to show where names are shown, when it is another. */
  parlorAuthorName?: string;
  author_icon?: string;
  author_link?: string;
  message_link?: string;
  image_url?: string;
  image_type?: string;
  image_size?: number;
  image_dimensions?: { width: number; height: number };
  image_preview?: string;
  audio_url?: string;
  audio_type?: string;
  video_url?: string;
  video_type?: string;
  thumb_url?: string;
  color?: string;
  fields?: { title: string; value: string; short?: boolean }[];
  format?: string;
  size?: number;
  attachments?: Attachment[];
}

/** The `md` tree: see `markup/tree.tsx` for what each node means. */
export type Block =
  | { type: "PARAGRAPH"; value: Inline[] }
  | { type: "HEADING"; level: number; value: Inline[] }
  | { type: "CODE"; language?: string; value: { type: "CODE_LINE"; value: Plain }[] }
  | { type: "QUOTE"; value: Block[] }
  | { type: "SPOILER_BLOCK"; value: Block[] }
  | { type: "UNORDERED_LIST"; value: { type: "LIST_ITEM"; value: Inline[] }[] }
  | { type: "ORDERED_LIST"; value: { type: "LIST_ITEM"; value: Inline[]; number?: number }[] }
  | { type: "TASKS"; value: { type: "TASK"; status: boolean; value: Inline[] }[] }
  | { type: "BIG_EMOJI"; value: Inline[] }
  | { type: "LINE_BREAK" }
  | { type: "KATEX"; value: string };

export interface Plain {
  type: "PLAIN_TEXT";
  value: string;
}

export type Inline =
  | Plain
  | { type: "BOLD" | "ITALIC" | "STRIKE" | "SPOILER"; value: Inline[] }
  | { type: "INLINE_CODE"; value: Plain }
  | { type: "MENTION_USER" | "MENTION_CHANNEL"; value: Plain }
  | { type: "EMOJI"; value?: Plain; shortCode?: string; unicode?: string }
  | { type: "INLINE_KATEX"; value: string }
  | { type: "LINK"; value: { src: Plain; label: Inline[] | Inline } }
  | { type: "IMAGE"; value: { src: Plain; label: Inline } }
  | { type: "COLOR"; value: { r: number; g: number; b: number; a: number } }
  | { type: "TIMESTAMP"; value: { timestamp: string; format: string }; fallback?: Plain };
