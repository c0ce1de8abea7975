//! What clients of Rocket.Chat and its own suite compare word by word: sending, changing, catching up, commands.

use parlor_testkit::Answer;
use serde_json::{Value, json};

use super::{Stage, id};

impl Stage {
    async fn set_to(&self, setting: &str, value: Value) {
        let endpoint = format!("settings/{setting}");
        let _ = self.cast.administrator.rest.post(&endpoint, json!({ "value": value })).await.ok();
    }

    async fn edit(&self, message: &str, text: &str) -> Answer {
        let edit = json!({ "roomId": self.room, "msgId": message, "text": text });
        self.cast.owner.rest.post("chat.update", edit).await
    }

    async fn sync(&self, query: &[(&str, &str)]) -> Answer {
        let query: Vec<_> = [("roomId", self.room.as_str())].iter().chain(query).copied().collect();
        self.cast.owner.rest.get("chat.syncMessages", &query).await
    }
}

#[tokio::test]
async fn what_cards_and_files_say_is_as_long_as_a_message_may_be_and_no_longer() {
    let stage = Stage::set().await;
    stage.set_to("Message_MaxAllowedSize", 10.into()).await;
    let post = async |text: &str, card: &str| {
        let body = json!({ "roomId": stage.room, "text": text, "attachments": [{ "text": card }] });
        stage.cast.owner.rest.post("chat.postMessage", body).await
    };
    let _ = post("short", "short").await.ok();
    for (text, card) in [("far too long for this", "short"), ("short", "far too long for this")] {
        assert_eq!(post(text, card).await.refused(400)["error"], "error-message-size-exceeded");
    }
    let rest = &stage.cast.owner.rest;
    let sent = rest
        .upload(&format!("rooms.media/{}", stage.room), "file", ("a.txt", "text/plain", b"text"), &[])
        .await
        .ok();
    let file = sent["file"]["_id"].as_str().expect("a file");
    let confirm = format!("rooms.mediaConfirm/{}/{file}", stage.room);
    let long = rest.post(&confirm, json!({ "description": "far too long for this" })).await.refused(400);
    assert_eq!(long["errorType"], "error-message-size-exceeded");
    let _ = rest.post(&confirm, json!({ "description": "short" })).await.ok();
}

#[tokio::test]
async fn a_card_that_leads_to_a_message_goes_with_the_text_that_it_was_in() {
    let stage = Stage::set().await;
    let cards =
        json!([{ "text": "quoted", "message_link": "https://example.org/?msg=x" }, { "text": "kept" }]);
    let sent = stage.send(&stage.cast.owner, json!({ "msg": "one", "attachments": cards })).await.ok();
    let edited = stage.edit(id(&sent["message"]), "two").await.ok();
    assert_eq!(edited["message"]["attachments"], json!([{ "text": "kept" }]));
    let plain = stage.send(&stage.cast.owner, json!({ "msg": "three" })).await.ok();
    assert!(plain["message"]["attachments"].is_null());
    let edited = stage.edit(id(&plain["message"]), "four").await.ok();
    assert_eq!(edited["message"]["attachments"], json!([]), "clients that merge see that nothing is left");
    let _ = stage.edit(id(&plain["message"]), "").await.refused(400);
    let run = json!([{ "type": "button", "text": "go", "url": "javascript:alert(1)" }]);
    let _ = stage
        .send(&stage.cast.owner, json!({ "msg": "x", "attachments": [{ "actions": run }] }))
        .await
        .refused(400);
}

#[tokio::test]
async fn more_links_than_are_looked_at_stay_links_without_previews() {
    let stage = Stage::set().await;
    let links: Vec<String> = (0..6).map(|n| format!("https://example.org/{n}")).collect();
    let sent = stage.send(&stage.cast.owner, json!({ "msg": links.join(" ") })).await.ok();
    let urls = sent["message"]["urls"].as_array().expect("links");
    assert_eq!(urls.len(), 6);
    assert!(urls.iter().all(|url| url["meta"] == json!({}) && url.get("ignoreParse").is_none()), "{urls:?}");
}

