//! The doors for host applications: every field of every request with something else in it.

use parlor_support::REQUESTS;
use parlor_testkit::{Ddp, HostApp, HostPerson, Rest, Server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::attack::{Dialect, ask, judge};
use crate::nasty::{TEXTS, VALUES, one, places, replaced, some};
use crate::sse::Stream;
use crate::watch::Watch;

/// The paths with a good body or query each, `{}` in them where something can stand that is not there.
fn requests(room: &str, case: &str) -> Vec<(Method, String, Value)> {
    let (get, post, put, patch) = (Method::GET, Method::POST, Method::PUT, Method::PATCH);
    let draft = json!({
        "room_id": room, "content": "hello", "message_type": "text", "reply_to_id": "x", "client_id": "c-1",
        "metadata": {"a": 1}, "attachments": [{"id": "x"}], "mentions": ["u-bob"],
    });
    vec![
        (post.clone(), "/api/auth/login".into(), json!({"username": "alice", "password": "x", "email": "x"})),
        (
            put.clone(),
            "/api/users/u-new".into(),
            json!({
                "username": "new", "name": "New", "email": "n@example.org", "roles": ["USER"], "vendor_id": "v", "password": "a good password",
            }),
        ),
        (
            post.clone(),
            "/api/chat/send".into(),
            json!({
                "from_name": "alice", "message": "hello", "team": "general", "to": "bob", "group": "g", "room_id": room,
                "email": "a@example.org", "name": "Alice", "client_id": "c-2", "metadata": {"a": {"b": 1}}, "reply_to_id": "x",
                "attachments": ["x"],
            }),
        ),
        (
            post.clone(),
            "/api/chat/send".into(),
            json!({"from_name": "alice", "message": "hello", "team": "general"}),
        ),
        (
            post.clone(),
            "/api/chat/mark-read".into(),
            json!({"username": "alice", "message_ids": ["x"], "room_id": room}),
        ),
        (post.clone(), "/api/chat/mark-all-read".into(), json!({"username": "alice", "room_id": room})),
        (
            post.clone(),
            "/api/chat/groups".into(),
            json!({"username": "alice", "name": "group", "members": ["bob"]}),
        ),
        (
            post.clone(),
            "/api/chat/groups/alice/members".into(),
            json!({"group": "group", "members": ["bob"]}),
        ),
        (
            post.clone(),
            "/api/chat/react".into(),
            json!({"username": "alice", "message_id": "x", "emoji": ":tada:", "remove": true}),
        ),
        (
            post.clone(),
            "/api/chat/pin".into(),
            json!({"username": "alice", "message_id": "x", "pinned": true}),
        ),
        (post.clone(), "/api/chat/teams".into(), json!({"team": "crew", "members": ["alice"]})),
        (
            post.clone(),
            "/api/chat/webhook".into(),
            json!({
                "user": {"name": "alice"}, "user_name": "alice", "text": "hello", "attachments": [{"text": "hello"}],
                "channel_name": "crew", "message_id": "m-1", "token": "x",
            }),
        ),
        (
            put,
            "/api/tickets/T-9".into(),
            json!({
                "title": "GRN", "created_by": "u-alice", "assignees": ["u-bob"], "vendor_id": "v", "verified_by": ["u-bob"],
                "category": "PAYMENT", "status": "OPEN",
            }),
        ),
        (
            post.clone(),
            "/api/tickets/T-9/chat".into(),
            json!({"message": "hello", "messageType": "TEXT", "attachments": [{"id": "x"}], "clientId": "c"}),
        ),
        (post.clone(), "/api/tickets/T-9/chat/read".into(), json!({"messageIds": ["x"]})),
        (patch.clone(), "/api/tickets/T-9/chat/x".into(), json!({"message": "other"})),
        (
            post.clone(),
            "/api/chat/rooms".into(),
            json!({
                "name": "room", "type": "group", "room_type": "group", "description": "d", "member_ids": ["u-bob"], "members": ["u-bob"], "metadata": {},
            }),
        ),
        (
            patch.clone(),
            format!("/api/chat/rooms/{room}"),
            json!({"name": "other", "description": "d", "metadata": {}}),
        ),
        (post.clone(), format!("/api/chat/rooms/{room}/members/u-bob"), json!({"role": "member"})),
        (
            post.clone(),
            format!("/api/chat/rooms/{room}/members/u-bob/mute"),
            json!({"muted": true, "duration": 5}),
        ),
        (post.clone(), format!("/api/chat/rooms/{room}/read"), json!({"message_id": "x"})),
        (post.clone(), "/api/chat/messages".into(), draft),
        (patch, "/api/chat/messages/x".into(), json!({"content": "other"})),
        (post.clone(), "/api/chat/messages/x/reactions".into(), json!({"emoji": ":smile:"})),
        (
            post.clone(),
            "/api/conversations/create".into(),
            json!({
                "title": "t", "content": "c", "priority": "HIGH", "client_id": "c", "attachments": [{"id": "x"}],
            }),
        ),
        (
            post.clone(),
            format!("/api/conversations/{case}/messages"),
            json!({"content": "c", "client_id": "d", "reply_to_id": "x", "attachments": []}),
        ),
        (post.clone(), format!("/api/conversations/{case}/claim"), json!({"a": 1})),
        (post.clone(), format!("/api/conversations/{case}/close"), json!({"reason": "r"})),
        (post.clone(), format!("/api/conversations/{case}/reopen"), json!({"reason": "r"})),
        (post.clone(), format!("/api/conversations/{case}/read"), json!({"message_ids": ["x"]})),
        (post.clone(), format!("/api/conversations/{case}/participants"), json!({"user_id": "u-bob"})),
        (
            get.clone(),
            "/api/chat/inbox/alice".into(),
            json!(["limit", "before", "after", "rooms_limit", "room_id", "flat"]),
        ),
        (get.clone(), "/api/chat/search/alice".into(), json!(["q", "room_id", "limit", "before"])),
        (get.clone(), "/api/chat/pinned/alice".into(), json!(["room_id", "limit", "before"])),
        (get.clone(), "/api/chat/thread/alice".into(), json!(["message_id", "limit", "before"])),
        (get.clone(), "/api/chat/unread-count/alice".into(), json!(["room_id"])),
        (get.clone(), "/api/chat/groups/alice".into(), json!(["limit", "before"])),
        (get.clone(), "/api/users".into(), json!(["limit", "before", "query", "search", "role"])),
        (get.clone(), "/api/users/alice".into(), json!(["mode"])),
        (get.clone(), "/api/tickets".into(), json!(["limit", "before", "skip", "status"])),
        (get.clone(), "/api/tickets/T-9/chat".into(), json!(["limit", "before", "after", "page", "skip"])),
        (get.clone(), "/api/chat/rooms".into(), json!(["limit", "before", "page", "skip", "type"])),
        (
            get.clone(),
            format!("/api/chat/rooms/{room}/messages"),
            json!(["limit", "before", "after", "page", "skip"]),
        ),
        (get.clone(), format!("/api/chat/rooms/{room}/export"), json!(["format"])),
        (
            post.clone(),
            "/api/chat/push".into(),
            json!({"endpoint": "https://push.example.org/x", "keys": {"p256dh": "x", "auth": "x"}}),
        ),
        (
            get.clone(),
            "/api/chat/search".into(),
            json!(["q", "query", "room_id", "limit", "before", "from", "to"]),
        ),
        (get.clone(), "/api/chat/upload/signed-url".into(), json!(["filename", "mime_type", "size"])),
        (get.clone(), "/api/files/x/y".into(), json!(["sig", "u", "exp"])),
        (get.clone(), "/api/conversations".into(), json!(["status", "limit", "before", "skip"])),
        (get, format!("/api/conversations/{case}/messages"), json!(["limit", "before", "after", "skip"])),
    ]
}

struct Stage {
    server: Server,
    watch: Watch,
    admin: HostPerson,
    driver: HostPerson,
    case: String,
    room: String,
}

impl Stage {
    async fn set() -> Self {
        let (server, watch) = Watch::server().await;
        let admin = HostApp::person(&server, "u-alice", &["ADMIN"]).await;
        let driver = HostApp::person(&server, "u-driver", &["BUS_DRIVER"]).await;
        let _ = HostApp::person(&server, "u-bob", &["USER"]).await;
        let made = driver
            .rest
            .post("/api/conversations/create", json!({"title": "t", "content": "c"}))
            .await
            .expect(201);
        let case = made["conversation"]["id"].as_str().expect("an id").to_owned();
        let app = HostApp::rest(&server);
        let made = app.post("/api/chat/send", json!({"from_name": "alice", "team": "crew", "message": "x"}));
        let room = made.await.expect(201)["room"]["id"].as_str().expect("an id").to_owned();
        Self { server, watch, admin, driver, case, room }
    }
}

/// Path segments that can be replaced: what comes behind the words of the contract.
fn climbing(path: &str) -> Vec<String> {
    let segments: Vec<&str> = path.split('/').collect();
    let mut all = Vec::new();
    for (at, segment) in segments.iter().enumerate().skip(3) {
        if segment.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') && segment.len() > 1 {
            continue;
        }
        for (_, text) in one(&TEXTS, at) {
            let mut other = segments.clone();
            other[at] = text;
            all.push(other.join("/"));
        }
    }
    all
}

