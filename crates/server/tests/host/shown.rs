//! What the rooms door shows, value by value; and that what it refuses leaves everything as it was.

use parlor_testkit::{HostApp, HostPerson, Rest, Server, rest::answer};
use reqwest::Method;
use serde_json::{Value, json};

const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
const NOTE: &[u8] = b"words enough to be known as plain text";
/// A WAV file of silence.
const SOUND: &[u8] = b"RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00\x00\x00\x00\x00";

struct Team {
    server: Server,
    alice: HostPerson,
    bob: HostPerson,
    otto: HostPerson,
    room: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A group of Alice, who is its admin, and Bob; Otto is ADMIN of the workspace and not in it.
async fn team() -> Team {
    let server = HostApp::setup().env("PARLOR_SEND_RATE", "0").start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await;
    let bob = HostApp::person(&server, "u-bob", &[]).await;
    let otto = HostApp::person(&server, "u-otto", &["ADMIN"]).await;
    let body = json!({"room_type": "group", "name": "Team", "member_ids": ["u-bob"]});
    let room = text(&alice.rest.post("/api/chat/rooms", body).await.expect(201)["id"]);
    Team { server, alice, bob, otto, room }
}

impl Team {
    fn at(&self, rest: &str) -> String {
        format!("/api/chat/rooms/{}{rest}", self.room)
    }

    async fn say(&self, who: &HostPerson, more: Value) -> Value {
        let mut body = json!({"room_id": self.room, "content": "words"});
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        who.rest.post("/api/chat/messages", body).await.expect(201)
    }

    async fn upload(&self, who: &HostPerson, name: &str, bytes: &[u8]) -> Value {
        let file = (name, "application/octet-stream", bytes);
        who.rest.upload("/api/chat/upload", "file", file, &[]).await.expect(201)
    }

    /// The room with its messages, as Alice sees them; addresses of files are new each time.
    async fn state(&self) -> (Value, Vec<(Value, Value)>) {
        let room = self.alice.rest.get(&self.at(""), &[]).await.expect(200);
        let page = self.alice.rest.get(&self.at("/messages"), &[("limit", "100")]).await.expect(200);
        let messages = page["messages"].as_array().expect("messages").iter();
        (room, messages.map(|m| (m["id"].clone(), m["content"].clone())).collect())
    }
}

fn seat<'a>(room: &'a Value, user: &str) -> &'a Value {
    let seats = room["members"].as_array().expect("members");
    seats.iter().find(|seat| seat["user_id"] == user).unwrap_or_else(|| panic!("no {user}: {room}"))
}

