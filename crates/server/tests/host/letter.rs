//! The rooms contract to the letter, where no story leads: how refusals spell their fields, what lists leave out, and
//! what a search finds.

use parlor_testkit::{HostApp, Rest};
use serde_json::{Value, json};

/// S3-64, S3-72: a refusal of the schema says where, what and of which kind, for each field; every other has a text.
#[tokio::test]
async fn s3_64_s3_72_a_refusal_says_field_by_field_what_is_wrong() {
    let server = HostApp::setup().start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await.rest;
    for (body, field, kind) in [
        (json!({"member_ids": ["u-bob"]}), "room_type", "missing"),
        (json!({"room_type": "circle", "member_ids": []}), "room_type", "value_error"),
        (json!({"room_type": "group", "name": 5}), "name", "value_error"),
        (json!({"room_type": "group", "name": "x", "member_ids": "u-bob"}), "member_ids", "value_error"),
    ] {
        let refused = alice.post("/api/chat/rooms", body.clone()).await.problem(422, "validation_failed");
        let fault = &refused["detail"][0];
        assert_eq!(
            (&fault["loc"], &fault["type"]),
            (&json!(["body", field]), &json!(kind)),
            "{body}: {refused}"
        );
        assert!(fault["msg"].is_string(), "{refused}");
    }
    let refused = alice.get("/api/chat/rooms", &[("limit", "0")]).await.problem(422, "validation_failed");
    assert_eq!(refused["detail"][0]["loc"], json!(["query", "limit"]), "{refused}");
    let refused = alice.get("/api/chat/rooms/none", &[]).await.problem(404, "not_found");
    assert_eq!(
        refused,
        json!({"error": "not_found", "message": "Room not found", "detail": "Room not found"})
    );
    let strangers = json!({"room_type": "group", "name": "x", "member_ids": ["x9", "u-alice"]});
    let refused = alice.post("/api/chat/rooms", strangers).await.problem(404, "unknown_users");
    let told =
        json!({"error": "unknown_users", "message": "Unknown users: x9", "detail": {"unknown_ids": ["x9"]}});
    assert_eq!(refused, told);
    let none = alice.get("/api/chat/rooms", &[]).await.expect(200);
    let mut kinds = none["rooms"].as_array().expect("rooms").iter().map(|room| &room["kind"]);
    assert!(kinds.all(|kind| kind == "channel"), "nothing was made of what was refused: {none}");
}

/// S3-9, S3-14, S3-15, S3-45: a list leaves out who is in a room of more than fifty, and so do events; the room's own
/// answer names them all.
#[tokio::test]
async fn s3_9_s3_14_s3_15_a_list_names_at_most_fifty_members() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let alice = HostApp::person(&server, "u-alice", &[]).await.rest;
    let mut ids = Vec::new();
    for n in 0..50 {
        let id = format!("u-m{n}");
        app.put(&format!("/api/users/{id}"), json!({"username": format!("m{n}")})).await.expect(201);
        ids.push(id);
    }
    let make = async |ids: &[String]| {
        let body = json!({"room_type": "group", "name": "many", "member_ids": ids});
        alice.post("/api/chat/rooms", body).await.expect(201)
    };
    let (fifty, more) = (make(&ids[1..]).await, make(&ids).await);
    for (room, listed) in [(&fifty, Some(50)), (&more, None)] {
        let list = alice.get("/api/chat/rooms", &[]).await.expect(200);
        let found = list["rooms"].as_array().expect("rooms").iter().find(|one| one["id"] == room["id"]);
        let found = found.expect("one's own room");
        assert_eq!(found.get("members").map(|all| all.as_array().expect("a list").len()), listed);
        assert_eq!(found["member_count"], room["members"].as_array().expect("all of them").len());
    }
}

async fn found(rest: &Rest, q: &str) -> Vec<Value> {
    let page = rest.get("/api/chat/search", &[("q", q)]).await.expect(200);
    page["messages"].as_array().expect("messages").iter().map(|message| message["content"].clone()).collect()
}

/// S2-68, S3-76: words and their beginnings, letter case aside; any characters of scripts without spaces; what was sent is
/// found by the next call, what was removed never; signs of query languages are text.
#[tokio::test]
async fn s2_68_s3_76_a_search_finds_words_and_their_beginnings_at_once() {
    let server = HostApp::setup().start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await.rest;
    let eve = HostApp::person(&server, "u-eve", &["ADMIN"]).await.rest;
    let room =
        alice.post("/api/chat/rooms", json!({"room_type": "group", "name": "words"})).await.expect(201);
    let mut sent = Value::Null;
    for text in ["The Road is long", "ROADS ahead", "Straße nach Köln", "日本語のテキスト"] {
        let body = json!({"room_id": room["id"], "content": text});
        sent = alice.post("/api/chat/messages", body).await.expect(201);
        assert_eq!(found(&alice, text).await, [json!(text)], "at once");
    }
    for (q, wanted) in [
        ("road", vec!["The Road is long", "ROADS ahead"]),
        ("ROA", vec!["The Road is long", "ROADS ahead"]),
        ("oad", vec![]),
        ("KÖLN", vec!["Straße nach Köln"]),
        ("本語", vec!["日本語のテキスト"]),
        ("%", vec![]),
        ("\"", vec![]),
        ("' OR 1=1 --", vec![]),
    ] {
        assert_eq!(found(&alice, q).await, wanted, "{q}");
        assert!(found(&eve, q).await.is_empty(), "{q}: to somebody who may not read the room");
    }
    alice.remove(&format!("/api/chat/messages/{}", sent["id"].as_str().expect("an id"))).await.expect(200);
    assert!(found(&alice, "本語").await.is_empty());
    for q in ["", &"x".repeat(201)] {
        alice.get("/api/chat/search", &[("q", q)]).await.problem(422, "validation_failed");
    }
    alice.get("/api/chat/search", &[]).await.problem(422, "validation_failed");
}