#[tokio::test]
async fn every_field_of_every_request_takes_anything() {
    let stage = Stage::set().await;
    let app = HostApp::rest(&stage.server);
    let callers: [&Rest; 3] = [&app, &stage.admin.rest, &stage.driver.rest];
    let (mut tried, mut wrong) = (0, Vec::new());
    for (method, path, sample) in requests(&stage.room, &stage.case) {
        for other in climbing(&path) {
            let request = stage.admin.rest.request(method.clone(), &other);
            let request = if method == Method::GET { request } else { request.json(&sample) };
            tried += 1;
            wrong.extend(ask(Dialect::Host, || format!("{method} {other:.100}"), request).await);
        }
        // The tickets and the inbox are the application's, the rooms are people's, the cases are the field staff's.
        let caller = if path.contains("conversations") {
            callers[2]
        } else if ["rooms", "messages", "search", "upload", "files"].iter().any(|word| path.contains(word)) {
            callers[1]
        } else {
            callers[0]
        };
        if method == Method::GET {
            for name in sample.as_array().expect("names").iter().filter_map(Value::as_str) {
                for (what, text) in one(&TEXTS, tried) {
                    let request = caller.request(method.clone(), &format!("{path}?{name}={text}"));
                    tried += 1;
                    wrong.extend(ask(Dialect::Host, || format!("{path} {name} {what}"), request).await);
                }
            }
            continue;
        }
        for (at, place) in places(&sample).iter().enumerate() {
            for nasty in one(&VALUES, tried + at) {
                let body = replaced(&sample, place, &nasty.json);
                let request = caller
                    .request(method.clone(), &path)
                    .header("content-type", "application/json")
                    .body(body);
                tried += 1;
                wrong.extend(
                    ask(Dialect::Host, || format!("{method} {path} {place} {}", nasty.name), request).await,
                );
            }
        }
    }
    judge("requests of hosts", tried, wrong);
    stage.watch.end(&stage.server).await;
}

