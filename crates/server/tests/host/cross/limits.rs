//! Bounds that doors share: joined rooms, slow readers, sends, sizes.

use parlor_testkit::{Ddp, HostApp, HostPerson, Server, wait};
use serde_json::{Value, json};

use super::{
    doors::{rooms_socket, support_socket},
    sio::{Heard, Sio},
    stage::{Kind, Stage, text},
    support::Socket,
};

/// Rooms that one connection may join.
const MOST: usize = 1_000;

async fn rooms(ann: &HostPerson, many: usize) -> Vec<String> {
    let makers: Vec<_> = (0..20)
        .map(|maker| {
            let (rest, many) = (ann.rest.clone(), many / 20 + usize::from(maker < many % 20));
            tokio::spawn(async move {
                let mut made = Vec::new();
                for n in 0..many {
                    let body = json!({"room_type": "group", "name": format!("{maker} {n}")});
                    made.push(text(&rest.post("/api/chat/rooms", body).await.expect(201)["id"]));
                }
                made
            })
        })
        .collect();
    let mut all = Vec::new();
    for maker in makers {
        all.extend(maker.await.expect("they are made"));
    }
    all
}

/// README section 13: a connection joins a thousand rooms; one more is refused, one that it has already is not, and leaving one
/// makes room. The same over WebSocket and Socket.IO.
#[tokio::test]
async fn a_connection_joins_a_thousand_rooms() {
    let server = HostApp::setup().start().await;
    let ann = HostApp::person(&server, "u-ann", &["USER"]).await;
    let rooms = rooms(&ann, MOST + 1).await;
    let mut support = Socket::open(&server, &format!("?token={}", ann.token)).await;
    let mut sio = Sio::enter(&server, json!({"token": ann.token})).await.expect("let in");
    let in_support = |room: &String| json!({"conversation_id": room});
    for (n, room) in rooms.iter().take(MOST).enumerate() {
        support.send(json!({"type": "join_conversation", "data": in_support(room), "request_id": n})).await;
        sio.emit("join_room", json!({"room_id": room})).await;
    }
    let mut granted = 0;
    while granted < MOST {
        if let Heard::Ack(_, ack) = sio.next().await {
            assert_eq!(ack["success"], true, "{ack}");
            granted += 1;
        }
    }
    let (last, first) = (&rooms[MOST], &rooms[0]);
    sio.refused("join_room", json!({"room_id": last}), "limit_reached").await;
    sio.grant("join_room", json!({"room_id": first})).await;
    sio.grant("leave_room", json!({"room_id": first})).await;
    sio.grant("join_room", json!({"room_id": last})).await;

    let done = support.wait("the last of them", |frame| frame["request_id"] == MOST - 1).await;
    assert_eq!(done["type"], "join_conversation_success");
    support.refused("join_conversation", in_support(last), "limit_reached").await;
    support.refused("join_room", json!({"room_id": last}), "limit_reached").await;
    support.done("join_conversation", in_support(first)).await;
    support.done("leave_conversation", in_support(first)).await;
    support.done("join_conversation", in_support(last)).await;
}

/// S2-60: whoever reads too slowly is cut off by 4408, the others go on, and what was missed is read from the last message
/// that came.
#[tokio::test]
async fn s2_60_a_slow_reader_is_cut_off_by_4408_and_catches_up() {
    // Time enough to take the word for it, however busy the machine is.
    let setup = HostApp::setup().env("PARLOR_CLOSE_TIMEOUT", "60");
    let stage = Stage::on(setup.start().await, Kind::Group).await;
    let url = format!("ws://{}/api/websocket/connect?token={}", stage.server.address(), stage.ben.token);
    let mut slow = Socket::over(Ddp::open_narrow(&stage.server, &url).await);
    slow.event("connected").await;
    slow.done("join_conversation", json!({"conversation_id": stage.room})).await;
    let mut quick = support_socket(&stage.server, &stage.cy, &stage.room).await;
    // Four bytes each, so that a few hundred messages are more than all buffers on the way hold.
    let said = "\u{1f69a}".repeat(5_000);
    let total = 352;
    let body = json!({"room_id": stage.room, "content": said});
    let sending = (0..8).map(|_| {
        let (rest, body) = (stage.ann.rest.clone(), body.clone());
        tokio::spawn(async move {
            for _ in 0..total / 8 {
                rest.post("/api/chat/messages", body.clone()).await.expect(201);
            }
        })
    });
    let sending: Vec<_> = sending.collect();
    for _ in 0..total {
        quick.event("new_message").await;
    }
    for sender in sending {
        sender.await.expect("all are sent");
    }
    too_slow(&stage.server, "support").await;
    let (code, frames) = slow.end().await;
    assert_eq!(code, 4408);
    let mut seen: Vec<String> = frames.iter().filter(|f| f["type"] == "new_message").map(id).collect();
    assert!(seen.len() < total, "cut off before the end");
    let mut again = support_socket(&stage.server, &stage.ben, &stage.room).await;
    while seen.len() < total {
        let after = json!({"conversation_id": stage.room, "after": seen.last(), "limit": 100});
        let page = again.done("get_conversation_messages", after).await;
        seen.extend(page["messages"].as_array().expect("messages").iter().map(|m| text(&m["id"])));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), total, "each once");
}

