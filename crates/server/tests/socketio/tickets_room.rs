//! Who hears what in a ticket's room: those who have joined it, once each, and nobody of himself.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Heard, Sio, call, put_ticket, setup, token};

fn facts() -> Value {
    json!({"title": "GRN 4711", "created_by": "u-alice", "assignees": ["u-bob"], "category": "PAYMENT"})
}

fn at() -> Value {
    json!({"ticketId": "T-1"})
}

fn said(text: &str) -> Value {
    json!({"ticketId": "T-1", "message": text})
}

fn texts(list: &Value) -> Vec<&str> {
    list["messages"].as_array().expect("a list").iter().filter_map(|one| one["message"].as_str()).collect()
}

/// S4-18, S4-26, S4-43: a join tells of as much as is wanted, and where more is; a second one is answered like the first, tells
/// the others nothing and doubles nothing.
#[tokio::test]
async fn s4_18_s4_26_s4_43_a_join_reads_as_much_as_is_wanted_and_a_second_one_doubles_nothing() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    let (path, bob) = ("/api/tickets/T-1/chat", token("u-bob", &[], 600));
    let mut ids = Vec::new();
    for n in 0..4 {
        let body = json!({"message": format!("m{n}")});
        let said = call(&server, Method::POST, path, Some(&bob), Some(body)).await.expect(201);
        ids.push(said["message"]["id"].clone());
    }
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    a.grant("join_ticket", json!({"ticketId": "T-1", "limit": 2})).await;
    let history = a.event("messages_history").await;
    assert_eq!(texts(&history), ["m2", "m3"]);
    let page = &history["pagination"];
    assert_eq!((&page["limit"], &page["has_more"], &page["total"]), (&json!(2), &json!(true), &json!(4)));
    let older = format!("{path}?before={}", page["next_cursor"].as_str().expect("a cursor"));
    assert_eq!(texts(&call(&server, Method::GET, &older, Some(&bob), None).await.expect(200)), ["m0", "m1"]);

    let mut b = Sio::of(&server, "u-bob", &[]).await;
    b.grant("join_ticket", at()).await;
    assert_eq!(a.event("user_joined").await["userId"], "u-bob");
    b.rest().await;
    let again = b.emit("join_ticket", json!({"ticketId": "T-1", "after": ids[1]})).await;
    assert_eq!(b.next_event("joined_ticket").await["message"], "Joined ticket chat");
    let history = b.next_event("messages_history").await;
    assert_eq!((texts(&history), &history["pagination"]["has_more"]), (vec!["m2", "m3"], &json!(false)));
    assert_eq!(b.next().await, Heard::Ack(again, json!({"success": true, "ticketId": "T-1"})));
    b.grant("send_message", said("once")).await;
    for socket in [&mut a, &mut b] {
        assert_eq!(socket.event("new_message").await["message"]["message"], "once");
        let rest = socket.rest().await;
        assert!(rest.iter().all(|name| name == "joined_ticket"), "{rest:?}");
    }
}

/// S4-19, S4-22, S4-27 to S4-31, S4-42: only who has joined hears, the sender too; typing is told to the others alone, and a
/// user comes with the first of his sockets and leaves with the last.
#[tokio::test]
async fn s4_19_s4_22_s4_27_to_s4_31_s4_42_only_who_has_joined_hears_and_nobody_of_himself() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    b.grant("join_ticket", at()).await;
    let mut idle = Sio::of(&server, "u-bob", &[]).await;
    let mut ada = Sio::of(&server, "u-ada", &["ACCOUNTS"]).await;
    let (mut a, mut own) = (Sio::of(&server, "u-alice", &[]).await, Sio::of(&server, "u-alice", &[]).await);
    b.rest().await;
    for socket in [&mut a, &mut own] {
        socket.grant("join_ticket", at()).await;
        socket.event("messages_history").await;
        socket.event("joined_ticket").await;
    }
    assert_eq!(b.next_event("user_joined").await["userId"], "u-alice");
    a.grant("typing_start", at()).await;
    assert_eq!(b.next_event("user_typing").await["userId"], "u-alice");
    a.grant("typing_stop", at()).await;
    let stopped = b.next_event("user_stopped_typing").await;
    let told = ["userId", "userName", "ticketId"].map(|key| stopped[key].clone());
    assert_eq!(told, ["u-alice", "Alice Doe", "T-1"]);
    // Who has access and has not joined may speak; he is not told.
    ada.grant("send_message", said("to those who are there")).await;
    for socket in [&mut a, &mut own, &mut b] {
        assert_eq!(socket.next_event("new_message").await["message"]["senderId"], "u-ada");
        assert!(socket.rest().await.is_empty());
    }
    own.grant("leave_ticket", at()).await;
    assert_eq!(own.next_event("left_ticket").await["message"], "Left ticket chat");
    own.refused("typing_start", at(), "not_in_room").await;
    a.grant("send_message", said("she is still here")).await;
    assert_eq!(b.next_event("new_message").await["message"]["message"], "she is still here");
    a.grant("leave_ticket", at()).await;
    assert_eq!(b.next_event("user_left").await["userId"], "u-alice");
    a.rest().await;
    b.grant("send_message", said("to himself")).await;
    assert_eq!(b.next_event("new_message").await["message"]["message"], "to himself");
    for socket in [&mut a, &mut own, &mut idle, &mut ada, &mut b] {
        let rest = socket.rest().await;
        assert!(rest.is_empty(), "{rest:?}");
    }
}

