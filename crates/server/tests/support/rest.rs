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