#[tokio::test]
async fn catching_up_by_date_gives_the_newest_first_and_says_what_does_not_fit_together() {
    let stage = Stage::set().await;
    let start = stage.cast.owner.say(&stage.room, "zero").await["ts"].as_str().expect("a time").to_owned();
    let (first, second) =
        (stage.cast.owner.say(&stage.room, "one").await, stage.cast.owner.say(&stage.room, "two").await);
    let told = stage.sync(&[("lastUpdate", &start)]).await.ok();
    let ids: Vec<&Value> =
        told["result"]["updated"].as_array().expect("a list").iter().map(|m| &m["_id"]).collect();
    assert_eq!(ids[..2], [&second["_id"], &first["_id"]]);
    let now = ("next", "1795000000000");
    for (query, kind) in [
        (&[][..], "error-param-required"),
        (&[now], "error-param-required"),
        (&[("type", "OTHER")], "invalid-params"),
        (&[("type", "UPDATED"), now, ("previous", "1")], "error-cursor-conflict"),
        (&[("type", "UPDATED"), now, ("lastUpdate", &start)], "error-cursor-and-lastUpdate-conflict"),
        (&[("lastUpdate", "yesterday")], "error-lastUpdate-param-invalid"),
    ] {
        assert_eq!(stage.sync(query).await.refused(400)["errorType"], kind, "{query:?}");
    }
    let outside = [("roomId", stage.room.as_str()), ("lastUpdate", &start)];
    let refused = stage.cast.outsider.rest.get("chat.syncMessages", &outside).await.refused(400);
    assert_eq!(refused["errorType"], "error-not-allowed");
    let threads =
        stage.cast.owner.rest.get("chat.getThreadsList", &[("rid", &stage.room), ("type", "other")]).await;
    assert_eq!(threads.refused(400)["errorType"], "invalid-params");
}

#[tokio::test]
async fn a_method_takes_what_messages_have_and_tells_nobody_which_message_is_there() {
    let stage = Stage::set().await;
    let (owner, outsider) = (&stage.cast.owner.rest, &stage.cast.outsider.rest);
    let said = json!({ "rid": stage.room, "msg": "beep", "bot": { "i": "js.SDK" } });
    let sent = owner.method("sendMessage", json!([said])).await.expect("sent");
    assert_eq!(sent["bot"]["i"], "js.SDK");
    let odd = json!({ "rid": stage.room, "msg": "beep", "_notAllowed": "1" });
    let refused = owner.method("sendMessage", json!([odd])).await.expect_err("an unknown key");
    assert_eq!(refused["sanitizedError"]["reason"], "Match failed");
    for message in [id(&sent), "nothing"] {
        let edit = json!([{ "_id": message, "rid": stage.room, "msg": "mine" }]);
        let refused = outsider.method("updateMessage", edit).await.expect_err("not theirs");
        assert_eq!(refused["error"], "error-action-not-allowed");
    }
    let users = owner.method("getUsersOfRoom", json!([stage.room])).await.expect("members");
    assert_eq!((users["total"].as_u64(), users["records"].as_array().map(Vec::len)), (Some(2), Some(0)));
    let direct = stage.cast.owner.direct(&stage.cast.member).await;
    let third = json!([{ "rid": direct, "users": ["outsider"] }]);
    let refused = owner.method("addUsersToRoom", third).await.expect_err("two are two");
    assert_eq!(refused["error"], "error-cant-invite-for-direct-room");
}

#[tokio::test]
async fn a_command_says_what_is_wrong_with_it_before_it_does_anything() {
    let stage = Stage::set().await;
    let (owner, room) = (&stage.cast.owner, stage.room.as_str());
    let run = async |order: Value| owner.rest.post("commands.run", order).await;
    for (order, sentence) in [
        (
            json!({ "command": "shrug", "params": true }),
            "The parameters for the command must be a single string.",
        ),
        (
            json!({ "command": "shrug", "roomId": room, "tmid": true }),
            "The tmid parameter when provided must be a string.",
        ),
        (
            json!({ "command": "nothing", "roomId": room }),
            "The command provided does not exist (or is disabled).",
        ),
        (json!({ "command": "shrug", "roomId": room, "tmid": "nothing" }), "Invalid thread."),
    ] {
        assert_eq!(run(order.clone()).await.refused(400)["error"], sentence, "{order}");
    }
    let unknown = owner.rest.get("commands.get", &[("command", "nothing")]).await.refused(400);
    assert_eq!(unknown["error"], "There is no command in the system by the name of: nothing");
    let root = owner.say(room, "root").await;
    let _ = run(json!({ "command": "shrug", "roomId": room, "tmid": root["_id"] })).await.ok();
    let archive = json!({ "command": "archive", "roomId": room });
    let refused = stage.cast.member.rest.post("commands.run", archive).await.refused(400);
    assert_eq!(refused["errorType"], "error-not-authorized");
    let open = stage.cast.outsider.channel("open", &[]).await;
    let bring = json!({ "command": "invite-all-from", "roomId": open, "params": "#stage" });
    let _ = stage.cast.outsider.rest.post("commands.run", bring).await.ok();
    let there = [("roomId", open.as_str()), ("username", "member")];
    let member = stage.cast.outsider.rest.get("rooms.isMember", &there).await.ok();
    assert_eq!(member["isMember"], false, "nobody comes from a room that one can't see");
}
