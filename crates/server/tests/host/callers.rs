//! Every path of the doors, as the document of the API lists it, by callers who may not: without a token, with a bad or an
//! expired one, with the application's key where a person is needed, and by a stranger.

use parlor_testkit::{Answer, HostApp, Rest, Server, binary, rest::answer};
use reqwest::Method;
use serde_json::{Value, json};

const DOORS: [&str; 5] = ["host", "inbox", "support", "rooms", "tickets"];
/// The application has no business there.
const PERSONAL: [&str; 8] = [
    "/api/chat/rooms",
    "/api/chat/messages",
    "/api/chat/search?",
    "/api/chat/push",
    "/api/chat/upload",
    "/api/chat/media",
    "/api/conversations",
    "/api/tickets/{ticketId}/chat",
];

struct Entry {
    verb: Method,
    path: String,
    needs_token: bool,
}

/// What the program itself says that it serves.
fn entries() -> Vec<Entry> {
    let told = std::process::Command::new(binary::parlor()).arg("openapi").output().expect("it runs");
    let document: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let mut all = Vec::new();
    for (path, verbs) in document["paths"].as_object().expect("paths") {
        for (verb, entry) in verbs.as_object().expect("verbs") {
            let is_door = |tag: &Value| tag.as_str().is_some_and(|tag| DOORS.contains(&tag));
            if !entry["tags"].as_array().is_some_and(|tags| tags.iter().any(is_door)) {
                continue;
            }
            all.push(Entry {
                verb: verb.to_uppercase().parse().expect("a verb"),
                path: path.clone(),
                needs_token: entry["security"] != json!([]),
            });
        }
    }
    assert!(all.len() > 60, "{}", all.len());
    all
}

async fn ask(rest: &Rest, verb: &Method, path: &str, body: &Value) -> Answer {
    let request = rest.request(verb.clone(), path);
    let request = if *verb == Method::GET { request } else { request.json(body) };
    answer(request).await
}

fn bearer(server: &Server, token: &str) -> Rest {
    server.rest().header("authorization", &format!("Bearer {token}"))
}

/// S2-55, S3-69, S4-3, S4-52, S0-63: no path is open without a good token, and each refusal has its code.
#[tokio::test]
async fn s0_63_s2_55_s3_69_s4_3_s4_52_every_path_wants_a_good_token() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let expired = bearer(&server, &HostApp::token("u-ann", -5, json!({})));
    let (nobody, wrong) = (server.rest(), bearer(&server, "of-nothing"));
    let entries = entries();
    for Entry { verb, path, needs_token } in &entries {
        // A page can't read a refused upgrade: it is told over the socket.
        if !needs_token || path == "/api/websocket/connect" {
            continue;
        }
        let filled = path.replace(['{', '}'], "");
        for (rest, code) in
            [(&nobody, "unauthorized"), (&wrong, "invalid_token"), (&expired, "token_expired")]
        {
            let told = ask(rest, verb, &filled, &json!({})).await;
            let code = if path == "/api/chat/webhook" { told.body["error"].clone() } else { json!(code) };
            let right = told.status == 401 && told.body["error"] == code && told.body["message"].is_string();
            assert!(right, "{verb} {path} {code}: {} {}", told.status, told.text());
        }
        if PERSONAL.iter().any(|start| format!("{path}?").starts_with(start)) {
            let told = ask(&app, verb, &filled, &json!({})).await;
            assert_eq!(
                (told.status, &told.body["error"]),
                (403, &json!("user_required")),
                "{verb} {path}: {}",
                told.text()
            );
        }
    }
}

/// Everything that a stranger may know the id of without knowing that it is there.
struct Hidden {
    room: String,
    message: String,
    case: String,
    ticket_message: String,
    file: String,
}

