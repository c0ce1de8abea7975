//! The chat of a ticket over REST.

use parlor_testkit::{HostApp, HostPerson};
use serde_json::{Value, json};

use crate::world::{World, text};

/// S4-6, S4-14, S4-15, S4-39, S4-50: sending, retrying, reading.
#[tokio::test]
async fn s4_4_to_s4_6_s4_14_s4_15_s4_39_s4_50_messages_are_stored_once_and_paged() {
    let world = World::assemble().await;
    let body = json!({"message": "Hello!", "messageType": "TEXT", "attachments": null, "clientId": "c-1"});
    let sent = world.alice.rest.post("/api/tickets/T-1/chat", body.clone()).await.expect(201);
    assert_eq!(sent["success"], true);
    let message = &sent["message"];
    assert_eq!((&message["ticketId"], &message["senderId"]), (&json!("T-1"), &json!("u-alice")));
    assert_eq!((&message["message"], &message["messageType"]), (&json!("Hello!"), &json!("TEXT")));
    assert_eq!(message["sender"], json!({"id": "u-alice", "name": "Alice Person", "role": "USER"}));
    assert_eq!((&message["clientId"], &message["attachments"]), (&json!("c-1"), &json!(null)));
    assert_eq!(message["createdAt"], message["updatedAt"]);
    let again = world.alice.rest.post("/api/tickets/T-1/chat", body).await.expect(200);
    assert_eq!(again["message"]["id"], message["id"]);
    for n in 0..4 {
        world.say(&world.bob, &format!("m{n}")).await;
    }
    let page =
        async |query: &[(&str, &str)]| world.vera.rest.get("/api/tickets/T-1/chat", query).await.expect(200);
    let texts = |page: &Value| -> Vec<String> {
        page["messages"].as_array().unwrap().iter().map(|m| text(&m["message"])).collect()
    };
    let newest = page(&[("limit", "2")]).await;
    assert_eq!(texts(&newest), ["m2", "m3"]);
    assert_eq!(newest["pagination"]["total"], 5);
    let cursor = text(&newest["pagination"]["next_cursor"]);
    assert_eq!(texts(&page(&[("limit", "2"), ("before", &cursor)]).await), ["m0", "m1"]);
    let first = text(&message["id"]);
    assert_eq!(texts(&page(&[("after", &first)]).await), ["m0", "m1", "m2", "m3"]);
    let second = page(&[("page", "2"), ("limit", "2")]).await;
    assert_eq!(texts(&second), ["m0", "m1"]);
    assert_eq!(second["pagination"]["total_pages"], 3);
    let both = [("page", "1"), ("before", cursor.as_str())];
    world.vera.rest.get("/api/tickets/T-1/chat", &both).await.problem(400, "validation_failed");
    world.vera.rest.get("/api/tickets/T-1/chat", &[("before", "x!")]).await.problem(400, "bad_cursor");
    let read = world.alice.rest.post("/api/tickets/T-1/chat/read", json!({})).await.expect(200);
    assert_eq!((&read["success"], &read["unreadCount"]), (&json!(true), &json!(0)));
}

/// S4-54, S4-47: wrong types, sizes and words are told; nothing is stored.
#[tokio::test]
async fn s4_47_s4_54_wrong_messages_are_refused() {
    let world = World::assemble().await;
    for bad in [
        json!({}),
        json!({"message": 5}),
        json!({"message": "   "}),
        json!({"message": "x".repeat(5001)}),
        json!({"message": "x", "messageType": "SYSTEM"}),
        json!({"message": "x", "messageType": "VIDEO"}),
        json!({"message": "x", "messageType": "FILE"}),
        json!({"message": "x", "clientId": "a b"}),
        json!({"message": {"$ne": null}}),
    ] {
        let answer = world.alice.rest.post("/api/tickets/T-1/chat", bad.clone()).await;
        answer.problem(400, "validation_failed");
    }
    let unknown = json!({"messageType": "FILE", "attachments": [{"id": "nothing"}]});
    world.alice.rest.post("/api/tickets/T-1/chat", unknown).await.problem(404, "not_found");
    let none = world.alice.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    assert_eq!(none["messages"], json!([]));
}

