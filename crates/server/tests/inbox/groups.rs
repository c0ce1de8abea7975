//! Groups and teams.

use serde_json::{Value, json};

use crate::world::{World, room, to_team};

/// S0-40, S0-46, S0-47, S0-50, S0-58.
#[tokio::test]
async fn s0_40_s0_46_s0_47_s0_50_s0_58_a_group_is_named_by_its_slug_and_shown_to_its_members() {
    let world = World::start().await;
    let made = world
        .post(
            "/api/chat/groups",
            json!({"name": "Stage Props", "created_by": "alice", "members": ["bob", "carol", "bob"]}),
        )
        .await;
    let group = &made["group"];
    assert_eq!(group["name"], "group_stage_props");
    assert_eq!(
        (&group["display_name"], &group["type"], &group["created_by"]),
        (&json!("Stage Props"), &json!("group"), &json!("alice"))
    );
    assert_eq!(group["members"], json!(["alice", "bob", "carol"]));
    assert!(group["created_at"].is_string() && group["updated_at"].is_string());
    world
        .send(json!({"from_name": "alice", "group": "group_stage_props", "message": "where is the lamp?"}))
        .await;
    let groups = world.read("/api/chat/groups/bob").await;
    assert_eq!(
        (&groups["known"], &groups["groups"][0]["id"], &groups["groups"][0]["unread"]),
        (&json!(true), &group["id"], &json!(1))
    );
    let bob = world.inbox("bob").await;
    let shown = room(&bob, "type", "group");
    assert_eq!(
        (&shown["group"], &shown["display_name"]),
        (&json!("group_stage_props"), &json!("Stage Props"))
    );
    assert_eq!(shown["messages"][0]["room_name"], "Stage Props");
    assert_eq!(world.read("/api/chat/groups/dave").await["known"], false);
    let dave = world.read("/api/users?q=dave").await;
    assert_eq!(dave["users"], json!([]), "reading makes nobody");
}

/// S0-40, S0-46, S0-58, S0-63.
#[tokio::test]
async fn s0_40_s0_46_s0_58_s0_63_there_is_one_group_of_a_name() {
    let world = World::start().await;
    let first = world.post("/api/chat/groups", json!({"name": "Props", "created_by": "alice"})).await;
    let again = |by: &str| json!({"name": "props!", "created_by": by});
    let own = world.app.post("/api/chat/groups", again("alice")).await;
    assert_eq!(
        (own.status, &own.body["error"], &own.body["detail"]["room_id"]),
        (409, &json!("name_taken"), &first["group"]["id"])
    );
    let other = world.app.post("/api/chat/groups", again("bob")).await;
    assert_eq!((other.status, other.body.get("detail")), (409, None), "which one is its members' business");
    for body in [
        json!({"created_by": "alice"}),
        json!({"name": "", "created_by": "alice"}),
        json!({"name": "x".repeat(121), "created_by": "alice"}),
        json!({"name": "y", "created_by": "alice", "members": "bob"}),
        json!({"name": "y", "created_by": "alice", "members": [1]}),
        json!({"name": "y", "created_by": "alice", "members": ["a b"]}),
        json!({"name": "y"}),
    ] {
        let answer = world.app.post("/api/chat/groups", body.clone()).await;
        assert_eq!((answer.status, &answer.body["error"]), (400, &json!("validation_failed")), "{body}");
    }
}

/// S0-50: who may add whom.
#[tokio::test]
async fn s0_50_admins_and_the_application_add_members_and_nobody_else() {
    let world = World::start().await;
    let (ann, ben, eve) = (world.person("ann").await, world.person("ben").await, world.person("eve").await);
    let made = ann.rest.post("/api/chat/groups", json!({"name": "Props", "members": ["ben"]})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["group"]["id"].as_str().expect("an id");
    let path = format!("/api/chat/groups/{id}/members");
    let body = json!({"members": ["eve"]});
    let by_member = ben.rest.post(&path, body.clone()).await;
    assert_eq!((by_member.status, &by_member.body["error"]), (403, &json!("forbidden")));
    let by_outsider = eve.rest.post(&path, body.clone()).await;
    let unknown = eve.rest.post("/api/chat/groups/nothing/members", body.clone()).await;
    assert_eq!((by_outsider.status, &by_outsider.bytes), (404, &unknown.bytes));
    let stranger = ann.rest.post(&path, json!({"members": ["eve", "nobody"]})).await;
    assert_eq!((stranger.status, &stranger.body["detail"]), (404, &json!({"unknown_usernames": ["nobody"]})));
    let added = ann.rest.post("/api/chat/groups/group_props/members", body).await;
    assert_eq!((added.status, &added.body["group"]["members"]), (200, &json!(["ann", "ben", "eve"])));
    let by_application = world.post(&path, json!({"members": ["made", "eve"]})).await;
    assert_eq!(by_application["group"]["members"], json!(["ann", "ben", "eve", "made"]));
    let in_name = world.post(&path, json!({"username": "ann", "members": ["also"]})).await;
    assert_eq!(in_name["group"]["members"].as_array().map(Vec::len), Some(5));
    // A browser makes no users.
    assert_eq!(world.read("/api/users?q=nobody").await["users"], json!([]));
}

/// S0-39, S0-50, S0-55.
#[tokio::test]
async fn s0_39_s0_50_s0_55_a_team_is_found_or_made_with_its_members() {
    let world = World::start().await;
    let made = world.app.post("/api/chat/teams", json!({"team": "Crew", "members": ["alice", "bob"]})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let team = &made.body["team"];
    assert_eq!((&team["name"], &team["type"]), (&json!("crew"), &json!("channel")));
    assert_eq!(team["members"], json!(["alice", "bob"]), "those who were asked for, and no others");
    let again = world.app.post("/api/chat/teams", json!({"team": "crew", "members": ["carol"]})).await;
    assert_eq!((again.status, &again.body["team"]["id"]), (200, &team["id"]));
    world.send(to_team("alice", "crew", "hi")).await;
    assert_eq!(room(&world.inbox("carol").await, "team", "crew")["unread"], 1);
    let person = world.person("eve").await;
    let refused = person.rest.post("/api/chat/teams", json!({"team": "mine"})).await;
    assert_eq!((refused.status, &refused.body["error"]), (403, &json!("forbidden")));
    let administrator =
        world.administrator.rest.post("/api/chat/teams", json!({"team": "staff", "members": ["eve"]})).await;
    assert_eq!(administrator.status, 201);
    for body in [
        json!({}),
        json!({"team": "a b"}),
        json!({"team": "group_x"}),
        json!({"team": 1}),
        json!({"team": "support"}),
    ] {
        assert_eq!(world.app.post("/api/chat/teams", body.clone()).await.status, 400, "{body}");
    }
}

/// S0-47: only groups, in pages.
#[tokio::test]
async fn s0_47_groups_are_listed_in_pages_without_other_rooms() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.post("/api/chat/groups", json!({"name": name, "created_by": "alice"})).await;
    }
    world.send(json!({"from_name": "alice", "to": "bob", "message": "x"})).await;
    let names = |page: &Value| -> Vec<String> {
        page["groups"]
            .as_array()
            .expect("groups")
            .iter()
            .map(|g| g["name"].as_str().unwrap_or("?").to_owned())
            .collect()
    };
    let first = world.read("/api/chat/groups/alice?limit=2").await;
    assert_eq!(names(&first), ["group_c", "group_b"]);
    let cursor = first["pagination"]["next_cursor"].as_str().expect("a cursor");
    assert_eq!(names(&world.read(&format!("/api/chat/groups/alice?before={cursor}")).await), ["group_a"]);
}
