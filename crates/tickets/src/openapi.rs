//! What the paths of this door take and give.

use parlor_host::described::{Entry, PAGE, may, need, paths};
use serde_json::{Map, Value};

const TICKET: &str = "/api/tickets/{ticketId}";
const CHAT: &str = "/api/tickets/{ticketId}/chat";
const MESSAGE: &str = "/api/tickets/{ticketId}/chat/{messageId}";

/// All of them.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry::new("get", "/api/tickets", "Tickets that the caller may enter, latest activity first").query(&[
        PAGE[0],
        PAGE[1],
        PAGE[2],
        may("page", "integer", "from 1, instead of cursors"),
        may("page_size", "integer", "1 to 100"),
    ]),
    Entry::new("get", TICKET, "A ticket's facts"),
    Entry::new(
        "put",
        TICKET,
        "Tells of a ticket (the application, ADMIN); only keys that are present change",
    )
    .body(&[
        may("title", "string", "up to 200 characters"),
        may("created_by", "string", "a user id; needed for a new one, never changed"),
        may("assignees", "array", "user ids"),
        may("vendor_id", "string", "whose VENDOR users may enter"),
        may("verified_by", "array", "ids of users of whom OPS may enter"),
        may("category", "string", "ACCOUNTS may enter those of some"),
        may("status", "string", "OPEN unless given; changes nothing here"),
    ])
    .gives(&[200, 201]),
    Entry::new("delete", TICKET, "Removes a ticket with its chat (the application, ADMIN)"),
    Entry::new("get", CHAT, "A page of messages, oldest first").query(&[
        PAGE[0],
        PAGE[1],
        PAGE[2],
        may("page", "integer", "from 1, the newest first"),
        may("page_size", "integer", "1 to 100"),
    ]),
    Entry::new("post", CHAT, "Sends a message")
        .body(&[
            may("message", "string", "the text; needed for TEXT"),
            may("messageType", "string", "TEXT, FILE or IMAGE; SYSTEM by the application"),
            may("attachments", "array", "up to ten uploads by id or url"),
            may("clientId", "string", "a retry with the same is the same message"),
            may("replyToId", "string", "a message of the same ticket"),
        ])
        .gives(&[200, 201])
        .refuses(&[409, 413, 415, 429]),
    Entry::new("get", "/api/tickets/{ticketId}/chat/participants", "Who takes part, by which relation"),
    Entry::new("post", "/api/tickets/{ticketId}/chat/read", "Marks messages as read").body(&[may(
        "messageIds",
        "array",
        "up to the newest of these; all unless given",
    )]),
    Entry::new("post", "/api/tickets/{ticketId}/chat/upload", "Uploads a file for a later message")
        .form(&[need("file", "file", "")])
        .gives(&[201])
        .refuses(&[413, 415]),
    Entry::new("patch", MESSAGE, "Edits one's own message")
        .body(&[need("message", "string", "")])
        .refuses(&[409]),
    Entry::new("delete", MESSAGE, "Removes one's own message (ADMIN: anybody's)"),
];

/// The paths of this door, as the `paths` of an OpenAPI document.
pub fn openapi() -> Map<String, Value> {
    paths("tickets", &[400, 401, 403, 404], ENTRIES)
}
