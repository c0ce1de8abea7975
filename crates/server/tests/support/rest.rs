//! The same over REST.

use serde_json::json;

use crate::world::{World, text};

/// S2-44, S2-45, S2-46, S2-47: the four paths of the document.
#[tokio::test]
async fn s2_44_s2_45_s2_46_s2_47_conversations_are_made_listed_read_and_written() {
    let world = World::assemble().await;
    let mut socket = world.socket(&world.driver).await;
    let id = world.case("by REST").await;
    let told =
        socket.wait("created", |f| f["type"] == "conversation_updated" && f["action"] == "created").await;
    assert_eq!(told["conversation"]["id"], id.as_str());
    let path = format!("/api/conversations/{id}");
    let say = json!({"content": "hello", "client_id": "c-1"});
    let sent = world.driver.rest.post(&format!("{path}/messages"), say.clone()).await.expect(201);
    let again = world.driver.rest.post(&format!("{path}/messages"), say).await.expect(200);
    assert_eq!(again["message"]["id"], sent["message"]["id"]);
    let list = world.driver.rest.get("/api/conversations", &[]).await.expect(200);
    assert_eq!(list["conversations"][0]["id"], id.as_str());
    assert_eq!(list["conversations"][0]["last_message"]["content"], "hello");
    let read = world.driver.rest.get(&format!("{path}/messages"), &[("limit", "1")]).await.expect(200);
    assert_eq!(read["messages"][0]["id"], sent["message"]["id"]);
    assert_eq!(read["conversation_id"], id.as_str());
    let one = world.control.rest.get(&path, &[]).await.expect(200);
    assert_eq!(one["conversation"]["title"], "by REST");
    world.control.rest.post(&format!("{path}/close"), json!({})).await.expect(200);
    let active = world.driver.rest.get("/api/conversations", &[("status", "ACTIVE")]).await.expect(200);
    assert_eq!(active["conversations"], json!([]));
    let all =
        world.driver.rest.get("/api/conversations", &[("skip", "0"), ("limit", "10")]).await.expect(200);
    assert_eq!(all["pagination"]["total"], 1);
    let more = json!({"content": "late"});
    world.driver.rest.post(&format!("{path}/messages"), more).await.problem(409, "conversation_closed");
    // A retry of what was said before is still the stored message.
    let retry = json!({"content": "hello", "client_id": "c-1"});
    world.driver.rest.post(&format!("{path}/messages"), retry).await.expect(200);
}

/// S2-46, S2-47: whom field staff asks for takes part from the start; a request that is made again opens no second case; and
/// what is read is read over REST too.
#[tokio::test]
async fn s2_46_s2_47_whom_field_staff_asks_for_takes_part_from_the_start() {
    let world = World::assemble().await;
    let create = "/api/conversations/create";
    let (mut control, mut second) = (world.socket(&world.control).await, world.socket(&world.second).await);
    let body = json!({"title": "both of you", "content": "help", "client_id": "c-1", "priority": "HIGH",
        "participants": ["u-driver", "u-control"]});
    let made = world.driver.rest.post(create, body.clone()).await.expect(201);
    let case = &made["conversation"];
    let mut people: Vec<String> = case["participants"].as_array().unwrap().iter().map(text).collect();
    people.sort();
    assert_eq!((people, &case["priority"]), (vec!["u-control".into(), "u-driver".into()], &json!("HIGH")));
    assert_eq!(control.event("conversation_updated").await["action"], "created");
    for socket in [&mut control, &mut second] {
        assert_eq!(socket.event("new_support_conversation").await["conversation_id"], case["id"]);
    }
    second.heard_no("conversation_updated").await;
    let again = world.driver.rest.post(create, body).await.expect(200);
    assert_eq!(
        (&again["conversation"]["id"], &again["message"]["id"]),
        (&case["id"], &made["message"]["id"])
    );
    second.heard_no("new_support_conversation").await;

    let path = format!("/api/conversations/{}", text(&case["id"]));
    let read = world.control.rest.post(&format!("{path}/read"), json!({})).await.expect(200);
    assert_eq!((&read["conversation_id"], &read["unread_count"]), (&case["id"], &json!(0)));
    assert_eq!(read["message_ids"], json!([made["message"]["id"]]));
    let unknown = json!({"message_ids": ["none"]});
    world.control.rest.post(&format!("{path}/read"), unknown).await.problem(404, "not_found");
    for (bad, field) in [
        (json!({"title": "t"}), "content"),
        (json!({"content": "c"}), "title"),
        (json!({"title": "t", "content": "c", "participants": ["u-outsider"]}), "participants"),
        (json!({"title": "t", "content": "c", "participants": "u-control"}), "participants"),
        (json!({"title": "t", "content": "c", "priority": 1}), "priority"),
    ] {
        let refused = world.driver.rest.post(create, bad.clone()).await.problem(400, "validation_failed");
        assert_eq!(refused["detail"][0]["field"], field, "{bad} {refused}");
    }
    let mine = world.driver.rest.get("/api/conversations", &[]).await.expect(200);
    assert_eq!(
        mine["conversations"].as_array().map(Vec::len),
        Some(1),
        "nothing was made of what was refused"
    );
}

