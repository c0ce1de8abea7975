//! Lists and settings of rooms as clients of Rocket.Chat and its own suite ask for them.

use parlor_testkit::{Cast, Person, Server};
use serde_json::{Value, json};

/// A picture of one dot.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 4, 0, 0, 0, 0xb5, 0x1c, 0x0c, 2, 0, 0, 0, 0x0b, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0x64,
    0x60, 0, 0, 0, 6, 0, 2, 0x30, 0x81, 0xd0, 0x2f, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60,
    0x82,
];

async fn names(who: &Person, endpoint: &str, key: &str, query: &[(&str, &str)]) -> Vec<String> {
    let found = who.rest.get(endpoint, query).await.ok();
    let all = found[key].as_array().expect("a list").iter();
    all.map(|room| room["username"].as_str().or(room["name"].as_str()).expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn whoever_administers_rooms_finds_them_by_their_names_in_latin_letters() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let administrator = &cast.administrator;
    let free = json!({ "value": true });
    let _ = administrator.rest.post("settings/UI_Allow_room_names_with_special_chars", free).await.ok();
    let made = cast.owner.rest.post("groups.create", json!({ "name": "Ελληνικά-7" })).await.ok();
    let group = made["group"]["_id"].as_str().expect("an id").to_owned();
    let about = json!({ "prid": group, "t_name": "Ellinika-7 and more" });
    let discussion = cast.owner.rest.post("rooms.createDiscussion", about).await.ok();
    let list = async |query: &[(&str, &str)]| names(administrator, "rooms.adminRooms", "rooms", query).await;
    assert_eq!(list(&[("filter", "Ellinika-7")]).await, ["Ellinika-7"], "discussions come when asked for");
    assert_eq!(list(&[("filter", "Ελληνικά"), ("types[]", "p")]).await, ["Ellinika-7"]);
    assert_eq!(list(&[("filter", "Ellinika-7"), ("types[]", "c")]).await, Vec::<String>::new());
    assert_eq!(list(&[("filter", "Ellinika-7"), ("types[]", "discussions")]).await.len(), 1);
    let selector = [("selector", r#"{"name":"Ellinika-7"}"#)];
    assert_eq!(names(administrator, "rooms.autocomplete.adminRooms", "items", &selector).await.len(), 2);
    let _ = cast.owner.rest.get("rooms.autocomplete.availableForTeams", &[]).await.ok();
    let rid = &discussion["discussion"]["_id"];
    let named = json!({ "rid": rid, "roomName": "a name with blanks" });
    let _ = cast.owner.rest.post("rooms.saveRoomSettings", named).await.ok();
    let info = cast.owner.rest.get("rooms.info", &[("roomId", rid.as_str().expect("an id"))]).await.ok();
    assert_eq!(info["room"]["fname"], "a name with blanks");
    assert_eq!(info["room"]["name"], discussion["discussion"]["name"], "its address stays");
}

#[tokio::test]
async fn a_history_is_cleared_up_to_the_last_day_there_is_and_what_was_gone_is_not_counted() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let administrator = &cast.administrator;
    let show = json!({ "value": true });
    let _ = administrator.rest.post("settings/Message_ShowDeletedStatus", show).await.ok();
    let room = administrator.channel("old", &[&cast.member]).await;
    let (gone, _) = (administrator.say(&room, "gone").await, administrator.say(&room, "there").await);
    let removed = json!({ "roomId": room, "msgId": gone["_id"] });
    let _ = administrator.rest.post("chat.delete", removed).await.ok();
    let all = json!({
        "roomId": room, "oldest": "0001-01-01T00:00:00.000Z", "latest": "9999-12-31T23:59:59.000Z",
    });
    let _ = cast.member.rest.post("rooms.cleanHistory", all.clone()).await.refused(400);
    let before = administrator.rest.get("channels.counters", &[("roomId", &room)]).await.ok();
    assert!(before["success"] == true);
    assert_eq!(administrator.rest.post("rooms.cleanHistory", all.clone()).await.ok()["count"], 1);
    assert_eq!(administrator.rest.post("rooms.cleanHistory", all).await.ok()["count"], 0);
}

#[tokio::test]
async fn members_stand_by_their_rank_and_whoever_is_there_before_his_equals() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.channel("ranks", &[&cast.member, &cast.outsider]).await;
    let (member, outsider) = (&cast.member, &cast.outsider);
    let list = async |query: &[(&str, &str)]| {
        let query: Vec<_> = [("roomId", room.as_str())].iter().chain(query).copied().collect();
        names(&cast.owner, "rooms.membersOrderedByRole", "members", &query).await
    };
    let ranked = json!({ "roomId": room, "userId": outsider.id });
    let _ = cast.owner.rest.post("channels.addLeader", ranked).await.ok();
    let by_name = [("sort", r#"{"username":1}"#)];
    assert_eq!(list(&by_name).await, ["owner", "outsider", "member"]);
    assert_eq!(list(&[("sort", r#"{"rolePriority":-1}"#)]).await, ["member", "outsider", "owner"]);
    assert_eq!(list(&[("status[]", "SomeRandomStatus")]).await, Vec::<String>::new());
    let _ = cast
        .owner
        .rest
        .post("channels.removeLeader", json!({ "roomId": room, "userId": outsider.id }))
        .await
        .ok();
    let _ = outsider.rest.post("users.setStatus", json!({ "status": "online", "message": "" })).await.ok();
    assert_eq!(list(&[]).await, ["owner", "outsider", "member"], "{} is not there", member.username);
    let closed = cast.owner.group("closed", &[]).await;
    for asked in [closed.as_str(), "nothing"] {
        let _ = member.rest.get("rooms.membersOrderedByRole", &[("roomId", asked)]).await.refused(404);
    }
}

#[tokio::test]
async fn emoji_that_changed_are_found_by_date_however_a_client_writes_it() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let rest = &cast.administrator.rest;
    let _ = rest
        .upload("emoji-custom.create", "emoji", ("a.png", "image/png", PICTURE), &[("name", "wave")])
        .await
        .ok();
    let changed = async |query: &[(&str, &str)]| {
        let told = rest.get("emoji-custom.list", query).await.ok();
        told["emojis"]["update"].as_array().map(Vec::len).expect("a list")
    };
    let (old, far) = ("2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z");
    let within = |at: &str| json!({ "_updatedAt": { "$gt": { "$date": at } } }).to_string();
    assert_eq!(changed(&[("query", &within(old))]).await, 1);
    assert_eq!(changed(&[("query", &within(far))]).await, 0);
    assert_eq!(changed(&[("_updatedAt", far)]).await, 0);
    let bad: Value = rest.get("emoji-custom.list", &[("_updatedAt", "some day")]).await.refused(400);
    assert_eq!(bad["errorType"], "invalid-params");
}

#[tokio::test]
async fn who_wants_a_room_in_another_language_is_kept_for_clients_and_nothing_is_promised() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let (owner, member) = (&cast.owner, &cast.member);
    let room = owner.channel("words", &[member]).await;
    let save = |room: &str, field: &str, value: Value| {
        owner
            .rest
            .post("autotranslate.saveSettings", json!({ "roomId": room, "field": field, "value": value }))
    };
    let mine = async |who: &Person, room: &str| {
        let place = who.rest.get("subscriptions.getOne", &[("roomId", room)]).await.ok();
        (
            place["subscription"]["autoTranslate"].clone(),
            place["subscription"]["autoTranslateLanguage"].clone(),
        )
    };
    let off = save(&room, "autoTranslate", true.into()).await.refused(400);
    assert_eq!(off["error"], "AutoTranslate is disabled.");
    for (setting, value) in [
        ("AutoTranslate_Enabled", json!(true)),
        ("AutoTranslate_AutoEnableOnJoinRoom", json!(true)),
        ("Language", json!("pt-BR")),
    ] {
        let value = json!({ "value": value });
        let _ = cast.administrator.rest.post(&format!("settings/{setting}"), value).await.ok();
    }
    let refused = save(&room, "autoTranslate", true.into()).await.refused(400);
    assert_eq!(refused["errorType"], "error-action-not-allowed", "takes auto-translate");
    let all = json!({ "permissions": [{ "_id": "auto-translate", "roles": ["admin", "user"] }] });
    let _ = cast.administrator.rest.post("permissions.update", all).await.ok();
    let _ = save(&room, "autoTranslate", "yes".into()).await.refused(400);
    assert_eq!(
        save("nothing", "autoTranslate", true.into()).await.refused(400)["errorType"],
        "error-invalid-subscription"
    );
    let _ = save(&room, "autoTranslateLanguage", "fr".into()).await.ok();
    assert_eq!(mine(owner, &room).await, (Value::Null, "fr".into()));
    let _ = save(&room, "autoTranslate", true.into()).await.ok();
    assert_eq!(mine(owner, &room).await, (true.into(), "fr".into()));
    assert_eq!(mine(member, &room).await, (Value::Null, Value::Null), "another's wish is his own");
    let said = owner.say(&room, "ola").await;
    let ask = json!({ "messageId": said["_id"] });
    let same = member.rest.post("autotranslate.translateMessage", ask).await.ok();
    assert_eq!(same["message"]["msg"], "ola");
    for (language, wish) in [("en", (json!(true), json!("en"))), ("pt-BR", (Value::Null, Value::Null))] {
        let _ =
            member.rest.post("users.setPreferences", json!({ "data": { "language": language } })).await.ok();
        let next = owner.channel(&format!("next-{language}"), &[member]).await;
        assert_eq!(mine(member, &next).await, wish, "{language}");
    }
}

#[tokio::test]
async fn who_reads_is_told_to_the_others_in_the_room_and_not_to_the_reader() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("ideas", &[&cast.member]).await;
    let key = format!("{room}/messagesRead");
    let mut own = cast.owner.socket(&server).await;
    let _ = own.stream("notify-room", &key).await.expect("heard");
    let mut others = cast.member.socket(&server).await;
    let _ = others.stream("notify-room", &key).await.expect("heard");
    let message = json!({ "message": { "rid": room, "msg": "who has seen this?" } });
    let _ = cast.member.rest.post("chat.sendMessage", message).await.ok();
    let _ = cast.owner.rest.post("subscriptions.read", json!({ "rid": room })).await.ok();
    let told = others.event("notify-room", &key).await;
    assert!(told[0]["until"]["$date"].is_number(), "{told}");
    own.barrier().await;
    assert_eq!(own.take_events("notify-room", &key), Vec::<Value>::new());
}
