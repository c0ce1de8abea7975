//! What somebody tries who has an account, a hook or a host's key and wants more than they give.

use parlor_testkit::{Cast, Person, Server};
use serde_json::{Value, json};

use crate::watch::Watch;

/// What only the members of a private room may read.
const CANARY: &str = "the canary sings at dawn";

struct Stage {
    server: Server,
    watch: Watch,
    cast: Cast,
    /// The message in the owner's and the member's private room.
    secret: String,
}

impl Stage {
    async fn set() -> Self {
        let (server, watch) = Watch::server().await;
        let cast = Cast::assemble(&server).await;
        let room = cast.owner.group("secrets", &[&cast.member]).await;
        let said = cast.owner.say(&room, CANARY).await;
        let secret = said["_id"].as_str().expect("an id").to_owned();
        Self { server, watch, cast, secret }
    }

    /// The address under which the workspace shows the secret.
    async fn link(&self) -> String {
        let public = self.server.rest().get("settings.public", &[("_id", "Site_Url")]).await.ok();
        let site = public["settings"][0]["value"].as_str().expect("the workspace knows its address");
        format!("{}/group/secrets?msg={}", site.trim_end_matches('/'), self.secret)
    }

    /// A hook that speaks as somebody into a channel; its path.
    async fn hook(&self, speaker: &Person, channel: &str) -> String {
        let wanted = json!({
            "type": "webhook-incoming", "name": "hook", "enabled": true, "username": speaker.username,
            "channel": channel, "scriptEnabled": false,
        });
        let made = self.cast.administrator.rest.post("integrations.create", wanted).await.ok();
        let text = |key: &str| made["integration"][key].as_str().expect("a text").to_owned();
        format!("/hooks/{}/{}", text("_id"), text("token"))
    }

    async fn history(&self, reader: &Person, room: &str) -> Value {
        reader.rest.get("channels.history", &[("roomId", room)]).await.ok()
    }

    async fn end(self) {
        self.watch.end(&self.server).await;
    }
}

#[tokio::test]
async fn a_link_shows_what_its_author_may_read_whoever_carries_the_words() {
    let stage = Stage::set().await;
    let Cast { administrator, outsider, member, .. } = &stage.cast;
    let room = administrator.channel("hooked", &[outsider, member]).await;
    let text = json!({"text": format!("look at {}", stage.link().await)});
    let hook = stage.hook(outsider, "#hooked").await;
    let _ = stage.server.rest().post(&hook, text.clone()).await.ok();
    let told = stage.history(outsider, &room).await;
    assert!(told.to_string().contains("look at") && !told.to_string().contains(CANARY), "{told}");
    // Who may read it himself quotes it by his hook as by his own hand.
    let hook = stage.hook(member, "#hooked").await;
    let _ = stage.server.rest().post(&hook, text).await.ok();
    let told = stage.history(outsider, &room).await;
    assert!(told.to_string().contains(CANARY), "{told}");
    stage.end().await;
}

#[tokio::test]
async fn who_may_set_up_only_his_own_hooks_overhears_nobody_by_them() {
    let stage = Stage::set().await;
    let Cast { administrator, owner, outsider, .. } = &stage.cast;
    for permission in ["manage-own-outgoing-integrations", "manage-own-incoming-integrations"] {
        let wanted = json!({"permissions": [{"_id": permission, "roles": ["admin", "user"]}]});
        let _ = administrator.rest.post("permissions.update", wanted).await.ok();
    }
    let outgoing = |channel: &str| {
        json!({
            "type": "webhook-outgoing", "name": "ears", "enabled": true, "username": outsider.username, "channel": channel,
            "event": "sendMessage", "urls": ["https://ears.example/"], "scriptEnabled": false,
        })
    };
    let _ = outsider.group("own", &[]).await;
    for (channel, taken) in [
        ("#own", true),
        ("@outsider", true),
        ("all_public_channels", true),
        ("@owner", false),
        ("#secrets", false),
        ("all_private_groups", false),
        ("all_direct_messages", false),
    ] {
        let told = outsider.rest.post("integrations.create", outgoing(channel)).await;
        assert_eq!(told.status < 400, taken, "{channel}: {} {}", told.status, told.text());
    }
    let posing = json!({
        "type": "webhook-incoming", "name": "mouth", "enabled": true, "username": owner.username, "channel": "#own",
        "scriptEnabled": false,
    });
    let told = outsider.rest.post("integrations.create", posing).await;
    assert!((400..500).contains(&told.status), "nobody speaks as another: {}", told.text());
    stage.end().await;
}

