//! Tickets as the application tells of them, and their end.

use serde_json::json;

use crate::world::{World, facts, text};

/// S4-2, S4-34 to S4-38: made once, changed by what is told anew.
#[tokio::test]
async fn s4_2_s4_41_facts_are_kept_and_changed_key_by_key() {
    let world = World::assemble().await;
    let known = world.app.get("/api/tickets/T-1", &[]).await.expect(200)["ticket"].clone();
    for (key, value) in facts().as_object().unwrap() {
        assert_eq!(known[key], *value, "{key}");
    }
    assert_eq!((&known["id"], known["room_id"].is_string()), (&json!("T-1"), true));
    let changed =
        world.app.put("/api/tickets/T-1", json!({"status": "DONE", "title": null})).await.expect(200);
    let changed = &changed["ticket"];
    assert_eq!((&changed["status"], &changed["title"]), (&json!("DONE"), &json!(null)));
    assert_eq!((&changed["assignees"], &changed["created_by"]), (&known["assignees"], &known["created_by"]));
    assert_eq!(changed["room_id"], known["room_id"]);
    assert_eq!(changed["created_at"], known["created_at"]);
    assert!(text(&changed["updated_at"]) > text(&known["updated_at"]), "{changed}");
    let other = world.app.put("/api/tickets/T-1", json!({"created_by": "u-outsider", "status": null})).await;
    let other = other.expect(200)["ticket"].take();
    assert_eq!((&other["created_by"], &other["status"]), (&known["created_by"], &json!("OPEN")));
    world.outsider.rest.get("/api/tickets/T-1", &[]).await.problem(404, "not_found");
    let plain = world.app.put("/api/tickets/T-9", json!({"created_by": "u-alice"})).await.expect(201);
    assert_eq!(plain["ticket"]["status"], "OPEN");
    assert_ne!(plain["ticket"]["room_id"], known["room_id"]);
    assert_eq!((&plain["ticket"]["assignees"], &plain["ticket"]["vendor_id"]), (&json!([]), &json!(null)));
    let list = world.app.get("/api/tickets", &[("limit", "1")]).await.expect(200);
    assert_eq!(list["tickets"][0]["id"], "T-9");
    let next = text(&list["pagination"]["next_cursor"]);
    let rest = world.app.get("/api/tickets", &[("before", &next)]).await.expect(200);
    assert_eq!((&rest["tickets"][0]["id"], &rest["pagination"]["has_more"]), (&json!("T-1"), &json!(false)));
    // By pages too, of what each may enter.
    for (who, page, wanted, pages) in [
        (&world.app, "2", vec!["T-1"], 2),
        (&world.bob.rest, "1", vec!["T-1"], 1),
        (&world.bob.rest, "2", vec![], 1),
    ] {
        let list = who.get("/api/tickets", &[("page", page), ("page_size", "1")]).await.expect(200);
        let ids: Vec<String> = list["tickets"].as_array().unwrap().iter().map(|t| text(&t["id"])).collect();
        assert_eq!(ids, wanted, "page {page}");
        let told = &list["pagination"];
        assert_eq!(
            (&told["page"], &told["total_pages"]),
            (&json!(page.parse::<u64>().unwrap()), &json!(pages))
        );
        assert_eq!((&told["page_size"], &told["total"]), (&json!(1), &json!(pages)));
    }
    let mixed = world.app.get("/api/tickets", &[("page", "1"), ("before", &next)]).await;
    mixed.problem(400, "validation_failed");
}

/// Who may tell, and what is refused.
#[tokio::test]
async fn only_the_application_and_administrators_tell() {
    let world = World::assemble().await;
    let path = "/api/tickets/T-5";
    world.server.rest().put(path, facts()).await.problem(401, "unauthorized");
    for who in [&world.alice, &world.vera, &world.olga, &world.ada, &world.outsider] {
        who.rest.put(path, facts()).await.problem(403, "forbidden");
        who.rest.remove("/api/tickets/T-1").await.problem(403, "forbidden");
    }
    world.admin.rest.put(path, facts()).await.expect(201);
    world.admin.rest.remove(path).await.expect(200);
    world.app.remove(path).await.problem(404, "not_found");
    for bad in [
        json!({"title": "no creator"}),
        json!({"created_by": 5}),
        json!({"created_by": "u-alice", "assignees": "u-bob"}),
        json!({"created_by": "u-alice", "assignees": ["a b"]}),
        json!({"created_by": "u-alice", "title": "x".repeat(201)}),
        json!({"created_by": "u-alice", "category": "x".repeat(65)}),
        json!({"created_by": "u-alice", "status": "x".repeat(65)}),
        json!({"created_by": "u-alice", "vendor_id": {"$ne": 1}}),
        json!({"created_by": "u-alice", "verified_by": [7]}),
        json!({"created_by": "u-alice", "assignees": vec!["u-bob"; 1001]}),
        json!({"created_by": "a b"}),
    ] {
        world.app.put(path, bad.clone()).await.problem(400, "validation_failed");
    }
    world.app.get(path, &[]).await.problem(404, "not_found");
    world.alice.rest.get("/api/tickets/T-1", &[]).await.expect(200);
    world.app.put("/api/tickets/a%20b", facts()).await.problem(400, "validation_failed");
    world.app.get("/api/tickets/a%20b", &[]).await.problem(404, "not_found");
}

/// S4-7: a ticket that goes takes its chat along on every surface; ids are not used again; told again it is empty.
#[tokio::test]
async fn s4_7_s4_41_a_removed_ticket_takes_everything_along() {
    let world = World::assemble().await;
    let body = json!({"message": "gone soon", "clientId": "c-1"});
    let sent = world.alice.rest.post("/api/tickets/T-1/chat", body.clone()).await.expect(201);
    world.say(&world.bob, "me too").await;
    let room = text(&world.app.get("/api/tickets/T-1", &[]).await.expect(200)["ticket"]["room_id"]);
    let removed = world.app.remove("/api/tickets/T-1").await.expect(200);
    assert_eq!(removed, json!({"success": true, "ticketId": "T-1", "deletedMessages": 2}));
    world.app.remove("/api/tickets/T-1").await.problem(404, "not_found");
    let message = text(&sent["message"]["id"]);
    for path in [
        "/api/tickets/T-1".to_owned(),
        "/api/tickets/T-1/chat".to_owned(),
        format!("/api/chat/rooms/{room}"),
        format!("/api/chat/messages/{message}"),
        format!("/api/conversations/{room}/messages"),
        format!("/api/chat/inbox/alice?room_id={room}"),
    ] {
        world.alice.rest.get(&path, &[]).await.problem(404, "not_found");
    }
    for path in [
        format!("/api/v1/groups.history?roomId={room}"),
        format!("/api/v1/chat.getMessage?msgId={message}"),
        format!("/api/v1/subscriptions.getOne?roomId={room}"),
        "/api/chat/search?q=gone".to_owned(),
    ] {
        let told = world.alice.rest.get(&path, &[]).await;
        assert!(told.status < 500 && !told.text().contains("gone soon"), "{path}: {}", told.text());
        assert!(told.status >= 400 || !told.text().contains(&room), "{path}: {}", told.text());
    }
    world.app.put("/api/tickets/T-1", facts()).await.expect(201);
    let fresh = world.alice.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    assert_eq!((&fresh["messages"], &fresh["pagination"]["total"]), (&json!([]), &json!(0)));
    // The retry of a message of the old room is not a message of the new one.
    world.alice.rest.post("/api/tickets/T-1/chat", body).await.problem(409, "client_id_conflict");
}