async fn hidden(server: &Server) -> Hidden {
    let ann = HostApp::person(server, "u-ann", &["BUS_DRIVER"]).await.rest;
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let made = json!({"room_type": "group", "name": "few"});
    let room = text(&ann.post("/api/chat/rooms", made).await.expect(201)["id"]);
    let said = json!({"room_id": room, "content": "the secret"});
    let message = text(&ann.post("/api/chat/messages", said).await.expect(201)["id"]);
    let file = ("n.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    let file = text(&ann.upload("/api/chat/upload", "file", file, &[]).await.expect(201)["id"]);
    let said = json!({"room_id": room, "message_type": "file", "media_id": file});
    ann.post("/api/chat/messages", said).await.expect(201);
    let open = json!({"title": "t", "content": "the secret"});
    let case = text(&ann.post("/api/conversations/create", open).await.expect(201)["conversation"]["id"]);
    HostApp::rest(server).put("/api/tickets/T-1", json!({"created_by": "u-ann"})).await.expect(201);
    let said = ann.post("/api/tickets/T-1/chat", json!({"message": "the secret"})).await.expect(201);
    Hidden { room, message, case, ticket_message: text(&said["message"]["id"]), file }
}

impl Hidden {
    /// The path with these ids, and with ids of nothing; `None` where it names nothing that is hidden.
    fn filled(&self, path: &str) -> Option<(String, String)> {
        let id = match path {
            _ if path.starts_with("/api/conversations") => &self.case,
            _ => &self.file,
        };
        let fill = |room: &str, message: &str, id: &str, ticket: &str, said: &str| {
            let path = path.replace("groups/{username}/members", &format!("groups/{room}/members"));
            path.replace("{room_id}", room)
                .replace("{message_id}", message)
                .replace("{id}", id)
                .replace("{ticketId}", ticket)
                .replace("{messageId}", said)
                .replace("{user_id}", "u-ann")
                .replace("{emoji}", ":tada:")
                .replace("{name}", "n.txt")
        };
        let known = fill(&self.room, &self.message, id, "T-1", &self.ticket_message);
        let unknown = fill("none", "none", "none", "T-none", "none");
        (known != unknown && !known.contains('{') && !path.starts_with("/api/users"))
            .then_some((known, unknown))
    }
}

/// S2-57, S3-70, S4-46, S4-55, S0-40: what a stranger asks for is answered byte for byte as if it were not there, on every path
/// and in every field that names it.
#[tokio::test]
async fn s0_40_s2_57_s3_70_s4_46_s4_55_what_is_hidden_looks_like_nothing_on_every_path() {
    let server = HostApp::setup().start().await;
    let all = hidden(&server).await;
    let eve = HostApp::person(&server, "u-eve", &["USER"]).await.rest;
    let own = json!({"room_type": "group", "name": "her own"});
    let own = eve.post("/api/chat/rooms", own).await.expect(201)["id"].clone();
    let (mut asked, body) =
        (0, json!({"content": "x", "message": "x", "members": ["eve"], "user_id": "u-ann"}));
    for Entry { verb, path, needs_token } in entries() {
        let Some((known, unknown)) = all.filled(&path).filter(|_| needs_token) else { continue };
        let there = ask(&eve, &verb, &known, &body).await;
        let nowhere = ask(&eve, &verb, &unknown, &body).await;
        let told = (there.status, there.text());
        assert_eq!(told, (nowhere.status, nowhere.text()), "{verb} {path}");
        // Who may tell of tickets does not depend on the ticket.
        let facts = path == "/api/tickets/{ticketId}" && verb != Method::GET;
        assert_eq!(told.0, if facts { 403 } else { 404 }, "{verb} {path}: {}", told.1);
        asked += 1;
    }
    assert!(asked > 35, "{asked}");

    let (room, message, file) = (&all.room, &all.message, &all.file);
    let post = |path: &'static str, body: Value| (Method::POST, path.to_owned(), body);
    let get = |path: String| (Method::GET, path, Value::Null);
    for (verb, path, body) in [
        post("/api/chat/messages", json!({"room_id": room, "content": "x"})),
        post("/api/chat/messages", json!({"room_id": own, "content": "x", "reply_to_id": message})),
        post("/api/chat/messages", json!({"room_id": own, "forwarded_from_id": message})),
        post("/api/chat/messages", json!({"room_id": own, "message_type": "file", "media_id": file})),
        post("/api/chat/send", json!({"room_id": room, "message": "x"})),
        post("/api/chat/send", json!({"group": room, "message": "x"})),
        post("/api/chat/send", json!({"room_id": own, "message": "x", "attachments": [{"id": file}]})),
        post("/api/chat/mark-read", json!({"room_id": room})),
        post("/api/chat/mark-read", json!({"message_id": message})),
        post("/api/chat/react", json!({"message_id": message, "emoji": ":tada:"})),
        post("/api/chat/pin", json!({"message_id": message})),
        get(format!("/api/chat/search?q=secret&room_id={room}")),
        get(format!("/api/chat/search/eve?q=secret&room_id={room}")),
        get(format!("/api/chat/inbox/eve?room_id={room}")),
        get(format!("/api/chat/pinned/eve?room_id={room}")),
        get(format!("/api/chat/thread/eve?message_id={message}")),
    ] {
        let none = |text: &str| text.replace(room, "none").replace(message, "none").replace(file, "none");
        let nothing: Value = serde_json::from_str(&none(&body.to_string())).expect("JSON");
        let there = ask(&eve, &verb, &path, &body).await;
        let nowhere = ask(&eve, &verb, &none(&path), &nothing).await;
        let told = (there.status, there.text());
        assert_eq!(told, (nowhere.status, nowhere.text()), "{verb} {path} {body}");
        assert_eq!(told.0, 404, "{verb} {path} {body}: {}", told.1);
    }
}
