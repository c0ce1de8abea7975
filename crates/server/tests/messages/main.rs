//! Messages as people send, change, read and find them, over the wire.

mod agree;
mod dialect;
mod wire;

use parlor_testkit::{
    Person, Server,
    server::{ADMINISTRATOR, Setup},
};
use serde_json::{Value, json};

/// Who is on the stage, and who must not be.
struct People {
    administrator: Person,
    owner: Person,
    member: Person,
    outsider: Person,
}

/// A private group of owner and member, and what a test needs of them.
struct Stage {
    server: Server,
    cast: People,
    room: String,
}

impl Stage {
    async fn set() -> Self {
        Self::with(Server::setup()).await
    }

    async fn with(setup: Setup) -> Self {
        let server = setup.start().await;
        let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
        let owner = administrator.make(&server, "owner", "Olga Owner").await;
        let member = administrator.make(&server, "member", "Mina Member").await;
        let outsider = administrator.make(&server, "outsider", "Otto Outsider").await;
        let cast = People { administrator, owner, member, outsider };
        let room = cast.owner.group("stage", &[&cast.member]).await;
        Self { server, cast, room }
    }

    async fn send(&self, who: &Person, mut message: Value) -> parlor_testkit::Answer {
        message["rid"] = self.room.as_str().into();
        who.rest.post("chat.sendMessage", json!({ "message": message })).await
    }

    async fn history(&self, who: &Person) -> Vec<Value> {
        let answer = who.rest.get("groups.history", &[("roomId", &self.room), ("count", "100")]).await.ok();
        answer["messages"].as_array().expect("a list").clone()
    }

    /// The subscription of somebody to the room.
    async fn subscription(&self, who: &Person) -> Value {
        let all = who.rest.get("subscriptions.get", &[]).await.ok();
        let mut all = all["update"].as_array().expect("a list").iter();
        all.find(|one| one["rid"] == *self.room).expect("a place in the room").clone()
    }
}

fn id(message: &Value) -> &str {
    message["_id"].as_str().expect("a message has an id")
}