/// S4-16, S4-45: whoever may enter by his role alone is shown while he has the room open; who is online and who is in the room
/// are told apart.
#[tokio::test]
async fn s4_16_s4_45_a_visitor_is_shown_while_he_is_there() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    let bob = token("u-bob", &[], 600);
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let mut root = Sio::of(&server, "u-root", &["ADMIN"]).await;
    let _online_only = Sio::of(&server, "u-ada", &["ACCOUNTS"]).await;
    let people = async || {
        let path = "/api/tickets/T-1/chat/participants";
        call(&server, Method::GET, path, Some(&bob), None).await.expect(200)["participants"].take()
    };
    let own = |here: bool| {
        json!({"userId": "u-bob", "userName": "Bob Doe", "username": "bob", "role": "USER",
            "relation": "assignee", "online": true, "inRoom": here})
    };
    assert_eq!(people().await, json!([own(false)]));
    root.grant("join_ticket", at()).await;
    b.grant("join_ticket", at()).await;
    let visitor = json!({"userId": "u-root", "userName": "Root Doe", "username": "root", "role": "ADMIN",
        "relation": "admin", "online": true, "inRoom": true});
    assert_eq!(people().await, json!([own(true), visitor]));
    root.grant("leave_ticket", at()).await;
    assert_eq!(people().await, json!([own(true)]));
    // Having spoken he is one of them, there or not.
    root.grant("send_message", said("settled")).await;
    let mut spoke = visitor;
    spoke["inRoom"] = json!(false);
    assert_eq!(people().await, json!([own(true), spoke]));
}

/// S4-32, S4-55: what one may see and not change is forbidden; what is of another ticket is not there.
#[tokio::test]
async fn s4_32_s4_55_only_the_sender_changes_a_message_and_an_administrator_removes_it() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    put_ticket(&server, "T-2", facts()).await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let mut root = Sio::of(&server, "u-root", &["ADMIN"]).await;
    b.grant("join_ticket", at()).await;
    let id = a.grant("send_message", said("mine")).await["message"]["id"].take();
    let of = |ticket: &str, id: &Value| json!({"ticketId": ticket, "messageId": id, "message": "yours"});
    let told = b.refused("message_edited", of("T-1", &id), "forbidden").await;
    assert_eq!((&told["event"], &told["ticketId"]), (&json!("message_edited"), &json!("T-1")));
    b.refused("message_deleted", of("T-1", &id), "forbidden").await;
    root.refused("message_edited", of("T-1", &id), "forbidden").await;
    for (ticket, id) in [("T-2", &id), ("T-1", &json!("none"))] {
        a.refused("message_edited", of(ticket, id), "not_found").await;
        a.refused("message_deleted", of(ticket, id), "not_found").await;
    }
    a.refused(
        "message_edited",
        json!({"ticketId": "T-1", "messageId": 5, "message": "x"}),
        "validation_failed",
    )
    .await;
    a.refused(
        "message_edited",
        json!({"ticketId": "T-1", "messageId": id, "message": " "}),
        "validation_failed",
    )
    .await;
    b.event("new_message").await;
    assert!(b.rest().await.iter().all(|name| !name.starts_with("message_")), "nothing changed");
    root.grant("message_deleted", json!({"ticketId": "T-1", "messageId": id})).await;
    let gone = b.next_event("message_deleted").await;
    assert_eq!((&gone["messageId"], &gone["message"]["message"]), (&id, &Value::Null));
    a.refused("message_edited", of("T-1", &id), "message_deleted").await;
}