/// Waits until the server counts a connection of a door that was cut because it read too slowly.
async fn too_slow(server: &Server, door: &str) {
    let name = format!("connections_too_slow_total{{door=\"{door}\"}} ");
    wait::until("somebody is cut off", || async {
        let text = server.rest().get("/metrics", &[]).await.text();
        let line = text.lines().find_map(|line| line.split_once(&name).map(|(_, count)| count.trim() != "0"));
        line.filter(|cut| *cut).map(|_| ())
    })
    .await
}

fn id(frame: &Value) -> String {
    text(&frame["message"]["id"])
}

/// S2-59, S4-49: sends of one user count together, whichever door they come by; each door says when to come back. The
/// application is not held back.
#[tokio::test]
async fn s2_59_s4_49_sends_of_all_doors_count_together() {
    let setup = HostApp::setup().env("PARLOR_SEND_BURST", "6").env("PARLOR_SEND_RATE", "1");
    let stage = Stage::on(setup.start().await, Kind::Ticket).await;
    let (rest, room) = (&stage.ann.rest, &stage.room);
    let mut support = support_socket(&stage.server, &stage.ann, room).await;
    let mut sio = rooms_socket(&stage.server, &stage.ann, room).await;
    let by_rest = [
        ("/api/chat/send", json!({"room_id": room, "message": "x"})),
        ("/api/chat/messages", json!({"room_id": room, "content": "x"})),
        ("/api/tickets/T-1/chat", json!({"message": "x"})),
        (&*format!("/api/conversations/{room}/messages"), json!({"content": "x"})),
    ];
    for (path, body) in &by_rest {
        rest.post(path, body.clone()).await.expect(201);
    }
    // What is left of the burst goes, and somewhere behind it nothing more does.
    let say = json!({"room_id": room, "content": "x"});
    for _ in 0..20 {
        if rest.post("/api/chat/messages", say.clone()).await.status == 429 {
            break;
        }
    }
    // On a slow machine one more may have come back meanwhile: it goes too.
    for (path, body) in by_rest {
        let mut refused = rest.post(path, body.clone()).await;
        while refused.status == 201 {
            refused = rest.post(path, body.clone()).await;
        }
        let wait =
            refused.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        assert!(wait.is_some_and(|seconds| seconds >= 1), "{path}: {wait:?}");
        refused.problem(429, "rate_limited");
    }
    let asked = json!({"conversation_id": room, "content": "x"});
    let mut told = support.ask("send_chat_message", asked.clone()).await;
    while told["type"] == "send_chat_message_success" {
        told = support.ask("send_chat_message", asked.clone()).await;
    }
    assert_eq!((&told["type"], &told["error"]), (&json!("send_chat_message_error"), &json!("rate_limited")));
    assert!(told["retry_after"].as_u64().is_some_and(|seconds| seconds >= 1));
    for asked in [json!({"room_id": room, "content": "x"}), json!({"ticketId": "T-1", "message": "x"})] {
        let mut told = sio.ask("send_message", asked.clone()).await;
        while told["success"] == true {
            told = sio.ask("send_message", asked.clone()).await;
        }
        assert_eq!(told["error"], "rate_limited");
        assert_eq!(sio.event("error").await["code"], "rate_limited");
        assert!(told["retry_after"].as_u64().is_some_and(|seconds| seconds >= 1), "{told}");
    }
    // Another one's bucket is his own, and the application has none.
    stage.ben.rest.post("/api/chat/messages", say).await.expect(201);
    for n in 0..10 {
        let body = json!({"from_name": "ann", "message": format!("by the application {n}")});
        stage.app.post("/api/chat/send", body).await.expect(201);
    }
}

