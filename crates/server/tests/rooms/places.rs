//! People's places in rooms, and lists of what is in them, as clients ask for them.

use serde_json::{Value, json};

use super::Stage;

async fn place(of: &parlor_testkit::Person, room: &str) -> Value {
    of.rest.get("subscriptions.getOne", &[("roomId", room)]).await.ok()["subscription"].take()
}

#[tokio::test]
async fn a_place_shows_what_its_holder_prefers_everywhere_until_it_says_otherwise() {
    let stage = Stage::set().await;
    let room = stage.owner.group("quiet", &[&stage.member]).await;
    assert_eq!(place(&stage.member, &room).await.get("emailNotifications"), None);
    let wanted = json!({ "data": { "emailNotificationMode": "nothing" } });
    let _ = stage.member.rest.post("users.setPreferences", wanted).await.ok();
    let there = place(&stage.member, &room).await;
    assert_eq!(
        (&there["emailNotifications"], &there["emailPrefOrigin"]),
        (&json!("nothing"), &json!("user"))
    );
    assert_eq!(place(&stage.owner, &room).await.get("emailNotifications"), None);
    let own = json!({ "roomId": room, "notifications": { "emailNotifications": "mentions" } });
    let _ = stage.member.rest.post("rooms.saveNotification", own).await.ok();
    let there = place(&stage.member, &room).await;
    assert_eq!(
        (&there["emailNotifications"], &there["emailPrefOrigin"]),
        (&json!("mentions"), &json!("subscription"))
    );
}

#[tokio::test]
async fn a_place_asked_for_alone_names_unread_threads_only_where_there_are_some() {
    let stage = Stage::set().await;
    let room = stage.owner.group("threads", &[&stage.member]).await;
    let root = stage.member.say(&room, "a question").await["_id"].take();
    assert_eq!(place(&stage.member, &room).await.get("tunread"), None);
    let reply = json!({ "message": { "rid": room, "msg": "an answer", "tmid": root } });
    let _ = stage.owner.rest.post("chat.sendMessage", reply).await.ok();
    assert_eq!(place(&stage.member, &room).await["tunread"], json!([root]));
    let read = json!({ "rid": room, "readThreads": true });
    let _ = stage.member.rest.post("subscriptions.read", read).await.ok();
    assert_eq!(place(&stage.member, &room).await.get("tunread"), None);
}

#[tokio::test]
async fn a_direct_room_of_several_is_named_after_the_others_by_their_names() {
    let stage = Stage::set().await;
    let body = json!({ "usernames": "member,outsider" });
    let room = stage.owner.rest.post("im.create", body).await.ok()["room"]["_id"].take();
    let room = room.as_str().expect("an id");
    let there = place(&stage.owner, room).await;
    assert_eq!(
        (&there["name"], &there["fname"]),
        (&json!("member,outsider"), &json!("Mina Member, Otto Outsider"))
    );
    assert_eq!(place(&stage.member, room).await["fname"], "Olga Owner, Otto Outsider");
}

#[tokio::test]
async fn a_room_is_read_by_one_id_and_no_other() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("read", &[]).await;
    let read = |body| stage.owner.rest.post("subscriptions.read", body);
    let _ = read(json!({ "rid": room })).await.ok();
    let _ = read(json!({ "roomId": room })).await.ok();
    let both = read(json!({ "rid": room, "roomId": "GENERAL" })).await.refused(400);
    assert_eq!(both["errorType"], "invalid-params");
    let unknown = read(json!({ "rid": "nowhere" })).await.refused(400);
    assert_eq!(unknown["error"], "error-invalid-subscription");
    let foreign = stage.member.group("closed", &[]).await;
    let closed = read(json!({ "rid": foreign })).await.refused(400);
    assert_eq!(closed["error"], unknown["error"]);
}

