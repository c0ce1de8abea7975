//! What goes beyond the document: reactions, pins, threads, search and presence over the socket. Clients that know none of it
//! meet none of it.

use parlor_testkit::{HostApp, HostPerson, rest::has_keys};
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
    // Whoever takes part pins nothing; an administrator among them does, and all who joined are told.
    for socket in [&mut driver, &mut control] {
        socket.refused("pin_message", json!({"message_id": root}), "forbidden").await;
    }
    let root_user = HostApp::person(&world.server, "u-root", &["ADMIN"]).await;
    let mut admin = world.socket(&root_user).await;
    admin.refused("pin_message", json!({"message_id": root}), "forbidden").await;
    admin.done("claim_conversation", json!({"conversation_id": id})).await;
    admin.refused("pin_message", json!({"message_id": root, "pinned": "yes"}), "validation_failed").await;
    for on in [true, false] {
        let done = admin.done("pin_message", json!({"message_id": root, "pinned": on})).await;
        assert_eq!((&done["conversation_id"], &done["message"]["pinned"]), (&json!(id), &json!(on)));
        let told = driver.wait("the pin", |f| f["type"] == "message_updated" && f["message"]["pinned"] == on);
        assert_eq!(told.await["message"]["id"], root.as_str());
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
    let kept = driver.done("get_conversation_messages", json!({"conversation_id": id})).await;
    assert_eq!(
        (&kept["messages"][0]["reactions"], &kept["messages"][0]["pinned"]),
        (&json!([]), &json!(false))
    );
    let nothing = outsider.done("search_messages", json!({"query": "squeal"})).await;
    assert_eq!(nothing["messages"], json!([]));
    driver.refused("search_messages", json!({"query": "x", "before": "y"}), "bad_cursor").await;
}

/// S2-64: files open a case and are said in it over the socket; everybody who may read it fetches them by an address of his
/// own, nobody else does; another one's file, or one that is not there, is none.
#[tokio::test]
async fn s2_64_files_are_sent_over_the_socket_and_fetched_by_whoever_may_read_the_case() {
    const NOTE: &[u8] = b"what the driver saw, in a few words";
    let world = World::assemble().await;
    let upload = async |who: &HostPerson| {
        let file = ("note.txt", "text/plain", NOTE);
        who.rest.upload("/api/chat/upload", "file", file, &[]).await.expect(201)["id"].take()
    };
    let (mut driver, mut control) = (world.socket(&world.driver).await, world.socket(&world.control).await);
    let file = json!([{"id": upload(&world.driver).await}]);
    let foreign = json!({"title": "t", "content": "look", "attachments": file});
    world.regulator.rest.post("/api/conversations/create", foreign.clone()).await.problem(404, "not_found");
    let made = driver.done("create_support_conversation", foreign).await;
    let told = control.event("new_support_conversation").await["message"].take();
    let (mine, theirs) = (&made["message"]["attachments"][0], &told["attachments"][0]);
    let beside = ["kind", "width", "height", "preview", "thumbnail_url"];
    for shown in [mine, theirs] {
        has_keys(shown, &["id", "url", "filename", "size", "mime_type"], &beside);
        let of = (&shown["filename"], &shown["size"], &shown["mime_type"]);
        assert_eq!(of, (&json!("note.txt"), &json!(NOTE.len()), &json!("text/plain")));
    }
    assert_eq!((&told["message_type"], &mine["id"]), (&json!("TEXT"), &theirs["id"]));
    let path = |url: &Value| text(url).split_once("/api/").map(|(_, path)| format!("/api/{path}")).unwrap();
    let (mine, theirs) = (path(&mine["url"]), path(&theirs["url"]));
    assert!(mine.contains("u=u-driver&") && theirs.contains("u=u-control&"), "{mine} {theirs}");
    let nobody = world.server.rest();
    assert_eq!(nobody.get(&theirs, &[]).await.bytes, NOTE);
    let forged = theirs.replace("u-control", "u-regulator");
    nobody.get(&forged, &[]).await.problem(403, "bad_signature");
    world.regulator.rest.get(theirs.split('?').next().unwrap(), &[]).await.problem(404, "not_found");

    let at = json!({"conversation_id": made["conversation"]["id"]});
    control.done("join_conversation", at.clone()).await;
    let with =
        |attachments: Value| json!({"conversation_id": at["conversation_id"], "attachments": attachments});
    let not_his = with(json!([{"id": upload(&world.regulator).await}]));
    driver.refused("send_chat_message", not_his, "not_found").await;
    driver.refused("send_chat_message", with(json!([{"id": "none"}])), "not_found").await;
    driver.refused("send_chat_message", with(json!([{}])), "validation_failed").await;
    let many: Vec<Value> = (0..11).map(|n| json!({"id": format!("f{n}")})).collect();
    driver.refused("send_chat_message", with(json!(many)), "validation_failed").await;
    let second = driver.done("send_chat_message", with(json!([{"id": upload(&world.driver).await}]))).await;
    let heard = control.event("new_message").await["message"].take();
    assert_eq!(
        (&heard["id"], &heard["attachments"][0]["filename"]),
        (&second["message"]["id"], &json!("note.txt"))
    );
    assert_eq!(nobody.get(&path(&heard["attachments"][0]["url"]), &[]).await.bytes, NOTE);
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