/// S4-6: edits are the sender's; removals the sender's and ADMIN's; what is removed keeps its place.
#[tokio::test]
async fn s4_6_messages_are_changed_by_those_who_may() {
    let world = World::assemble().await;
    let message = world.say(&world.alice, "first").await;
    let path = format!("/api/tickets/T-1/chat/{}", text(&message["id"]));
    world.bob.rest.patch(&path, json!({"message": "mine"})).await.problem(403, "forbidden");
    world.admin.rest.patch(&path, json!({"message": "mine"})).await.problem(403, "forbidden");
    world.outsider.rest.patch(&path, json!({"message": "mine"})).await.problem(404, "not_found");
    let edited = world.alice.rest.patch(&path, json!({"message": "better"})).await.expect(200);
    assert_eq!(
        (&edited["message"]["message"], &edited["message"]["isEdited"]),
        (&json!("better"), &json!(true))
    );
    assert_eq!(edited["message"]["createdAt"], message["createdAt"]);
    let elsewhere = format!("/api/chat/messages/{}", text(&message["id"]));
    let known = world.bob.rest.get(&elsewhere, &[]).await.expect(200);
    assert_eq!(edited["message"]["updatedAt"], known["edited_at"]);
    // A reaction is no edit.
    let react = json!({"messageId": message["id"], "emoji": ":tada:", "shouldReact": true});
    world.bob.rest.post("/api/v1/chat.react", react).await.expect(200);
    let list = world.bob.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    assert_eq!(list["messages"][0]["updatedAt"], edited["message"]["updatedAt"]);
    for bad in
        [json!({}), json!({"message": " "}), json!({"message": 5}), json!({"message": "x".repeat(5001)})]
    {
        world.alice.rest.patch(&path, bad).await.problem(400, "validation_failed");
    }
    world.bob.rest.remove(&path).await.problem(403, "forbidden");
    world.outsider.rest.remove(&path).await.problem(404, "not_found");
    let gone = world.admin.rest.remove(&path).await.expect(200);
    assert_eq!((&gone["message"]["message"], &gone["message"]["isDeleted"]), (&json!(null), &json!(true)));
    let known = world.bob.rest.get(&elsewhere, &[]).await.expect(200);
    assert_eq!(gone["message"]["updatedAt"], known["deleted_at"]);
    let list = world.bob.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    assert_eq!(list["messages"][0]["id"], message["id"]);
    assert_eq!(list["messages"][0]["isDeleted"], true);
    world.alice.rest.patch(&path, json!({"message": "back"})).await.problem(409, "message_deleted");
    let none = "/api/tickets/T-1/chat/no-such-message";
    world.alice.rest.remove(none).await.problem(404, "not_found");
}

