//! Teams: who finds them, who puts rooms into them and takes them out, and in which words people are refused.

use serde_json::{Value, json};

use super::Stage;

async fn team(stage: &Stage, name: &str, private: bool) -> Value {
    let body = json!({ "name": name, "type": i32::from(private), "members": ["member"] });
    stage.owner.rest.post("teams.create", body).await.ok()["team"].take()
}

async fn holders(stage: &Stage, permission: &str, roles: &[&str]) {
    let body = json!({ "permissions": [{ "_id": permission, "roles": roles }] });
    let _ = stage.administrator.rest.post("permissions.update", body).await.ok();
}

#[tokio::test]
async fn a_private_team_is_closed_to_strangers_and_an_unknown_one_is_not_found() {
    let stage = Stage::set().await;
    let crew = team(&stage, "crew", true).await;
    let rest = &stage.outsider.rest;
    let query = [("teamName", "crew")];
    assert_eq!(rest.get("teams.info", &query).await.refused(403)["error"], "unauthorized");
    assert_eq!(rest.get("teams.members", &query).await.refused(403)["error"], "unauthorized");
    assert_eq!(rest.get("teams.listRooms", &query).await.refused(400)["error"], "user-not-on-private-team");
    let renaming = json!({ "teamId": crew["_id"], "data": { "name": "mine" } });
    assert_eq!(rest.post("teams.update", renaming).await.refused(403)["error"], "unauthorized");
    for unknown in ["nobodys", ""] {
        let refused = rest.get("teams.info", &[("teamName", unknown)]).await.refused(400);
        assert_eq!(refused["error"], "Team not found");
    }
    let info = stage.member.rest.get("teams.info", &query).await.ok();
    assert_eq!(info["teamInfo"]["_id"], crew["_id"]);
}

#[tokio::test]
async fn refusals_of_teams_are_the_bare_words_that_clients_look_for() {
    let stage = Stage::set().await;
    let _ = team(&stage, "crew", false).await;
    let rest = &stage.owner.rest;
    let again = rest.post("teams.create", json!({ "name": "crew", "type": 0 })).await.refused(400);
    assert_eq!(again["error"], "team-name-already-exists");
    let starred = rest.post("teams.create", json!({ "name": "no*name", "type": 0 })).await.refused(400);
    assert_eq!(starred["error"], "error-team-creation");
    let leaving = json!({ "teamName": "crew" });
    assert_eq!(
        rest.post("teams.leave", leaving).await.refused(400)["error"],
        "last-owner-can-not-be-removed"
    );
    for endpoint in ["teams.leave", "teams.removeMember"] {
        let body = json!({ "teamName": "crew", "userId": stage.member.id, "rooms": [] });
        assert_eq!(rest.post(endpoint, body).await.refused(400)["errorType"], "invalid-params", "{endpoint}");
    }
}

#[tokio::test]
async fn members_of_a_team_are_called_so_and_whoever_made_it_is_its_owner_alone() {
    let stage = Stage::set().await;
    let crew = team(&stage, "crew", false).await;
    let raised = json!({ "userId": stage.member.id, "roles": ["member", "owner"] });
    let members = async || {
        let query = [("teamId", crew["_id"].as_str().expect("an id"))];
        let all = stage.owner.rest.get("teams.members", &query).await.ok();
        let roles = |id: &str| {
            let members = all["members"].as_array().expect("members");
            members.iter().find(|m| m["user"]["_id"] == id).expect("a member")["roles"].clone()
        };
        (roles(&stage.owner.id), roles(&stage.member.id))
    };
    assert_eq!(members().await, (json!(["owner"]), json!(["member"])));
    let body = json!({ "teamId": crew["_id"], "member": raised });
    let _ = stage.owner.rest.post("teams.updateMember", body).await.ok();
    assert_eq!(members().await, (json!(["owner"]), json!(["member", "owner"])));
}

#[tokio::test]
async fn rooms_come_into_a_private_team_by_whoever_may_add_them_and_owns_them() {
    let stage = Stage::set().await;
    let crew = team(&stage, "crew", true).await;
    let room = stage.owner.group("cabin", &[]).await;
    let adding = json!({ "teamId": crew["_id"], "rooms": [room] });
    let rest = &stage.outsider.rest;
    let _ = rest.post("teams.addRooms", adding.clone()).await.refused(403);
    holders(&stage, "add-team-channel", &["admin", "owner", "user"]).await;
    assert_eq!(rest.post("teams.addRooms", adding.clone()).await.refused(400)["error"], "invalid-room");
    let invite = json!({ "roomId": room, "userId": stage.outsider.id });
    let _ = stage.owner.rest.post("groups.invite", invite).await.ok();
    let refused = rest.post("teams.addRooms", adding.clone()).await.refused(400);
    assert_eq!(refused["error"], "error-no-owner-channel");
    let _ = stage.owner.rest.post("teams.addRooms", adding).await.ok();
}

#[tokio::test]
async fn making_and_removing_a_teams_rooms_takes_the_right_in_the_team() {
    let stage = Stage::set().await;
    let crew = team(&stage, "crew", false).await;
    let made = |family: &'static str, name: &'static str| {
        let body = json!({ "name": name, "extraData": { "teamId": crew["_id"] } });
        stage.member.rest.post(family, body)
    };
    assert_eq!(made("channels.create", "deck").await.refused(403)["error"], "unauthorized");
    assert_eq!(made("groups.create", "hold").await.refused(400)["errorType"], "error-not-allowed");
    holders(&stage, "create-team-channel", &["user"]).await;
    holders(&stage, "create-team-group", &["user"]).await;
    let deck = made("channels.create", "deck").await.ok()["channel"].take();
    assert_eq!(deck["teamId"], crew["_id"]);
    let _ = made("groups.create", "hold").await.ok();
    // They own them, and in the team they may not remove them.
    let removal = json!({ "roomId": deck["_id"] });
    let refused = stage.member.rest.post("channels.delete", removal.clone()).await.refused(400);
    assert_eq!(refused["errorType"], "error-not-allowed");
    holders(&stage, "delete-team-channel", &["user"]).await;
    let _ = stage.member.rest.post("channels.delete", removal).await.ok();
}

#[tokio::test]
async fn a_room_that_a_team_joins_by_itself_is_answered_with_those_who_came() {
    let stage = Stage::set().await;
    let crew = team(&stage, "crew", false).await;
    let body = json!({ "teamId": crew["_id"], "members": [{ "userId": stage.outsider.id }] });
    let _ = stage.owner.rest.post("teams.addMembers", body).await.ok();
    let opened = async |name: &str, limit: u64| {
        let setting = json!({ "value": limit });
        let _ = stage.administrator.rest.post("settings/API_User_Limit", setting).await.ok();
        let room = stage.owner.channel(name, &[]).await;
        let rooms = json!({ "teamId": crew["_id"], "rooms": [room] });
        let _ = stage.owner.rest.post("teams.addRooms", rooms).await.ok();
        let body = json!({ "roomId": room, "isDefault": true });
        stage.owner.rest.post("teams.updateRoom", body).await.ok()["room"]["usersCount"].take()
    };
    assert_eq!(opened("one", 1).await, json!(2));
    assert_eq!(opened("two", 2).await, json!(3));
}
