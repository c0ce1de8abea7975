//! DDP: too many subscriptions, more requests than are read, frames that mean nothing.

use std::collections::HashSet;

use parlor_testkit::server::ADMINISTRATOR;
use parlor_testkit::{Ddp, Person, Server};
use serde_json::{Value, json};

use crate::nasty::{DEEP, VALUES, nested, nested_objects, some};
use crate::watch::Watch;
use crate::wire::{Wire, text};

/// The documented bound of subscriptions on one connection.
const MOST_SUBSCRIPTIONS: usize = 1_000;

async fn administrator(server: &Server) -> Person {
    Person::sign_in(server, ADMINISTRATOR.0, ADMINISTRATOR.1).await
}

#[tokio::test]
async fn ten_thousand_subscriptions_on_a_socket_are_bounded_with_an_error() {
    const ASKED: usize = 10_000;
    let (server, watch) = Watch::server().await;
    let person = administrator(&server).await;
    let room = person.group("many", &[]).await;
    let mut socket = person.socket(&server).await;
    socket.barrier().await;
    let (mut ready, mut refused) = (HashSet::new(), 0);
    // A hundred at once, so that neither side waits for the other's answers only.
    for hundred in 0..ASKED / 100 {
        for one in 0..100 {
            let params = json!([room, {"useCollection": false, "args": []}]);
            let id = format!("s{}", hundred * 100 + one);
            socket
                .send(json!({"msg": "sub", "id": id, "name": "stream-room-messages", "params": params}))
                .await;
        }
        for _ in 0..100 {
            let told = socket.read().await.expect("the socket goes on");
            match told["msg"].as_str() {
                Some("ready") => {
                    ready.insert(told["subs"][0].as_str().expect("an id").to_owned());
                }
                Some("nosub") => {
                    let error = &told["error"];
                    assert!(error["reason"].is_string() && error["message"].is_string(), "{told}");
                    refused += 1;
                }
                _ => panic!("{told}"),
            }
        }
    }
    assert_eq!((ready.len(), refused), (MOST_SUBSCRIPTIONS, ASKED - MOST_SUBSCRIPTIONS));
    // What stands goes on, and what was given back can be had again.
    person.say(&room, "hello").await;
    let _ = socket.event("room-messages", &room).await;
    socket.unsub("s7").await;
    socket.stream("room-messages", &room).await.expect("there is room for one again");
    let told = socket.stream("room-messages", &room).await;
    assert!(told.is_err(), "and for no other");
    watch.end(&server).await;
}

#[tokio::test]
async fn requests_whose_answers_nobody_reads_are_not_read_either() {
    const ASKED: usize = 1_000;
    let (server, watch) = Watch::server().await;
    let person = administrator(&server).await;
    let token = person.rest.token().expect("a token").to_owned();
    let mut wire = Wire::socket(&server, "/websocket").await;
    wire.send(text(r#"{"msg":"connect","version":"1","support":["1"]}"#)).await;
    let login = json!({"msg": "method", "id": "login", "method": "login", "params": [{"resume": token}]});
    wire.send(text(login.to_string())).await;
    let (mut reader, mut writer) = wire.stream.into_split();
    let writing = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        for number in 0..ASKED {
            let call = json!({"msg": "method", "id": format!("m{number}"), "method": "public-settings/get"});
            if writer.write_all(&text(call.to_string())).await.is_err() {
                break;
            }
        }
        writer
    });
    // The server is as full as it gets when the bystander has been served meanwhile.
    watch.more_rounds().await;
    watch.more_rounds().await;
    let mut seen = 0;
    let mut piece = vec![0; 1 << 20];
    // Then as much as would have been too much for buffers, or the end.
    while seen < 16 << 20 {
        use tokio::io::AsyncReadExt;
        let read = parlor_testkit::wait::within("answers", reader.read(&mut piece)).await.unwrap_or(0);
        seen += read;
        if read == 0 {
            break;
        }
    }
    drop(reader);
    let _ = writing.await;
    watch.end(&server).await;
}

