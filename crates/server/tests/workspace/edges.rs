//! What is easily overlooked: rights that come by a side door, words that show through, things left behind.

use futures_util::{StreamExt, stream};
use parlor_testkit::{Cast, Ddp, Person, Rest, Server, rest::Answer, wait};
use serde_json::{Value, json};

/// Signs somebody in once more, without a password.
async fn token(administrator: &Rest, user: &str) -> String {
    let asked = json!({ "userId": user, "secret": "of this test" });
    let made = administrator.post("users.createToken", asked).await.ok();
    made["data"]["authToken"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn whoever_signs_in_again_and_again_is_heard_and_signed_out_like_others() {
    let server = Server::setup().env("CREATE_TOKENS_FOR_USERS_SECRET", "of this test").start().await;
    let cast = Cast::assemble(&server).await;
    let (member, administrator) = (&cast.member, &cast.administrator.rest);
    let many = stream::iter(0..500).map(|_| token(administrator, &member.id)).buffer_unordered(32);
    let _ = many.collect::<Vec<_>>().await;
    let newest = token(administrator, &member.id).await;
    let by = |token: &str| server.rest().signed_in(&member.id, token);
    assert_eq!(member.rest.get("me", &[]).await.status, 401, "the first of so many is signed out");
    let _ = by(&newest).get("me", &[]).await.ok();
    let mut socket = Ddp::connect(&server).await;
    socket.resume(&newest).await.expect("the newest is let in on a socket as well");
    let other = json!({ "userId": member.id, "data": { "password": "quite another secret" } });
    let _ = administrator.post("users.update", other).await.ok();
    assert_eq!(by(&newest).get("me", &[]).await.status, 401);
    let _ = socket.until_closed().await;
}

fn without_last(answer: Answer, key: &str, of: &str) {
    let told = answer.ok();
    let rooms = told[key].as_array().expect("a list");
    let room = rooms.iter().find(|room| room["_id"] == of).expect("it is listed");
    assert!(room["lastMessage"].is_null() && !told.to_string().contains("between us"), "{room}");
}

#[tokio::test]
async fn whoever_administers_rooms_sees_that_they_are_there_and_not_what_is_said_in_them() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let (group, direct) =
        (cast.owner.group("closed", &[&cast.member]).await, cast.owner.direct(&cast.member).await);
    for room in [&group, &direct] {
        let _ = cast.owner.say(room, "between us").await;
    }
    let rest = &cast.administrator.rest;
    without_last(rest.get("groups.listAll", &[]).await, "groups", &group);
    without_last(rest.get("im.list.everyone", &[]).await, "ims", &direct);
    without_last(rest.get("rooms.adminRooms", &[]).await, "rooms", &group);
    let one = rest.get("rooms.adminRooms.getRoom", &[("rid", &group)]).await.ok();
    assert!(one["lastMessage"].is_null(), "{one}");
    let between = json!({ "usernames": "owner,member", "excludeSelf": true });
    let opened = rest.post("im.create", between).await.ok();
    assert!(opened["room"]["_id"] == direct.as_str() && opened["room"]["lastMessage"].is_null(), "{opened}");
    let own = cast.member.rest.get("groups.info", &[("roomId", &group)]).await.ok();
    assert_eq!(own["group"]["lastMessage"]["msg"], "between us");
}

#[tokio::test]
async fn a_role_of_the_workspace_is_no_role_in_a_team() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let owner = &cast.owner.rest;
    let _ = cast
        .administrator
        .rest
        .post(
            "permissions.update",
            json!({ "permissions": [
        { "_id": "create-team", "roles": ["admin", "user"] },
    ] }),
        )
        .await
        .ok();
    let made = owner.post("teams.create", json!({ "name": "crew", "type": 1 })).await.ok();
    let team = made["team"]["_id"].as_str().expect("a team");
    let with =
        |roles: Value| json!({ "teamId": team, "member": { "userId": cast.owner.id, "roles": roles } });
    let _ = owner.post("teams.updateMember", with(json!(["owner", "admin"]))).await.refused(400);
    let _ = owner.post("teams.updateMember", with(json!(["owner", "moderator"]))).await.ok();
    let added = json!({ "teamId": team, "members": [{ "userId": cast.member.id, "roles": ["admin"] }] });
    let _ = owner.post("teams.addMembers", added).await.refused(400);
}

#[tokio::test]
async fn whoever_may_not_write_in_a_room_begins_no_discussion_and_sets_no_topic_there() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("quiet", &[&cast.member]).await;
    let begin = async |who: &Person, title: &str| {
        who.rest.post("rooms.createDiscussion", json!({ "prid": room, "t_name": title })).await
    };
    let _ = begin(&cast.member, "while I may").await.ok();
    let muted = json!({ "roomId": room, "userId": cast.member.id });
    let _ = cast.owner.rest.post("rooms.muteUser", muted.clone()).await.ok();
    let _ = begin(&cast.member, "all the same").await.refused(400);
    let _ = cast.owner.rest.post("rooms.unmuteUser", muted).await.ok();
    let _ = cast.owner.rest.post("groups.archive", json!({ "roomId": room })).await.ok();
    let _ = begin(&cast.member, "into the archive").await.refused(400);

    let direct = cast.owner.direct(&cast.member).await;
    let topic = async |text: &str| {
        cast.member.rest.post("im.setTopic", json!({ "roomId": direct, "topic": text })).await
    };
    let _ = topic("while I may").await.ok();
    let _ = cast.owner.rest.post("im.blockUser", json!({ "roomId": direct, "block": true })).await.ok();
    let _ = topic("listen to me").await.refused(400);
}

#[tokio::test]
async fn names_of_a_private_team_mean_nothing_to_others() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let administrator = &cast.administrator;
    let team = json!({ "name": "conclave", "type": 1, "members": [cast.member.id] });
    let made = administrator.rest.post("teams.create", team).await.ok();
    let extra = json!({ "teamId": made["team"]["_id"] });
    let inside = json!({ "name": "lounge-of-theirs", "members": ["member"], "extraData": extra });
    let _ = administrator.rest.post("channels.create", inside).await.ok();
    let named = async |who: &Person| {
        let room = who.group(&format!("of-{}", who.username), &[]).await;
        let said = who.say(&room, "see #lounge-of-theirs, @conclave").await;
        (said["channels"].clone(), said["mentions"].clone())
    };
    let (channels, mentions) = named(&cast.member).await;
    assert_eq!(
        (&channels[0]["name"], &mentions[0]["name"]),
        (&json!("lounge-of-theirs"), &json!("conclave"))
    );
    let (channels, mentions) = named(&cast.outsider).await;
    assert!(channels.get(0).is_none() && mentions.get(0).is_none(), "{channels} {mentions}");
}

/// A figure that the server shows of itself.
async fn figure(server: &Server, name: &str) -> u64 {
    let text = server.rest().get("/metrics", &[]).await.text();
    let line = text.lines().find(|line| line.starts_with(&format!("parlor_{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("the figure is shown")
}

#[tokio::test]
async fn a_connection_that_goes_before_its_answers_leaves_no_ear_behind() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("left", &[]).await;
    for _ in 0..20 {
        let mut socket = cast.owner.socket(&server).await;
        let message = json!([{ "rid": room, "msg": "on my way out" }]);
        let _ = socket.start("sendMessage", message).await;
        let wanted = json!({
            "msg": "sub", "id": "s", "name": "stream-room-messages", "params": [room, false],
        });
        socket.send(wanted).await;
        socket.close().await;
    }
    wait::until("nobody listens any more", || async {
        (figure(&server, "users_online").await == 0).then_some(())
    })
    .await;
}
