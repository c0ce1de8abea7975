//! Whatever a call to a ticket names that its sender may not see, or that is of another ticket, is not there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, text};

/// S4-46, S4-55: messages and files of a hidden ticket, in every field of a call to one's own that can name them.
#[tokio::test]
async fn s4_46_s4_55_what_is_of_a_hidden_ticket_is_not_there_in_whatever_field_it_is_named() {
    let world = World::assemble().await;
    world.app.put("/api/tickets/T-own", json!({"created_by": "u-outsider"})).await.expect(201);
    let file = ("note.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    let stored = world.alice.rest.upload("/api/tickets/T-1/chat/upload", "file", file, &[]).await.expect(201);
    let file = text(&stored["attachment"]["id"]);
    let body = json!({"message": "the secret", "attachments": [{"id": file}]});
    let sent = world.alice.rest.post("/api/tickets/T-1/chat", body).await.expect(201);
    let message = text(&sent["message"]["id"]);
    let chat = "/api/tickets/T-own/chat";
    let post = |path: &str, body: Value| (Method::POST, path.to_owned(), body);
    for (verb, path, body) in [
        (Method::GET, format!("{chat}?before={message}"), Value::Null),
        (Method::GET, format!("{chat}?after={message}"), Value::Null),
        (Method::PATCH, format!("{chat}/{message}"), json!({"message": "mine"})),
        (Method::DELETE, format!("{chat}/{message}"), Value::Null),
        post(&format!("{chat}/read"), json!({"messageIds": [message]})),
        post(chat, json!({"message": "x", "replyToId": message})),
        post(chat, json!({"message": "x", "threadId": message})),
        post(chat, json!({"attachments": [{"id": file}]})),
        post(chat, json!({"attachments": [{"url": stored["attachment"]["url"]}]})),
    ] {
        let none = |text: &str| text.replace(&message, "none").replace(&file, "none");
        let ask = async |path: &str, body: Value| {
            let request = world.outsider.rest.request(verb.clone(), path);
            let request = if body.is_null() { request } else { request.json(&body) };
            let told = parlor_testkit::rest::answer(request).await;
            (told.status, told.text())
        };
        let nothing: Value = serde_json::from_str(&none(&body.to_string())).unwrap();
        let there = ask(&path, body.clone()).await;
        assert_eq!(there, ask(&none(&path), nothing).await, "{verb} {path} {body}");
        let wanted = if verb == Method::GET { 400 } else { 404 };
        assert_eq!(there.0, wanted, "{verb} {path} {body}: {}", there.1);
    }
    let kept = world.outsider.rest.get(chat, &[]).await.expect(200);
    assert_eq!(kept["messages"], json!([]));
    // Nor does who may enter both find one's messages in the other.
    let path = format!("{chat}/{message}");
    world.admin.rest.patch(&path, json!({"message": "x"})).await.problem(404, "not_found");
    world.admin.rest.remove(&path).await.problem(404, "not_found");
    let kept = world.alice.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    assert_eq!(kept["messages"][0]["message"], "the secret");
}
