//! The contract's requests and events as data: the reference page is printed from it, and tests walk it.

use std::fmt::Write as _;

/// A request of the socket.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// `type`.
    pub name: &'static str,
    /// Its fields; `?` after a name that may be left out.
    pub fields: &'static [&'static str],
    /// Who may.
    pub who: &'static str,
    /// Keys of the answer.
    pub answer: &'static [&'static str],
}

/// An event of the socket.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// `type`.
    pub name: &'static str,
    /// Its keys.
    pub keys: &'static [&'static str],
    /// Who hears it.
    pub to: &'static str,
}

const fn request(
    name: &'static str,
    fields: &'static [&'static str],
    who: &'static str,
    answer: &'static [&'static str],
) -> Request {
    Request { name, fields, who, answer }
}

const fn event(name: &'static str, keys: &'static [&'static str], to: &'static str) -> Event {
    Event { name, keys, to }
}

const CASE: &str = "participants; the control centre";
const DESK: &str = "the control centre";
const JOINED: &str = "connections that joined the conversation";

/// What may be asked.
pub const REQUESTS: &[Request] = &[
    request(
        "create_support_conversation",
        &["title", "content", "priority?", "client_id?", "attachments?"],
        "field staff",
        &["conversation", "message"],
    ),
    request(
        "send_chat_message",
        &["conversation_id", "content", "client_id?", "reply_to_id?", "thread_id?", "attachments?"],
        CASE,
        &["message"],
    ),
    request(
        "get_active_conversations",
        &["status?", "limit?", "before?", "skip?"],
        "everybody",
        &["conversations", "pagination"],
    ),
    request(
        "get_conversation_messages",
        &["conversation_id", "limit?", "before?", "after?", "skip?"],
        CASE,
        &["conversation_id", "messages", "pagination"],
    ),
    request(
        "join_conversation",
        &["conversation_id", "after?", "limit?"],
        CASE,
        &["conversation_id", "conversation", "messages", "pagination"],
    ),
    request("leave_conversation", &["conversation_id"], "everybody", &["conversation_id"]),
    request(
        "join_support_room",
        &["room_type", "limit?", "before?"],
        DESK,
        &["room_type", "conversations", "pagination"],
    ),
    request("leave_support_room", &["room_type"], DESK, &["room_type"]),
    request(
        "typing_indicator",
        &["conversation_id", "is_typing"],
        "whoever joined",
        &["conversation_id", "is_typing"],
    ),
    request(
        "mark_message_read",
        &["message_id?", "message_ids?", "conversation_id?"],
        CASE,
        &["conversation_id", "message_ids", "read_at", "unread_count"],
    ),
    request("claim_conversation", &["conversation_id"], DESK, &["conversation"]),
    request(
        "close_conversation",
        &["conversation_id", "reason?"],
        "the requester; the control centre",
        &["conversation"],
    ),
    request(
        "reopen_conversation",
        &["conversation_id", "reason?"],
        "the requester; the control centre",
        &["conversation"],
    ),
    request("react_to_message", &["message_id", "emoji", "remove?"], CASE, &["conversation_id", "message"]),
    request(
        "pin_message",
        &["message_id", "pinned?"],
        "who may pin in the room",
        &["conversation_id", "message"],
    ),
    request("get_thread_messages", &["message_id", "limit?", "before?"], CASE, &["messages", "pagination"]),
    request(
        "search_messages",
        &["query", "conversation_id?", "limit?", "before?"],
        "everybody, in what they may read",
        &["messages", "pagination"],
    ),
    request(
        "get_presence",
        &["conversation_id"],
        CASE,
        &["conversation_id", "online_user_ids", "present_user_ids"],
    ),
    request("join_room", &["room_id"], "as join_support_room or join_conversation", &["room_id"]),
    request("ping", &["timestamp?"], "everybody", &["timestamp", "server_time"]),
];

/// What may be heard.
pub const EVENTS: &[Event] = &[
    event("connected", &["user_id", "user_name", "roles", "class", "message"], "the connection, first"),
    event("new_message", &["conversation_id", "message"], JOINED),
    event("message_edited", &["conversation_id", "message"], JOINED),
    event("message_deleted", &["conversation_id", "message"], JOINED),
    event("message_reaction", &["conversation_id", "message_id", "reactions"], JOINED),
    event("message_updated", &["conversation_id", "message"], JOINED),
    event(
        "typing_status",
        &["conversation_id", "user_id", "user_name", "is_typing"],
        "connections that joined, not the typist's",
    ),
    event(
        "presence_status",
        &["conversation_id", "user_id", "user_name", "is_present"],
        "connections that joined, when somebody else's first one joins or the last one leaves",
    ),
    event(
        "message_read",
        &["conversation_id", "user_id", "message_ids", "read_at"],
        "connections that joined; the reader's own",
    ),
    event(
        "new_support_conversation",
        &["conversation_id", "conversation", "message", "room_types", "user_id", "user_name", "title"],
        "all connections of the control centre",
    ),
    event(
        "support_conversation_updated",
        &["action", "conversation", "message?"],
        "connections that watch a view with the case and have not joined it",
    ),
    event(
        "conversation_updated",
        &["action", "conversation"],
        "all connections of its participants, but not the one that opens the case",
    ),
    event("error", &["error", "message"], "the one concerned"),
];

/// The reference page, in Markdown; kept as `docs/support-events.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Support: requests and events of the socket\n\n\
         Written from the code (`crates/support/src/catalogue.rs`); a test keeps this page and the code the same.\n\n\
         `GET /api/websocket/connect`. A request is `{\"type\":…,\"data\":{…},\"request_id\":…}` or flat; its answer has \
         the type with `_success` or `_error` behind it. Every frame that the server sends has `type` and `timestamp`.\n\n\
         ## Requests\n\n| `type` | fields | who | answer |\n|---|---|---|---|\n",
    );
    let list = |keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        keys.join(", ")
    };
    for Request { name, fields, who, answer } in REQUESTS {
        // Writing to a string can't fail.
        let _ = writeln!(page, "| `{name}` | {} | {who} | {} |", list(fields), list(answer));
    }
    page.push_str("\n## Events\n\n| `type` | keys | to |\n|---|---|---|\n");
    for Event { name, keys, to } in EVENTS {
        let _ = writeln!(page, "| `{name}` | {} | {to} |", list(keys));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_says_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/support-events.md");
        if std::env::var_os("PARLOR_WRITE_DOCS").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == reference(), "run this test with PARLOR_WRITE_DOCS=1 and keep what it writes");
    }

    #[test]
    fn every_request_and_event_of_the_code_is_listed() {
        let requests = include_str!("socket/requests.rs");
        for request in REQUESTS {
            assert!(requests.contains(&format!("\"{}\"", request.name)), "{} is served", request.name);
        }
        let told = [
            include_str!("socket/desk.rs"),
            include_str!("socket/ears.rs"),
            include_str!("socket/session.rs"),
            include_str!("envelope.rs"),
        ];
        for event in EVENTS {
            let name = format!("\"{}\"", event.name);
            assert!(told.iter().any(|source| source.contains(&name)), "{name} is told");
        }
        for source in told {
            for part in source.split("event(\"").chain(source.split("frame(\"")).skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                let known = EVENTS.iter().any(|event| event.name == name) || name == "pong";
                assert!(!is_name || known, "{name} is listed");
            }
        }
    }
}