/// S3-5, S3-9, S3-10, S3-12, S3-23: one mark, and everything that follows from it; refused readings move it nowhere.
#[tokio::test]
async fn s3_5_s3_9_s3_10_s3_12_s3_23_what_is_read_shows_everywhere_and_a_refused_mark_is_none() {
    let all = team().await;
    let (one, two) = (all.say(&all.alice, json!({})).await, all.say(&all.alice, json!({})).await);
    let own = all.bob.rest.post("/api/chat/rooms", json!({"room_type": "group", "name": "his"})).await;
    let own = text(&own.expect(201)["id"]);
    let elsewhere = json!({"room_id": own, "content": "elsewhere"});
    let elsewhere = all.bob.rest.post("/api/chat/messages", elsewhere).await.expect(201);
    let fresh = all.bob.rest.get(&all.at(""), &[]).await.expect(200);
    assert_eq!((&fresh["unread_count"], &fresh["last_read_at"]), (&json!(2), &Value::Null));
    let names = |seat: &Value| [seat["user_name"].clone(), seat["username"].clone(), seat["room_id"].clone()];
    assert_eq!(names(seat(&fresh, "u-bob")), [json!("Bob Person"), json!("bob"), json!(all.room)]);
    for (ids, status, code) in [
        (json!([two["id"], "nope"]), 404, "not_found"),
        (json!([two["id"], elsewhere["id"]]), 404, "not_found"),
        (json!([two["id"], 7]), 422, "validation_failed"),
        (json!({"$gt": ""}), 422, "validation_failed"),
    ] {
        let refused = all.bob.rest.post(&all.at("/read"), json!({"message_ids": ids})).await;
        refused.problem(status, code);
        assert_eq!(all.bob.rest.get(&all.at(""), &[]).await.expect(200), fresh, "{ids}");
    }
    let marked = json!({"message_ids": [one["id"]]});
    let done = all.bob.rest.post(&all.at("/read"), marked).await.expect(200);
    let seen = all.bob.rest.get(&all.at(""), &[]).await.expect(200);
    assert!(done["last_read_at"].is_string(), "{done}");
    assert_eq!((&seen["unread_count"], &seen["last_read_at"]), (&json!(1), &done["last_read_at"]));
    // The sender's own reading is no receipt of his own message.
    all.alice.rest.post(&all.at("/read"), json!({})).await.expect(200);
    let receipts = async |message: &Value| {
        let path = format!("/api/chat/messages/{}/receipts", text(&message["id"]));
        all.alice.rest.get(&path, &[]).await.expect(200)
    };
    let told = receipts(&one).await;
    let receipt = &told["receipts"][0];
    assert_eq!(
        (told["receipts"].as_array().map(Vec::len), &told["pagination"]["total"]),
        (Some(1), &json!(1))
    );
    assert_eq!(
        (&receipt["user_id"], &receipt["message_id"], &receipt["read_at"]),
        (&json!("u-bob"), &one["id"], &done["last_read_at"])
    );
    assert_eq!(receipts(&two).await["receipts"], json!([]));
    let as_alice = all.alice.rest.get(&all.at(""), &[]).await.expect(200);
    assert_eq!(seat(&as_alice, "u-bob")["last_read_at"], done["last_read_at"]);
    let later = all.bob.rest.post(&all.at("/read"), json!({})).await.expect(200);
    assert_eq!((&later["unread_count"], &later["room_id"]), (&json!(0), &json!(all.room)));
    all.bob.rest.post(&all.at("/read"), json!({"message_ids": [one["id"]]})).await.expect(200);
    let again = all.bob.rest.get(&all.at(""), &[]).await.expect(200);
    assert_eq!((&again["unread_count"], &again["last_read_at"]), (&json!(0), &later["last_read_at"]));
}

/// S3-3, S3-11, S3-19: what files may be sent as, and by whom; what is refused is not sent.
#[tokio::test]
async fn s3_3_s3_11_s3_19_a_file_is_sent_as_what_it_is_and_by_its_owner() {
    let all = team().await;
    let picture = all.upload(&all.alice, "a.gif", GIF).await;
    let sound = all.upload(&all.alice, "a.wav", SOUND).await;
    let note = all.upload(&all.alice, "a.txt", NOTE).await;
    let others = all.upload(&all.bob, "b.txt", NOTE).await;
    let before = all.state().await;
    for (more, status, code) in [
        (json!({"message_type": "video", "media_id": picture["id"]}), 422, "validation_failed"),
        (json!({"message_type": "audio", "media_id": note["id"]}), 422, "validation_failed"),
        (json!({"message_type": "image", "media_id": sound["id"]}), 422, "validation_failed"),
        (json!({"message_type": "sticker", "media_id": picture["id"]}), 422, "validation_failed"),
        (json!({"message_type": "file"}), 422, "validation_failed"),
        (
            json!({"message_type": "file", "media_id": note["id"], "media_size": "9"}),
            422,
            "validation_failed",
        ),
        (
            json!({"message_type": "file", "media_id": note["id"], "media_mime_type": 9}),
            422,
            "validation_failed",
        ),
        (json!({"message_type": "file", "media_id": others["id"]}), 404, "not_found"),
        (json!({"message_type": "file", "media_url": "https://elsewhere.example/a.gif"}), 404, "not_found"),
        (json!({"message_type": "file", "media_id": "nope"}), 404, "not_found"),
    ] {
        let mut body = more.clone();
        body["room_id"] = json!(all.room);
        all.alice.rest.post("/api/chat/messages", body).await.problem(status, code);
        assert_eq!(all.state().await, before, "{more}");
    }
    let heard = all.say(&all.alice, json!({"message_type": "audio", "media_id": sound["id"]})).await;
    assert_eq!(
        (&heard["message_type"], &heard["attachments"][0]["kind"]),
        (&json!("audio"), &json!("audio"))
    );
}