/// S3-64, README section 4: bodies over 1 MiB, of another type, nested too deeply, or no JSON at all, by every door.
#[tokio::test]
async fn s3_64_bodies_that_can_not_be_taken_are_told_apart() {
    let server: Server = HostApp::setup().start().await;
    let ann = HostApp::person(&server, "u-ann", &["BUS_DRIVER"]).await;
    let facts = json!({"created_by": "u-ann"});
    HostApp::rest(&server).put("/api/tickets/T-1", facts).await.expect(201);
    let large = "x".repeat(1024 * 1024 + 1);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(70), "]".repeat(70));
    for (path, bad) in [
        ("/api/conversations/create", 400),
        ("/api/chat/send", 400),
        ("/api/chat/groups", 400),
        ("/api/chat/rooms", 422),
        ("/api/chat/messages", 422),
        ("/api/tickets/T-1/chat", 400),
        ("/api/auth/login", 400),
    ] {
        ann.rest.post(path, json!({"content": large})).await.problem(413, "payload_too_large");
        let send = async |kind: &str, body: &str| {
            let request = ann.rest.request(reqwest::Method::POST, path).header("content-type", kind);
            parlor_testkit::rest::answer(request.body(body.to_owned())).await
        };
        send("text/plain", "{}").await.problem(415, "unsupported_media_type");
        send("application/json", "{").await.problem(bad, "bad_json");
        send("application/json", &deep).await.problem(bad, "bad_json");
        send("application/json", "[]").await.problem(bad, "validation_failed");
    }
}

/// S0-63, S2-58, S3-65, S3-72, S4-47, README section 13: lists and texts that are too long are fields that are not valid, by
/// every door.
#[tokio::test]
async fn s0_63_s2_58_s3_65_s3_72_s4_47_what_is_too_long_is_told_as_such_by_every_door() {
    let stage = Stage::set(Kind::Ticket).await;
    let (ann, room) = (&stage.ann.rest, &stage.room);
    let many = |count: usize| (0..count).map(|n| format!("m{n}")).collect::<Vec<_>>();
    let files: Vec<Value> = (0..11).map(|n| json!({"id": format!("f{n}")})).collect();
    let long = |length: usize| "x".repeat(length);
    let group = |key: &str, value: Value| {
        let mut body = json!({"room_type": "group", "name": "few"});
        body[key] = value;
        body
    };
    let conversation = format!("/api/conversations/{room}");
    for (path, body, status) in [
        ("/api/chat/rooms", group("member_ids", json!(many(1001))), 422),
        ("/api/chat/rooms", group("name", json!(long(121))), 422),
        ("/api/chat/rooms", group("description", json!(long(1001))), 422),
        (&*format!("/api/chat/rooms/{room}/read"), json!({"message_ids": many(101)}), 422),
        ("/api/chat/messages", json!({"room_id": room, "content": "x", "client_id": long(65)}), 422),
        ("/api/chat/mark-read", json!({"room_id": room, "message_ids": many(101)}), 400),
        ("/api/chat/send", json!({"room_id": room, "message": "x", "attachments": files}), 400),
        ("/api/chat/groups", json!({"name": long(121)}), 400),
        ("/api/conversations/create", json!({"title": long(201), "content": "x"}), 400),
        (&*format!("{conversation}/read"), json!({"message_ids": many(101)}), 400),
        (&*format!("{conversation}/messages"), json!({"content": "x", "attachments": files}), 400),
        ("/api/tickets/T-1/chat", json!({"attachments": files}), 400),
        ("/api/tickets/T-1/chat/read", json!({"messageIds": many(101)}), 400),
    ] {
        let told = ann.post(path, body).await;
        assert_eq!((told.status, &told.body["error"]), (status, &json!("validation_failed")), "{path}");
    }
    ann.get("/api/chat/search", &[("q", &long(201))]).await.problem(422, "validation_failed");
    let mut sio = rooms_socket(&stage.server, &stage.ann, room).await;
    let read = json!({"room_id": room, "message_ids": many(101)});
    sio.refused("mark_as_read", read, "validation_failed").await;
    sio.refused("send_message", json!({"ticketId": "T-1", "attachments": files}), "validation_failed").await;
    // A page has a hundred at most, whatever is asked for.
    for path in [
        format!("/api/chat/rooms/{room}/messages"),
        format!("{conversation}/messages"),
        "/api/tickets/T-1/chat".to_owned(),
        "/api/chat/rooms".to_owned(),
        "/api/conversations".to_owned(),
        "/api/tickets".to_owned(),
        "/api/users".to_owned(),
    ] {
        let page = ann.get(&path, &[("limit", "1000")]).await.expect(200);
        assert_eq!(page["pagination"]["limit"], 100, "{path}");
        for bad in ["0", "-1", "ten", "1.5"] {
            let told = ann.get(&path, &[("limit", bad)]).await;
            assert!(matches!(told.status, 400 | 422), "{path} {bad:?}: {}", told.text());
            assert_eq!(told.body["error"], "validation_failed", "{path} {bad:?}");
        }
    }
}
