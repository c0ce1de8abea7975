//! What the paths of this door take and give.

use parlor_host::described::{BEFORE, Entry, LIMIT, PAGE, may, need, paths};
use serde_json::{Map, Value};

const ROOM: &str = "/api/chat/rooms/{room_id}";
const MEMBER: &str = "/api/chat/rooms/{room_id}/members/{user_id}";
const MESSAGE: &str = "/api/chat/messages/{message_id}";
const PUSH: &str = "/api/chat/push";

/// All of them.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry::new("get", "/api/chat/rooms", "The caller's rooms, latest activity first").query(&[
        PAGE[0],
        PAGE[1],
        PAGE[2],
        may("page", "integer", "from 1, instead of cursors"),
        may("page_size", "integer", "1 to 100"),
    ]),
    Entry::new("post", "/api/chat/rooms", "Makes a direct room or a group")
        .body(&[
            need("room_type", "string", "direct or group"),
            may("name", "string", "of a group: needed, 1 to 120 characters"),
            may("description", "string", "up to 1000 characters"),
            may("avatar_url", "string", "http or https"),
            may("member_ids", "array", "user ids; exactly one other for a direct room"),
        ])
        .gives(&[200, 201]),
    Entry::new("get", ROOM, "A room with its members"),
    Entry::new("patch", ROOM, "Changes a group (its admins)")
        .body(&[
            may("name", "string", ""),
            may("description", "string", "null takes it away"),
            may("avatar_url", "string", "null takes it away"),
        ])
        .refuses(&[409]),
    Entry::new("post", MEMBER, "Adds a member to a group (its admins)")
        .body(&[may("is_admin", "boolean", "as an admin of the group")])
        .gives(&[200, 201])
        .refuses(&[409]),
    Entry::new("delete", MEMBER, "Removes a member (its admins; others themselves)").refuses(&[409]),
    Entry::new(
        "post",
        "/api/chat/rooms/{room_id}/members/{user_id}/mute",
        "Mutes a member of a group (its admins)",
    )
    .body(&[need("muted", "boolean", "")]),
    Entry::new("get", "/api/chat/rooms/{room_id}/messages", "A page of messages, oldest first").query(&[
        PAGE[0],
        PAGE[1],
        PAGE[2],
        may("page", "integer", "from 1, the newest first"),
        may("page_size", "integer", "1 to 100"),
    ]),
    Entry::new("post", "/api/chat/rooms/{room_id}/read", "Marks messages as read").body(&[may(
        "message_ids",
        "array",
        "up to the newest of these; all unless given",
    )]),
    Entry::new("get", "/api/chat/rooms/{room_id}/presence", "Who of the members is there"),
    Entry::new(
        "get",
        "/api/chat/rooms/{room_id}/pinned",
        "The room's pinned messages, the latest pinned first",
    )
    .query(&[LIMIT, BEFORE]),
    Entry::new("get", "/api/chat/rooms/{room_id}/export", "All messages as JSON lines (room admins)")
        .query(&[may("format", "string", "json")]),
    Entry::new("post", "/api/chat/messages", "Sends a message")
        .body(&[
            need("room_id", "string", ""),
            may("message_type", "string", "text, image, video, audio or file"),
            may("content", "string", "needed for text"),
            may("reply_to_id", "string", "a message of the same room"),
            may("thread_id", "string", "the message whose thread this goes to"),
            may("forwarded_from_id", "string", "a message that the caller may read"),
            may("media_url", "string", "of an upload; needed for the other types, or media_id"),
            may("media_id", "string", "of an upload"),
            may("media_filename", "string", "another name for the file"),
            may("media_size", "integer", "not looked at"),
            may("media_mime_type", "string", "not looked at"),
            may("metadata", "object", "returned as given"),
            may("client_id", "string", "a retry with the same is the same message"),
        ])
        .gives(&[200, 201])
        .refuses(&[409, 413, 415, 429]),
    Entry::new("get", MESSAGE, "A message"),
    Entry::new("patch", MESSAGE, "Edits one's own message")
        .body(&[need("content", "string", "")])
        .refuses(&[409]),
    Entry::new("delete", MESSAGE, "Removes one's own message (room admins: anybody's)"),
    Entry::new("get", "/api/chat/messages/{message_id}/receipts", "Who has read a message")
        .query(&[LIMIT, BEFORE]),
    Entry::new(
        "get",
        "/api/chat/messages/{message_id}/thread",
        "The replies in a message's thread, oldest first",
    )
    .query(&[LIMIT, BEFORE]),
    Entry::new("post", "/api/chat/messages/{message_id}/reactions", "Reacts to a message").body(&[need(
        "emoji",
        "string",
        "such as :tada:",
    )]),
    Entry::new("delete", "/api/chat/messages/{message_id}/reactions/{emoji}", "Takes a reaction back"),
    Entry::new("post", "/api/chat/messages/{message_id}/pin", "Pins a message (who may pin in the room)"),
    Entry::new("delete", "/api/chat/messages/{message_id}/pin", "Unpins a message"),
    Entry::new("get", "/api/chat/search", "Searches messages").query(&[
        need("q", "string", "1 to 200 characters"),
        may("room_id", "string", "in this room only"),
        LIMIT,
        BEFORE,
    ]),
    Entry::new("get", PUSH, "The key that a browser subscribes to for pushes"),
    Entry::new(
        "post",
        PUSH,
        "Keeps a browser's subscription: what is written in the user's rooms is pushed to it",
    )
    .body(&[
        need("endpoint", "string", "the address of its push service"),
        need("keys", "object", "`p256dh` and `auth`, as `PushSubscription.toJSON()` gives them"),
    ])
    .gives(&[201]),
    Entry::new("delete", PUSH, "Forgets a browser's subscription").body(&[need("endpoint", "string", "")]),
];

/// The paths of this door, as the `paths` of an OpenAPI document.
pub fn openapi() -> Map<String, Value> {
    paths("rooms", &[401, 403, 404, 422], ENTRIES)
}