/// S3-3, S3-4, S3-11, S3-62, S3-67: several files of another door; what a forward says; and nothing of a message that was
/// removed is left but its place.
#[tokio::test]
async fn s3_3_s3_4_s3_11_s3_62_s3_67_files_go_with_their_message() {
    let all = team().await;
    let picture = all.upload(&all.alice, "a.gif", GIF).await;
    let note = all.upload(&all.alice, "a.txt", NOTE).await;
    // Another door sends several at once: the first is the medium, all are attachments.
    let body = json!({"room_id": all.room, "message": "both",
        "attachments": [{"id": picture["id"]}, {"id": note["id"]}]});
    let both = all.alice.rest.post("/api/chat/send", body).await.expect(201);
    let path = format!("/api/chat/messages/{}", text(&both["message"]["id"]));
    let shown = all.bob.rest.get(&path, &[]).await.expect(200);
    let files: Vec<&Value> =
        shown["attachments"].as_array().expect("files").iter().map(|f| &f["id"]).collect();
    assert_eq!(files, [&picture["id"], &note["id"]]);
    assert_eq!(
        (&shown["message_type"], &shown["media_id"], &shown["media_filename"], &shown["content"]),
        (&json!("image"), &picture["id"], &json!("a.gif"), &json!("both"))
    );
    let forward = json!({"content": "look at this", "forwarded_from_id": shown["id"]});
    assert_eq!(all.say(&all.bob, forward).await["content"], "look at this", "words of one's own");

    let reaction = json!({"emoji": ":tada:"});
    all.bob.rest.post(&format!("{path}/reactions"), reaction.clone()).await.expect(200);
    all.alice.rest.remove(&path).await.expect(200);
    let gone = all.bob.rest.get(&path, &[]).await.expect(200);
    for (key, left) in [
        ("content", Value::Null),
        ("media_url", Value::Null),
        ("media_id", Value::Null),
        ("media_filename", Value::Null),
        ("media_size", Value::Null),
        ("media_mime_type", Value::Null),
        ("attachments", json!([])),
        ("reactions", json!([])),
        ("metadata", Value::Null),
        ("is_deleted", json!(true)),
        ("seq", shown["seq"].clone()),
        ("created_at", shown["created_at"].clone()),
        ("sender_id", json!("u-alice")),
    ] {
        assert_eq!(gone[key], left, "{key}: {gone}");
    }
    assert!(gone["deleted_at"].is_string(), "{gone}");
    let forward = json!({"room_id": all.room, "forwarded_from_id": shown["id"]});
    all.bob.rest.post("/api/chat/messages", forward).await.problem(409, "message_deleted");
    all.bob.rest.post(&format!("{path}/reactions"), reaction).await.problem(404, "not_found");
    let media = format!("/api/chat/media/{}/url", text(&note["id"]));
    all.bob.rest.get(&media, &[]).await.problem(404, "not_found");
}

/// S3-25: what is said to be a picture is looked at when it has come: a page in its place is not taken, or not sent.
#[tokio::test]
async fn s3_25_s3_64_bytes_at_a_signed_address_are_judged_as_what_they_are() {
    let all = team().await;
    let page = b"<html><script>alert(1)</script></html>";
    let size = page.len().to_string();
    let asked = [("filename", "a.gif"), ("mime_type", "image/gif"), ("size", size.as_str())];
    let signed = all.alice.rest.get("/api/chat/upload/signed-url", &asked).await.expect(200);
    let url = text(&signed["upload_url"]);
    let target = &url[url.find("/api/").expect("a path")..];
    let put = answer(all.server.rest().request(Method::PUT, target).body(page.to_vec())).await;
    put.problem(415, "unsupported_media_type");
    let before = all.state().await;
    for kind in ["image", "file"] {
        let body = json!({"room_id": all.room, "message_type": kind, "media_id": signed["id"]});
        all.alice.rest.post("/api/chat/messages", body).await.problem(404, "not_found");
    }
    assert_eq!(all.state().await, before);
}

