//! The tickets contract over sockets, sections 4 to 6, and sockets in both forms.

use parlor_testkit::rest::has_keys;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Heard, Sio, call, put_ticket, setup, token};

fn facts() -> Value {
    json!({"title": "GRN 4711", "created_by": "u-alice", "assignees": ["u-bob"], "vendor_id": "v-9",
        "verified_by": ["u-olga"], "category": "PAYMENT"})
}

#[tokio::test]
async fn s4_2_s4_18_to_s4_32_s4_40_s4_42_s4_43_the_golden_exchange() {
    let server = setup().start().await;
    let ticket = put_ticket(&server, "T-1", facts()).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    b.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    b.event("joined_ticket").await;
    b.event("messages_history").await;
    let auth = json!({"token": token("u-alice", &[], 600)});
    let mut a = Sio::enter(&server, auth).await.expect("let in");
    let hello = a.next_event("connected").await;
    has_keys(&hello, &["user_id", "userId", "message", "timestamp"], &[]);
    assert_eq!((&hello["userId"], &hello["message"]), (&json!("u-alice"), &json!("Connected")));
    let id = a.emit("join_ticket", json!({"ticketId": "T-1"})).await;
    let joined = a.next_event("joined_ticket").await;
    assert_eq!((&joined["ticketId"], &joined["message"]), (&json!("T-1"), &json!("Joined ticket chat")));
    assert_eq!(joined["room_id"], ticket["room_id"]);
    let history = json!({"ticketId": "T-1", "messages": [],
        "pagination": {"limit": 50, "has_more": false, "next_cursor": null, "total": 0}});
    assert_eq!(a.next_event("messages_history").await, history);
    assert_eq!(a.next().await, Heard::Ack(id, json!({"success": true, "ticketId": "T-1"})));
    let came = b.next_event("user_joined").await;
    assert_eq!(
        (&came["userId"], &came["ticketId"], &came["userName"]),
        (&json!("u-alice"), &json!("T-1"), &json!("Alice Doe"))
    );
    assert!(came.get("user_id").is_none() && came["timestamp"].is_string());
    a.grant("typing_start", json!({"ticketId": "T-1"})).await;
    let typing = b.next_event("user_typing").await;
    assert_eq!(
        (&typing["userId"], &typing["userName"], &typing["ticketId"]),
        (&json!("u-alice"), &json!("Alice Doe"), &json!("T-1"))
    );
    let ack =
        a.grant("send_message", json!({"ticketId": "T-1", "message": "Hello!", "messageType": "TEXT"})).await;
    assert_eq!(b.next_event("user_stopped_typing").await["userId"], "u-alice");
    let heard = b.next_event("new_message").await;
    let message = &heard["message"];
    assert_eq!((&heard["ticketId"], &heard["timestamp"]), (&json!("T-1"), &message["createdAt"]));
    assert_eq!(
        (&message["message"], &message["senderId"], &message["messageType"]),
        (&json!("Hello!"), &json!("u-alice"), &json!("TEXT"))
    );
    assert_eq!((&message["attachments"], &message["ticketId"]), (&json!(null), &json!("T-1")));
    assert_eq!(message["sender"], json!({"id": "u-alice", "name": "Alice Doe", "role": "USER"}));
    assert_eq!((&ack["ticketId"], &ack["message"]["id"]), (&json!("T-1"), &message["id"]));
    assert_eq!(a.event("new_message").await["message"]["id"], message["id"]);
    assert!(a.rest().await.is_empty(), "nobody is told of his own coming and typing");
    drop(a);
    let left = b.next_event("user_left").await;
    assert_eq!((&left["userId"], &left["ticketId"]), (&json!("u-alice"), &json!("T-1")));
    let mut x = Sio::of(&server, "u-xena", &[]).await;
    let id = x.emit("join_ticket", json!({"ticketId": "T-1"})).await;
    assert_eq!(
        x.next_event("error").await,
        json!({"type": "not_found", "code": "not_found", "message": "Ticket not found", "event": "join_ticket", "ticketId": "T-1"})
    );
    let refused = json!({"success": false, "error": "not_found", "message": "Ticket not found"});
    assert_eq!(x.next().await, Heard::Ack(id, refused));
}

