//! The six rules, on every path, and what changes when the facts do.

use parlor_testkit::{HostApp, HostPerson};
use serde_json::json;

use crate::world::{World, facts, members_become, text};

async fn enters(who: &HostPerson, ticket: &str) {
    let path = format!("/api/tickets/{ticket}");
    who.rest.get(&path, &[]).await.expect(200);
    who.rest.get(&format!("{path}/chat"), &[]).await.expect(200);
    who.rest.get(&format!("{path}/chat/participants"), &[]).await.expect(200);
    who.rest.post(&format!("{path}/chat"), json!({"message": "hi"})).await.expect(201);
    who.rest.post(&format!("{path}/chat/read"), json!({})).await.expect(200);
    let file = ("a.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    who.rest.upload(&format!("{path}/chat/upload"), "file", file, &[]).await.expect(201);
}

/// Every path answers as it does for a ticket that there is not, byte for byte.
async fn finds_nothing(who: &HostPerson, ticket: &str) {
    let (known, unknown) = (ticket, "T-none");
    let path = |id: &str, rest: &str| format!("/api/tickets/{id}{rest}");
    for rest in ["", "/chat", "/chat/participants"] {
        let there = who.rest.get(&path(known, rest), &[]).await;
        let nowhere = who.rest.get(&path(unknown, rest), &[]).await;
        assert_eq!(there.bytes, nowhere.bytes, "{rest}");
        there.problem(404, "not_found");
    }
    for (rest, body) in
        [("/chat", json!({"message": "x"})), ("/chat", json!({"message": 5})), ("/chat/read", json!({}))]
    {
        let there = who.rest.post(&path(known, rest), body.clone()).await;
        let nowhere = who.rest.post(&path(unknown, rest), body).await;
        assert_eq!(there.bytes, nowhere.bytes, "{rest}");
        there.problem(404, "not_found");
    }
    let uploaded =
        who.rest.upload(&path(known, "/chat/upload"), "file", ("a.txt", "text/plain", b"words"), &[]).await;
    uploaded.problem(404, "not_found");
    let mine = who.rest.get("/api/tickets", &[]).await.expect(200);
    assert_eq!(mine["tickets"], json!([]));
}

/// S4-1, S4-33 to S4-38, S4-46, S4-53, S4-55: each rule lets in, nothing else does.
#[tokio::test]
async fn s4_1_s4_33_to_s4_38_s4_46_s4_53_s4_55_the_six_rules_let_in_and_nothing_else_does() {
    let world = World::assemble().await;
    for who in [&world.admin, &world.alice, &world.bob, &world.vera, &world.olga, &world.ada] {
        enters(who, "T-1").await;
        let mine = who.rest.get("/api/tickets", &[]).await.expect(200);
        assert_eq!(mine["tickets"][0]["id"], "T-1", "{}", who.id);
    }
    for who in [&world.other_vendor, &world.other_ops, &world.outsider] {
        finds_nothing(who, "T-1").await;
    }
    world.server.rest().get("/api/tickets/T-1/chat", &[]).await.problem(401, "unauthorized");
    world.app.get("/api/tickets/T-1/chat", &[]).await.problem(403, "user_required");
    // ACCOUNTS see what is about money, and nothing else.
    let stock = json!({"created_by": "u-alice", "category": "STOCK"});
    world.app.put("/api/tickets/T-2", stock).await.expect(201);
    world.ada.rest.get("/api/tickets/T-2", &[]).await.problem(404, "not_found");
    world.app.put("/api/tickets/T-2", json!({"category": "invoice"})).await.expect(200);
    world.ada.rest.get("/api/tickets/T-2", &[]).await.expect(200);
}

/// S4-36 to S4-38, S4-46: half of a relation is none: the vendor without the role, the role without a vendor at either end,
/// a verifier who is not of OPS, ACCOUNTS where there is no category.
#[tokio::test]
async fn s4_36_to_s4_38_s4_46_half_of_a_relation_opens_nothing() {
    let world = World::assemble().await;
    world.app.put("/api/users/u-outsider", json!({"vendor_id": "v-9"})).await.expect(200);
    finds_nothing(&world.outsider, "T-1").await;
    world
        .app
        .put("/api/tickets/T-1", json!({"verified_by": ["u-olga", "u-outsider", "u-ada"]}))
        .await
        .expect(200);
    finds_nothing(&world.outsider, "T-1").await;
    let nobodys = HostApp::person(&world.server, "u-vane", &["VENDOR"]).await;
    world.app.put("/api/tickets/T-2", json!({"created_by": "u-alice"})).await.expect(201);
    for who in [&nobodys, &world.ada, &world.olga, &world.vera] {
        who.rest.get("/api/tickets/T-2", &[]).await.problem(404, "not_found");
        who.rest.get("/api/tickets/T-2/chat", &[]).await.problem(404, "not_found");
    }
    finds_nothing(&nobodys, "T-2").await;
    // The other half makes it whole.
    enters(&HostApp::person(&world.server, "u-outsider", &["OPS"]).await, "T-1").await;
    world.app.put("/api/tickets/T-2", json!({"vendor_id": "v-1"})).await.expect(200);
    world.app.put("/api/users/u-vane", json!({"vendor_id": "v-1"})).await.expect(200);
    enters(&nobodys, "T-2").await;
}

/// S4-45, S4-16: who takes part, with the first relation that holds.
#[tokio::test]
async fn s4_16_s4_45_participants_are_those_whom_the_facts_name_and_those_who_wrote() {
    let world = World::assemble().await;
    world.say(&world.ada, "about the invoice").await;
    let list = world.alice.rest.get("/api/tickets/T-1/chat/participants", &[]).await.expect(200);
    let relation = |id: &str| {
        let found = list["participants"].as_array().unwrap().iter().find(|p| p["userId"] == id);
        found.map(|p| text(&p["relation"]))
    };
    assert_eq!(relation("u-alice").as_deref(), Some("creator"));
    assert_eq!(relation("u-bob").as_deref(), Some("assignee"));
    assert_eq!(relation("u-vera").as_deref(), Some("vendor"));
    assert_eq!(relation("u-olga").as_deref(), Some("ops"));
    assert_eq!(relation("u-ada").as_deref(), Some("accounts"));
    assert_eq!(relation("u-admin"), None, "who may enter by role alone is no participant before writing");
    let vera = list["participants"].as_array().unwrap().iter().find(|p| p["userId"] == "u-vera");
    let shown = json!({"userId": "u-vera", "userName": "Vera Person", "username": "vera", "role": "VENDOR",
        "relation": "vendor", "online": false, "inRoom": false});
    assert_eq!(vera, Some(&shown));
    assert_eq!(list["participants"].as_array().map(Vec::len), Some(5));
    // Whoever may not enter any more is none, whatever he wrote.
    world.app.put("/api/tickets/T-1", json!({"category": "STOCK", "assignees": []})).await.expect(200);
    let list = world.alice.rest.get("/api/tickets/T-1/chat/participants", &[]).await.expect(200);
    let mut left: Vec<String> =
        list["participants"].as_array().unwrap().iter().map(|p| text(&p["userId"])).collect();
    left.sort();
    assert_eq!(left, ["u-alice", "u-olga", "u-vera"]);
}

/// S4-52: a changed fact, role or vendor is in force at once, for members and their lists too.
#[tokio::test]
async fn s4_52_access_follows_the_facts() {
    let world = World::assemble().await;
    let members = ["u-alice", "u-bob", "u-olga", "u-vera"];
    assert_eq!(world.members().await, members);
    world.say(&world.bob, "mine").await;
    world
        .app
        .put("/api/tickets/T-1", json!({"assignees": ["u-outsider"], "vendor_id": null}))
        .await
        .expect(200);
    world.bob.rest.get("/api/tickets/T-1/chat", &[]).await.problem(404, "not_found");
    world.vera.rest.get("/api/tickets/T-1/chat", &[]).await.problem(404, "not_found");
    enters(&world.outsider, "T-1").await;
    assert_eq!(world.members().await, ["u-alice", "u-olga", "u-outsider"]);

    // A role that goes takes its tickets along; one that comes brings them.
    world.app.put("/api/users/u-olga", json!({"roles": ["USER"]})).await.expect(200);
    world.app.put("/api/tickets/T-1", facts()).await.expect(200);
    world.app.put("/api/users/u-victor", json!({"vendor_id": "v-9"})).await.expect(200);
    world.other_vendor.rest.get("/api/tickets/T-1/chat", &[]).await.expect(200);
    members_become(&world, &["u-alice", "u-bob", "u-vera", "u-victor"]).await;
}

/// Somebody whom the facts name before he is known becomes a member when first seen.
#[tokio::test]
async fn a_person_becomes_a_member_when_first_seen() {
    let world = World::assemble().await;
    world.app.put("/api/tickets/T-1", json!({"assignees": ["u-bob", "u-later"]})).await.expect(200);
    assert_eq!(world.members().await, ["u-alice", "u-bob", "u-olga", "u-vera"]);
    let later = HostApp::person(&world.server, "u-later", &["USER"]).await;
    enters(&later, "T-1").await;
    assert_eq!(world.members().await, ["u-alice", "u-bob", "u-later", "u-olga", "u-vera"]);
}

/// Nobody is added, removed or given a role in a ticket's room by hand, on any surface.
#[tokio::test]
async fn members_are_not_made_by_hand() {
    let world = World::assemble().await;
    let ticket = world.alice.rest.get("/api/tickets/T-1", &[]).await.expect(200);
    let room = text(&ticket["ticket"]["room_id"]);
    let admin = &world.admin.rest;
    for call in ["groups.invite", "groups.kick", "groups.addOwner", "groups.addModerator", "groups.addLeader"]
    {
        let body = json!({"roomId": room, "userId": "u-outsider"});
        let answer = admin.post(&format!("/api/v1/{call}"), body).await;
        assert!((400..500).contains(&answer.status), "{call}: {}", answer.text());
    }
    for call in ["groups.leave", "groups.delete", "groups.archive"] {
        let who = if call == "groups.leave" { &world.alice.rest } else { admin };
        let answer = who.post(&format!("/api/v1/{call}"), json!({"roomId": room})).await;
        assert!((400..500).contains(&answer.status), "{call}: {}", answer.text());
    }
    let link = json!({"rid": room, "days": 1, "maxUses": 1});
    let answer = admin.post("/api/v1/findOrCreateInvite", link).await;
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    // Nor by the doors of other contracts.
    for (path, body) in [
        (format!("/api/chat/rooms/{room}/members/u-outsider"), json!({})),
        (format!("/api/chat/groups/{room}/members"), json!({"members": ["outsider"]})),
        (format!("/api/conversations/{room}/participants"), json!({"user_id": "u-outsider"})),
    ] {
        let answer = admin.post(&path, body).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.text());
    }
    let own = format!("/api/chat/rooms/{room}/members/u-alice");
    let answer = world.alice.rest.remove(&own).await;
    assert!((400..500).contains(&answer.status), "{own}: {}", answer.text());
    assert_eq!(world.members().await, ["u-alice", "u-bob", "u-olga", "u-vera"]);
    world.outsider.rest.get("/api/tickets/T-1", &[]).await.problem(404, "not_found");
}
