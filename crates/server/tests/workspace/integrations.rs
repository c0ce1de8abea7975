//! Webhooks, in and out.

use parlor_testkit::{Answer, Person, Server, server::ADMINISTRATOR};
use serde_json::{Value, json};

use crate::sink::Sink;

pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) administrator: Person,
    pub(crate) member: Person,
    pub(crate) room: String,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let server = Server::setup().setting("SSRF_Allowlist", "127.0.0.1").start().await;
        let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
        let member = administrator.make(&server, "member", "Mina Member").await;
        let room = administrator.channel("alerts", &[&member]).await;
        Self { server, administrator, member, room }
    }

    async fn incoming(&self, more: Value) -> Value {
        let mut wanted = json!({
            "type": "webhook-incoming", "name": "monitoring", "enabled": true, "username": "member",
            "channel": "#alerts", "scriptEnabled": false, "alias": "Monitor",
        });
        merge(&mut wanted, more);
        self.administrator.rest.post("integrations.create", wanted).await.ok()["integration"].take()
    }

    pub(crate) async fn outgoing(&self, sink: &Sink, more: Value) -> Value {
        let mut wanted = json!({
            "type": "webhook-outgoing", "name": "bridge", "enabled": true, "username": "member", "urls": [sink.url],
            "channel": "#alerts", "scriptEnabled": false, "event": "sendMessage", "token": "shared-secret",
        });
        merge(&mut wanted, more);
        self.administrator.rest.post("integrations.create", wanted).await.ok()["integration"].take()
    }

    async fn hook(&self, path: &str, body: Value) -> Answer {
        self.server.rest().post(&format!("/hooks/{path}"), body).await
    }

    async fn newest(&self) -> Value {
        let query = [("roomId", self.room.as_str()), ("count", "1")];
        self.administrator.rest.get("channels.history", &query).await.ok()["messages"]
            .get(0)
            .cloned()
            .unwrap_or_default()
    }
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

#[tokio::test]
async fn another_program_posts_by_the_address_alone_or_with_its_token() {
    let stage = Stage::set().await;
    let hook = stage.incoming(json!({})).await;
    let (id, token) = (text(&hook, "_id"), text(&hook, "token"));
    let _ = stage.hook(id, json!({ "text": "disk full" })).await.ok();
    let said = stage.newest().await;
    assert_eq!((text(&said, "msg"), text(&said, "alias")), ("disk full", "Monitor"));
    assert_eq!(said["u"]["username"], "member");
    assert!(!said.to_string().contains(id), "the address stays with those who manage it");

    let _ = stage.hook(&format!("{id}/{token}"), json!({ "text": "again", "alias": "Other" })).await.ok();
    assert_eq!(text(&stage.newest().await, "alias"), "Other");
    let payload = r#"{"text":"see <https://a.example|this>","username":"Slack"}"#;
    let form = stage.server.rest().request(axum::http::Method::POST, &format!("/hooks/{id}/{token}"));
    let _ = parlor_testkit::rest::answer(form.form(&[("payload", payload)])).await.ok();
    let said = stage.newest().await;
    assert_eq!((text(&said, "msg"), text(&said, "alias")), ("see [this](https://a.example)", "Slack"));
}

#[tokio::test]
async fn wrong_addresses_tokens_and_bodies_post_nothing() {
    let stage = Stage::set().await;
    let hook = stage.incoming(json!({})).await;
    let other = stage.incoming(json!({ "name": "other" })).await;
    let (id, token) = (text(&hook, "_id"), text(&hook, "token"));
    let hello = || json!({ "text": "hello" });
    let _ = stage.hook("nobody", hello()).await.refused(404);
    let _ = stage.hook(&format!("{id}/wrong"), hello()).await.refused(404);
    let _ = stage.hook(&format!("{id}/{}", text(&other, "token")), hello()).await.refused(404);
    for bad in
        [json!({}), json!({ "text": 5 }), json!([]), json!({ "text": {} }), json!({ "attachments": "x" })]
    {
        let _ = stage.hook(id, bad).await.refused(400);
    }
    let elsewhere = stage.administrator.channel("elsewhere", &[]).await;
    for choice in
        [json!({ "channel": [] }), json!({ "roomId": elsewhere }), json!({ "channel": "#elsewhere" })]
    {
        let mut body = hello();
        merge(&mut body, choice);
        let refused = stage.hook(&format!("{id}/{token}"), body).await.refused(400);
        assert_eq!(refused["error"], "overriding destination channel is disabled for this integration");
    }
    let change = json!({ "type": "webhook-incoming", "integrationId": id, "enabled": false });
    stage
        .administrator
        .rest
        .request(axum::http::Method::PUT, "integrations.update")
        .json(&change)
        .send()
        .await
        .expect("a put");
    let _ = stage.hook(id, hello()).await.refused(404);
    let _ = stage
        .administrator
        .rest
        .post(
            "integrations.remove",
            json!({ "type": "webhook-incoming", "integrationId": text(&other, "_id") }),
        )
        .await
        .ok();
    let _ = stage.hook(text(&other, "_id"), hello()).await.refused(404);
    assert_ne!(stage.newest().await["msg"], "hello");
}