/// S3-13, S3-16, S3-17, S3-19, S3-21, S3-72: what is refused for its shape changes nothing, and says so in 422.
#[tokio::test]
async fn s3_13_s3_16_s3_17_s3_19_s3_21_s3_72_what_is_refused_for_its_shape_changes_nothing() {
    let all = team().await;
    HostApp::person(&all.server, "u-gone", &[]).await;
    let app = HostApp::rest(&all.server);
    answer(app.request(Method::DELETE, "/api/users/u-gone?mode=deactivate")).await.expect(200);
    let message = all.say(&all.alice, json!({})).await;
    let message = format!("/api/chat/messages/{}", text(&message["id"]));
    let long = |length: usize| "x".repeat(length);
    let before = all.state().await;
    let (patch, post) = (Method::PATCH, Method::POST);
    for (verb, path, body) in [
        (&patch, all.at(""), json!({"name": long(121)})),
        (&patch, all.at(""), json!({"name": 7})),
        (&patch, all.at(""), json!({"name": null})),
        (&patch, all.at(""), json!({"name": "Good", "description": long(1001)})),
        (&patch, all.at(""), json!({"name": "Good", "avatar_url": "javascript:alert(1)"})),
        (&patch, all.at(""), json!({"description": ["d"]})),
        (&patch, all.at(""), json!({"unknown": 1})),
        (&post, all.at("/members/u-otto"), json!({"is_admin": "yes"})),
        (&patch, message.clone(), json!({})),
        (&patch, message.clone(), json!({"content": null})),
        (&patch, message.clone(), json!({"content": 7})),
        (&patch, message.clone(), json!({"content": long(5001)})),
        (&patch, message.clone(), json!({"content": "\u{0}"})),
        (&post, format!("{message}/reactions"), json!({})),
        (&post, format!("{message}/reactions"), json!({"emoji": ["x"]})),
        (&post, "/api/chat/messages".to_owned(), json!({"room_id": all.room, "content": " \n\t "})),
        (
            &post,
            "/api/chat/messages".to_owned(),
            json!({"room_id": all.room, "content": "x", "metadata": [1]}),
        ),
        (
            &post,
            "/api/chat/messages".to_owned(),
            json!({"room_id": all.room, "content": "x", "reply_to_id": 1}),
        ),
    ] {
        let refused = answer(all.alice.rest.request(verb.clone(), &path).json(&body)).await;
        let told = refused.problem(422, "validation_failed");
        assert!(told["detail"][0]["loc"].is_array(), "{path} {body}: {told}");
        assert_eq!(all.state().await, before, "{path} {body}");
    }
    let gone = all.alice.rest.post(&all.at("/members/u-gone"), json!({})).await;
    assert_eq!(gone.problem(404, "unknown_users")["detail"], json!({"unknown_ids": ["u-gone"]}));
    let with_gone = json!({"room_type": "group", "name": "x", "member_ids": ["u-bob", "u-gone"]});
    all.alice.rest.post("/api/chat/rooms", with_gone).await.problem(404, "unknown_users");
    assert_eq!(all.state().await, before);
    // Without a body, as the contract says that it may be.
    let member = answer(all.alice.rest.request(Method::POST, &all.at("/members/u-otto"))).await.expect(201);
    assert_eq!((&member["user_id"], &member["is_admin"]), (&json!("u-otto"), &json!(false)));
}

