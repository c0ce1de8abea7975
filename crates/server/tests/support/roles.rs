//! Who may what: the table of the contract.

use parlor_testkit::{HostApp, Person, server::ADMINISTRATOR};
use serde_json::json;

use crate::world::World;

/// S2-9 to S2-14: field staff ask, talk, type and read in their own cases; they watch nothing, and make no rooms among
/// themselves.
#[tokio::test]
async fn s2_9_s2_10_s2_11_s2_12_s2_13_s2_14_field_staff_may_what_the_table_says() {
    let world = World::assemble().await;
    let mut driver = world.socket(&world.driver).await;
    let made = driver.done("create_support_conversation", json!({"title": "t", "content": "c"})).await;
    let own = json!({"conversation_id": made["conversation"]["id"]});
    driver
        .done("send_chat_message", json!({"conversation_id": own["conversation_id"], "content": "x"}))
        .await;
    driver.done("join_conversation", own.clone()).await;
    let typing = json!({"conversation_id": own["conversation_id"], "is_typing": true});
    driver.done("typing_indicator", typing).await;
    driver.done("mark_message_read", own.clone()).await;
    driver.done("close_conversation", own.clone()).await;
    driver.done("reopen_conversation", own.clone()).await;
    driver.refused("claim_conversation", own, "role_required").await;
    for view in ["general_support", "driver_support", "regulator_support", "emergency_support", "vip"] {
        let told =
            driver.refused("join_support_room", json!({"room_type": view}), "support_room_denied").await;
        assert_eq!(told["message"], "Only control staff can join support rooms");
        driver.refused("leave_support_room", json!({"room_type": view}), "support_room_denied").await;
    }
    driver.refused("join_room", json!({"room_id": "general_support"}), "support_room_denied").await;
    let body = json!({"title": "t", "content": "c", "participants": ["u-regulator"]});
    world.driver.rest.post("/api/conversations/create", body).await.problem(403, "field_to_field");
    let own = json!({"title": "t", "content": "c", "participants": ["u-driver"]});
    world.driver.rest.post("/api/conversations/create", own).await.expect(201);
}

/// S2-15 to S2-20: the control centre sends, joins, types and reads in every case, watches each view, and is told of new ones;
/// it opens no case by this request.
#[tokio::test]
async fn s2_15_s2_16_s2_17_s2_18_s2_19_s2_20_the_control_centre_may_what_the_table_says() {
    let world = World::assemble().await;
    let id = world.case("table").await;
    let at = json!({"conversation_id": id});
    for who in [&world.control, &world.second] {
        let mut control = world.socket(who).await;
        for view in ["general_support", "driver_support", "regulator_support", "emergency_support"] {
            control.done("join_support_room", json!({"room_type": view})).await;
            control.done("leave_support_room", json!({"room_type": view})).await;
        }
        for (kind, data) in [
            ("join_conversation", at.clone()),
            ("get_conversation_messages", at.clone()),
            ("typing_indicator", json!({"conversation_id": id, "is_typing": true})),
            ("send_chat_message", json!({"conversation_id": id, "content": "x"})),
            ("mark_message_read", at.clone()),
            ("claim_conversation", at.clone()),
            ("close_conversation", at.clone()),
            ("reopen_conversation", at.clone()),
        ] {
            control.done(kind, data).await;
        }
        let open = json!({"title": "t", "content": "c"});
        control.refused("create_support_conversation", open, "role_required").await;
        for wrong in [json!("vip"), json!(1), json!(null)] {
            let view = json!({"room_type": wrong});
            control.refused("join_support_room", view, "validation_failed").await;
        }
        let new = world.case("another").await;
        assert_eq!(control.event("new_support_conversation").await["conversation_id"], new.as_str());
    }
}