#[tokio::test]
async fn a_caller_may_choose_the_room_only_where_the_integration_says_so_and_its_user_may_go() {
    let stage = Stage::set().await;
    let hook = stage.incoming(json!({ "overrideDestinationChannelEnabled": true })).await;
    let id = text(&hook, "_id");
    let open = stage.administrator.channel("open", &[]).await;
    stage.administrator.group("secret", &[]).await;
    let _ = stage.hook(id, json!({ "text": "here", "channel": "#open" })).await.ok();
    let history = stage.administrator.rest.get("channels.history", &[("roomId", &open)]).await.ok();
    assert_eq!(history["messages"][0]["msg"], "here");
    let _ = stage.hook(id, json!({ "text": "psst", "channel": "#secret" })).await.refused(400);
    let _ = stage.hook(id, json!({ "text": "psst", "channel": "#nowhere" })).await.refused(400);
}

#[tokio::test]
async fn only_those_who_may_set_integrations_up_and_see_their_own() {
    let stage = Stage::set().await;
    let wanted = json!({
        "type": "webhook-incoming", "name": "mine", "enabled": true, "username": "member", "channel": "#alerts", "scriptEnabled": false,
    });
    let refused = stage.member.rest.post("integrations.create", wanted.clone()).await.refused(400);
    assert_eq!(refused["errorType"], "not_authorized");
    let clear = json!({ "integrationId": "any" });
    let refused = stage.member.rest.post("integrations.clearHistory", clear).await.refused(400);
    assert_eq!(refused["errorType"], "not_authorized");
    let _ = stage.member.rest.get("integrations.list", &[]).await.refused(403);
    let theirs = stage.incoming(json!({})).await;
    let permissions =
        json!({ "permissions": [{ "_id": "manage-own-incoming-integrations", "roles": ["user"] }] });
    let _ = stage.administrator.rest.post("permissions.update", permissions).await.ok();
    let mine = stage.member.rest.post("integrations.create", wanted.clone()).await.ok()["integration"].take();
    let list = stage.member.rest.get("integrations.list", &[]).await.ok();
    assert_eq!((list["total"].as_u64(), &list["integrations"][0]["_id"]), (Some(1), &mine["_id"]));
    assert!(!list.to_string().contains(text(&mine, "token")), "a token is told once");
    let _ = stage
        .member
        .rest
        .get("integrations.get", &[("integrationId", text(&theirs, "_id"))])
        .await
        .refused(400);
    let mut as_somebody = wanted.clone();
    as_somebody["username"] = ADMINISTRATOR.0.into();
    let _ = stage.member.rest.post("integrations.create", as_somebody).await.refused(400);
    let mut as_bot = wanted.clone();
    as_bot["username"] = "rocket.cat".into();
    let _ = stage.member.rest.post("integrations.create", as_bot).await.ok();
    let log = [("id", text(&mine, "_id"))];
    let _ = stage.member.rest.get("integrations.history", &log).await.refused(403);
    let none = stage.administrator.rest.get("integrations.history", &log).await.ok();
    assert_eq!((&none["history"], &none["total"]), (&json!([]), &json!(0)), "nothing goes out by it");
    for (verb, problem) in
        [("create", "Invalid integration type."), ("remove", "must match exactly one schema in oneOf")]
    {
        let unknown = json!({ "type": "x", "integrationId": mine["_id"] });
        let refused = stage.member.rest.post(&format!("integrations.{verb}"), unknown).await.refused(400);
        assert!(text(&refused, "error").contains(problem), "{refused}");
    }
    for (key, bad) in [
        ("channel", json!("#nowhere")),
        ("channel", json!("alerts")),
        ("username", json!("nobody")),
        ("type", json!("x")),
    ] {
        let mut wrong = wanted.clone();
        wrong[key] = bad;
        let _ = stage.administrator.rest.post("integrations.create", wrong).await.refused(400);
    }
}