/// S3-1, S3-13, S3-14: own and repeated ids are passed over, two who begin at once have one room, and lists show one's own.
#[tokio::test]
async fn s3_1_s3_13_s3_14_however_it_is_asked_for_a_pair_has_one_room() {
    let all = team().await;
    let ask = async |rest: &Rest, ids: Value| {
        let told = rest.post("/api/chat/rooms", json!({"room_type": "DIRECT", "member_ids": ids})).await;
        assert!(matches!(told.status, 200 | 201), "{} {}", told.status, told.text());
        (told.status, text(&told.body["id"]))
    };
    let (hers, his) = tokio::join!(
        ask(&all.alice.rest, json!(["u-alice", "u-bob", "u-bob"])),
        ask(&all.bob.rest, json!(["u-alice", "u-bob"])),
    );
    assert_eq!(hers.1, his.1);
    let mut told = [hers.0, his.0];
    told.sort_unstable();
    assert_eq!(told, [200, 201], "made once, found once");
    let alone = json!({"room_type": "group", "name": "alone", "member_ids": []});
    let alone = all.alice.rest.post("/api/chat/rooms", alone).await.expect(201);
    assert_eq!(alone["member_count"], 1);
    let listed = async |rest: &Rest| {
        let page = rest.get("/api/chat/rooms", &[("limit", "100")]).await.expect(200);
        let mut ids: Vec<String> =
            page["rooms"].as_array().expect("rooms").iter().map(|r| text(&r["id"])).collect();
        assert_eq!(
            (&page["pagination"]["has_more"], &page["pagination"]["next_cursor"]),
            (&json!(false), &Value::Null)
        );
        ids.retain(|id| id != "GENERAL");
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let both = [all.room.clone(), hers.1.clone()];
    assert_eq!(listed(&all.alice.rest).await, sorted([&both[..], &[text(&alone["id"])]].concat()));
    assert_eq!(listed(&all.bob.rest).await, sorted(both.to_vec()));
    assert!(listed(&all.otto.rest).await.is_empty(), "ADMIN of the workspace or not");
}

/// S3-14, S3-20, S3-65, S3-76: where pages end, and what is no place in a list.
#[tokio::test]
async fn s3_14_s3_20_s3_65_s3_76_pages_end_and_what_is_no_place_in_them_is_refused() {
    let all = team().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(all.say(&all.alice, json!({"content": format!("word {n}")})).await["id"].clone());
    }
    let other = json!({"room_type": "group", "name": "other"});
    let other = text(&all.bob.rest.post("/api/chat/rooms", other).await.expect(201)["id"]);
    let foreign = json!({"room_id": other, "content": "word elsewhere"});
    let foreign = text(&all.bob.rest.post("/api/chat/messages", foreign).await.expect(201)["id"]);
    let (messages, id) = (all.at("/messages"), |n: usize| ids[n].as_str().expect("an id"));
    let page = async |path: &str, query: &[(&str, &str)]| all.bob.rest.get(path, query).await.expect(200);
    let shown = |page: &Value| -> Vec<Value> {
        page["messages"].as_array().expect("messages").iter().map(|m| m["id"].clone()).collect()
    };
    let first = page(&messages, &[("limit", "2"), ("before", id(2))]).await;
    assert_eq!((shown(&first), &first["pagination"]["has_more"]), (ids[..2].to_vec(), &json!(false)));
    assert_eq!(first["pagination"]["next_cursor"], Value::Null);
    let newer = page(&messages, &[("limit", "2"), ("after", id(1))]).await;
    assert_eq!((shown(&newer), &newer["pagination"]["has_more"]), (ids[2..4].to_vec(), &json!(true)));
    let cursor = text(&newer["pagination"]["next_cursor"]);
    let last = page(&messages, &[("limit", "2"), ("after", &cursor)]).await;
    assert_eq!((shown(&last), &last["pagination"]["next_cursor"]), (ids[4..].to_vec(), &Value::Null));
    for (path, query, code) in [
        (messages.as_str(), &[("before", id(1)), ("after", id(3))][..], "validation_failed"),
        (&messages, &[("page", "0")], "validation_failed"),
        (&messages, &[("page", "1"), ("after", id(1))], "validation_failed"),
        (&messages, &[("before", foreign.as_str())], "bad_cursor"),
        ("/api/chat/rooms", &[("before", "nonsense")], "bad_cursor"),
        ("/api/chat/rooms", &[("before", cursor.as_str())], "bad_cursor"),
        ("/api/chat/rooms", &[("page", "1"), ("before", "x")], "validation_failed"),
        ("/api/chat/search?q=word", &[("before", "nonsense")], "bad_cursor"),
    ] {
        all.bob.rest.get(path, query).await.problem(422, code);
    }
    let in_room = all.room.as_str();
    let found = page("/api/chat/search", &[("q", "word"), ("room_id", in_room), ("limit", "2")]).await;
    let mut seen = shown(&found);
    let mut next = found["pagination"]["next_cursor"].as_str().map(str::to_owned);
    while let Some(cursor) = next {
        let query = [("q", "word"), ("room_id", in_room), ("limit", "2"), ("before", &cursor)];
        let found = page("/api/chat/search", &query).await;
        seen.extend(shown(&found));
        next = found["pagination"]["next_cursor"].as_str().map(str::to_owned);
    }
    let key = |id: &Value| ids.iter().position(|other| other == id).expect("one of them");
    let mut places: Vec<usize> = seen.iter().map(key).collect();
    places.sort_unstable();
    assert_eq!(places, [0, 1, 2, 3, 4], "each once");
}