/// What stands in a field that should do.
fn good(field: &str, stage: &Stage) -> Value {
    match field {
        "conversation_id" | "room_id" => json!(stage.case),
        "attachments" => json!([{"id": "x"}]),
        "message_ids" => json!(["x"]),
        "limit" | "skip" => json!(10),
        "is_typing" | "remove" | "pinned" => json!(true),
        "priority" => json!("HIGH"),
        "status" => json!("ALL"),
        "room_type" => json!("ACTIVE"),
        other => json!(format!("{other}-1")),
    }
}

#[tokio::test]
async fn every_field_of_every_frame_of_the_support_door_takes_anything() {
    let stage = Stage::set().await;
    let url = format!("ws://{}/api/websocket/connect?token={}", stage.server.address(), stage.driver.token);
    let mut socket = Ddp::open_at(&url).await.expect("the server takes the socket");
    let (mut tried, mut wrong) = (0, Vec::new());
    for request in REQUESTS {
        let mut data = serde_json::Map::new();
        for field in request.fields {
            let field = field.trim_end_matches('?');
            data.insert(field.to_owned(), good(field, &stage));
        }
        let sample = json!({"type": request.name, "data": data});
        for (at, place) in places(&sample).iter().enumerate() {
            for nasty in some(&VALUES, tried + at).filter(|nasty| nasty.json.len() < 250_000) {
                tried += 1;
                let id = format!("r{tried}");
                let mut frame = replaced(&sample, place, &nasty.json);
                if frame.starts_with('{') && frame.ends_with('}') && frame.len() > 2 {
                    frame.insert_str(1, &format!("\"request_id\":\"{id}\","));
                }
                socket.send_text(&frame).await;
                let answer =
                    socket.seek(|frame| frame["request_id"] == id.as_str() || frame["type"] == "error").await;
                let Some(answer) = answer else {
                    // Too many bad frames in a short time end the conversation, and say so.
                    if socket.close_code() != Some(1008) {
                        wrong.push(format!("{} {place} {}: the socket ended", request.name, nasty.name));
                    }
                    socket = Ddp::open_at(&url).await.expect("the server takes the socket");
                    continue;
                };
                let error = answer["error"].as_str();
                let clear = error.is_none() || answer["message"].is_string();
                if !clear || matches!(error, Some("internal" | "unavailable")) {
                    wrong.push(format!("{} {place} {}: {answer}", request.name, nasty.name));
                }
            }
        }
    }
    judge("frames", tried, wrong);
    stage.watch.end(&stage.server).await;
}