/// The newest messages are kept in memory: whatever changes them is seen by whoever reads next, after each change.
#[tokio::test]
async fn the_newest_messages_are_true_after_each_change() {
    let world = World::assemble().await;
    let newest = async |limit: &str| {
        let list = world.bob.rest.get("/api/tickets/T-1/chat", &[("limit", limit)]).await.expect(200);
        let shown =
            |m: &Value| format!("{} {} {}", m["sender"]["name"], m["message"], m["reactions"][0]["emoji"]);
        let all: Vec<String> = list["messages"].as_array().unwrap().iter().map(shown).collect();
        (all.join(", "), list["pagination"]["total"].as_u64(), list["pagination"]["has_more"].as_bool())
    };
    assert_eq!(newest("50").await, (String::new(), Some(0), Some(false)));
    let first = world.say(&world.alice, "one").await;
    assert_eq!(newest("50").await, (r#""Alice Person" "one" null"#.into(), Some(1), Some(false)));
    world.say(&world.bob, "two").await;
    let (both, total, more) = newest("50").await;
    assert!(both.starts_with(r#""Alice Person" "one" null, "#) && both.ends_with(r#" "two" null"#), "{both}");
    assert_eq!((total, more), (Some(2), Some(false)));
    let (last, total, more) = newest("1").await;
    assert!(both.ends_with(&last) && last.len() < both.len(), "fewer are cut from what is kept: {last}");
    assert_eq!((total, more), (Some(2), Some(true)));
    let path = format!("/api/tickets/T-1/chat/{}", text(&first["id"]));
    world.alice.rest.patch(&path, json!({"message": "better"})).await.expect(200);
    assert!(newest("50").await.0.starts_with(r#""Alice Person" "better" null"#));
    let react = json!({"messageId": first["id"], "emoji": ":tada:", "shouldReact": true});
    world.admin.rest.post("/api/v1/chat.react", react).await.expect(200);
    assert!(newest("50").await.0.starts_with(r#""Alice Person" "better" ":tada:""#));
    world.app.put("/api/users/u-alice", json!({"name": "Alice Other"})).await.expect(200);
    assert!(newest("50").await.0.starts_with(r#""Alice Other" "better""#));
    world.admin.rest.remove(&path).await.expect(200);
    let left = newest("50").await.0;
    assert!(left.starts_with(r#""Alice Other" null"#), "{left}");
}

/// S4-39: the application speaks as the system, and as nobody else.
#[tokio::test]
async fn s4_39_the_application_speaks_as_the_system() {
    let world = World::assemble().await;
    let said = json!({"message": "Status changed", "messageType": "SYSTEM"});
    let sent = world.app.post("/api/tickets/T-1/chat", said).await.expect(201);
    assert_eq!(sent["message"]["messageType"], "SYSTEM");
    assert_eq!(sent["message"]["sender"], json!({"id": "system", "name": "System", "role": "SYSTEM"}));
    world.app.post("/api/tickets/T-1/chat", json!({"message": "x"})).await.problem(403, "user_required");
    let list = world.alice.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    assert_eq!(list["messages"][0]["senderId"], "system");
    let people = world.alice.rest.get("/api/tickets/T-1/chat/participants", &[]).await.expect(200);
    assert!(people["participants"].as_array().unwrap().iter().all(|p| p["userId"] != "system"));
}

/// S4-17, S4-44: files are uploaded first and used once; what is not taken is told.
#[tokio::test]
async fn s4_5_s4_17_s4_39_s4_44_files_are_uploaded_and_attached() {
    let world = World::assemble().await;
    let path = "/api/tickets/T-1/chat/upload";
    let stored = world
        .alice
        .rest
        .upload(path, "file", ("notes.txt", "text/plain", b"a few words"), &[])
        .await
        .expect(201);
    let file = &stored["attachment"];
    assert_eq!((&file["filename"], &file["size"]), (&json!("notes.txt"), &json!(11)));
    assert_eq!(file["mimeType"], "text/plain");
    assert!(
        file["url"].is_string() && file["expiresAt"].as_str().is_some_and(|time| time.ends_with('Z')),
        "{file}"
    );
    let image = json!({"messageType": "IMAGE", "attachments": [{"id": file["id"]}]});
    world.alice.rest.post("/api/tickets/T-1/chat", image).await.problem(400, "validation_failed");
    let foreign = json!({"attachments": [{"id": file["id"]}]});
    world.bob.rest.post("/api/tickets/T-1/chat", foreign.clone()).await.problem(404, "not_found");
    let sent = world.alice.rest.post("/api/tickets/T-1/chat", foreign).await.expect(201);
    assert_eq!(
        (&sent["message"]["messageType"], &sent["message"]["message"]),
        (&json!("FILE"), &json!(null))
    );
    assert_eq!(sent["message"]["attachments"][0]["filename"], "notes.txt");
    let page = b"<!doctype html><html><script>alert(1)</script></html>";
    world
        .alice
        .rest
        .upload(path, "file", ("page.html", "text/html", page), &[])
        .await
        .problem(415, "unsupported_media_type");
    world
        .alice
        .rest
        .upload(path, "file", ("empty.txt", "text/plain", b""), &[])
        .await
        .problem(400, "validation_failed");
    let no_form = world.alice.rest.post(path, json!({"file": "x"})).await;
    no_form.problem(400, "validation_failed");
}

/// S4-5, S4-17, S4-44: a file is the uploader's own until a message shows it, by its id or its address; then everybody who may
/// enter fetches it by an address of his own, and nobody else.
#[tokio::test]
async fn s4_5_s4_17_s4_44_a_file_is_fetched_by_whoever_may_enter() {
    const NOTE: &[u8] = b"what is missing, in a few words";
    let world = World::on(HostApp::setup().env("PARLOR_MAX_UPLOAD", "2000").start().await).await;
    let upload = "/api/tickets/T-1/chat/upload";
    let put = async |who: &HostPerson, bytes: &[u8]| {
        who.rest.upload(upload, "file", ("note.txt", "text/plain", bytes), &[]).await
    };
    put(&world.alice, &[b'x'; 2001]).await.problem(413, "payload_too_large");
    let stored = put(&world.alice, NOTE).await.expect(201)["attachment"].take();
    let path = |url: &Value| text(url).split_once("/api/").map(|(_, path)| format!("/api/{path}")).unwrap();
    let (nobody, own) = (world.server.rest(), path(&stored["url"]));
    let bare = own.split('?').next().unwrap();
    assert_eq!(nobody.get(&own, &[]).await.bytes, NOTE);
    world.bob.rest.get(bare, &[]).await.problem(404, "not_found");
    nobody.get(bare, &[]).await.problem(401, "unauthorized");

    let by_address = json!({"message": "here", "attachments": [{"url": stored["url"], "filename": "other.txt", "size": 1}]});
    world.bob.rest.post("/api/tickets/T-1/chat", by_address.clone()).await.problem(404, "not_found");
    let elsewhere = json!({"attachments": [{"url": "https://elsewhere.example/note.txt"}]});
    world.alice.rest.post("/api/tickets/T-1/chat", elsewhere).await.problem(404, "not_found");
    let sent = world.alice.rest.post("/api/tickets/T-1/chat", by_address).await.expect(201)["message"].take();
    assert_eq!((&sent["message"], &sent["messageType"]), (&json!("here"), &json!("FILE")));
    let shown = &sent["attachments"][0];
    assert_eq!(
        (&shown["id"], &shown["filename"], &shown["size"]),
        (&stored["id"], &json!("note.txt"), &json!(NOTE.len()))
    );
    let list = world.bob.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    let his = path(&list["messages"][0]["attachments"][0]["url"]);
    assert!(his.contains("u=u-bob&"), "{his}");
    assert_eq!(nobody.get(&his, &[]).await.bytes, NOTE);
    assert_eq!(world.vera.rest.get(bare, &[]).await.bytes, NOTE);
    world.outsider.rest.get(bare, &[]).await.problem(404, "not_found");
    nobody.get(&his.replace("u-bob", "u-outsider"), &[]).await.problem(403, "bad_signature");
    world.app.remove("/api/tickets/T-1").await.expect(200);
    for gone in [&own, &his] {
        nobody.get(gone, &[]).await.problem(404, "not_found");
    }
}

/// S4-39: a picture that is sent as a file, or beside a text, is what its sender says; without a word it is a picture.
/// A retry is the stored message, whatever became of its files.
#[tokio::test]
async fn s4_39_a_message_is_of_the_type_that_its_sender_says() {
    const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
    let world = World::assemble().await;
    let (alice, bob) = (&world.alice.rest, &world.bob.rest);
    let chat = "/api/tickets/T-1/chat";
    for (said, shown) in
        [(Some("FILE"), "FILE"), (Some("TEXT"), "TEXT"), (Some("IMAGE"), "IMAGE"), (None, "IMAGE")]
    {
        let path = format!("{chat}/upload");
        let stored = alice.upload(&path, "file", ("dot.gif", "image/gif", GIF), &[]).await.expect(201);
        let id = format!("c-{}", said.unwrap_or("none"));
        let body = json!({"message": "look", "messageType": said, "clientId": id,
            "attachments": [{"id": stored["attachment"]["id"]}]});
        let sent = alice.post(chat, body.clone()).await.expect(201)["message"].take();
        assert_eq!(sent["messageType"], shown, "{said:?}");
        let list = bob.get(chat, &[("limit", "1")]).await.expect(200);
        assert_eq!(list["messages"][0]["messageType"], shown, "{said:?}");
        assert_eq!(alice.post(chat, body.clone()).await.expect(200)["message"]["id"], sent["id"]);
        alice.remove(&format!("{chat}/{}", text(&sent["id"]))).await.expect(200);
        let retried = alice.post(chat, body).await.expect(200)["message"].take();
        assert_eq!((&retried["id"], &retried["isDeleted"]), (&sent["id"], &json!(true)));
    }
}
