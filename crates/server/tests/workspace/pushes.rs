//! Pushes, as browsers and gateways get them.

use axum::http::Method;
use parlor_testkit::{Cast, Person, Server, rest};
use serde_json::json;

use crate::{browsers::Browser, sink::Sink};

impl Browser {
    async fn of(person: &Person, number: u8) -> Self {
        Self::subscribed(&person.rest, number).await
    }
}

async fn stage() -> (Server, Cast) {
    let server = Server::setup().setting("SSRF_Allowlist", "127.0.0.1").start().await;
    let cast = Cast::assemble(&server).await;
    (server, cast)
}

#[tokio::test]
async fn a_browser_is_told_in_words_that_only_it_can_read_and_takes_it_back_when_it_was_read_elsewhere() {
    let (_server, cast) = stage().await;
    let mut browser = Browser::of(&cast.member, 1).await;
    let mut outsiders = Browser::of(&cast.outsider, 2).await;
    let room = cast.owner.direct(&cast.member).await;
    let sent = cast.owner.say(&room, "can you come?").await;
    let (heard, said) = browser.next().await;
    assert_eq!(heard.headers["content-encoding"], "aes128gcm");
    assert_eq!(heard.headers["ttl"], "86400");
    let key = cast.member.rest.get("push.vapid", &[]).await.ok()["publicKey"].take();
    let proof = heard.headers["authorization"].to_str().expect("text");
    assert!(proof.starts_with("vapid t=") && proof.ends_with(key.as_str().expect("a key")), "{proof}");
    assert_eq!(
        (&said["type"], &said["title"], &said["body"], &said["message"], &said["reason"]),
        (&json!("message"), &json!("Olga Owner"), &json!("can you come?"), &sent["_id"], &json!("direct"))
    );
    assert_eq!((&said["room"], &said["badge"]), (&json!(room), &json!(1)));
    let _ = cast.member.rest.post("subscriptions.read", json!({ "rid": room })).await.ok();
    let (_, back) = browser.next().await;
    assert_eq!((&back["type"], &back["tag"], &back["badge"]), (&json!("read"), &json!(room), &json!(0)));
    assert_eq!(outsiders.service.unheard(), 0);
}

#[tokio::test]
async fn whoever_sits_at_a_screen_or_wants_quiet_is_not_pushed_to() {
    let (server, cast) = stage().await;
    let mut away = Browser::of(&cast.member, 3).await;
    let mut there = Browser::of(&cast.outsider, 4).await;
    let mut quiet = Browser::of(&cast.administrator, 5).await;
    let _socket = cast.outsider.socket(&server).await;
    let silent = json!({ "data": { "quietFrom": "00:00", "quietUntil": "23:59", "quietOffset": 0 } });
    let _ = cast.administrator.rest.post("users.setPreferences", silent).await.ok();
    let room = cast.owner.group("plans", &[&cast.member, &cast.outsider, &cast.administrator]).await;
    cast.owner.say(&room, "@all look here").await;
    let (_, said) = away.next().await;
    assert_eq!((&said["title"], &said["body"]), (&json!("#plans"), &json!("Olga Owner: @all look here")));
    assert_eq!(said["reason"], "everybody");
    let level = json!({ "roomId": room, "notifications": { "mobilePushNotifications": "mentions" } });
    let _ = cast.member.rest.post("rooms.saveNotification", level).await.ok();
    cast.owner.say(&room, "nothing for you").await;
    cast.owner.say(&room, "but this is for @member").await;
    let (_, said) = away.next().await;
    assert_eq!((&said["reason"], &said["badge"]), (&json!("mention"), &json!(1)));
    // Their turn would have come with the first message.
    assert_eq!((there.service.unheard(), quiet.service.unheard()), (0, 0));
}