fn texts(messages: &Value) -> Vec<&str> {
    messages.as_array().expect("a list").iter().map(|m| m["msg"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn a_message_is_answered_as_it_is_stored_and_heard_by_who_listens() {
    let stage = Stage::set().await;
    let mut socket = stage.cast.member.socket(&stage.server).await;
    socket.stream("room-messages", &stage.room).await.expect("a member listens");
    let sent =
        stage.send(&stage.cast.owner, json!({ "msg": "hello @member *there*", "_id": "mine" })).await.ok();
    let sent = &sent["message"];
    assert_eq!((id(sent), &sent["msg"]), ("mine", &json!("hello @member *there*")));
    assert_eq!(sent["mentions"][0]["username"], "member");
    assert_eq!(sent["md"][0]["type"], "PARAGRAPH");
    assert_eq!(sent["u"]["username"], "owner");
    let heard = socket.event("room-messages", &stage.room).await;
    assert_eq!((id(&heard[0]), heard[0]["ts"]["$date"].is_i64()), ("mine", true));
    assert_eq!(stage.history(&stage.cast.member).await[0]["msg"], "hello @member *there*");
}

#[tokio::test]
async fn a_clients_id_sends_once_and_belongs_to_its_author_and_room() {
    let stage = Stage::set().await;
    let Stage { cast, .. } = &stage;
    let first = stage.send(&cast.owner, json!({ "msg": "once", "_id": "client-1" })).await.ok();
    let again = stage.send(&cast.owner, json!({ "msg": "once more", "_id": "client-1" })).await.ok();
    assert_eq!(first["message"], again["message"]);
    assert_eq!(stage.history(&cast.owner).await.len(), 1);
    let stolen = stage.send(&cast.member, json!({ "msg": "mine", "_id": "client-1" })).await.refused(400);
    assert!(!stolen.to_string().contains("once"), "{stolen}");
    let elsewhere = json!({ "message": { "rid": "GENERAL", "msg": "x", "_id": "client-1" } });
    let _ = cast.owner.rest.post("chat.sendMessage", elsewhere).await.refused(400);
    let delete = json!({ "roomId": stage.room, "msgId": "client-1" });
    let _ = cast.owner.rest.post("chat.delete", delete).await.ok();
    let _ = stage.send(&cast.owner, json!({ "msg": "a ghost", "_id": "client-1" })).await.ok();
    assert_eq!(stage.history(&cast.owner).await.len(), 0);
}

#[tokio::test]
async fn what_a_sender_may_not_say_is_refused_and_nothing_is_stored() {
    let stage = Stage::set().await;
    let Stage { cast, .. } = &stage;
    for (message, error) in [
        (json!({ "msg": "x", "alias": "somebody" }), "Not enough permission"),
        (json!({ "msg": "x", "avatar": "https://a.example/a.png" }), "Not enough permission"),
        (json!({ "msg": "x", "avatar": "javascript:alert(1)" }), "Match error"),
        (json!({ "msg": "x", "t": "uj" }), "Cannot send system messages"),
        (json!({ "msg": "x".repeat(5_001) }), "error-message-size-exceeded"),
        (json!({ "msg": { "$ne": "" } }), "Match error: Expected string, got object"),
        (json!({ "msg": "x", "customFields": { "a": 1 } }), "Custom fields not enabled"),
        (json!({ "msg": "x", "ts": "2001-01-01T00:00:00.000Z" }), "error-message-ts-out-of-sync"),
        (json!({ "msg": "x", "tmid": "nothing" }), "error-invalid-message"),
        (json!({ "msg": "x", "attachments": [{ "title_link": "javascript:alert(1)" }] }), "Match error"),
    ] {
        let refused = stage.send(&cast.member, message.clone()).await.refused(400);
        assert!(refused["error"].as_str().is_some_and(|e| e.contains(error)), "{message}: {refused}");
    }
    let no_room = json!({ "message": { "msg": "x" } });
    let refused = cast.member.rest.post("chat.sendMessage", no_room).await.refused(400);
    assert_eq!(refused["error"], "The 'rid' property on the message object is missing.");
    assert_eq!(stage.history(&cast.owner).await.len(), 0);
    let late = json!([{ "rid": stage.room, "msg": "x", "ts": { "$date": 0 } }]);
    let refused = cast.member.rest.method("sendMessage", late).await.expect_err("nobody writes in the past");
    assert_eq!(refused["error"], "error-message-ts-out-of-sync");
    let shown = stage.send(&cast.member, json!({ "msg": "x", "emoji": ":smirk:" })).await.ok();
    assert_eq!(shown["message"]["emoji"], ":smirk:", "an emoji makes nobody somebody else");
}

#[tokio::test]
async fn an_outsider_neither_writes_nor_reads_nor_learns_what_exists() {
    let stage = Stage::set().await;
    let Stage { cast, room, .. } = &stage;
    let canary = cast.owner.say(room, "canary").await;
    let (message, outsider) = (id(&canary), &cast.outsider.rest);
    for answer in [
        stage.send(&cast.outsider, json!({ "msg": "x" })).await,
        outsider.post("chat.sendMessage", json!({ "message": { "rid": "no-room", "msg": "x" } })).await,
    ] {
        let refused = answer.refused(400);
        assert_eq!(refused["errorType"], "error-not-allowed");
    }
    let text = json!({ "roomId": room, "msgId": message, "text": "mine now" });
    let pairs = [
        ("chat.update", text, json!({ "roomId": room, "msgId": "nothing", "text": "mine now" })),
        (
            "chat.delete",
            json!({ "roomId": room, "msgId": message }),
            json!({ "roomId": room, "msgId": "nothing" }),
        ),
        (
            "chat.react",
            json!({ "messageId": message, "emoji": "x" }),
            json!({ "messageId": "nothing", "emoji": "x" }),
        ),
        ("chat.pinMessage", json!({ "messageId": message }), json!({ "messageId": "nothing" })),
        ("chat.starMessage", json!({ "messageId": message }), json!({ "messageId": "nothing" })),
        ("chat.followMessage", json!({ "mid": message }), json!({ "mid": "nothing" })),
        (
            "chat.reportMessage",
            json!({ "messageId": message, "description": "x" }),
            json!({ "messageId": "nothing", "description": "x" }),
        ),
    ];
    for (endpoint, forbidden, unknown) in pairs {
        let forbidden = outsider.post(endpoint, forbidden).await.refused(400).to_string();
        let unknown = outsider.post(endpoint, unknown).await.refused(400).to_string();
        assert_eq!(forbidden.replace(message, "nothing"), unknown, "{endpoint}");
    }
    for (endpoint, query) in [
        ("groups.history", [("roomId", room.as_str())]),
        ("groups.messages", [("roomId", room)]),
        ("chat.getMessage", [("msgId", message)]),
        ("chat.getPinnedMessages", [("roomId", room)]),
        ("chat.getThreadMessages", [("tmid", message)]),
        ("chat.getThreadsList", [("rid", room)]),
    ] {
        let answer = outsider.get(endpoint, &query).await;
        assert!(!answer.text().contains("canary"), "{endpoint}");
        let _ = answer.refused(400);
    }
    for (method, params) in [
        ("loadHistory", json!([room, null, 20])),
        ("getMessages", json!([[message]])),
        ("loadSurroundingMessages", json!([{ "_id": message, "rid": room }, 5])),
        ("getThreadMessages", json!([{ "tmid": message }])),
    ] {
        assert!(outsider.method(method, params).await.is_err(), "{method}");
    }
    assert_eq!(stage.history(&cast.owner).await[0]["msg"], "canary");
}

#[tokio::test]
async fn an_edit_is_the_authors_and_shows_at_once() {
    let stage = Stage::set().await;
    let Stage { cast, room, .. } = &stage;
    let message = cast.member.say(room, "first").await;
    let edit = |text: &str| json!({ "roomId": room, "msgId": id(&message), "text": text });
    let edited = cast.member.rest.post("chat.update", edit("second")).await.ok();
    assert_eq!(
        (&edited["message"]["msg"], &edited["message"]["editedBy"]["username"]),
        (&json!("second"), &json!("member"))
    );
    assert!(edited["message"]["_updatedAt"].as_str() > message["_updatedAt"].as_str());
    // An owner may; a stranger to the message may not.
    let _ = cast.owner.rest.post("chat.update", edit("moderated")).await.ok();
    let others = cast.owner.say(room, "the owner's").await;
    let refused = json!({ "roomId": room, "msgId": id(&others), "text": "mine" });
    let refused = cast.member.rest.post("chat.update", refused).await.refused(400);
    assert_eq!(refused["errorType"], "error-action-not-allowed");
    let wrong_room = json!({ "roomId": "GENERAL", "msgId": id(&message), "text": "x" });
    let _ = cast.member.rest.post("chat.update", wrong_room).await.refused(400);
    let moved = json!([{ "_id": id(&message), "rid": "GENERAL", "msg": "x" }]);
    let refused = cast.member.rest.method("updateMessage", moved).await.expect_err("a message stays");
    assert_eq!(refused["error"], "error-invalid-update-key");
}

#[tokio::test]
async fn earlier_versions_are_shown_to_the_author_and_to_who_may_edit_where_they_are_kept() {
    let stage = Stage::with(Server::setup().setting("Message_KeepHistory", "true")).await;
    let Stage { cast, room, .. } = &stage;
    let message = cast.member.say(room, "first").await;
    for text in ["second", "third"] {
        let edit = json!({ "roomId": room, "msgId": id(&message), "text": text });
        let _ = cast.member.rest.post("chat.update", edit).await.ok();
    }
    for reader in [&cast.member, &cast.owner] {
        let told = reader.rest.get("chat.getMessageVersions", &[("messageId", id(&message))]).await.ok();
        let texts = told["versions"].as_array().expect("a list").iter().map(|version| &version["text"]);
        assert_eq!(texts.collect::<Vec<_>>(), ["first", "second"]);
    }
    // Whoever may only read it sees what it says now.
    let others = cast.owner.say(room, "the owner's").await;
    let _ = cast.member.rest.get("chat.getMessageVersions", &[("messageId", id(&others))]).await.refused(403);
    let outsider = &cast.outsider.rest;
    let forbidden =
        outsider.get("chat.getMessageVersions", &[("messageId", id(&message))]).await.refused(400);
    let unknown = outsider.get("chat.getMessageVersions", &[("messageId", "nothing")]).await.refused(400);
    assert_eq!(forbidden, unknown);
}

#[tokio::test]
async fn the_time_for_editing_ends() {
    let setup = Server::setup().setting("Message_AllowEditing_BlockEditInMinutes", "0.00001");
    let stage = Stage::with(setup).await;
    let message = stage.cast.member.say(&stage.room, "too late").await;
    let edit = json!({ "roomId": stage.room, "msgId": id(&message), "text": "changed" });
    let refused = stage.cast.member.rest.post("chat.update", edit).await.refused(400);
    assert_eq!(refused["errorType"], "error-message-editing-blocked");
}

#[tokio::test]
async fn a_removed_message_is_gone_for_all_and_told_to_who_catches_up() {
    let stage = Stage::set().await;
    let Stage { cast, room, server } = &stage;
    let mut socket = cast.member.socket(server).await;
    socket.stream("notify-room", &format!("{room}/deleteMessage")).await.expect("a member listens");
    let message = cast.owner.say(room, "short-lived").await;
    let delete = json!({ "roomId": room, "msgId": id(&message) });
    let _ = cast.member.rest.post("chat.delete", delete.clone()).await.refused(400);
    let _ = cast.owner.rest.post("chat.delete", delete).await.ok();
    let told = socket.event("notify-room", &format!("{room}/deleteMessage")).await;
    assert_eq!(told[0]["_id"], message["_id"]);
    let _ = cast.member.rest.get("chat.getMessage", &[("msgId", id(&message))]).await.refused(400);
    let since = [("roomId", room.as_str()), ("lastUpdate", "2020-01-01T00:00:00.000Z")];
    let changes = cast.member.rest.get("chat.syncMessages", &since).await.ok();
    assert_eq!(changes["result"]["deleted"][0]["_id"], message["_id"]);
    let found = [("roomId", room.as_str()), ("searchText", "short-lived")];
    assert_eq!(cast.member.rest.get("chat.search", &found).await.ok()["messages"], json!([]));
}

#[tokio::test]
async fn a_shown_removal_leaves_an_empty_notice() {
    let stage = Stage::with(Server::setup().setting("Message_ShowDeletedStatus", "true")).await;
    let message = stage.cast.owner.say(&stage.room, "secret").await;
    let delete = json!({ "roomId": stage.room, "msgId": id(&message) });
    let _ = stage.cast.owner.rest.post("chat.delete", delete).await.ok();
    let left = &stage.history(&stage.cast.member).await[0];
    assert_eq!((&left["t"], &left["msg"]), (&json!("rm"), &json!("")));
}

#[tokio::test]
async fn reactions_count_each_person_once() {
    let stage = Stage::set().await;
    let Stage { cast, room, .. } = &stage;
    let message = cast.owner.say(room, "react to this").await;
    let reactions = async |who: &Person, body: Value| {
        let mut body = body;
        body["messageId"] = message["_id"].clone();
        let _ = who.rest.post("chat.react", body).await.ok();
        let now = who.rest.get("chat.getMessage", &[("msgId", id(&message))]).await.ok();
        now["message"]["reactions"].clone()
    };
    let both = json!({ ":tada:": { "usernames": ["owner", "member"] } });
    let only = json!({ ":tada:": { "usernames": ["owner"] } });
    assert_eq!(reactions(&cast.owner, json!({ "emoji": "tada" })).await, only);
    assert_eq!(reactions(&cast.owner, json!({ "emoji": ":tada:", "shouldReact": true })).await, only);
    assert_eq!(reactions(&cast.member, json!({ "reaction": "tada" })).await, both);
    assert_eq!(reactions(&cast.member, json!({ "emoji": "tada" })).await, only);
    assert_eq!(reactions(&cast.owner, json!({ "emoji": "tada", "shouldReact": false })).await, Value::Null);
    for unknown in ["<script>", "no_such_emoji_anywhere", "a b", "thumbsup_tone6"] {
        let bad = json!({ "messageId": id(&message), "emoji": unknown });
        let refused = cast.owner.rest.post("chat.react", bad).await.refused(400);
        assert_eq!(refused["error"], "Invalid emoji provided. [error-not-allowed]", "{unknown}");
        assert_eq!(refused["errorType"], "error-not-allowed");
    }
    let toned = json!({ ":wave_tone3:": { "usernames": ["owner"] } });
    assert_eq!(reactions(&cast.owner, json!({ "emoji": ":wave_tone3:" })).await, toned);
}

#[tokio::test]
async fn a_thread_gathers_replies_and_followers_under_its_root() {
    let stage = Stage::set().await;
    let Stage { cast, room, .. } = &stage;
    let root = cast.owner.say(room, "root").await;
    let reply = stage.send(&cast.member, json!({ "msg": "reply", "tmid": root["_id"] })).await.ok();
    let nested = stage
        .send(&cast.owner, json!({ "msg": "nested", "tmid": reply["message"]["_id"], "tshow": true }))
        .await;
    assert_eq!(nested.ok()["message"]["tmid"], root["_id"]);
    let rest = &cast.member.rest;
    let now = rest.get("chat.getMessage", &[("msgId", id(&root))]).await.ok();
    let (owner, member) = (json!(cast.owner.id), json!(cast.member.id));
    let followers = now["message"]["replies"].as_array().expect("followers");
    assert_eq!(now["message"]["tcount"], 2);
    assert!(followers.contains(&owner) && followers.contains(&member));
    let replies = rest.get("chat.getThreadMessages", &[("tmid", id(&root))]).await.ok();
    assert_eq!((texts(&replies["messages"]), &replies["total"]), (vec!["reply", "nested"], &json!(2)));
    let without = [("roomId", room.as_str()), ("showThreadMessages", "false")];
    let shown = rest.get("groups.history", &without).await.ok();
    assert_eq!(texts(&shown["messages"]), ["nested", "root"]);
    assert_eq!(stage.subscription(&cast.member).await["tunread"], json!([root["_id"]]));
    rest.method("readThreads", json!([root["_id"]])).await.expect("a thread is read");
    assert_eq!(stage.subscription(&cast.member).await["tunread"], json!([]));
    // A reply to a message of another room is refused, whatever room it names.
    let smuggled = json!({ "message": { "rid": "GENERAL", "msg": "x", "tmid": root["_id"] } });
    let _ = cast.outsider.rest.post("chat.sendMessage", smuggled).await.refused(400);
    let _ = cast.owner.rest.post("chat.delete", json!({ "roomId": room, "msgId": id(&root) })).await.ok();
    let left = rest.get("groups.history", &without).await.ok();
    assert_eq!(texts(&left["messages"]), ["nested", "reply"]);
}

#[tokio::test]
async fn what_others_write_is_unread_until_it_is_read_or_marked_again() {
    let stage = Stage::with(Server::setup().setting("Unread_Count", "all_messages")).await;
    let Stage { cast, room, .. } = &stage;
    let first = cast.owner.say(room, "one").await;
    cast.owner.say(room, "@member two").await;
    cast.member.say(room, "my own").await;
    let seen = async || {
        let now = stage.subscription(&cast.member).await;
        (now["unread"].clone(), now["userMentions"].clone(), now["alert"].clone())
    };
    assert_eq!(seen().await, (json!(2), json!(1), json!(true)));
    let _ = cast.member.rest.post("subscriptions.read", json!({ "rid": room })).await.ok();
    assert_eq!(seen().await, (json!(0), json!(0), json!(false)));
    cast.owner.say(room, "three").await;
    assert_eq!(seen().await, (json!(1), json!(0), json!(true)));
    // Read again within the second: seen at once all the same.
    let _ = cast.member.rest.post("subscriptions.read", json!({ "rid": room })).await.ok();
    assert_eq!(seen().await, (json!(0), json!(0), json!(false)));
    let from = json!({ "firstUnreadMessage": { "_id": first["_id"] } });
    let _ = cast.member.rest.post("subscriptions.unread", from.clone()).await.ok();
    assert_eq!(seen().await, (json!(3), json!(1), json!(true)));
    let _ = cast.owner.rest.post("subscriptions.unread", from).await.refused(400);
}

#[tokio::test]
async fn a_pin_is_said_in_the_room_and_a_star_is_ones_own() {
    let stage = Stage::set().await;
    let Stage { cast, room, .. } = &stage;
    let message = cast.owner.say(room, "worth keeping").await;
    let named = json!({ "messageId": message["_id"] });
    let _ = cast.member.rest.post("chat.pinMessage", named.clone()).await.refused(400);
    let _ = cast.owner.rest.post("chat.pinMessage", named.clone()).await.ok();
    let notice = &stage.history(&cast.member).await[0];
    assert_eq!(
        (&notice["t"], &notice["attachments"][0]["text"]),
        (&json!("message_pinned"), &json!("worth keeping"))
    );
    let in_room = [("roomId", room.as_str())];
    let pinned = cast.member.rest.get("chat.getPinnedMessages", &in_room).await.ok();
    assert_eq!((&pinned["messages"][0]["pinned"], &pinned["total"]), (&json!(true), &json!(1)));
    let _ = cast.owner.rest.post("chat.unPinMessage", named.clone()).await.ok();
    let pinned = cast.member.rest.get("chat.getPinnedMessages", &in_room).await.ok();
    assert_eq!(pinned["total"], 0);

    let _ = cast.member.rest.post("chat.starMessage", named).await.ok();
    let starred = cast.member.rest.get("chat.getStarredMessages", &in_room).await.ok();
    assert_eq!(starred["messages"][0]["starred"], json!([{ "_id": cast.member.id }]));
    let others = cast.owner.rest.get("groups.messages", &in_room).await.ok();
    assert!(!others.to_string().contains("starred"), "{others}");
    assert_eq!(cast.owner.rest.get("chat.getStarredMessages", &in_room).await.ok()["total"], 0);
}

#[tokio::test]
async fn a_link_to_a_message_quotes_it_for_those_who_may_read_it_alone() {
    let stage = Stage::with(Server::setup().setting("Site_Url", "https://chat.example")).await;
    let Stage { cast, room, .. } = &stage;
    let quoted = cast.owner.say(room, "the original").await;
    let text = format!("[ ](https://chat.example/group/stage?msg={}) indeed", id(&quoted));
    let sent = stage.send(&cast.member, json!({ "msg": text })).await.ok();
    assert_eq!(sent["message"]["attachments"][0]["text"], "the original");
    assert_eq!(sent["message"]["attachments"][0]["author_name"], "owner");
    let shown = &cast.owner.rest.get("me", &[]).await.ok()["name"];
    assert_eq!(&sent["message"]["attachments"][0]["parlorAuthorName"], shown, "for those who show names");
    let own = cast.outsider.channel("elsewhere", &[]).await;
    let elsewhere = json!({ "message": { "rid": own, "msg": text } });
    let leaked = cast.outsider.rest.post("chat.sendMessage", elsewhere).await.ok();
    assert!(!leaked.to_string().contains("the original"), "{leaked}");
}

#[tokio::test]
async fn who_wants_mentions_alone_is_notified_of_nothing_else() {
    let setup = Server::setup().setting("Accounts_Default_User_Preferences_desktopNotifications", "mentions");
    let stage = Stage::with(setup).await;
    let Stage { cast, room, server } = &stage;
    let mut socket = cast.member.socket(server).await;
    let key = format!("{}/notification", cast.member.id);
    socket.stream("notify-user", &key).await.expect("one listens to oneself");
    socket
        .stream("notify-user", &format!("{}/subscriptions-changed", cast.member.id))
        .await
        .expect("as above");
    cast.owner.say(room, "not for anybody").await;
    cast.owner.say(room, "@member look").await;
    let told = socket.event("notify-user", &key).await;
    assert_eq!(told[0]["payload"]["message"]["msg"], "@member look", "{told}");
    assert_eq!(told[0]["payload"]["rid"], json!(room));
}

#[tokio::test]
async fn a_purge_clears_a_span_of_time_for_those_who_may() {
    let stage = Stage::set().await;
    let Stage { cast, room, .. } = &stage;
    for n in 0..3 {
        cast.owner.say(room, &format!("old {n}")).await;
    }
    let all =
        json!({ "roomId": room, "oldest": "2020-01-01T00:00:00.000Z", "latest": "2100-01-01T00:00:00.000Z" });
    let _ = cast.member.rest.post("rooms.cleanHistory", all.clone()).await.refused(400);
    let refused = cast.outsider.rest.post("rooms.cleanHistory", all.clone()).await.refused(400);
    assert_eq!(refused["error"], "User does not have access to the room [error-not-allowed]");
    let admin = &cast.administrator.rest;
    let _ = cast
        .owner
        .rest
        .post("groups.invite", json!({ "roomId": room, "userId": cast.administrator.id }))
        .await
        .ok();
    let limited = json!({ "roomId": room, "oldest": all["oldest"], "latest": all["latest"], "limit": 1 });
    assert_eq!(admin.post("rooms.cleanHistory", limited).await.ok()["count"], 1);
    assert_eq!(admin.post("rooms.cleanHistory", all).await.ok()["count"], 3);
    assert_eq!(stage.history(&cast.owner).await.len(), 0);
}

/// Between the commit and the publishing the sender is gone: what is stored is heard by everybody else, once and in
/// order, and what is not stored by nobody.
#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_right_after_sending_takes_no_message_away_from_the_others() {
    let stage = Stage::set().await;
    let mut listener = stage.cast.owner.socket(&stage.server).await;
    listener.stream("room-messages", &stage.room).await.expect("the owner may listen");
    for round in 0..40 {
        let mut hasty = stage.cast.member.socket(&stage.server).await;
        for number in 0..5 {
            let message = json!({"_id": format!("hasty-{round}-{number}"), "rid": stage.room, "msg": "x"});
            let _ = hasty.start("sendMessage", json!([message])).await;
        }
        // Some leave politely, the others with what they have not read still on its way.
        if round % 2 == 0 { drop(hasty) } else { hasty.close().await }
    }
    let last = stage.cast.owner.say(&stage.room, "the last").await;
    let mut heard = Vec::new();
    loop {
        let event = listener.event("room-messages", &stage.room).await;
        heard.push(id(&event[0]).to_owned());
        if event[0]["_id"] == last["_id"] {
            break;
        }
    }
    let params = [("roomId", &*stage.room), ("count", "0")];
    let history = stage.cast.owner.rest.get("groups.history", &params).await.ok();
    let mut stored: Vec<&str> = history["messages"].as_array().expect("a list").iter().map(id).collect();
    stored.reverse();
    stored.retain(|id| id.starts_with("hasty") || last["_id"] == *id);
    // What the last ones sent may be stored behind the last message.
    stored.truncate(heard.len());
    assert!(heard.len() > 40, "{heard:?}");
    assert_eq!(heard, stored);
}
