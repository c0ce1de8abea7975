//! The team `support`: cases of those who ask, seen by the control centre.

use serde_json::json;

use crate::world::{World, room, texts, to_team};

/// S0-42, S0-56.
#[tokio::test]
async fn s0_42_s0_56_support_is_seen_by_the_sender_and_administrators_only() {
    let world = World::start().await;
    let mut administrator = world.stream("administrator").await;
    let mut bystander = {
        world.send(json!({"from_name": "bob", "message": "hello"})).await;
        world.stream("bob").await
    };
    let sent = world.send(to_team("alice", "support", "help!")).await;
    let message = &sent["message"];
    assert_eq!(
        (&message["room_type"], &message["team"], &message["room_name"]),
        (&json!("support"), &json!("support"), &json!("support"))
    );
    assert_eq!((&sent["room"]["requester"], &sent["room"]["status"]), (&json!("alice"), &json!("ACTIVE")));
    assert_eq!(sent["room"]["display_name"], "Support: alice");
    let more = world.send(to_team("alice", "support", "please")).await;
    assert_eq!(more["room"]["id"], sent["room"]["id"], "one open case");
    let seen = administrator.message().await;
    let seen = if seen.data["room_type"] == "channel" { administrator.message().await } else { seen };
    assert_eq!(seen.data["message"], "help!");
    let inbox = world.inbox("administrator").await;
    assert_eq!(texts(&room(&inbox, "type", "support")["messages"]), ["help!", "please"]);
    assert_eq!(room(&inbox, "type", "support")["unread"], 0, "no part in it, no unread");
    let id = sent["room"]["id"].as_str().expect("an id");
    let refused = world.app.get(&format!("/api/chat/inbox/bob?room_id={id}"), &[]).await;
    assert_eq!(refused.status, 404);
    // What bob hears next is not the case.
    world.send(json!({"from_name": "carol", "message": "to all"})).await;
    assert_eq!(bystander.message().await.data["message"], "to all");
}

/// S0-42, S0-56: the control centre answers in the requester's case.
#[tokio::test]
async fn s0_42_s0_56_an_administrator_names_whose_case_it_is() {
    let world = World::start().await;
    let sent = world.send(to_team("alice", "support", "help!")).await;
    let none = world.app.post("/api/chat/send", to_team("administrator", "support", "yes?")).await;
    assert_eq!((none.status, &none.body["detail"][0]["field"]), (400, &json!("to")));
    let answer = world
        .send(json!({"from_name": "administrator", "team": "support", "to": "alice", "message": "yes?"}))
        .await;
    assert_eq!(answer["room"]["id"], sent["room"]["id"]);
    assert_eq!(texts(&room(&world.inbox("alice").await, "type", "support")["messages"]), ["help!", "yes?"]);
    // He takes part from now on: what comes is unread for him.
    world.send(to_team("alice", "support", "thanks")).await;
    assert_eq!(room(&world.inbox("administrator").await, "type", "support")["unread"], 1);
    // Somebody without a case gets one.
    let new = world
        .send(json!({"from_name": "administrator", "team": "support", "to": "bob", "message": "all well?"}))
        .await;
    assert_ne!(new["room"]["id"], sent["room"]["id"]);
    assert_eq!(room(&world.inbox("bob").await, "type", "support")["unread"], 1);
}

