//! What goes beyond the document: reactions, pins, threads, search and presence over the socket. Clients that know none of it
//! meet none of it.

use parlor_testkit::HostApp;
use serde_json::{Value, json};

use crate::world::{World, text};

/// S2-65, S2-66, S2-68: asked for over the socket, told to those who joined, refused to others as if there were nothing.
#[tokio::test]
async fn s2_65_s2_66_s2_68_reactions_threads_pins_and_search_over_the_socket() {
    let world = World::assemble().await;
    let (mut driver, mut control) = (world.socket(&world.driver).await, world.socket(&world.control).await);
    let made = driver
        .done("create_support_conversation", json!({"title": "t", "content": "the brakes squeal"}))
        .await;
    let (id, root) = (text(&made["conversation"]["id"]), text(&made["message"]["id"]));
    control.done("join_conversation", json!({"conversation_id": id})).await;
    let react = json!({"message_id": root, "emoji": ":eyes:"});
    let done = control.done("react_to_message", react.clone()).await;
    let eyes = json!([{"emoji": ":eyes:", "user_ids": ["u-control"]}]);
    assert_eq!((&done["conversation_id"], &done["message"]["reactions"]), (&json!(id), &eyes));
    assert_eq!(driver.event("message_reaction").await["reactions"], eyes);
    let mut back = react;
    back["remove"] = json!(true);
    assert_eq!(control.done("react_to_message", back).await["message"]["reactions"], json!([]));

    let reply = json!({"conversation_id": id, "content": "since when do they squeal?", "thread_id": root});
    let reply = control.done("send_chat_message", reply).await;
    let thread = driver.done("get_thread_messages", json!({"message_id": root})).await;
    assert_eq!(thread["messages"][0]["id"], reply["message"]["id"]);
    let found = driver.done("search_messages", json!({"query": "squeal", "conversation_id": id})).await;
    assert_eq!(found["messages"].as_array().map(Vec::len), Some(2));
    let first = driver.done("search_messages", json!({"query": "squeal", "limit": 1})).await;
    assert_eq!(first["messages"][0]["id"], reply["message"]["id"]);
    let next = json!({"query": "squeal", "limit": 1, "before": first["pagination"]["next_cursor"]});
    assert_eq!(driver.done("search_messages", next).await["messages"][0]["id"], root.as_str());
    let pin = driver.ask("pin_message", json!({"message_id": root})).await;
    if pin["type"] == "pin_message_success" {
        assert_eq!(pin["message"]["pinned"], true);
    } else {
        assert_eq!(pin["error"], "forbidden", "{pin}");
    }

    let mut outsider = world.socket(&world.outsider).await;
    for (kind, data) in [
        ("react_to_message", json!({"message_id": root, "emoji": ":eyes:"})),
        ("pin_message", json!({"message_id": root})),
        ("get_thread_messages", json!({"message_id": root})),
        ("search_messages", json!({"query": "squeal", "conversation_id": id})),
        ("get_presence", json!({"conversation_id": id})),
    ] {
        outsider.refused(kind, data, "not_found").await;
        outsider.refused(kind, json!({}), "validation_failed").await;
    }
    let nothing = outsider.done("search_messages", json!({"query": "squeal"})).await;
    assert_eq!(nothing["messages"], json!([]));
    driver.refused("search_messages", json!({"query": "x", "before": "y"}), "bad_cursor").await;
}

/// S2-60, S2-61: who has the conversation open, asked for and told; the typist's own connections are not told of themselves.
#[tokio::test]
async fn s2_60_s2_61_who_is_there_is_told_and_forgotten() {
    let world = World::on(HostApp::setup().start().await).await;
    let id = world.case("who is there").await;
    let at = json!({"conversation_id": id});
    let mut driver = world.socket(&world.driver).await;
    driver.done("join_conversation", at.clone()).await;
    let mut control = world.socket(&world.control).await;
    control.done("join_conversation", at.clone()).await;
    let told = driver.event("presence_status").await;
    let expected = [json!("u-control"), json!("Control Person"), json!(true), json!(id)];
    let keys = ["user_id", "user_name", "is_present", "conversation_id"];
    assert_eq!(keys.map(|key| told[key].clone()), expected);
    let mut here: Vec<String> = match &driver.done("get_presence", at).await["present_user_ids"] {
        Value::Array(ids) => ids.iter().map(text).collect(),
        other => panic!("{other}"),
    };
    here.sort();
    assert_eq!(here, ["u-control", "u-driver"]);
    drop(control);
    assert_eq!(driver.event("presence_status").await["is_present"], false);
    driver.heard_no("presence_status").await;
}