#[tokio::test]
async fn nobody_takes_anothers_device_away_by_its_id() {
    let stage = Stage::set().await;
    let Cast { owner, outsider, .. } = &stage.cast;
    let device =
        |value: &str| json!({"id": "device-of-olga", "type": "gcm", "value": value, "appName": "app"});
    let _ = owner.rest.post("push.token", device("olga's phone")).await.ok();
    let taken = outsider.rest.post("push.token", device("otto's phone")).await.ok();
    assert_ne!(taken["result"]["_id"], "device-of-olga", "{taken}");
    let told = outsider.rest.delete("push.token", json!({"token": "olga's phone"})).await;
    assert_eq!(told.status, 404, "{}", told.text());
    let _ = owner.rest.delete("push.token", json!({"token": "olga's phone"})).await.ok();
    let _ = outsider.rest.delete("push.token", json!({"token": "otto's phone"})).await.ok();
    stage.end().await;
}

/// Everything that takes a message's id, with a room of the caller's own beside it where there is room for one.
fn crossings(own: &str, secret: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("chat.update", json!({"roomId": own, "msgId": secret, "text": "mine"})),
        ("chat.delete", json!({"roomId": own, "msgId": secret})),
        ("chat.delete", json!({"roomId": own, "msgId": secret, "asUser": true})),
        ("chat.react", json!({"messageId": secret, "emoji": ":x:"})),
        ("chat.pinMessage", json!({"messageId": secret})),
        ("chat.unPinMessage", json!({"messageId": secret})),
        ("chat.starMessage", json!({"messageId": secret})),
        ("chat.unStarMessage", json!({"messageId": secret})),
        ("chat.followMessage", json!({"mid": secret})),
        ("chat.unfollowMessage", json!({"mid": secret})),
        ("chat.reportMessage", json!({"messageId": secret, "description": "x"})),
        ("chat.postMessage", json!({"roomId": own, "text": "x", "tmid": secret})),
        ("chat.sendMessage", json!({"message": {"rid": own, "msg": "x", "tmid": secret}})),
        ("chat.sendMessage", json!({"message": {"rid": own, "msg": "x", "_id": secret}})),
        ("rooms.createDiscussion", json!({"prid": own, "t_name": "d", "pmid": secret})),
        ("subscriptions.unread", json!({"firstUnreadMessage": {"_id": secret}})),
    ]
}

#[tokio::test]
async fn a_message_of_a_room_that_one_is_not_in_can_be_reached_by_no_call_that_takes_an_id() {
    let stage = Stage::set().await;
    let outsider = &stage.cast.outsider;
    let own = outsider.group("own", &[]).await;
    for (endpoint, body) in crossings(&own, &stage.secret) {
        let told = outsider.rest.post(endpoint, body.clone()).await;
        assert!((400..500).contains(&told.status), "{endpoint} {body}: {} {}", told.status, told.text());
        assert!(!told.text().contains(CANARY), "{endpoint}: {}", told.text());
        if body["message"]["_id"].is_string() {
            // An id of one's own choosing that nobody has makes a message.
            continue;
        }
        // What is not there is refused with the same words.
        let other = "nosuchmessage1234";
        let none = body.to_string().replace(&stage.secret, other);
        let unknown = outsider.rest.post(endpoint, serde_json::from_str(&none).expect("JSON")).await;
        let words = |text: String| text.replace(&stage.secret, "...").replace(other, "...");
        let (seen, unseen) = (words(told.text()), words(unknown.text()));
        assert_eq!((told.status, seen), (unknown.status, unseen), "{endpoint} {body}");
    }
    for (endpoint, query) in [
        ("chat.getMessage", vec![("msgId", stage.secret.as_str())]),
        ("chat.getThreadMessages", vec![("tmid", stage.secret.as_str())]),
        ("chat.getMessageReadReceipts", vec![("messageId", stage.secret.as_str())]),
        ("chat.syncThreadMessages", vec![("tmid", &stage.secret), ("updatedSince", "2020-01-01T00:00:00Z")]),
    ] {
        let told = outsider.rest.get(endpoint, &query).await;
        assert!((400..500).contains(&told.status), "{endpoint}: {} {}", told.status, told.text());
        assert!(!told.text().contains(CANARY), "{endpoint}: {}", told.text());
    }
    for (method, params) in [
        ("getMessages", json!([[stage.secret]])),
        ("getSingleMessage", json!([stage.secret])),
        ("loadSurroundingMessages", json!([{"_id": stage.secret, "rid": own}, 10])),
        ("getThreadMessages", json!([{"tmid": stage.secret}])),
        ("updateMessage", json!([{"_id": stage.secret, "rid": own, "msg": "mine"}])),
        ("deleteMessage", json!([{"_id": stage.secret, "rid": own}])),
        ("setReaction", json!([":x:", stage.secret])),
        ("readThreads", json!([stage.secret])),
    ] {
        let told = outsider.rest.method(method, params).await;
        let text = format!("{told:?}");
        assert!(!text.contains(CANARY), "{method}: {text}");
        assert!(
            told.is_err() || matches!(told.as_ref().map(Value::is_null), Ok(true)) || told == Ok(json!([])),
            "{method}: {text}"
        );
    }
    // It stands as it stood.
    let query = [("msgId", stage.secret.as_str())];
    let read = stage.cast.member.rest.get("chat.getMessage", &query).await.ok();
    assert_eq!(read["message"]["msg"], CANARY);
    for changed in ["reactions", "pinned", "starred", "editedAt", "tcount"] {
        assert!(read["message"][changed].is_null(), "{changed}: {read}");
    }
    stage.end().await;
}