#[tokio::test]
async fn s4_33_to_s4_38_each_rule_lets_in_and_nobody_else_is_told_that_the_ticket_exists() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    for (id, roles) in [
        ("u-root", &["ADMIN"][..]),
        ("u-alice", &[]),
        ("u-bob", &[]),
        ("u-vera", &["VENDOR"]),
        ("u-olga", &["OPS"]),
        ("u-ada", &["ACCOUNTS"]),
    ] {
        let mut socket = Sio::of(&server, id, roles).await;
        socket.grant("join_ticket", json!({"ticketId": "T-1"})).await;
        socket.grant("send_message", json!({"ticketId": "T-1", "message": format!("{id} is here")})).await;
    }
    for (id, roles) in [("u-oleg", &["OPS"][..]), ("u-xena", &["USER"])] {
        let mut socket = Sio::of(&server, id, roles).await;
        for (event, more) in [
            ("join_ticket", json!({})),
            ("send_message", json!({"message": "x"})),
            ("typing_start", json!({})),
            ("typing_stop", json!({})),
            ("message_deleted", json!({"messageId": "x"})),
        ] {
            let (mut known, mut unknown) = (more.clone(), more);
            known["ticketId"] = "T-1".into();
            unknown["ticketId"] = "T-none".into();
            let known = socket.refused(event, known, "not_found").await;
            let unknown = socket.refused(event, unknown, "not_found").await;
            assert_eq!(known["message"], unknown["message"], "{event}");
        }
    }
}

#[tokio::test]
async fn s4_19_s4_47_s4_55_what_is_wrong_is_told_apart() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    put_ticket(&server, "T-2", facts()).await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    for (event, payload, code) in [
        ("join_ticket", json!({}), "bad_request"),
        ("join_ticket", json!({"room_id": "x"}), "bad_request"),
        ("join_ticket", json!({"ticketId": "T-1", "room_id": "x"}), "bad_request"),
        ("join_ticket", json!({"ticketId": 1}), "validation_failed"),
        ("join_ticket", json!({"ticketId": "a b"}), "not_found"),
        ("join_ticket", json!({"ticketId": "T-1", "limit": -1}), "validation_failed"),
        ("join_ticket", json!({"ticketId": "T-1", "after": "x"}), "bad_cursor"),
        ("join_ticket", json!({"ticketId": "T-1", "after": ["x"]}), "validation_failed"),
        ("typing_start", json!({"ticketId": "T-1"}), "not_in_room"),
        ("typing_stop", json!({"ticketId": "T-1"}), "not_in_room"),
        ("send_message", json!({"ticketId": "T-1"}), "validation_failed"),
        ("send_message", json!({"ticketId": "T-1", "message": ""}), "validation_failed"),
        ("send_message", json!({"ticketId": "T-1", "message": ["x"]}), "validation_failed"),
        ("send_message", json!({"ticketId": "T-1", "message": "x".repeat(5001)}), "validation_failed"),
        (
            "send_message",
            json!({"ticketId": "T-1", "message": "x", "messageType": "SYSTEM"}),
            "validation_failed",
        ),
        ("send_message", json!({"ticketId": "T-1", "messageType": "FILE"}), "validation_failed"),
        ("send_message", json!({"ticketId": "T-1", "attachments": [{"id": "nope"}]}), "not_found"),
        ("send_message", json!({"ticketId": "T-1", "attachments": "x"}), "validation_failed"),
    ] {
        a.refused(event, payload, code).await;
    }
    a.grant("send_message", json!({"ticketId": "T-1", "message": "once", "clientId": "c-1"})).await;
    let again =
        a.grant("send_message", json!({"ticketId": "T-1", "message": "twice", "clientId": "c-1"})).await;
    assert_eq!(
        (&again["message"]["message"], &again["message"]["clientId"]),
        (&json!("once"), &json!("c-1"))
    );
    let elsewhere = json!({"ticketId": "T-2", "message": "thrice", "clientId": "c-1"});
    a.refused("send_message", elsewhere, "client_id_conflict").await;
    a.grant("leave_ticket", json!({"ticketId": "T-1"})).await;
    assert_eq!(a.event("left_ticket").await["message"], "Left ticket chat");
    let rest = a.rest().await;
    assert!(!rest.iter().any(|name| name.contains("message") && name != "messages_history"), "{rest:?}");
}