/// S2-14, S2-57, S2-55: who is refused, and how.
#[tokio::test]
async fn s2_14_s2_55_s2_57_refusals_have_their_status_and_code() {
    let world = World::assemble().await;
    let id = world.case("refused").await;
    let path = format!("/api/conversations/{id}");
    let open = |more: serde_json::Value| {
        let mut body = json!({"title": "t", "content": "c"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let create = "/api/conversations/create";
    let anybody = world.server.rest();
    anybody.get("/api/conversations", &[]).await.problem(401, "unauthorized");
    anybody.post(create, open(json!({}))).await.problem(401, "unauthorized");
    parlor_testkit::HostApp::rest(&world.server)
        .get("/api/conversations", &[])
        .await
        .problem(403, "user_required");
    world.outsider.rest.get(&path, &[]).await.problem(404, "not_found");
    world.outsider.rest.get("/api/conversations/none", &[]).await.problem(404, "not_found");
    world
        .regulator
        .rest
        .post(&format!("{path}/messages"), json!({"content": "x"}))
        .await
        .problem(404, "not_found");
    world.outsider.rest.post(create, open(json!({}))).await.problem(403, "role_required");
    world.control.rest.post(create, open(json!({}))).await.problem(400, "validation_failed");
    let field = open(json!({"participants": ["u-regulator"]}));
    world.driver.rest.post(create, field).await.problem(403, "field_to_field");
    let unknown = open(json!({"participants": ["u-nobody"]}));
    let told = world.driver.rest.post(create, unknown).await.problem(404, "unknown_users");
    assert_eq!(told["detail"], json!({"unknown_ids": ["u-nobody"]}));
    let wrong = world.driver.rest.post(create, json!({"title": 5, "content": {}})).await;
    assert_eq!(wrong.problem(400, "validation_failed")["detail"].as_array().map(Vec::len), Some(2));
    world.driver.rest.post(&format!("{path}/claim"), json!({})).await.problem(403, "role_required");
    world.driver.rest.remove(&path).await.problem(405, "method_not_allowed");
}

/// S2-3: a case that the control centre opens is nobody's request: the whole centre is not told of a new one, only whoever
/// watches, that it is claimed. Of several of the field, or of none, nobody is its requester.
#[tokio::test]
async fn s2_3_a_case_of_the_control_centre_is_nobodys_request() {
    let world = World::assemble().await;
    let (mut watcher, mut idle) = (world.socket(&world.second).await, world.socket(&world.second).await);
    let mut asked = world.socket(&world.regulator).await;
    watcher.done("join_support_room", json!({"room_type": "general_support"})).await;
    let first = json!({"title": "come in", "content": "please", "participants": ["u-regulator"]});
    let first = world.control.rest.post("/api/conversations/create", first).await.expect(201);
    let told = watcher.event("support_conversation_updated").await;
    assert_eq!(
        (&told["action"], &told["conversation"]["id"]),
        (&json!("claimed"), &first["conversation"]["id"])
    );
    let told = asked.event("conversation_updated").await;
    assert_eq!((&told["action"], &told["conversation"]["unread_count"]), (&json!("created"), &json!(1)));
    for people in [json!(["u-regulator", "u-driver"]), json!(["u-outsider"])] {
        let body = json!({"title": "all of you", "participants": people});
        let made = world.control.rest.post("/api/conversations/create", body).await.expect(201);
        let case = &made["conversation"];
        for nobody in ["requester_id", "requester_name", "requester_role"] {
            assert_eq!(case[nobody], json!(null), "{nobody} of {case}");
        }
        assert_eq!(
            (&case["queue"], &case["room_types"]),
            (&json!("general_support"), &json!(["general_support"]))
        );
    }
    let urgent = json!({"title": "now", "participants": ["u-driver"], "priority": "EMERGENCY"});
    let urgent = world.control.rest.post("/api/conversations/create", urgent).await.expect(201);
    assert_eq!(urgent["conversation"]["queue"], "emergency_support");
    watcher.heard_no("new_support_conversation").await;
    assert!(idle.rest().await.is_empty(), "whoever neither watches nor takes part");
}

/// S2-3: the control centre opens a case with somebody; it is claimed already. Participants are added by those of the
/// control centre who take part.
#[tokio::test]
async fn s2_3_the_control_centre_opens_cases_too() {
    let world = World::assemble().await;
    let body = json!({"title": "come in", "participants": ["u-regulator"]});
    let made = world.control.rest.post("/api/conversations/create", body).await.expect(201);
    let case = &made["conversation"];
    assert_eq!(made["message"], json!(null));
    assert_eq!(case["requester_id"], "u-regulator");
    assert_eq!(case["queue"], "regulator_support");
    let mut people: Vec<String> = case["participants"].as_array().unwrap().iter().map(text).collect();
    people.sort();
    assert_eq!(people, ["u-control", "u-regulator"]);

    let path = format!("/api/conversations/{}/participants", text(&case["id"]));
    let add = |id: &str| json!({"user_id": id});
    world.second.rest.post(&path, add("u-driver")).await.problem(403, "forbidden");
    world.regulator.rest.post(&path, add("u-driver")).await.problem(403, "forbidden");
    world.outsider.rest.post(&path, add("u-driver")).await.problem(404, "not_found");
    world.control.rest.post(&path, add("u-nobody")).await.problem(404, "unknown_users");
    let mut driver = world.socket(&world.driver).await;
    let added = world.control.rest.post(&path, add("u-driver")).await.expect(200);
    assert_eq!(added["conversation"]["participants"].as_array().map(Vec::len), Some(3));
    let told = driver.event("conversation_updated").await;
    assert_eq!(told["action"], "participant_added");
}