#[tokio::test]
async fn a_stream_that_is_taken_up_anywhere_begins_or_is_refused() {
    let stage = Stage::set().await;
    let long = "9".repeat(20_000);
    for last in [
        "",
        "-1",
        "0",
        "99999999999999999999999",
        "1e9",
        "x",
        "' OR 1=1",
        "../../etc/passwd",
        "\u{a0}",
        &long,
    ] {
        for path in [
            "/api/chat/stream?user=alice",
            "/api/chat/stream?user=nobody-yet",
            "/api/chat/stream?user=%00",
            "/api/chat/stream?user=%FF",
            "/api/chat/stream",
        ] {
            let headers = [("x-app-key", parlor_testkit::host_app::APP_KEY), ("last-event-id", last)];
            let mut stream = Stream::open(&stage.server, path, &headers).await;
            assert!(matches!(stream.status, 200 | 400 | 403), "{path} {last:.40}: {}", stream.status);
            if stream.status == 200 {
                assert_eq!(stream.event().await.name, "ready", "{path} {last:.40}");
            }
        }
    }
    stage.watch.end(&stage.server).await;
}

#[tokio::test]
async fn a_hook_takes_anything_from_whoever_knows_its_address() {
    let (server, watch) = Watch::server().await;
    let (username, password) = parlor_testkit::server::ADMINISTRATOR;
    let administrator = parlor_testkit::Person::sign_in(&server, username, password).await;
    let _ = administrator.channel("alerts", &[]).await;
    let wanted = json!({
        "type": "webhook-incoming", "name": "monitoring", "enabled": true, "username": username, "channel": "#alerts",
        "scriptEnabled": false,
    });
    let made = administrator.rest.post("integrations.create", wanted).await.ok();
    let text = |key: &str| made["integration"][key].as_str().expect("a text").to_owned();
    let path = format!("/hooks/{}/{}", text("_id"), text("token"));
    let sample = json!({
        "text": "hello", "alias": "A", "username": "u", "avatar": "https://a.example/a.png", "emoji": ":x:", "icon_url": "x",
        "channel": "#alerts", "roomId": "x", "tmid": "x",
        "attachments": [{
            "title": "t", "text": "t", "color": "#fff", "image_url": "https://a.example/a.png", "ts": "2026-01-01T00:00:00Z",
            "fields": [{"title": "t", "value": "v", "short": true}], "actions": [{"type": "button", "text": "b"}],
        }],
    });
    let (mut tried, mut wrong) = (0, Vec::new());
    let rest = server.rest();
    for (at, place) in places(&sample).iter().enumerate() {
        for nasty in some(&VALUES, at) {
            for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
                let json = replaced(&sample, place, &nasty.json);
                let body = if kind.contains("form") { format!("payload={json}") } else { json };
                let request = rest.request(Method::POST, &path).header("content-type", kind).body(body);
                tried += 1;
                wrong.extend(
                    ask(Dialect::RocketChat, || format!("{place} {} as {kind}", nasty.name), request).await,
                );
            }
        }
    }
    judge("calls of a hook", tried, wrong);
    // What was taken can be read.
    let history =
        administrator.rest.get("channels.history", &[("roomName", "alerts"), ("count", "100")]).await.ok();
    assert!(history["messages"].as_array().is_some_and(|all| !all.is_empty()), "{history}");
    watch.end(&server).await;
}