#[tokio::test]
async fn s4_49_sending_too_fast_is_refused_with_a_time_to_wait() {
    let server = setup().env("PARLOR_SEND_BURST", "3").env("PARLOR_SEND_RATE", "1").start().await;
    put_ticket(&server, "T-1", facts()).await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut sent = 0;
    let refused = loop {
        let ack = a.ask("send_message", json!({"ticketId": "T-1", "message": "quick"})).await;
        if ack["success"] == false {
            break ack;
        }
        sent += 1;
        assert!(sent < 60, "nothing holds it back");
    };
    assert_eq!(refused["error"], "rate_limited");
    assert!(refused["retry_after"].as_u64().is_some_and(|seconds| seconds >= 1), "{refused}");
    let error = a.event("error").await;
    assert_eq!((&error["code"], &error["retry_after"]), (&json!("rate_limited"), &refused["retry_after"]));
    assert!(sent >= 3, "a burst goes: {sent}");
    let alice = token("u-alice", &[], 600);
    let list = call(&server, Method::GET, "/api/tickets/T-1/chat", Some(&alice), None).await.ok();
    assert_eq!(list["pagination"]["total"], sent, "what was refused is not stored");
}

#[tokio::test]
async fn s4_25_s4_52_s4_53_lost_access_and_a_deleted_ticket_are_told_and_silent_after() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    for socket in [&mut a, &mut b] {
        socket.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    }
    put_ticket(&server, "T-1", json!({"assignees": []})).await;
    assert_eq!(b.event("left_ticket").await["message"], "Access revoked");
    assert_eq!(a.event("user_left").await["userId"], "u-bob");
    a.grant("send_message", json!({"ticketId": "T-1", "message": "between us"})).await;
    b.refused("send_message", json!({"ticketId": "T-1", "message": "still here?"}), "not_found").await;
    b.refused("typing_start", json!({"ticketId": "T-1"}), "not_found").await;
    assert!(!b.rest().await.contains(&"new_message".to_owned()));
    let gone = call(&server, Method::DELETE, "/api/tickets/T-1", None, None).await.ok();
    assert_eq!((&gone["success"], &gone["ticketId"]), (&json!(true), &json!("T-1")));
    assert_eq!(a.event("left_ticket").await["message"], "Ticket deleted");
    a.refused("join_ticket", json!({"ticketId": "T-1"}), "not_found").await;
    put_ticket(&server, "T-1", facts()).await;
    a.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    assert_eq!(a.event("messages_history").await["messages"], json!([]));
}

#[tokio::test]
async fn c_2_to_c_6_a_socket_in_both_forms_gets_one_event_with_both_key_sets() {
    let server = setup().start().await;
    let room = put_ticket(&server, "T-1", facts()).await["room_id"].as_str().expect("a room").to_owned();
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    a.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    a.grant("join_room", json!({"room_id": room})).await;
    a.rest().await;
    b.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    let came = a.next_event("user_joined").await;
    assert_eq!((&came["userId"], &came["user_id"]), (&json!("u-bob"), &json!("u-bob")));
    assert_eq!((&came["ticketId"], &came["room_id"]), (&json!("T-1"), &json!(room)));
    b.grant("typing_start", json!({"ticketId": "T-1"})).await;
    let typing = a.next_event("user_typing").await;
    assert_eq!((&typing["is_typing"], &typing["userId"]), (&json!(true), &json!("u-bob")));
    b.grant("typing_stop", json!({"ticketId": "T-1"})).await;
    let stops = [a.next().await, a.next().await];
    assert!(
        stops
            .iter()
            .any(|s| matches!(s, Heard::Event(n, p) if n == "user_typing" && p["is_typing"] == false))
    );
    assert!(stops.iter().any(
        |s| matches!(s, Heard::Event(n, p) if n == "user_stopped_typing" && p.get("room_id").is_none())
    ));
    let sent = b.grant("send_message", json!({"ticketId": "T-1", "message": "both"})).await;
    let both = a.next_event("new_message").await;
    let message = &both["message"];
    assert_eq!((&message["content"], &message["message"]), (&json!("both"), &json!("both")));
    assert_eq!((&message["sender_id"], &message["senderId"]), (&json!("u-bob"), &json!("u-bob")));
    assert_eq!((&both["ticketId"], &both["room_id"]), (&json!("T-1"), &json!(room)));
    assert!(message["attachments"].is_array());
    let id = &sent["message"]["id"];
    let edit = json!({"ticketId": "T-1", "messageId": id, "message": "changed"});
    b.grant("message_edited", edit).await;
    let edited = a.next_event("message_edited").await;
    assert_eq!((&edited["messageId"], &edited["message_id"]), (id, id));
    b.grant("message_deleted", json!({"ticketId": "T-1", "messageId": id})).await;
    let deleted = a.next_event("message_deleted").await;
    assert_eq!(
        (&deleted["message"]["isDeleted"], &deleted["message"]["is_deleted"]),
        (&json!(true), &json!(true))
    );
    a.grant("leave_ticket", json!({"ticketId": "T-1"})).await;
    a.rest().await;
    b.grant("send_message", json!({"ticketId": "T-1", "message": "rooms only"})).await;
    let one = a.next_event("new_message").await;
    assert!(one.get("ticketId").is_none() && one["message"].get("senderId").is_none());
}

