//! Rooms as people make, join, change and leave them, over the wire.

mod places;
mod teams;

use parlor_testkit::{Person, Server, server::ADMINISTRATOR};
use serde_json::{Value, json};

/// Who is on the stage, and who must not be.
struct Stage {
    server: Server,
    administrator: Person,
    owner: Person,
    member: Person,
    outsider: Person,
}

impl Stage {
    async fn set() -> Self {
        let server = Server::setup().start().await;
        let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
        let owner = administrator.make(&server, "owner", "Olga Owner").await;
        let member = administrator.make(&server, "member", "Mina Member").await;
        let outsider = administrator.make(&server, "outsider", "Otto Outsider").await;
        Self { server, administrator, owner, member, outsider }
    }
}

async fn info(who: &Person, room: &str) -> Value {
    who.rest.get("rooms.info", &[("roomId", room)]).await.ok()["room"].take()
}

#[tokio::test]
async fn a_fresh_room_has_exactly_the_keys_that_clients_know() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("fresh", &[]).await;
    let info = info(&stage.owner, &room).await;
    let mut keys: Vec<&String> = info.as_object().expect("an object").keys().collect();
    keys.sort();
    let wanted = [
        "_id",
        "_updatedAt",
        "customFields",
        "default",
        "fname",
        "msgs",
        "name",
        "ro",
        "sysMes",
        "t",
        "ts",
        "u",
        "usersCount",
    ];
    assert_eq!(keys, wanted);
    assert_eq!((&info["msgs"], &info["usersCount"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn an_unknown_room_and_a_closed_one_get_the_same_answer() {
    let stage = Stage::set().await;
    let room = stage.owner.group("closed", &[&stage.member]).await;
    for endpoint in ["groups.info", "rooms.info", "groups.members", "groups.roles", "groups.counters"] {
        let closed = stage.outsider.rest.get(endpoint, &[("roomId", &room)]).await;
        let unknown = stage.outsider.rest.get(endpoint, &[("roomId", "unknown")]).await;
        assert_eq!((closed.status, &closed.body), (400, &unknown.body), "{endpoint}");
    }
    for endpoint in ["groups.leave", "groups.rename", "groups.archive", "groups.delete", "rooms.delete"] {
        let body = |id: &str| json!({ "roomId": id, "name": "other" });
        let closed = stage.outsider.rest.post(endpoint, body(&room)).await;
        let unknown = stage.outsider.rest.post(endpoint, body("unknown")).await;
        assert_eq!((closed.status, &closed.body), (400, &unknown.body), "{endpoint}");
    }
    assert_eq!(info(&stage.member, &room).await["name"], "closed");
}

#[tokio::test]
async fn a_room_keeps_its_last_owner() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("kept", &[&stage.member]).await;
    let body = json!({ "roomId": room, "userId": stage.owner.id });
    let left = stage.owner.rest.post("channels.leave", json!({ "roomId": room })).await;
    assert_eq!((left.status, &left.body["errorType"]), (400, &json!("error-you-are-last-owner")));
    let refused = stage.owner.rest.post("channels.removeOwner", body.clone()).await;
    assert_eq!(refused.body["errorType"], "error-remove-last-owner");
    let add = json!({ "roomId": room, "userId": stage.member.id });
    let _ = stage.owner.rest.post("channels.addOwner", add.clone()).await.ok();
    let again = stage.owner.rest.post("channels.addOwner", add).await;
    assert_eq!(again.body["errorType"], "error-user-already-owner");
    let _ = stage.owner.rest.post("channels.leave", json!({ "roomId": room })).await.ok();
}

#[tokio::test]
async fn each_notice_counts_once_and_what_writes_none_does_not() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("counted", &[]).await;
    let mut messages = 0;
    let user = stage.member.id.as_str();
    for (endpoint, more, notices) in [
        ("invite", json!({ "userId": user }), 1),
        ("kick", json!({ "userId": user }), 1),
        ("rename", json!({ "name": "recounted" }), 1),
        ("setJoinCode", json!({ "joinCode": "123" }), 0),
        ("setReadOnly", json!({ "readOnly": true }), 1),
        ("setType", json!({ "type": "p" }), 1),
    ] {
        let mut body = more;
        body["roomId"] = room.as_str().into();
        let _ = stage.owner.rest.post(&format!("channels.{endpoint}"), body).await.ok();
        messages += notices;
        assert_eq!(info(&stage.owner, &room).await["msgs"], messages, "{endpoint}");
    }
}

#[tokio::test]
async fn the_same_people_have_one_direct_room_whoever_asks() {
    let stage = Stage::set().await;
    let room = stage.owner.direct(&stage.member).await;
    assert_eq!(stage.member.direct(&stage.owner).await, room);
    let outside = stage.outsider.rest.post("im.open", json!({ "roomId": room })).await;
    assert_eq!(outside.status, 403);
    let names = json!({ "usernames": "member,outsider" });
    let three = stage.owner.rest.post("im.create", names).await.ok();
    assert_eq!(three["room"]["usersCount"], 3);
    assert_ne!(three["room"]["_id"], room.as_str());
}

#[tokio::test]
async fn a_join_code_opens_a_channel_and_a_wrong_one_does_not() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("coded", &[]).await;
    let _ = stage
        .owner
        .rest
        .post("channels.setJoinCode", json!({ "roomId": room, "joinCode": "123" }))
        .await
        .ok();
    let shown = info(&stage.owner, &room).await;
    assert_eq!((&shown["joinCodeRequired"], &shown["joinCode"]), (&json!(true), &Value::Null));
    let join =
        |code: Value| stage.outsider.rest.post("channels.join", json!({ "roomId": room, "joinCode": code }));
    assert_eq!(join(Value::Null).await.body["errorType"], "error-code-required");
    assert_eq!(join("124".into()).await.body["errorType"], "error-code-invalid");
    let _ = join("123".into()).await.ok();
}