/// S3-74, S3-79, S3-82, S3-83: reactions are counted once; who is there; an export for whoever may take it along, of long
/// rooms too; who is muted is so on other doors.
#[tokio::test]
async fn s3_74_s3_79_s3_82_s3_83_what_was_added_is_told_as_it_is() {
    let all = team().await;
    let message = all.say(&all.alice, json!({"content": "first"})).await;
    let path = format!("/api/chat/messages/{}", text(&message["id"]));
    for who in [&all.bob, &all.bob, &all.alice] {
        who.rest.post(&format!("{path}/reactions"), json!({"emoji": ":tada:"})).await.expect(200);
    }
    let told = all.alice.rest.get(&path, &[]).await.expect(200);
    assert_eq!(told["reactions"], json!([{"emoji": ":tada:", "user_ids": ["u-bob", "u-alice"]}]));

    let bearer = format!("Bearer {}", all.bob.token);
    let here = [("authorization", bearer.as_str())];
    let mut stream = super::cross::sse::Stream::open(&all.server, "/api/chat/stream", &here).await;
    assert_eq!(stream.event().await.name, "ready");
    let presence = all.alice.rest.get(&all.at("/presence"), &[]).await.expect(200);
    assert_eq!(
        (&presence["online_user_ids"], &presence["in_room_user_ids"]),
        (&json!(["u-bob"]), &json!([]))
    );

    for n in 0..205 {
        all.say(&all.alice, json!({"content": format!("line {n}")})).await;
    }
    all.alice.rest.remove(&path).await.expect(200);
    all.otto.rest.get(&all.at("/export"), &[]).await.problem(404, "not_found");
    all.alice.rest.post(&all.at("/members/u-otto"), json!({})).await.expect(201);
    let export = all.otto.rest.get(&all.at("/export"), &[]).await;
    assert_eq!(export.status, 200, "{}", export.text());
    assert_eq!(export.headers["content-type"], "application/x-ndjson");
    let disposition = export.headers["content-disposition"].to_str().expect("a text").to_owned();
    assert!(disposition.starts_with("attachment; filename="), "{disposition}");
    let lines: Vec<Value> = export.text().lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!((&lines[0]["id"], &lines[0]["is_deleted"]), (&message["id"], &json!(true)));
    assert!(lines.len() == 206 && lines.is_sorted_by_key(|line| line["seq"].as_i64()), "{}", lines.len());
    all.alice.rest.get(&all.at("/export"), &[("format", "xml")]).await.problem(422, "validation_failed");

    let mute = all.at("/members/u-bob/mute");
    all.alice
        .rest
        .post(&all.at("/members/u-nobody/mute"), json!({"muted": true}))
        .await
        .problem(404, "not_found");
    all.alice.rest.post(&mute, json!({"muted": true})).await.expect(200);
    let said = json!({"message": {"rid": all.room, "msg": "by another door"}});
    let _ = all.bob.rest.post("chat.sendMessage", said).await.refused(400);
    all.bob
        .rest
        .post("/api/chat/send", json!({"room_id": all.room, "message": "x"}))
        .await
        .problem(403, "muted");
    let (_, messages) = all.state().await;
    assert!(messages.iter().all(|(_, content)| content != "by another door" && content != "x"));
    all.bob.rest.get(&all.at("/messages"), &[]).await.expect(200);
}