#[tokio::test]
async fn s4_5_s4_40_what_is_written_elsewhere_is_heard_here_and_the_other_way() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    a.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    let (path, bob) = ("/api/tickets/T-1/chat", token("u-bob", &[], 600));
    let by_rest = call(&server, Method::POST, path, Some(&bob), Some(json!({"message": "by REST"}))).await;
    assert_eq!(by_rest.status, 201, "{}", by_rest.text());
    assert_eq!(a.event("new_message").await["message"]["id"], by_rest.body["message"]["id"]);
    let system = json!({"message": "The application says", "messageType": "SYSTEM"});
    let told = call(&server, Method::POST, path, None, Some(system)).await;
    assert_eq!(told.status, 201, "{}", told.text());
    let heard = a.event("new_message").await;
    assert_eq!(
        (&heard["message"]["messageType"], &heard["message"]["senderId"]),
        (&json!("SYSTEM"), &json!("system"))
    );
    let sent = a.grant("send_message", json!({"ticketId": "T-1", "message": "by socket"})).await;
    let list = call(&server, Method::GET, path, Some(&bob), None).await.ok();
    let ids: Vec<&Value> = list["messages"].as_array().expect("a list").iter().map(|m| &m["id"]).collect();
    assert_eq!(ids.last(), Some(&&sent["message"]["id"]));
}

/// Whoever leaves types no more, in whichever form: the stop goes before the leaving.
#[tokio::test]
async fn s4_31_s4_45_whoever_leaves_while_typing_has_stopped_first() {
    let server = setup().start().await;
    let room = put_ticket(&server, "T-1", facts()).await["room_id"].clone();
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    for socket in [&mut b, &mut a] {
        socket.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    }
    b.rest().await;
    a.grant("typing_start", json!({"ticketId": "T-1"})).await;
    b.next_event("user_typing").await;
    a.grant("leave_ticket", json!({"ticketId": "T-1"})).await;
    assert_eq!(b.next_event("user_stopped_typing").await["userId"], "u-alice");
    assert_eq!(b.next_event("user_left").await["userId"], "u-alice");

    let at = json!({"room_id": room});
    b.grant("leave_ticket", json!({"ticketId": "T-1"})).await;
    b.grant("join_room", at.clone()).await;
    a.grant("join_room", at.clone()).await;
    b.rest().await;
    a.grant("typing", json!({"room_id": room, "is_typing": true})).await;
    assert_eq!(b.next_event("user_typing").await["is_typing"], true);
    a.grant("leave_room", at).await;
    let stopped = b.next_event("user_typing").await;
    assert_eq!((&stopped["is_typing"], &stopped["user_id"]), (&json!(false), &json!("u-alice")));
    assert_eq!(b.next_event("user_left").await["user_id"], "u-alice");
    // Access that is lost ends it as well.
    a.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    b.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    a.rest().await;
    b.grant("typing_start", json!({"ticketId": "T-1"})).await;
    a.next_event("user_typing").await;
    put_ticket(&server, "T-1", json!({"assignees": []})).await;
    assert_eq!(a.next_event("user_stopped_typing").await["userId"], "u-bob");
    assert_eq!(a.next_event("user_left").await["userId"], "u-bob");
}