#[tokio::test]
async fn an_invite_for_one_lets_one_in_however_many_try_at_once() {
    let stage = Stage::set().await;
    let room = stage.owner.group("invited", &[]).await;
    let wanted = json!({ "rid": room, "days": 1, "maxUses": 1 });
    let invite = stage.owner.rest.post("findOrCreateInvite", wanted.clone()).await.ok();
    assert_eq!(stage.outsider.rest.post("findOrCreateInvite", wanted).await.status, 400);
    let token = json!({ "token": invite["_id"] });
    let people = [&stage.member, &stage.outsider, &stage.administrator];
    let tries = people.map(|who| who.rest.post("useInviteToken", token.clone()));
    let [a, b, c] = tries;
    let (a, b, c) = tokio::join!(a, b, c);
    let let_in = [a, b, c].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(let_in, 1);
    assert_eq!(info(&stage.owner, &room).await["usersCount"], 2);
}

#[tokio::test]
async fn what_ended_is_told_to_clients_that_catch_up() {
    let stage = Stage::set().await;
    let room = stage.owner.group("ended", &[&stage.member]).await;
    let mine = stage.member.rest.get("subscriptions.getOne", &[("roomId", &room)]).await.ok();
    let kick = json!({ "roomId": room, "userId": stage.member.id });
    let _ = stage.owner.rest.post("groups.kick", kick).await.ok();
    let since = [("updatedSince", "2020-01-01T00:00:00.000Z")];
    let told = stage.member.rest.get("subscriptions.get", &since).await.ok();
    assert_eq!(told["remove"][0]["_id"], mine["subscription"]["_id"]);
    let told = stage.member.rest.get("rooms.get", &since).await.ok();
    assert_eq!(told["remove"][0]["_id"], room.as_str());
    let later = [("updatedSince", "2200-01-01T00:00:00.000Z")];
    let none = stage.member.rest.get("rooms.get", &later).await.ok();
    assert_eq!((&none["update"], &none["remove"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_private_teams_channel_is_for_the_team() {
    let stage = Stage::set().await;
    let body = json!({ "name": "crew", "type": 1, "members": ["member"] });
    let team = stage.owner.rest.post("teams.create", body).await.ok();
    let room = stage.owner.channel("deck", &[]).await;
    let rooms = json!({ "teamId": team["team"]["_id"], "rooms": [room] });
    assert_eq!(stage.outsider.rest.post("teams.addRooms", rooms.clone()).await.body["success"], false);
    let _ = stage.owner.rest.post("teams.addRooms", rooms).await.ok();
    assert_eq!(stage.outsider.rest.get("channels.info", &[("roomId", &room)]).await.status, 400);
    assert_eq!(stage.outsider.rest.post("channels.join", json!({ "roomId": room })).await.status, 400);
    let _ = stage.member.rest.post("channels.join", json!({ "roomId": room })).await.ok();
}

#[tokio::test]
async fn whoever_leaves_a_private_team_hears_no_more_of_its_channels_on_a_connection_that_stands() {
    let stage = Stage::set().await;
    let body = json!({ "name": "harbour", "type": 1, "members": ["member"] });
    let team = stage.owner.rest.post("teams.create", body).await.ok()["team"]["_id"].take();
    let room = stage.owner.channel("quay", &[]).await;
    let _ = stage.owner.rest.post("teams.addRooms", json!({ "teamId": team, "rooms": [room] })).await.ok();
    let mut looking = stage.member.socket(&stage.server).await;
    looking.stream("room-messages", &room).await.expect("the team looks into its channels");
    stage.owner.say(&room, "for the team").await;
    assert_eq!(looking.event("room-messages", &room).await[0]["msg"], "for the team");
    let leaving = json!({ "teamId": team, "userId": stage.member.id });
    let _ = stage.owner.rest.post("teams.removeMember", leaving).await.ok();
    stage.owner.say(&room, "without them").await;
    let own = stage.member.direct(&stage.owner).await;
    looking.stream("room-messages", &own).await.expect("one's own");
    stage.member.say(&own, "why?").await;
    let _ = looking.event("room-messages", &own).await;
    let heard = looking.take_events("room-messages", &room);
    assert!(heard.iter().all(|args| args[0]["msg"] != "without them"), "{heard:?}");
}

#[tokio::test]
async fn whoever_looked_into_a_teams_channel_hears_no_more_of_it_once_the_team_is_private() {
    let stage = Stage::set().await;
    let body = json!({ "name": "pier", "type": 0, "members": ["member"] });
    let team = stage.owner.rest.post("teams.create", body).await.ok()["team"]["_id"].take();
    let room = stage.owner.channel("jetty", &[]).await;
    let _ = stage.owner.rest.post("teams.addRooms", json!({ "teamId": team, "rooms": [room] })).await.ok();
    let mut passing = stage.outsider.socket(&stage.server).await;
    passing.stream("room-messages", &room).await.expect("an open team's channels are open");
    let mut member = stage.member.socket(&stage.server).await;
    member.stream("room-messages", &room).await.expect("to the team as well");
    stage.owner.say(&room, "for all").await;
    assert_eq!(passing.event("room-messages", &room).await[0]["msg"], "for all");
    assert_eq!(member.event("room-messages", &room).await[0]["msg"], "for all");
    let close = json!({ "teamId": team, "data": { "type": 1 } });
    let _ = stage.owner.rest.post("teams.update", close).await.ok();
    stage.owner.say(&room, "for the team").await;
    assert_eq!(member.event("room-messages", &room).await[0]["msg"], "for the team");
    let own = stage.outsider.direct(&stage.owner).await;
    passing.stream("room-messages", &own).await.expect("one's own");
    stage.outsider.say(&own, "why?").await;
    let _ = passing.event("room-messages", &own).await;
    let heard = passing.take_events("room-messages", &room);
    assert!(heard.iter().all(|args| args[0]["msg"] != "for the team"), "{heard:?}");
}

#[tokio::test]
async fn a_public_discussion_is_as_open_as_the_teams_channel_that_it_branched_off_from() {
    let stage = Stage::set().await;
    let body = json!({ "name": "bridge", "type": 0, "members": ["member"] });
    let team = stage.owner.rest.post("teams.create", body).await.ok()["team"]["_id"].take();
    let room = stage.owner.channel("helm", &[]).await;
    let _ = stage.owner.rest.post("teams.addRooms", json!({ "teamId": team, "rooms": [room] })).await.ok();
    let wanted = json!({ "prid": room, "t_name": "the course" });
    let made = stage.owner.rest.post("rooms.createDiscussion", wanted).await.ok();
    let discussion = made["discussion"]["_id"].as_str().expect("an id").to_owned();
    let by_id = [("roomId", discussion.as_str())];
    let mut passing = stage.outsider.socket(&stage.server).await;
    passing.stream("room-messages", &discussion).await.expect("an open team's discussions are open");
    let close = json!({ "teamId": team, "data": { "type": 1 } });
    let _ = stage.owner.rest.post("teams.update", close).await.ok();
    assert_eq!(stage.outsider.rest.get("rooms.info", &by_id).await.status, 400);
    assert_eq!(stage.outsider.rest.post("channels.join", json!({ "roomId": discussion })).await.status, 400);
    let query = json!({ "type": "channels", "text": "course" }).to_string();
    let listed = stage.outsider.rest.get("directory", &[("query", &query)]).await.ok();
    assert_eq!(listed["total"], 0, "{listed}");
    let _ = stage.member.rest.get("rooms.info", &by_id).await.ok();
    stage.owner.say(&discussion, "for the team").await;
    let own = stage.outsider.direct(&stage.owner).await;
    passing.stream("room-messages", &own).await.expect("one's own");
    stage.outsider.say(&own, "why?").await;
    let _ = passing.event("room-messages", &own).await;
    let heard = passing.take_events("room-messages", &discussion);
    assert!(heard.iter().all(|args| args[0]["msg"] != "for the team"), "{heard:?}");
}

#[tokio::test]
async fn who_is_a_member_of_a_closed_room_is_forbidden_to_ask_and_nobody_learns_whether_it_is_there() {
    let stage = Stage::set().await;
    let room = stage.owner.group("closed", &[&stage.member]).await;
    let ask = async |who: &Person, room: &str| {
        let asked = [("roomId", room), ("userId", stage.member.id.as_str())];
        who.rest.get("rooms.isMember", &asked).await
    };
    assert_eq!(ask(&stage.member, &room).await.ok()["isMember"], true);
    let [closed, unknown] = [ask(&stage.outsider, &room).await, ask(&stage.outsider, "nowhere").await];
    assert_eq!((closed.status, &closed.body["error"]), (403, &json!("unauthorized")));
    assert_eq!((unknown.status, &unknown.body), (403, &closed.body));
    let odd = ask(&stage.outsider, "room.test.1").await.refused(400);
    assert_eq!(odd["errorType"], "error-room-not-found");
}

#[tokio::test]
async fn names_that_look_the_same_are_one_name_however_they_are_written() {
    let stage = Stage::set().await;
    let letters = json!({ "value": "[\\p{L}\\p{M}_.-]+" });
    let _ = stage.administrator.rest.post("settings/UTF8_Channel_Names_Validation", letters).await.ok();
    let room = stage.owner.channel("caf\u{e9}", &[]).await;
    let twice =
        stage.member.rest.post("channels.create", json!({ "name": "cafe\u{301}" })).await.refused(400);
    assert_eq!(twice["errorType"], "error-duplicate-channel-name");
    let found = stage.member.rest.get("channels.info", &[("roomName", "cafe\u{301}")]).await.ok();
    assert_eq!(found["channel"]["_id"], room.as_str());
}

#[tokio::test]
async fn whoever_is_blocked_in_a_direct_room_can_not_react_there_either() {
    let stage = Stage::set().await;
    let direct = stage.member.direct(&stage.owner).await;
    let said = stage.owner.say(&direct, "hello").await;
    let react = json!({ "messageId": said["_id"], "emoji": ":ant:", "shouldReact": true });
    let _ = stage.member.rest.post("chat.react", react.clone()).await.ok();
    let block = json!({ "roomId": direct, "block": true });
    let _ = stage.owner.rest.post("im.blockUser", block).await.ok();
    let bee = json!({ "messageId": said["_id"], "emoji": ":bee:", "shouldReact": true });
    let _ = stage.member.rest.post("chat.react", bee.clone()).await.refused(400);
    let free = json!({ "roomId": direct, "block": false });
    let _ = stage.owner.rest.post("im.blockUser", free).await.ok();
    let _ = stage.member.rest.post("chat.react", bee).await.ok();
}

#[tokio::test]
async fn an_invitation_by_command_says_who_is_unknown_and_who_is_there_already() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("mess", &[&stage.member]).await;
    let mut socket = stage.owner.socket(&stage.server).await;
    let key = format!("{}/message", stage.owner.id);
    socket.stream("notify-user", &key).await.expect("one's own");
    let order = json!({ "command": "invite", "roomId": room, "params": "@nobody @member, outsider" });
    let _ = stage.owner.rest.post("commands.run", order).await.ok();
    assert_eq!(socket.event("notify-user", &key).await[0]["msg"], "No user exists by the name of `@nobody`.");
    assert_eq!(socket.event("notify-user", &key).await[0]["msg"], "`@member` is already in here.");
    let asked = [("roomId", room.as_str()), ("userId", stage.outsider.id.as_str())];
    assert_eq!(stage.owner.rest.get("rooms.isMember", &asked).await.ok()["isMember"], true);
}

#[tokio::test]
async fn a_file_that_its_sender_encrypted_is_bytes_of_no_type() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("vault", &[]).await;
    let path = format!("rooms.media/{room}");
    // What looks like a picture is none when it says how to decrypt it.
    let file = (
        "x",
        "image/gif",
        &b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"[..],
    );
    let content = json!({ "algorithm": "rc.v1.aes-sha2", "ciphertext": "something" }).to_string();
    let how = [("content", content.as_str())];
    let media = async |how: &[(&str, &str)]| stage.owner.rest.upload(&path, "file", file, how).await;
    for (sent, kind) in
        [(media(&how).await.ok(), "application/octet-stream"), (media(&[]).await.ok(), "image/gif")]
    {
        let id = sent["file"]["_id"].as_str().expect("an id");
        let confirm = format!("rooms.mediaConfirm/{room}/{id}");
        let shown = stage.owner.rest.post(&confirm, json!({})).await.ok();
        assert_eq!(shown["message"]["file"]["type"], kind, "{shown}");
    }
    let _ = media(&[("content", "something")]).await.refused(400);
    let list = json!({ "value": "application/octet-stream" });
    let _ = stage.administrator.rest.post("settings/FileUpload_MediaTypeBlackList", list).await.ok();
    assert_eq!(media(&how).await.refused(400)["errorType"], "error-invalid-file-type");
    let none = json!({ "value": "" });
    let _ = stage.administrator.rest.post("settings/FileUpload_MediaTypeBlackList", none).await.ok();
    let off = json!({ "value": false });
    let _ = stage.administrator.rest.post("settings/E2E_Enable_Encrypt_Files", off).await.ok();
    assert_eq!(media(&how).await.refused(400)["errorType"], "error-invalid-file-type");
    let _ = media(&[]).await.ok();
}

#[tokio::test]
async fn messages_are_mailed_to_whom_they_name_and_no_mail_server_is_needed_to_ask() {
    let stage = Stage::set().await;
    let room = stage.administrator.group("minutes", &[&stage.member]).await;
    let said = stage.administrator.say(&room, "we agreed").await;
    let ask = |more: Value| {
        let mut body = json!({ "rid": room, "type": "email", "subject": "x", "messages": [said["_id"]] });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let names = json!({ "toUsers": ["member", "nobody"], "toEmails": ["a@example.org"] });
    let rest = &stage.administrator.rest;
    let closed = stage.outsider.rest.post("rooms.export", ask(names.clone())).await.refused(400);
    assert_eq!(closed["errorType"], "error-invalid-room");
    let forbidden = stage.member.rest.post("rooms.export", ask(names.clone())).await.refused(400);
    assert_eq!(forbidden["errorType"], "error-action-not-allowed");
    assert_eq!(rest.post("rooms.export", ask(names)).await.ok()["missing"], json!(["nobody"]));
    let none = rest.post("rooms.export", ask(json!({ "toUsers": [] }))).await.refused(400);
    assert_eq!(none["errorType"], "error-invalid-recipient");
    let odd = rest.post("rooms.export", ask(json!({ "toEmails": ["nowhere"] }))).await.refused(400);
    assert_eq!(odd["errorType"], "error-invalid-email");
}

#[tokio::test]
async fn lists_of_marked_messages_are_found_by_what_clients_of_earlier_servers_ask() {
    let stage = Stage::set().await;
    let room = stage.owner.channel("lists", &[&stage.member]).await;
    let said = stage.owner.say(&room, "hello @member").await;
    let _ = stage.owner.say(&room, "and the rest").await;
    for verb in ["chat.pinMessage", "chat.starMessage"] {
        let _ = stage.owner.rest.post(verb, json!({ "messageId": said["_id"] })).await.ok();
    }
    let list = async |who: &Person, query: Value| {
        let asked = [("roomId", room.as_str()), ("query", &query.to_string()), ("sort", r#"{"ts":-1}"#)];
        let found = who.rest.get("channels.messages", &asked).await.ok();
        let ids = found["messages"].as_array().expect("a list").iter();
        ids.filter(|m| m["t"].is_null()).map(|m| m["_id"].clone()).collect::<Vec<_>>()
    };
    let by = |key: &str, who: &Person| json!({ key: { "$in": [who.id] } });
    let only = vec![said["_id"].clone()];
    assert_eq!(list(&stage.owner, json!({ "pinned": true })).await, only);
    assert_eq!(list(&stage.owner, by("starred._id", &stage.owner)).await, only);
    assert_eq!(
        list(&stage.member, by("starred._id", &stage.owner)).await,
        Vec::<Value>::new(),
        "another's stars"
    );
    assert_eq!(list(&stage.owner, by("mentions._id", &stage.member)).await, only);
    assert_eq!(list(&stage.owner, json!({ "something": "else" })).await.len(), 2);
}