#[tokio::test]
async fn messages_are_listed_by_whom_they_mention_one_or_several() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("named", &[]).await;
    for text in ["@member look", "@outsider look", "nobody"] {
        stage.owner.say(&room, text).await;
    }
    let listed = async |who: String| {
        let query = [("roomId", room.as_str()), ("mentionIds", who.as_str())];
        let found = stage.owner.rest.get("channels.messages", &query).await.ok();
        (found["count"].clone(), found["total"].clone())
    };
    assert_eq!(listed(stage.member.id.clone()).await, (json!(1), json!(1)));
    assert_eq!(listed(format!("{},{}", stage.member.id, stage.outsider.id)).await, (json!(2), json!(2)));
    assert_eq!(listed("nobody,noone".into()).await, (json!(0), json!(0)));
}

#[tokio::test]
async fn channels_messages_takes_the_right_to_view_channels() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("seen", &[]).await;
    let query = [("roomId", room.as_str())];
    let _ = stage.owner.rest.get("channels.messages", &query).await.ok();
    let body = json!({ "permissions": [{ "_id": "view-c-room", "roles": ["admin"] }] });
    let _ = stage.administrator.rest.post("permissions.update", body).await.ok();
    let refused = stage.owner.rest.get("channels.messages", &query).await.refused(403);
    assert_eq!(
        refused["error"],
        "User does not have the permissions required for this action [error-unauthorized]"
    );
}

#[tokio::test]
async fn a_direct_room_of_others_and_one_that_is_not_there_get_the_same_answer() {
    let stage = Stage::set().await;
    let room = stage.owner.direct(&stage.member).await;
    for id in [room.as_str(), "nowhere"] {
        let refused = stage.outsider.rest.get("im.messages", &[("roomId", id)]).await.refused(403);
        assert_eq!(refused["error"], "unauthorized");
    }
    let _ = stage.member.rest.get("im.messages", &[("roomId", &room)]).await.ok();
}

#[tokio::test]
async fn what_anybody_may_read_of_a_private_teams_channel_is_nothing_but_the_team_reads_it() {
    let stage = Stage::set().await;
    let _ = stage
        .administrator
        .rest
        .post("settings/Accounts_AllowAnonymousRead", json!({ "value": true }))
        .await
        .ok();
    let body = json!({ "name": "crew", "type": 1, "members": ["member"] });
    let team = stage.owner.rest.post("teams.create", body).await.ok()["team"]["_id"].take();
    let room = stage.owner.channel("deck", &[]).await;
    let _ = stage.owner.rest.post("teams.addRooms", json!({ "teamId": team, "rooms": [room] })).await.ok();
    let query = [("roomId", room.as_str())];
    let _ = stage.member.rest.get("channels.anonymousread", &query).await.ok();
    for stranger in [&stage.outsider.rest, &stage.server.rest()] {
        let closed = stranger.get("channels.anonymousread", &query).await.refused(404);
        let unknown = stranger.get("channels.anonymousread", &[("roomId", "nowhere")]).await.refused(404);
        assert_eq!(closed, unknown);
    }
}

#[tokio::test]
async fn whoever_may_remove_anybody_finds_nothing_left_to_do_for_those_who_are_not_there() {
    let stage = Stage::set().await;
    let room = stage.owner.group("few", &[]).await;
    let kick = json!({ "roomId": room, "userId": stage.member.id });
    let refused = stage.owner.rest.post("groups.kick", kick.clone()).await.refused(400);
    assert_eq!(refused["errorType"], "error-user-not-in-room");
    let body = json!({ "permissions": [{ "_id": "kick-user-from-any-p-room", "roles": ["admin"] }] });
    let _ = stage.administrator.rest.post("permissions.update", body).await.ok();
    let _ = stage.administrator.rest.post("groups.kick", kick).await.ok();
}

#[tokio::test]
async fn integrations_of_a_group_are_asked_for_among_groups() {
    let stage = Stage::set().await;
    let group = stage.administrator.group("hooks", &[]).await;
    let query = [("roomId", group.as_str())];
    let _ = stage.administrator.rest.get("groups.getIntegrations", &query).await.ok();
    let _ = stage.administrator.rest.get("channels.getIntegrations", &query).await.refused(400);
    let only = [("_id", "GENERAL")];
    let found = stage.administrator.rest.get("channels.list", &only).await.ok();
    assert_eq!((&found["count"], &found["channels"][0]["_id"]), (&json!(1), &json!("GENERAL")));
}