/// S2-2, S2-56, S2-57, S2-73: whoever takes no part finds nothing, with the same words as for what does not exist, at every
/// request.
#[tokio::test]
async fn s2_2_s2_56_s2_57_s2_73_others_find_nothing_whatever_they_ask() {
    let world = World::assemble().await;
    let id = world.case("table").await;
    for who in [&world.regulator, &world.outsider] {
        let mut socket = world.socket(who).await;
        for (kind, more) in [
            ("send_chat_message", json!({"content": "x"})),
            ("join_conversation", json!({})),
            ("get_conversation_messages", json!({})),
            ("mark_message_read", json!({})),
            ("claim_conversation", json!({})),
            ("close_conversation", json!({})),
            ("reopen_conversation", json!({})),
        ] {
            let mut words = Vec::new();
            for id in [id.as_str(), "no-such-room", "no such room'; --"] {
                let mut data = more.clone();
                data["conversation_id"] = json!(id);
                words.push(socket.refused(kind, data, "not_found").await["message"].clone());
            }
            assert_eq!(words, ["Conversation not found"; 3], "{kind}");
        }
        let mut words = Vec::new();
        for id in [id.as_str(), "no-such-room", "no such room'; --"] {
            let typing = json!({"conversation_id": id, "is_typing": true});
            words.push(socket.refused("typing_indicator", typing, "not_in_room").await["message"].clone());
        }
        assert_eq!(words, ["Join the conversation first"; 3]);
        for (kind, key) in [
            ("join_room", "room_id"),
            ("join_support_room", "room_type"),
            ("leave_support_room", "room_type"),
        ] {
            let denied = socket.refused(kind, json!({key: "general_support"}), "support_room_denied").await;
            assert_eq!(denied["message"], "Only control staff can join support rooms", "{kind}");
        }
        assert!(socket.rest().await.is_empty(), "nothing was joined");
    }
    let kept = world.driver.rest.get(&format!("/api/conversations/{id}/messages"), &[]).await.expect(200);
    assert_eq!(kept["pagination"]["total"], 1, "nothing was said: {kept}");
    let mut nobody = world.socket(&world.outsider).await;
    let open = json!({"title": "t", "content": "c"});
    nobody.refused("create_support_conversation", open, "role_required").await;
}

/// S2-2: a role that is taken is gone on an open connection.
#[tokio::test]
async fn s2_2_a_role_that_is_taken_is_gone_at_once() {
    let world = World::assemble().await;
    let id = world.case("before").await;
    let mut control = world.socket(&world.control).await;
    control.done("join_support_room", json!({"room_type": "general_support"})).await;
    control.done("join_conversation", json!({"conversation_id": id})).await;
    let app = HostApp::rest(&world.server);
    app.put("/api/users/u-control", json!({"roles": ["USER"]})).await.expect(200);
    let told = control.wait("the loss", |f| f["type"] == "error").await;
    assert_eq!(told["error"], "not_found");
    control.refused("get_conversation_messages", json!({"conversation_id": id}), "not_found").await;
    let view = json!({"room_type": "general_support"});
    control.refused("join_support_room", view, "support_room_denied").await;
    let second = world.case("after").await;
    let say = json!({"content": "secret"});
    world.driver.rest.post(&format!("/api/conversations/{id}/messages"), say).await.expect(201);
    let rest = control.rest().await;
    assert!(rest.iter().all(|f| f["type"] == "error" || !f.to_string().contains(&second)), "{rest:?}");
    assert!(!format!("{rest:?}").contains("secret"), "{rest:?}");
}

