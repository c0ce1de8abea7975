//! Who runs a room when its admins go.

use parlor_testkit::{HostApp, Rest, Server};
use serde_json::{Value, json};

async fn room_of(rest: &Rest, members: Value) -> String {
    let body = json!({"room_type": "group", "name": "Project Team", "member_ids": members});
    rest.post("/api/chat/rooms", body).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

async fn admins(rest: &Rest, room: &str) -> Vec<String> {
    let room = rest.get(&format!("/api/chat/rooms/{room}"), &[]).await.expect(200);
    let members = room["members"].as_array().expect("members");
    members
        .iter()
        .filter(|m| m["is_admin"] == true)
        .map(|m| m["user_id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn leaves(rest: &Rest, room: &str, user: &str) {
    rest.remove(&format!("/api/chat/rooms/{room}/members/{user}")).await.expect(200);
}

/// S3-8, S3-18, S3-57: the longest-standing member runs the room when its last admin has left; of those who came together
/// the first by name, as lists show them; nobody else while there is another admin.
#[tokio::test]
async fn s3_8_s3_18_s3_57_the_longest_standing_member_runs_the_room_when_its_last_admin_left() {
    let server: Server = HostApp::setup().start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await;
    let dora = HostApp::person(&server, "u-dora", &[]).await;
    for id in ["u-bert", "u-carl", "u-erik"] {
        HostApp::person(&server, id, &[]).await;
    }
    // Ids of memberships have no order: of several rooms one at least would tell an order that hangs on them.
    for _ in 0..8 {
        let room = room_of(&alice.rest, json!(["u-erik", "u-dora", "u-carl"])).await;
        alice.rest.post(&format!("/api/chat/rooms/{room}/members/u-bert"), json!({})).await.expect(201);
        leaves(&alice.rest, &room, "u-alice").await;
        assert_eq!(admins(&dora.rest, &room).await, ["u-carl"]);
    }
    let room = room_of(&alice.rest, json!(["u-bert"])).await;
    let admin = json!({"is_admin": true});
    alice.rest.post(&format!("/api/chat/rooms/{room}/members/u-dora"), admin).await.expect(201);
    leaves(&alice.rest, &room, "u-alice").await;
    assert_eq!(admins(&dora.rest, &room).await, ["u-dora"]);
}

/// S3-8, S3-18: whoever is deactivated runs no room: neither as the admin who is left, nor as the longest-standing member.
#[tokio::test]
async fn s3_8_s3_18_a_room_is_not_left_to_whoever_is_deactivated() {
    let server: Server = HostApp::setup().start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await;
    let dora = HostApp::person(&server, "u-dora", &[]).await;
    for id in ["u-bert", "u-erik"] {
        HostApp::person(&server, id, &[]).await;
    }
    let room = room_of(&alice.rest, json!(["u-bert", "u-dora"])).await;
    let admin = json!({"is_admin": true});
    alice.rest.post(&format!("/api/chat/rooms/{room}/members/u-erik"), admin).await.expect(201);
    for id in ["u-bert", "u-erik"] {
        let path = format!("/api/users/{id}?mode=deactivate");
        HostApp::rest(&server).remove(&path).await.expect(200);
    }
    leaves(&alice.rest, &room, "u-alice").await;
    let now = admins(&dora.rest, &room).await;
    assert!(now.contains(&"u-dora".to_owned()) && !now.contains(&"u-bert".to_owned()), "{now:?}");
    dora.rest.patch(&format!("/api/chat/rooms/{room}"), json!({"name": "Hers"})).await.expect(200);
}