/// A word of one's own is as good as one's name, whole and in any case; it is nobody else's.
#[tokio::test]
async fn a_keyword_is_heard_of_by_whoever_wants_it() {
    let (_server, cast) = stage().await;
    let mut keen = Browser::of(&cast.member, 6).await;
    let mut other = Browser::of(&cast.outsider, 7).await;
    let words = json!({ "highlights": ["deploy day", "crane"], "pushNotifications": "mentions" });
    let _ = cast.member.rest.post("users.setPreferences", json!({ "data": words })).await.ok();
    let named = json!({ "data": { "pushNotifications": "mentions" } });
    let _ = cast.outsider.rest.post("users.setPreferences", named).await.ok();
    let room = cast.owner.group("plans", &[&cast.member, &cast.outsider]).await;
    let elsewhere = cast.owner.group("elsewhere", &[&cast.outsider]).await;
    cast.owner.say(&room, "cranes and deploy days are other words").await;
    cast.owner.say(&elsewhere, "a crane that is not seen").await;
    cast.owner.say(&room, "Is this DEPLOY DAY?").await;
    let (_, said) = keen.next().await;
    assert_eq!(
        (&said["reason"], &said["body"]),
        (&json!("mention"), &json!("Olga Owner: Is this DEPLOY DAY?"))
    );
    cast.owner.say(&room, "@outsider and a crane").await;
    let (_, said) = keen.next().await;
    assert_eq!(
        (&said["reason"], &said["body"]),
        (&json!("mention"), &json!("Olga Owner: @outsider and a crane"))
    );
    assert_eq!(other.next().await.1["reason"], "mention");
    assert_eq!((keen.service.unheard(), other.service.unheard()), (0, 0));
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten_and_one_that_is_busy_is_tried_again() {
    let (_server, cast) = stage().await;
    let mut browser = Browser::of(&cast.member, 6).await;
    let room = cast.owner.direct(&cast.member).await;
    browser.service.answer(503, "");
    cast.owner.say(&room, "one").await;
    let (_, first) = browser.next().await;
    let (_, again) = browser.next().await;
    assert_eq!(first["message"], again["message"]);
    browser.service.answer(410, "");
    cast.owner.say(&room, "two").await;
    let _ = browser.next().await;
    let mut other = Browser::of(&cast.member, 7).await;
    cast.owner.say(&room, "three").await;
    assert_eq!(other.next().await.1["body"], "three");
    assert_eq!(browser.service.unheard(), 0);
    let gone = json!({ "endpoint": other.service.url });
    let _ = cast.owner.rest.post("push.unsubscribe", gone.clone()).await.ok();
    cast.owner.say(&room, "four").await;
    assert_eq!(other.next().await.1["body"], "four", "nobody unsubscribes others");
    let _ = cast.member.rest.post("push.unsubscribe", gone).await.ok();
    let last = Browser::of(&cast.outsider, 8).await;
    assert_eq!((last.auth, other.service.unheard()), ([8; 16], 0));
}

#[tokio::test]
async fn what_is_no_subscription_is_refused() {
    let (server, cast) = stage().await;
    let good = json!({
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    });
    let long = format!("https://push.example.org/{}", "x".repeat(5_000));
    for bad in [
        json!({}),
        json!({ "endpoint": "https://push.example.org/1" }),
        json!({ "endpoint": { "$ne": null }, "keys": good }),
        json!({ "endpoint": "file:///etc/passwd", "keys": good }),
        json!({ "endpoint": long, "keys": good }),
        json!({ "endpoint": "https://push.example.org/1", "keys": "none" }),
        json!({ "endpoint": "https://push.example.org/1", "keys": { "p256dh": "x", "auth": "y" } }),
    ] {
        let _ = cast.member.rest.post("push.subscribe", bad).await.refused(400);
    }
    let one = json!({ "endpoint": "https://push.example.org/1", "keys": good });
    let _ = server.rest().post("push.subscribe", one.clone()).await.refused(401);
    let _ = cast.member.rest.post("push.subscribe", one).await.ok();
}

#[tokio::test]
async fn phones_are_told_through_a_gateway_and_forgotten_when_it_says_so() {
    let mut gateway = Sink::open().await;
    let url = gateway.url.trim_end_matches("/hear").to_owned();
    let server = Server::setup()
        .setting("SSRF_Allowlist", "127.0.0.1")
        .setting("Push_enable", "true")
        .setting("Push_enable_gateway", "true")
        .setting("Push_gateway", &url)
        .setting("Push_request_content_from_server", "false")
        .start()
        .await;
    let cast = Cast::assemble(&server).await;
    let info = cast.member.rest.get("push.info", &[]).await.ok();
    assert_eq!((&info["pushGatewayEnabled"], &info["defaultPushGateway"]), (&json!(true), &json!(false)));
    let token = json!({ "type": "gcm", "value": "a phone's token", "appName": "org.example.chat" });
    let _ = cast.member.rest.post("push.token", token).await.ok();
    let room = cast.owner.direct(&cast.member).await;
    let sent = cast.owner.say(&room, "hello").await;
    let body = gateway.next().await.body;
    assert_eq!(body["token"], "a phone's token");
    let options = &body["options"];
    assert_eq!(
        (&options["title"], &options["text"], &options["badge"]),
        (&json!("Olga Owner"), &json!("hello"), &json!(1))
    );
    let payload = &options["payload"];
    assert_eq!((&payload["rid"], &payload["messageId"]), (&json!(room), &sent["_id"]));
    assert_eq!((&payload["type"], &payload["notificationType"]), (&json!("d"), &json!("message")));
    let shown = cast.member.rest.get("push.get", &[("id", sent["_id"].as_str().expect("an id"))]).await.ok();
    assert_eq!(shown["data"]["notification"]["text"], "hello");
    let asked = rest::answer(cast.outsider.rest.request(Method::GET, "push.get?id=x")).await;
    let _ = asked.refused(400);
    let tried = cast.member.rest.post("push.test", json!({})).await.ok();
    assert_eq!(tried["tokensCount"], 1);
    let _ = gateway.next().await;
    // A gateway that is not there says nothing about the phone.
    gateway.answer(404, "");
    cast.owner.say(&room, "astray").await;
    assert_eq!(gateway.next().await.body["options"]["text"], "astray");
    gateway.answer(406, "");
    cast.owner.say(&room, "again").await;
    let _ = gateway.next().await;
    let forgotten = json!({ "token": "a phone's token" });
    parlor_testkit::wait::until("the phone is forgotten", || {
        let again = cast.member.rest.delete("push.token", forgotten.clone());
        async { (again.await.status == 404).then_some(()) }
    })
    .await;
}