#[tokio::test]
async fn nothing_that_a_client_adds_makes_a_message_or_an_account_more_than_it_is() {
    let stage = Stage::set().await;
    let outsider = &stage.cast.outsider;
    let own = outsider.group("own", &[]).await;
    let more = json!({
        "rid": own, "msg": "plain", "u": {"_id": stage.cast.owner.id, "username": "owner"}, "t": "rm",
        "ts": {"$date": 1}, "pinned": true, "pinnedBy": {"username": "owner"}, "reactions": {":x:": {"usernames": ["owner"]}},
        "editedAt": {"$date": 1}, "editedBy": {"username": "owner"}, "starred": [{"_id": stage.cast.owner.id}],
        "tcount": 7, "role": "admin", "federation": {}, "bot": {"i": "x"}, "md": [{"type": "x"}], "urls": [{"url": "x"}],
    });
    let told = outsider.rest.post("chat.sendMessage", json!({"message": more})).await;
    if told.status < 400 {
        let message = &told.body["message"];
        assert_eq!(message["u"]["_id"], outsider.id.as_str(), "{message}");
        for added in ["t", "pinned", "pinnedBy", "reactions", "editedBy", "starred", "tcount", "bot", "role"]
        {
            assert!(message[added].is_null(), "{added}: {message}");
        }
    }
    for (endpoint, body) in [
        (
            "users.updateOwnBasicInfo",
            json!({"data": {"name": "Otto", "roles": ["admin"], "active": true, "type": "bot"}}),
        ),
        ("users.setPreferences", json!({"data": {"roles": ["admin"]}})),
        ("users.update", json!({"userId": outsider.id, "data": {"roles": ["admin"]}})),
        (
            "users.create",
            json!({"username": "x", "name": "x", "email": "x@example.org", "password": "x secret of x", "roles": ["admin"]}),
        ),
        ("roles.addUserToRole", json!({"roleName": "admin", "username": outsider.username})),
    ] {
        let _ = outsider.rest.post(endpoint, body).await;
    }
    let _ =
        outsider.rest.method("saveUserProfile", json!([{"realname": "Otto", "roles": ["admin"]}, {}])).await;
    let fresh = json!({
        "username": "mallory", "name": "Mallory", "email": "mallory@example.org", "pass": "a secret of mallory's",
        "roles": ["admin"], "type": "bot", "active": true, "verified": true, "emailVerified": true,
    });
    let _ = stage.server.rest().post("users.register", fresh).await;
    for name in ["outsider", "mallory"] {
        let seen = stage.cast.administrator.rest.get("users.info", &[("username", name)]).await;
        if seen.status == 200 {
            assert_eq!(seen.body["user"]["roles"], json!(["user"]), "{name}: {}", seen.text());
        }
    }
    stage.end().await;
}