/// S0-42, S2-14: the control class sees every open case and is asked about none that it takes no part in; other staff of the
/// field sees none but its own. A closed case takes nothing more, and the next words open another.
#[tokio::test]
async fn s0_42_s2_14_the_control_class_sees_every_case_that_is_open_and_the_field_its_own() {
    let world = World::start().await;
    for (name, role) in
        [("ctrl", "CONTROL_STAFF"), ("driver", "BUS_DRIVER"), ("regulator", "QUEUE_REGULATOR")]
    {
        let user = json!({"username": name, "roles": [role], "password": "password123"});
        world.app.put(&format!("/api/users/u-{name}"), user).await.expect(201);
    }
    let mut others = [world.stream("regulator").await, world.stream("ctrl").await];
    let sent = world.send(to_team("driver", "support", "stuck")).await;
    let id = sent["room"]["id"].as_str().expect("an id");
    assert_eq!(others[1].message().await.data["message"], "stuck");
    assert_eq!(room(&world.inbox("ctrl").await, "id", id)["unread"], 0);
    let unread = world.read("/api/chat/unread-count/ctrl").await;
    assert_eq!((&unread["unread_count"], &unread["rooms"]), (&json!(0), &json!({})));
    world.app.get(&format!("/api/chat/inbox/regulator?room_id={id}"), &[]).await.problem(404, "not_found");
    let intrusion = json!({"from_name": "regulator", "room_id": id, "message": "me too"});
    world.app.post("/api/chat/send", intrusion).await.problem(404, "not_found");
    for (path, body) in [
        ("/api/chat/send", json!({"from_name": "driver", "to": "regulator", "message": "just us"})),
        ("/api/chat/groups", json!({"name": "field", "created_by": "driver", "members": ["regulator"]})),
    ] {
        world.app.post(path, body).await.problem(403, "field_to_field");
    }

    let proof = json!({"username": "ctrl", "password": "password123"});
    let token = world.server.rest().post("/api/auth/login", proof).await.expect(200)["access_token"].take();
    let ctrl =
        world.server.rest().header("authorization", &format!("Bearer {}", token.as_str().expect("a token")));
    ctrl.post(&format!("/api/conversations/{id}/close"), json!({})).await.expect(200);
    let late = json!({"from_name": "driver", "room_id": id, "message": "wait"});
    world.app.post("/api/chat/send", late).await.problem(409, "conversation_closed");
    let closed = world.inbox("driver").await;
    assert_eq!(room(&closed, "id", id)["status"], "CLOSED");
    assert!(!closed.to_string().contains("wait") && !world.inbox("ctrl").await.to_string().contains("stuck"));
    let next = world.send(to_team("driver", "support", "again")).await;
    assert_ne!(next["room"]["id"], sent["room"]["id"]);
    assert_eq!(room(&world.inbox("ctrl").await, "type", "support")["id"], next["room"]["id"]);

    // All that the other one of the field hears is for everybody.
    world.send(json!({"from_name": "carol", "message": "to all"})).await;
    assert_eq!(others[0].message().await.data["message"], "to all");
    assert!(!world.inbox("regulator").await.to_string().contains("just us"));
}

/// S0-28, S0-42, S2-64: files go with a message to `support`, whether it opens the case or goes into an open one; another
/// one's file does not.
#[tokio::test]
async fn s0_28_s0_42_s2_64_files_go_to_the_support_case_too() {
    let world = World::start().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let upload = async |who: &parlor_testkit::Person| {
        let file = ("note.txt", "text/plain", &b"what it looked like, in words"[..]);
        let stored = who.rest.upload("/api/chat/upload", "file", file, &[]).await;
        assert_eq!(stored.status, 201, "{}", stored.body);
        stored.body["id"].clone()
    };
    let ask = async |text: &str, file: &serde_json::Value| {
        let body = json!({"team": "support", "message": text, "attachments": [{"id": file}]});
        alice.rest.post("/api/chat/send", body).await
    };
    let first = ask("look", &upload(&alice).await).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.body["message"]["attachments"][0]["filename"], "note.txt");
    let second = ask("and this", &upload(&alice).await).await;
    assert_eq!(second.status, 201, "{}", second.body);
    assert_eq!(second.body["room"]["id"], first.body["room"]["id"]);
    let foreign = ask("not mine", &upload(&bob).await).await;
    assert_eq!((foreign.status, &foreign.body["error"]), (404, &json!("not_found")));
    // The control centre answers with one as well, and reads those of the case.
    let file = upload(&world.administrator).await;
    let body = json!({"team": "support", "to": "alice", "message": "so", "attachments": [{"id": file}]});
    let answer = world.administrator.rest.post("/api/chat/send", body).await;
    assert_eq!((answer.status, &answer.body["room"]["id"]), (201, &first.body["room"]["id"]));
    let inbox = world.inbox("alice").await;
    let case = room(&inbox, "type", "support");
    let files = case["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|m| m["attachments"].as_array().map_or(0, Vec::len));
    assert_eq!(files.collect::<Vec<_>>(), [1, 1, 1]);
}