#[tokio::test]
async fn a_message_calls_out_once_signed_and_an_answer_is_posted_there() {
    let stage = Stage::set().await;
    let mut sink = Sink::open().await;
    sink.answer(200, r#"{"text":"heard you"}"#);
    let made = stage.outgoing(&sink, json!({ "triggerWords": "deploy", "alias": "Bridge" })).await;
    stage.member.say(&stage.room, "nothing to see").await;
    stage.member.say(&stage.room, "deploy now").await;
    let call = sink.next().await;
    let body = &call.body;
    assert_eq!(
        (text(body, "text"), text(body, "token"), text(body, "trigger_word")),
        ("deploy now", "shared-secret", "deploy")
    );
    assert_eq!((text(body, "user_name"), text(body, "channel_name")), ("member", "alerts"));
    assert_eq!(
        (&body["user"]["name"], &body["attachments"][0]["text"]),
        (&json!("member"), &json!("deploy now"))
    );
    assert!(call.headers.contains_key("webhook-signature") && !call.bytes.is_empty());
    let mut socket = stage.member.socket(&stage.server).await;
    socket.stream("room-messages", &stage.room).await.expect("a member listens");
    let log = loop {
        let log =
            stage.administrator.rest.get("integrations.history", &[("id", text(&made, "_id"))]).await.ok();
        if log["history"][0]["finished"] == true && stage.newest().await["alias"] == "Bridge" {
            break log;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((log["total"].as_u64(), &log["history"][0]["error"]), (Some(1), &json!(false)));
    assert!(!log.to_string().contains("shared-secret"));
    assert_eq!(stage.newest().await["msg"], "heard you");
    assert_eq!(sink.unheard(), 0, "what a webhook said calls nobody");
}

#[tokio::test]
async fn a_failed_call_is_tried_again_after_a_kill_and_can_be_replayed() {
    let mut stage = Stage::set().await;
    let mut sink = Sink::open().await;
    sink.answer(503, "later");
    let made = stage.outgoing(&sink, json!({ "retryDelay": "powers-of-two", "retryCount": 3 })).await;
    stage.member.say(&stage.room, "keep this").await;
    let first = sink.next().await;
    stage.server.kill9();
    stage.server.restart().await;
    let second = sink.next().await;
    assert_eq!(second.body["message_id"], first.body["message_id"]);
    assert_eq!(second.headers["webhook-id"], first.headers["webhook-id"], "a repetition can be told");

    let administrator = Person::sign_in(&stage.server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let id = text(&made, "_id");
    let log = administrator.rest.get("integrations.history", &[("id", id)]).await.ok();
    let entry = text(&log["history"][0], "_id").to_owned();
    let _ = administrator
        .rest
        .post("integrations.replayOutgoing", json!({ "integrationId": id, "historyId": entry }))
        .await
        .ok();
    let third = sink.next().await;
    assert_eq!(third.body["text"], "keep this");
    assert_ne!(third.headers["webhook-id"], first.headers["webhook-id"]);
    let _ = administrator
        .rest
        .post("integrations.replayOutgoing", json!({ "integrationId": id, "historyId": "x" }))
        .await
        .refused(400);
    let _ = administrator.rest.post("integrations.clearHistory", json!({ "integrationId": id })).await.ok();
}

#[tokio::test]
async fn calls_never_reach_an_address_that_the_operator_did_not_open() {
    let stage = Stage::set().await;
    let sink = Sink::open().await;
    let port = sink.url.split(':').nth(2).and_then(|rest| rest.split('/').next()).expect("a port").to_owned();
    // The list names 127.0.0.1 only; the same machine by its other addresses stays closed.
    let inside = format!("http://[::1]:{port}/");
    let made = stage
        .outgoing(
            &sink,
            json!({ "urls": [inside, "http://169.254.169.254/latest/"], "retryFailedCalls": false }),
        )
        .await;
    stage.member.say(&stage.room, "hello").await;
    let problems = loop {
        let log =
            stage.administrator.rest.get("integrations.history", &[("id", text(&made, "_id"))]).await.ok();
        let all: Vec<Value> = log["history"].as_array().expect("a list").clone();
        if all.len() == 2 && all.iter().all(|entry| entry["finished"] == true) {
            break all;
        }
        tokio::task::yield_now().await;
    };
    assert!(problems.iter().all(|entry| entry["httpError"] == "this address is not allowed"), "{problems:?}");
}

#[tokio::test]
async fn a_token_that_the_server_key_no_longer_opens_holds_no_other_call_up() {
    let mut stage = Stage::set().await;
    let (sealed, mut plain) = (Sink::open().await, Sink::open().await);
    let made = stage.outgoing(&sealed, json!({})).await;
    let _ = stage.outgoing(&plain, json!({ "name": "plain", "token": "" })).await;
    assert!(stage.server.stop().await.success());
    std::fs::remove_file(stage.server.data().join("secret.key")).expect("the key was there");
    stage.server.restart().await;
    let member = Person::sign_in(&stage.server, "member", &stage.member.password).await;
    for text in ["first", "second"] {
        member.say(&stage.room, text).await;
        assert_eq!(plain.next().await.body["text"], text);
    }
    let administrator = Person::sign_in(&stage.server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let query = [("id", text(&made, "_id"))];
    let log = parlor_testkit::wait::until("the other calls have failed", || async {
        let log = administrator.rest.get("integrations.history", &query).await.ok();
        let all = log["history"].as_array().expect("a list").clone();
        (all.len() == 2 && all.iter().all(|entry| entry["finished"] == true)).then_some(all)
    })
    .await;
    assert!(log.iter().all(|entry| text(entry, "httpError").contains("can't be opened")), "{log:?}");
}

#[tokio::test]
async fn whoever_left_a_private_room_posts_there_by_no_hook_of_his_own() {
    let stage = Stage::set().await;
    let room = stage.administrator.group("inner", &[&stage.member]).await;
    let allow =
        json!({ "permissions": [{ "_id": "manage-own-incoming-integrations", "roles": ["admin", "user"] }] });
    let _ = stage.administrator.rest.post("permissions.update", allow).await.ok();
    let wanted = |speaker: &str| {
        json!({
            "type": "webhook-incoming", "name": "pen", "enabled": true, "username": speaker, "channel": "#inner",
            "scriptEnabled": false,
        })
    };
    let own =
        stage.member.rest.post("integrations.create", wanted("member")).await.ok()["integration"].take();
    let stranger = stage.administrator.make(&stage.server, "stranger", "Sten Stranger").await;
    // Whoever administers all of them may have anybody speak there.
    let all = stage.administrator.rest.post("integrations.create", wanted(&stranger.username)).await.ok();
    let (own, all) = (text(&own, "_id"), text(&all["integration"], "_id"));
    for id in [own, all] {
        let _ = stage.hook(id, json!({ "text": "hello" })).await.ok();
    }
    let kick = json!({ "roomId": room, "userId": stage.member.id });
    let _ = stage.administrator.rest.post("groups.kick", kick).await.ok();
    let _ = stage.hook(own, json!({ "text": "still here" })).await.refused(400);
    let _ = stage.hook(all, json!({ "text": "as before" })).await.ok();
    let history = stage.administrator.rest.get("groups.history", &[("roomId", &room)]).await.ok();
    assert!(!history.to_string().contains("still here"), "{history}");
}

#[tokio::test]
async fn a_hook_of_ones_own_falls_silent_with_the_right_to_it_and_with_the_room() {
    let stage = Stage::set().await;
    let (mut own, mut all) = (Sink::open().await, Sink::open().await);
    let room = stage.administrator.group("inner", &[&stage.member]).await;
    let allow = |roles: Value| {
        let wanted =
            json!({ "permissions": [{ "_id": "manage-own-outgoing-integrations", "roles": roles }] });
        stage.administrator.rest.post("permissions.update", wanted)
    };
    let _ = allow(json!(["admin", "user"])).await.ok();
    let wanted = |sink: &Sink, speaker: &str| {
        json!({
            "type": "webhook-outgoing", "name": "ears", "enabled": true, "username": speaker, "urls": [sink.url],
            "channel": "#inner", "scriptEnabled": false, "event": "sendMessage",
        })
    };
    let _ = stage.member.rest.post("integrations.create", wanted(&own, "member")).await.ok();
    let administrator = stage.administrator.username.as_str();
    let _ = stage.administrator.rest.post("integrations.create", wanted(&all, administrator)).await.ok();
    let say = async |text: &str| {
        let _ = stage.administrator.say(&room, text).await;
    };
    say("all may hear").await;
    assert_eq!((own.next().await.body["text"].take(), all.next().await.body["text"].take()), {
        let text = json!("all may hear");
        (text.clone(), text)
    });
    let _ = allow(json!(["admin"])).await.ok();
    say("without the right").await;
    assert_eq!(all.next().await.body["text"], "without the right");
    let _ = allow(json!(["admin", "user"])).await.ok();
    say("with it again").await;
    assert_eq!(own.next().await.body["text"], "with it again", "and nothing of what was said meanwhile");
    let kick = json!({ "roomId": room, "userId": stage.member.id });
    let _ = stage.administrator.rest.post("groups.kick", kick).await.ok();
    say("among us").await;
    let back = json!({ "roomId": room, "userId": stage.member.id });
    for said in ["with it again", "among us"] {
        assert_eq!(all.next().await.body["text"], said);
    }
    let _ = stage.administrator.rest.post("groups.invite", back).await.ok();
    say("welcome back").await;
    assert_eq!(own.next().await.body["text"], "welcome back");
}