#[tokio::test]
async fn a_frame_that_means_nothing_gets_an_error_and_the_socket_goes_on() {
    let (server, watch) = Watch::server().await;
    let person = administrator(&server).await;
    let mut socket = person.socket(&server).await;
    socket.barrier().await;
    let mut frames = vec![
        String::new(),
        "{".to_owned(),
        "o".to_owned(),
        "\u{0}".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        r#"{"msg":"nonsense"}"#.to_owned(),
        r#"{"msg":"method"}"#.to_owned(),
        r#"{"msg":"method","id":"1"}"#.to_owned(),
        r#"{"msg":"method","id":{"$ne":""},"method":"logout"}"#.to_owned(),
        r#"{"msg":"method","id":"1","method":"getUserRoles","params":{"length":1}}"#.to_owned(),
        r#"{"msg":"sub","id":"1"}"#.to_owned(),
        r#"{"msg":"sub","id":[],"name":"stream-notify-all"}"#.to_owned(),
        format!(r#"{{"msg":"method","id":"{}","method":"logout"}}"#, "i".repeat(300)),
        nested(DEEP),
        nested_objects("$date", 20_000),
        format!(r#"{{"msg":"method","id":"1","method":"sendMessage","params":{}}}"#, nested(DEEP)),
        format!(r#"{{"msg":"sub","id":"1","name":"stream-notify-all","params":{}}}"#, nested(DEEP)),
        format!(r#"{{"msg":{},"id":"1"}}"#, nested(DEEP)),
        format!(r#"{{"msg":"nonsense","unknown":{}}}"#, nested(DEEP)),
    ];
    for key in ["msg", "method", "name", "version"] {
        frames.extend(["1", "[]", "{}", "\"\\ud800\""].map(|value| format!(r#"{{"{key}":{value}}}"#)));
    }
    for frame in &frames {
        socket.send_text(frame).await;
        let told = socket.read().await.unwrap_or_else(|| panic!("the socket ended at {frame:.100}"));
        assert_eq!(told["msg"], "error", "{frame:.100}: {told}");
        assert!(told["reason"].is_string(), "{told}");
        assert!(told.to_string().len() < 2_000, "what offended is echoed in full");
    }
    socket.barrier().await;
    watch.end(&server).await;
}

#[tokio::test]
async fn who_does_not_speak_ddp_is_shown_out() {
    let (server, watch) = Watch::server().await;
    for (first, code) in [
        ("", 1007),
        ("[]", 1007),
        ("GET / HTTP/1.1", 1007),
        (&nested(DEEP), 1007),
        (r#"{"msg":"method","id":"1","method":"logout"}"#, 1002),
        (r#"{"msg":"sub","id":"1","name":"stream-notify-all","params":["x"]}"#, 1002),
        (r#"{"msg":"connect","version":"9"}"#, 1002),
        (r#"{"msg":"connect","version":{"$ne":""}}"#, 1007),
    ] {
        let mut socket = Ddp::open(&server).await;
        socket.send_text(first).await;
        let told = socket.until_closed().await;
        let (told, reason) = told.unwrap_or_else(|| panic!("{first:.100}: no close"));
        assert_eq!(told, code, "{first:.100}: {reason}");
        assert!(!reason.is_empty());
    }
    let mut socket = Ddp::connect(&server).await;
    socket.send_bytes(b"\x00\x01\x02").await;
    assert_eq!(socket.until_closed().await.map(|(code, _)| code), Some(1003));
    let mut socket = Ddp::connect(&server).await;
    socket.send_text(&"x".repeat(1_100_000)).await;
    let (code, reason) = socket.until_closed().await.expect("a close");
    assert_eq!((code, reason.is_empty()), (1009, false));
    watch.end(&server).await;
}

#[tokio::test]
async fn no_login_is_made_of_anything_but_its_words() {
    let (server, watch) = Watch::server().await;
    let digest = json!({"digest": "00", "algorithm": "sha-256"});
    let samples: [Value; 5] = [
        json!([{"user": {"username": "administrator"}, "password": digest}]),
        json!([{"user": {"email": "administrator@example.org"}, "password": digest}]),
        json!([{"user": {"username": "administrator"}, "password": "x"}]),
        json!([{"resume": "x"}]),
        json!([{"totp": {"login": {"user": {"username": "administrator"}, "password": digest}, "code": "1"}}]),
    ];
    let mut socket = Ddp::connect(&server).await;
    for (nth, sample) in samples.iter().enumerate() {
        for (at, place) in crate::nasty::places(sample).iter().enumerate() {
            for nasty in some(&VALUES, nth + at) {
                let params = crate::nasty::replaced(sample, place, &nasty.json);
                let frame = format!(r#"{{"msg":"method","id":"x","method":"login","params":{params}}}"#);
                socket.send_text(&frame).await;
                let told = socket
                    .expect("an answer", |frame| frame["msg"] == "error" || frame["msg"] == "result")
                    .await;
                let refused = told["msg"] == "error"
                    || crate::attack::wrong_error(&told["error"])
                        .is_none_or(|wrong| panic!("{place} {}: {wrong}", nasty.name));
                assert!(refused && told["result"].is_null(), "{place} {}: {told}", nasty.name);
            }
        }
    }
    let told = socket.method("setUserStatus", json!(["online"])).await;
    assert!(told.is_err(), "nobody is logged in: {told:?}");
    watch.end(&server).await;
}
