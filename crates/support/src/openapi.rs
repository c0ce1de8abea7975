//! What the paths of this door take and give. The socket's requests and events are listed in [`crate::catalogue`].

use parlor_host::described::{Entry, PAGE, may, need, paths};
use serde_json::{Map, Value};

const ONE: &str = "/api/conversations/{id}";

/// All of them.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry::new(
        "get",
        "/api/conversations",
        "Conversations that the caller takes part in, latest activity first",
    )
    .query(&[
        may("status", "string", "ACTIVE, CLOSED or ALL, which is usual"),
        PAGE[0],
        PAGE[1],
        PAGE[2],
        may("skip", "integer", "instead of cursors: so many are left out"),
    ]),
    Entry::new("post", "/api/conversations/create", "Opens a conversation (field staff, the control centre)")
        .body(&[
            need("title", "string", "1 to 200 characters"),
            may("content", "string", "the first message; needed by field staff"),
            may("participants", "array", "user ids; needed by the control centre"),
            may("priority", "string", "NORMAL, HIGH or EMERGENCY"),
            may("attachments", "array", "up to ten uploads by id or url"),
            may("client_id", "string", "a retry with the same is the same conversation"),
        ])
        .gives(&[200, 201])
        .refuses(&[409, 413, 415, 429]),
    Entry::new("get", ONE, "A conversation"),
    Entry::new("get", "/api/conversations/{id}/messages", "A page of messages, oldest first").query(&[
        PAGE[0],
        PAGE[1],
        PAGE[2],
        may("skip", "integer", "instead of cursors: so many of the newest are left out"),
    ]),
    Entry::new("post", "/api/conversations/{id}/messages", "Sends a message")
        .body(&[
            may("content", "string", "the text; needed unless there are files"),
            may("client_id", "string", "a retry with the same is the same message"),
            may("reply_to_id", "string", "a message of the same conversation"),
            may("thread_id", "string", "the message whose thread this goes to"),
            may("attachments", "array", "up to ten uploads by id or url"),
        ])
        .gives(&[200, 201])
        .refuses(&[409, 413, 415, 429]),
    Entry::new("post", "/api/conversations/{id}/claim", "Takes a conversation over (the control centre)")
        .refuses(&[409]),
    Entry::new("post", "/api/conversations/{id}/close", "Closes it (the requester, the control centre)")
        .body(&[may("reason", "string", "up to 500 characters")]),
    Entry::new(
        "post",
        "/api/conversations/{id}/reopen",
        "Opens it again (the requester, the control centre)",
    )
    .body(&[may("reason", "string", "up to 500 characters")]),
    Entry::new("post", "/api/conversations/{id}/read", "Marks messages as read").body(&[may(
        "message_ids",
        "array",
        "up to the newest of these; all unless given",
    )]),
    Entry::new(
        "post",
        "/api/conversations/{id}/participants",
        "Brings somebody in (its control participants)",
    )
    .body(&[need("user_id", "string", "")]),
    Entry::new("get", "/api/websocket/connect", "The WebSocket; its frames are in docs/support-events.md")
        .query(&[may("token", "string", "a token, where no header can be set")])
        .gives(&[101])
        .refuses(&[426]),
];

/// The paths of this door, as the `paths` of an OpenAPI document.
pub fn openapi() -> Map<String, Value> {
    paths("support", &[400, 401, 403, 404], ENTRIES)
}
