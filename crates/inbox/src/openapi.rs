//! What the paths of this door take and give, as an OpenAPI document: one table, which a test compares with the router.

use serde_json::{Map, Value, json};

/// Where a parameter stands.
type Parameter = (&'static str, &'static str, &'static str);

/// A path: its verb, what it is for, its parameters, its body's fields, and the statuses of success.
pub(crate) struct Entry {
    pub(crate) verb: &'static str,
    pub(crate) path: &'static str,
    summary: &'static str,
    query: &'static [Parameter],
    body: &'static [(&'static str, &'static str)],
    success: &'static [u16],
}

const NAME: &str = "user name";
const PAGE: [Parameter; 3] = [
    ("limit", "integer", "1 to 100, 50 unless given"),
    ("before", "string", "cursor: older ones"),
    ("after", "string", "cursor: newer ones"),
];

/// All of them.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        verb: "post",
        path: "/api/chat/send",
        summary: "Sends to a team, a person, a group or a room",
        query: &[],
        body: &[
            ("from_name", "string"),
            ("username", "string"),
            ("message", "string"),
            ("team", "string"),
            ("to", "string"),
            ("group", "string"),
            ("room_id", "string"),
            ("email", "string"),
            ("name", "string"),
            ("client_id", "string"),
            ("metadata", "object"),
            ("reply_to_id", "string"),
            ("attachments", "array"),
        ],
        success: &[200, 201],
    },
    Entry {
        verb: "get",
        path: "/api/chat/inbox/{username}",
        summary: "The user's rooms by last activity, each with its newest messages",
        query: &[
            PAGE[0],
            PAGE[1],
            PAGE[2],
            ("rooms_limit", "integer", "rooms on a page, 1 to 100"),
            ("room_id", "string", "one room only; the cursors page its messages"),
            ("flat", "boolean", "all messages in one list"),
        ],
        body: &[],
        success: &[200],
    },
    Entry {
        verb: "get",
        path: "/api/chat/stream",
        summary: "Server-sent events of everything in the user's rooms",
        query: &[
            ("user", "string", NAME),
            ("access_token", "string", "a token, where no header can be set"),
            ("last_event_id", "string", "as the header Last-Event-ID"),
        ],
        body: &[],
        success: &[200],
    },
    Entry {
        verb: "post",
        path: "/api/chat/mark-read",
        summary: "Marks a room as read, up to messages or to its end",
        query: &[],
        body: &[
            ("username", "string"),
            ("room_id", "string"),
            ("message_id", "string"),
            ("id", "string"),
            ("message_ids", "array"),
        ],
        success: &[200],
    },
    Entry {
        verb: "post",
        path: "/api/chat/mark-all-read",
        summary: "Marks all of the user's rooms as read",
        query: &[],
        body: &[("username", "string")],
        success: &[200],
    },
    Entry {
        verb: "get",
        path: "/api/chat/unread-count/{username}",
        summary: "How many messages are unread, by room",
        query: &[],
        body: &[],
        success: &[200],
    },
    Entry {
        verb: "post",
        path: "/api/chat/groups",
        summary: "Makes a private group",
        query: &[],
        body: &[("name", "string"), ("created_by", "string"), ("members", "array")],
        success: &[201],
    },
    Entry {
        verb: "get",
        path: "/api/chat/groups/{username}",
        summary: "The user's groups",
        query: &PAGE,
        body: &[],
        success: &[200],
    },
    Entry {
        verb: "post",
        path: "/api/chat/groups/{username}/members",
        summary: "Adds members to a group, which stands in the path by name or id",
        query: &[],
        body: &[("username", "string"), ("members", "array")],
        success: &[200],
    },
    Entry {
        verb: "post",
        path: "/api/chat/teams",
        summary: "Finds or makes a team's channel and adds members",
        query: &[],
        body: &[("team", "string"), ("members", "array")],
        success: &[200, 201],
    },
    Entry {
        verb: "get",
        path: "/api/users",
        summary: "All users by user name",
        query: &[PAGE[0], PAGE[2], ("q", "string", "the user name or name begins with this")],
        body: &[],
        success: &[200],
    },
    Entry {
        verb: "post",
        path: "/api/chat/webhook",
        summary: "Takes a Rocket.Chat outgoing webhook as a message to a team",
        query: &[],
        body: &[
            ("user", "object"),
            ("user_name", "string"),
            ("attachments", "array"),
            ("text", "string"),
            ("channel_name", "string"),
            ("message_id", "string"),
            ("token", "string"),
        ],
        success: &[200],
    },
];

/// The paths of this door, as the `paths` of an OpenAPI document.
pub fn openapi() -> Map<String, Value> {
    let mut paths = Map::new();
    for entry in ENTRIES {
        let path = paths.entry(entry.path).or_insert_with(|| json!({}));
        if let Some(verbs) = path.as_object_mut() {
            verbs.insert(entry.verb.to_owned(), operation(entry));
        }
    }
    paths
}

fn operation(entry: &Entry) -> Value {
    let in_path = entry.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str, place: &str, kind: &str, what: &str| {
        json!({ "name": name, "in": place, "required": place == "path", "description": what,
            "schema": { "type": kind } })
    };
    let mut parameters: Vec<Value> = in_path.map(|name| parameter(name, "path", "string", NAME)).collect();
    parameters.extend(entry.query.iter().map(|(name, kind, what)| parameter(name, "query", kind, what)));
    let mut responses = Map::new();
    for status in entry.success {
        responses.insert(status.to_string(), json!({ "description": "Done; \"success\" is true" }));
    }
    let refused = json!({ "description": "Refused: error, message and perhaps detail" });
    for status in ["400", "401", "403", "404", "409"] {
        responses.insert(status.to_owned(), refused.clone());
    }
    let mut operation = json!({
        "summary": entry.summary,
        "tags": ["inbox"],
        "parameters": parameters,
        "responses": responses,
        "security": [{ "applicationKey": [] }, { "bearer": [] }],
    });
    if let (false, Some(object)) = (entry.body.is_empty(), operation.as_object_mut()) {
        let fields: Map<String, Value> =
            entry.body.iter().map(|(name, kind)| ((*name).to_owned(), json!({ "type": kind }))).collect();
        let schema = json!({ "type": "object", "properties": fields });
        let content = json!({ "application/json": { "schema": schema } });
        object.insert("requestBody".into(), json!({ "required": true, "content": content }));
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_door_is_described_and_nothing_else() {
        let source = include_str!("lib.rs");
        let routes = source.matches(".route(\"").count();
        assert_eq!(routes, ENTRIES.len());
        for entry in ENTRIES {
            assert!(
                source.contains(&format!(".route(\"{}\", {}(", entry.path, entry.verb)),
                "{}",
                entry.path
            );
        }
        assert_eq!(openapi().len(), ENTRIES.len());
    }
}