/// S2-2, S2-56: a role goes in whichever way it is taken: by an administrator of the workspace, or by a newer token of the
/// person's. What is new is not for those connections any more.
#[tokio::test]
async fn s2_2_s2_56_a_role_goes_in_whichever_way_it_is_taken() {
    let world = World::assemble().await;
    let (mut first, mut second) = (world.socket(&world.control).await, world.socket(&world.second).await);
    let view = json!({"room_type": "general_support"});
    for socket in [&mut first, &mut second] {
        socket.done("join_support_room", view.clone()).await;
    }
    let before = world.case("before").await;
    for socket in [&mut first, &mut second] {
        assert_eq!(socket.event("new_support_conversation").await["conversation_id"], before.as_str());
    }
    let administrator = Person::sign_in(&world.server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let taken = json!({"roleId": "control-staff", "username": "control"});
    let _ = administrator.rest.post("roles.removeUserFromRole", taken).await.ok();
    let newer = HostApp::token("u-second", 600, json!({"roles": ["BUS_DRIVER"]}));
    let newer = world.server.rest().header("authorization", &format!("Bearer {newer}"));
    assert_eq!(newer.get("/api/auth/me", &[]).await.expect(200)["user"]["roles"], json!(["BUS_DRIVER"]));
    let after = world.case("after").await;
    for socket in [&mut first, &mut second] {
        socket.refused("join_support_room", view.clone(), "support_room_denied").await;
        socket.refused("get_conversation_messages", json!({"conversation_id": before}), "not_found").await;
        let heard = socket.rest().await;
        assert!(heard.iter().all(|frame| !frame.to_string().contains(&after)), "{heard:?}");
    }
}

/// S2-2, S2-56: a role that is given is in force on an open connection.
#[tokio::test]
async fn s2_2_s2_56_a_role_that_is_given_is_there_at_once() {
    let world = World::assemble().await;
    let mut socket = world.socket(&world.outsider).await;
    let open = json!({"title": "t", "content": "c"});
    let view = json!({"room_type": "general_support"});
    socket.refused("create_support_conversation", open.clone(), "role_required").await;
    socket.refused("join_support_room", view.clone(), "support_room_denied").await;
    let app = HostApp::rest(&world.server);
    app.put("/api/users/u-outsider", json!({"roles": ["QUEUE_REGULATOR"]})).await.expect(200);
    let made = socket.done("create_support_conversation", open).await;
    assert_eq!(made["conversation"]["queue"], "regulator_support");
    app.put("/api/users/u-outsider", json!({"roles": ["CONTROL_ADMIN"]})).await.expect(200);
    let joined = socket.done("join_support_room", view.clone()).await;
    assert_eq!(joined["conversations"][0]["id"], made["conversation"]["id"]);
    let new = world.case("a new one").await;
    assert_eq!(socket.event("new_support_conversation").await["conversation_id"], new.as_str());
    // Taken and given back it is there again.
    app.put("/api/users/u-outsider", json!({"roles": ["USER"]})).await.expect(200);
    socket.refused("join_support_room", view.clone(), "support_room_denied").await;
    app.put("/api/users/u-outsider", json!({"roles": ["CONTROL_STAFF"]})).await.expect(200);
    socket.done("join_support_room", view).await;
    let new = world.case("another one").await;
    assert_eq!(socket.event("new_support_conversation").await["conversation_id"], new.as_str());
    let say = json!({"content": "still there?"});
    world.driver.rest.post(&format!("/api/conversations/{new}/messages"), say).await.expect(201);
    assert_eq!(socket.event("support_conversation_updated").await["message"]["content"], "still there?");
}

/// S2-2, S2-19, S2-56: whoever comes to be of the control centre hears of the next case on a connection that was open before,
/// once and without asking for a view; whoever was given another role, and whoever lost it again, does not.
#[tokio::test]
async fn s2_2_s2_19_s2_56_a_control_role_that_is_given_is_heard_at_once() {
    let world = World::assemble().await;
    let app = HostApp::rest(&world.server);
    let give = async |id: &str, roles: &[&str]| {
        app.put(&format!("/api/users/{id}"), json!({"roles": roles})).await.expect(200);
    };
    let mut witness = world.socket(&world.control).await;
    let (mut risen, mut other) = (world.socket(&world.outsider).await, world.socket(&world.regulator).await);
    // What is told of one case has been told to everybody once the witness hears of the one after it.
    let mut told = async |words: &str| {
        let case = world.case(words).await;
        let after = world.case("after it").await;
        witness.wait("the second case", |frame| frame["conversation_id"] == after.as_str()).await;
        (case, after)
    };
    let _ = told("before").await;
    give("u-outsider", &["CONTROL_STAFF"]).await;
    give("u-regulator", &["BUS_DRIVER"]).await;
    let (case, _) = told("lost key").await;
    let heard = risen.event("new_support_conversation").await;
    assert_eq!((&heard["conversation_id"], &heard["title"]), (&json!(case), &json!("lost key")));
    let _ = told("the end").await;
    let rest = risen.rest().await;
    assert!(rest.iter().all(|frame| frame["type"] == "new_support_conversation"), "no view was asked for");
    assert!(rest.iter().all(|frame| frame["conversation_id"] != case.as_str()), "once: {rest:?}");
    // A view begins with its request, and adds nothing to what is heard of a new case.
    risen.done("join_support_room", json!({"room_type": "driver_support"})).await;
    let say = json!({"content": "it was green"});
    world.driver.rest.post(&format!("/api/conversations/{case}/messages"), say).await.expect(201);
    let update = risen.event("support_conversation_updated").await;
    assert_eq!(update["message"]["content"], "it was green");
    let (case, _) = told("another").await;
    let (_, last) = told("the end").await;
    let heard = risen.rest().await;
    let of = |id: &str| heard.iter().filter(|frame| frame["conversation_id"] == id).count();
    assert_eq!((of(&case), of(&last)), (1, 1), "{heard:?}");
    give("u-outsider", &["USER"]).await;
    let (case, _) = told("secret").await;
    let _ = told("the end").await;
    let heard = risen.rest().await;
    assert!(!format!("{heard:?}").contains(&case), "{heard:?}");
    let heard = other.rest().await;
    assert!(heard.is_empty(), "another role: {heard:?}");
}

/// S2-2, S2-56: the role may come by an administrator of the workspace or by a newer token, it may come again, and every open
/// connection of the person hears; the views of before are not watched again by that.
#[tokio::test]
async fn s2_2_s2_56_a_control_role_is_heard_of_in_whichever_way_it_comes_and_as_often() {
    let world = World::assemble().await;
    let (mut first, mut second) = (world.socket(&world.outsider).await, world.socket(&world.outsider).await);
    let mut third = world.socket(&world.regulator).await;
    let administrator = Person::sign_in(&world.server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let given = json!({"roleId": "control-staff", "username": "outsider"});
    let _ = administrator.rest.post("roles.addUserToRole", given.clone()).await.ok();
    let newer = HostApp::token("u-regulator", 600, json!({"roles": ["CONTROL_ADMIN"]}));
    let newer = world.server.rest().header("authorization", &format!("Bearer {newer}"));
    let _ = newer.get("/api/auth/me", &[]).await.expect(200);
    let case = world.case("first").await;
    for socket in [&mut first, &mut second, &mut third] {
        assert_eq!(socket.event("new_support_conversation").await["conversation_id"], case.as_str());
    }
    first.done("join_support_room", json!({"room_type": "driver_support"})).await;
    for path in ["roles.removeUserFromRole", "roles.addUserToRole"] {
        let _ = administrator.rest.post(path, given.clone()).await.ok();
    }
    let say = json!({"content": "still there?"});
    world.driver.rest.post(&format!("/api/conversations/{case}/messages"), say).await.expect(201);
    let case = world.case("second").await;
    for socket in [&mut first, &mut second, &mut third] {
        assert_eq!(socket.event("new_support_conversation").await["conversation_id"], case.as_str());
    }
    first.heard_no("support_conversation_updated").await;
}

/// S2-19, S2-56: an administrator is of the control centre, and whoever is of both classes is of the control centre alone.
#[tokio::test]
async fn s2_19_s2_56_administrators_are_of_the_control_centre_and_control_beats_field() {
    let world = World::assemble().await;
    let id = world.case("first").await;
    for (name, roles) in [
        ("u-root", &["ADMIN"][..]),
        ("u-both", &["BUS_DRIVER", "CONTROL_STAFF"]),
        ("u-chief", &["QUEUE_REGULATOR", "ADMIN"]),
    ] {
        let who = HostApp::person(&world.server, name, roles).await;
        let mut socket = world.socket(&who).await;
        assert_eq!(socket.hello["class"], "control", "{roles:?}");
        let open = json!({"title": "t", "content": "c"});
        socket.refused("create_support_conversation", open, "role_required").await;
        let joined = socket.done("join_support_room", json!({"room_type": "driver_support"})).await;
        let waiting = joined["conversations"].as_array().unwrap();
        assert!(waiting.iter().any(|case| case["id"] == id.as_str()), "{joined}");
        socket.done("get_conversation_messages", json!({"conversation_id": id})).await;
        let new = world.case("another").await;
        assert_eq!(socket.event("new_support_conversation").await["conversation_id"], new.as_str());
        let claimed = socket.done("claim_conversation", json!({"conversation_id": new})).await;
        assert_eq!(claimed["conversation"]["participants"], json!(["u-driver", name]));
    }
}

/// CONTROL_STAFF outside a private group or direct room is like anybody.
#[tokio::test]
async fn the_control_centre_has_no_right_in_other_private_rooms() {
    let world = World::assemble().await;
    let made = json!({"name": "private-talk", "members": ["outsider"]});
    let made = world.second.rest.post("/api/v1/groups.create", made).await.expect(200);
    let id = made["group"]["_id"].clone();
    let mut control = world.socket(&world.control).await;
    control.refused("join_conversation", json!({"conversation_id": id}), "not_found").await;
    // A member may use the same requests there.
    let mut member = world.socket(&world.outsider).await;
    let joined = member.done("join_conversation", json!({"conversation_id": id})).await;
    assert_eq!(
        (&joined["conversation"]["kind"], &joined["conversation"]["queue"]),
        (&json!("group"), &json!(null))
    );
    member.done("send_chat_message", json!({"conversation_id": id, "content": "hi"})).await;
}
