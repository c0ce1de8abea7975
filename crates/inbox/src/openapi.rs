//! What the paths of this door take and give.

use parlor_host::described::{AFTER, BEFORE, Entry, LIMIT, PAGE, may, need, paths};
use serde_json::{Map, Value};

/// All of them.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry::new("post", "/api/chat/send", "Sends to a team, a person, a group or a room")
        .body(&[
            may("from_name", "string", "the sender's user name; needed with the application's key"),
            may("username", "string", "as from_name"),
            may("message", "string", "the text; needed unless there are files"),
            may("team", "string", "a public channel by name, or support"),
            may("to", "string", "a person's user name; with team support: whose case it is"),
            may("group", "string", "a group by name or id"),
            may("room_id", "string", "any room that the sender may write to"),
            may("email", "string", "of a sender who is new"),
            may("name", "string", "of a sender who is new"),
            may("client_id", "string", "a retry with the same is the same message"),
            may("metadata", "object", "returned as given"),
            may("reply_to_id", "string", "a message of the same room"),
            may("thread_id", "string", "the message whose thread this goes to"),
            may("attachments", "array", "up to ten uploads by id or url"),
        ])
        .gives(&[200, 201])
        .refuses(&[409, 413, 415, 429]),
    Entry::new(
        "get",
        "/api/chat/inbox/{username}",
        "The user's rooms by last activity with their newest messages",
    )
    .query(&[
        LIMIT,
        BEFORE,
        AFTER,
        may("rooms_limit", "integer", "rooms on a page, 1 to 100"),
        may("room_id", "string", "one room only; the cursors page its messages"),
        may("flat", "boolean", "all messages in one list"),
    ]),
    Entry::new("get", "/api/chat/stream", "Server-sent events of everything in the user's rooms")
        .query(&[
            may("user", "string", "whose; needed with the application's key"),
            may("access_token", "string", "a token, where no header can be set"),
            may("last_event_id", "string", "as the header Last-Event-ID"),
            may(
                "presence",
                "string",
                "user names between commas, of whom to tell; of those in small rooms of the user unless given",
            ),
        ])
        .refuses(&[406]),
    Entry::new("post", "/api/chat/mark-read", "Marks a room as read, up to messages or to its end").body(&[
        may("username", "string", "for whom"),
        may("room_id", "string", "needed unless a message is named"),
        may("message_id", "string", "up to this one"),
        may("id", "string", "as message_id"),
        may("message_ids", "array", "up to the newest of these"),
    ]),
    Entry::new("post", "/api/chat/mark-all-read", "Marks all of the user's rooms as read")
        .body(&[may("username", "string", "for whom")]),
    Entry::new("get", "/api/chat/unread-count/{username}", "How many messages are unread, by room"),
    Entry::new("post", "/api/chat/groups", "Makes a private group")
        .body(&[
            need("name", "string", "1 to 120 characters"),
            may("created_by", "string", "needed with the application's key"),
            may("members", "array", "user names"),
        ])
        .gives(&[201])
        .refuses(&[409]),
    Entry::new("get", "/api/chat/groups/{username}", "The user's groups").query(&PAGE),
    Entry::new(
        "post",
        "/api/chat/groups/{username}/members",
        "Adds members to a group, which stands in the path by name or id",
    )
    .body(&[
        may("username", "string", "who adds them: an admin of the group"),
        need("members", "array", "user names"),
    ]),
    Entry::new("post", "/api/chat/teams", "Finds or makes a team's channel and adds members")
        .body(&[need("team", "string", "its name"), may("members", "array", "user names")])
        .gives(&[200, 201])
        .refuses(&[409]),
    Entry::new("post", "/api/chat/react", "Reacts to a message, or takes a reaction back").body(&[
        may("username", "string", "for whom"),
        need("message_id", "string", "of a room that the user may read"),
        need("emoji", "string", "such as :tada:"),
        may("remove", "boolean", "takes it back"),
    ]),
    Entry::new("post", "/api/chat/pin", "Pins a message, or takes the pin off (who may pin in the room)")
        .body(&[
            may("username", "string", "for whom"),
            need("message_id", "string", "of a room that the user may read"),
            may("pinned", "boolean", "false takes it off"),
        ]),
    Entry::new("get", "/api/chat/pinned/{username}", "A room's pinned messages, the latest first").query(&[
        need("room_id", "string", "a room that the user may read"),
        LIMIT,
        BEFORE,
    ]),
    Entry::new("get", "/api/chat/thread/{username}", "The replies in a message's thread, oldest first")
        .query(&[need("message_id", "string", "the message that the thread hangs on"), LIMIT, BEFORE]),
    Entry::new("get", "/api/chat/search/{username}", "Searches in what the user may read").query(&[
        need("q", "string", "1 to 200 characters"),
        may("room_id", "string", "in this room only"),
        LIMIT,
        BEFORE,
    ]),
    Entry::new("get", "/api/users", "All users by user name").query(&[
        LIMIT,
        AFTER,
        may("q", "string", "the user name or name begins with this"),
    ]),
    Entry::new("post", "/api/chat/webhook", "Takes a Rocket.Chat outgoing webhook as a message to a team")
        .body(&[
            may("user", "object", "its name is the sender's"),
            may("user_name", "string", "as user.name"),
            may("attachments", "array", "the text of the first is the message"),
            may("text", "string", "as the first attachment's"),
            may("channel_name", "string", "the team, general unless given"),
            may("message_id", "string", "serves as client_id"),
            may("token", "string", "the application's key, where no header can be set"),
        ]),
];

/// The paths of this door, as the `paths` of an OpenAPI document.
pub fn openapi() -> Map<String, Value> {
    paths("inbox", &[400, 401, 403, 404], ENTRIES)
}