/// S4-46, S4-55: what of a hidden ticket is named in an event of one's own is not there, in the same words as what nobody knows.
#[tokio::test]
async fn s4_46_s4_55_what_is_of_a_hidden_ticket_is_in_no_event_of_ones_own() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    put_ticket(&server, "T-2", json!({"created_by": "u-xena"})).await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let id = a.grant("send_message", said("the secret")).await["message"]["id"].take();
    let mut x = Sio::of(&server, "u-xena", &[]).await;
    for (event, field, more, code) in [
        ("join_ticket", "after", json!({}), "bad_cursor"),
        ("send_message", "replyToId", json!({"message": "x"}), "not_found"),
        ("send_message", "threadId", json!({"message": "x"}), "not_found"),
        ("message_edited", "messageId", json!({"message": "x"}), "not_found"),
        ("message_deleted", "messageId", json!({}), "not_found"),
    ] {
        let mut words = Vec::new();
        for named in [&id, &json!("none")] {
            let mut payload = more.clone();
            payload["ticketId"] = json!("T-2");
            payload[field] = named.clone();
            words.push(x.refused(event, payload, code).await);
        }
        assert_eq!(words[0], words[1], "{event} {field}");
    }
    x.grant("join_ticket", json!({"ticketId": "T-2"})).await;
    assert_eq!(x.event("messages_history").await["messages"], json!([]));
}

/// S4-52, S4-53: whoever loses the role or the vendor that let him in, or ACCOUNTS the ticket that is about money no more, is told
/// so on his open sockets, and hears nothing after it.
#[tokio::test]
async fn s4_52_s4_53_a_role_that_goes_takes_the_room_along_on_open_sockets() {
    let server = setup().start().await;
    let mut all = facts();
    (all["vendor_id"], all["verified_by"]) = (json!("v-9"), json!(["u-olga"]));
    put_ticket(&server, "T-1", all).await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    a.grant("join_ticket", at()).await;
    let user = async |id: &str, change: Value| {
        let path = format!("/api/users/{id}");
        call(&server, Method::PUT, &path, None, Some(change)).await.expect(200);
    };
    for (id, role, change) in [
        ("u-vera", "VENDOR", Some(json!({"vendor_id": "v-1"}))),
        ("u-vito", "VENDOR", Some(json!({"roles": ["USER"]}))),
        ("u-olga", "OPS", Some(json!({"roles": ["USER"]}))),
        ("u-root", "ADMIN", Some(json!({"roles": ["USER"]}))),
        ("u-ada", "ACCOUNTS", None),
    ] {
        let mut socket = Sio::of(&server, id, &[role]).await;
        socket.grant("join_ticket", at()).await;
        a.grant("send_message", said("before")).await;
        socket.event("new_message").await;
        match change {
            Some(change) => user(id, change).await,
            None => drop(put_ticket(&server, "T-1", json!({"category": "STOCK"})).await),
        }
        assert_eq!(socket.event("left_ticket").await["message"], "Access revoked", "{id}");
        a.grant("send_message", said("after")).await;
        socket.refused("join_ticket", at(), "not_found").await;
        assert!(!socket.rest().await.contains(&"new_message".to_owned()), "{id}");
    }
}

/// S4-52: whoever is deactivated is out of every ticket at once, by the word for it; the others are told that he left, and his
/// token opens nothing any more.
#[tokio::test]
async fn s4_52_a_deactivated_user_is_out_of_his_tickets_at_once() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", facts()).await;
    let bob = token("u-bob", &[], 600);
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::enter(&server, json!({"token": bob})).await.expect("let in");
    for socket in [&mut a, &mut b] {
        socket.grant("join_ticket", at()).await;
    }
    a.rest().await;
    let off = call(&server, Method::DELETE, "/api/users/u-bob?mode=deactivate", None, None).await.expect(200);
    assert_eq!(off["user"]["active"], false);
    let error = b.event("error").await;
    assert_eq!((&error["type"], &error["code"]), (&json!("user_inactive"), &json!("user_inactive")));
    assert!(b.ended().await, "for good");
    assert_eq!(a.next_event("user_left").await["userId"], "u-bob");
    let refused = Sio::enter(&server, json!({"token": bob})).await.err().expect("refused");
    assert_eq!(refused["data"], json!({"code": "user_inactive", "type": "user_inactive"}));
    let told = call(&server, Method::GET, "/api/tickets/T-1/chat", Some(&bob), None).await;
    told.problem(401, "user_inactive");
}
