//! The objects of the contract, key by key.

use parlor_testkit::rest::has_keys;
use serde_json::json;

use crate::world::{World, room};

/// Keys that stand beside those of the contract, for clients that know them.
const BEYOND: [&str; 7] =
    ["reactions", "pinned", "pinned_at", "pinned_by", "thread_id", "thread_last_at", "thread_replies"];

/// S0-34, S0-35, S0-63, S0-73: what a list in the manner of a phone's messenger shows comes in one call: name, last line, who
/// said it and when, how many are unread; each object with exactly the keys of the contract.
#[tokio::test]
async fn s0_34_s0_35_s0_73_the_inbox_has_what_a_messengers_list_shows() {
    let world = World::start().await;
    world.send(json!({"from_name": "bob", "to": "alice", "message": "psst"})).await;
    let sent = world.send(json!({"from_name": "bob", "to": "alice", "message": "are you there?"})).await;
    let message = [
        "id",
        "from_name",
        "name",
        "user_id",
        "message",
        "timestamp",
        "team",
        "group",
        "to",
        "room_id",
        "room_name",
        "room_type",
        "seq",
        "read",
        "edited",
        "edited_at",
        "deleted",
        "system",
        "reply_to_id",
        "attachments",
        "metadata",
        "client_id",
    ];
    let place = [
        "id",
        "name",
        "display_name",
        "type",
        "team",
        "group",
        "with",
        "requester",
        "status",
        "members_count",
        "unread",
        "last_activity",
    ];
    has_keys(&sent, &["success", "message", "room"], &[]);
    has_keys(&sent["message"], &message, &BEYOND);
    has_keys(&sent["room"], &place, &[]);
    let inbox = world.read("/api/chat/inbox/alice?limit=1").await;
    has_keys(&inbox, &["success", "username", "known", "unread_total", "rooms", "pagination"], &[]);
    let shown = room(&inbox, "type", "dm");
    has_keys(shown, &place, &["messages", "pagination"]);
    assert_eq!((&shown["display_name"], &shown["unread"]), (&json!("bob"), &json!(2)));
    let last = &shown["messages"][0];
    has_keys(last, &message, &BEYOND);
    assert_eq!((&last["from_name"], &last["message"]), (&json!("bob"), &json!("are you there?")));
    assert_eq!(last["timestamp"], shown["last_activity"]);
    assert_eq!(inbox["rooms"][0]["id"], shown["id"], "the latest first");
    let mut stream = world.stream("alice").await;
    world.send(json!({"from_name": "bob", "to": "alice", "message": "now"})).await;
    let mut keys = message.to_vec();
    keys.push("type");
    has_keys(&stream.message().await.data, &keys, &BEYOND);
    let made = json!({"name": "Props", "created_by": "alice"});
    let made = world.post("/api/chat/groups", made).await;
    let keys = ["id", "name", "display_name", "type", "created_by", "members", "created_at", "updated_at"];
    has_keys(&made["group"], &keys, &[]);
    let users = world.read("/api/users").await;
    has_keys(&users["users"][0], &["id", "username", "name", "roles", "online", "active", "email"], &[]);
    let read = world.post("/api/chat/mark-read", json!({"username": "alice", "room_id": shown["id"]})).await;
    has_keys(&read, &["success", "username", "room_id", "unread_count", "unread_total"], &[]);
    let unread = world.read("/api/chat/unread-count/alice").await;
    has_keys(&unread, &["success", "username", "known", "unread_count", "rooms"], &[]);
    let all = world.post("/api/chat/mark-all-read", json!({"username": "alice"})).await;
    has_keys(&all, &["success", "username", "unread_count"], &[]);
}

/// S0-3, S0-29, S0-39 to S0-42, S0-55, S0-56, S0-58: what each kind of room is called, in an answer, on the stream of another
/// member and in his inbox; the same target is the same room again.
#[tokio::test]
async fn s0_3_s0_29_s0_39_s0_40_s0_41_s0_42_s0_55_s0_56_s0_58_each_kind_of_room_has_its_own_words() {
    let world = World::start().await;
    let (ann, ben) = (world.person("ann").await, world.administrator.username.clone());
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["ann", ben]})).await;
    let group = json!({"name": "Stage Props", "created_by": "ann", "members": [ben]});
    world.post("/api/chat/groups", group).await;
    let facts = json!({"title": "Lamp", "created_by": ann.id, "assignees": [world.administrator.id]});
    let ticket = world.app.put("/api/tickets/T-1", facts).await.expect(201)["ticket"]["room_id"].take();
    let mut stream = world.stream(&ben).await;
    // The target; the message's type, team, group, to and room name (to the sender and to Ben); the room's name for him.
    for (target, kind, team, group, to, names, name) in [
        (
            json!({"team": "crew"}),
            "channel",
            json!("crew"),
            json!(null),
            json!(null),
            ["crew", "crew"],
            "crew",
        ),
        (
            json!({"group": "group_stage_props"}),
            "group",
            json!(null),
            json!("group_stage_props"),
            json!(null),
            ["Stage Props", "Stage Props"],
            "group_stage_props",
        ),
        (json!({"to": ben}), "dm", json!(null), json!(null), json!(ben), [&*ben, "ann"], "ann"),
        (
            json!({"team": "support"}),
            "support",
            json!("support"),
            json!(null),
            json!(null),
            ["support", "support"],
            "support",
        ),
        (
            json!({"room_id": ticket}),
            "ticket",
            json!(null),
            json!(null),
            json!(null),
            ["Lamp", "Lamp"],
            "Lamp",
        ),
    ] {
        let mut body = json!({"from_name": "ann", "message": format!("to a {kind}")});
        body.as_object_mut().expect("an object").extend(target.as_object().expect("an object").clone());
        let sent = world.send(body.clone()).await;
        let heard = stream.message().await.data;
        let inbox = world.inbox(&ben).await;
        let shown = room(&inbox, "id", sent["room"]["id"].as_str().expect("an id"));
        assert_eq!((&shown["name"], &shown["type"], &shown["team"]), (&json!(name), &json!(kind), &team));
        let with = if kind == "dm" { json!("ann") } else { json!(null) };
        assert_eq!((&shown["group"], &shown["with"]), (&group, &with), "{kind}");
        let case =
            if kind == "support" { (json!("ann"), json!("ACTIVE")) } else { (json!(null), json!(null)) };
        assert_eq!((&shown["requester"], &shown["status"]), (&case.0, &case.1), "{kind}");
        let whole = json!({"room_type": kind, "team": team, "group": group, "to": to, "system": false, "name": ann.name});
        for (message, room_name) in
            [(&sent["message"], names[0]), (&heard, names[1]), (&shown["messages"][0], names[1])]
        {
            for (key, value) in whole.as_object().expect("an object") {
                assert_eq!(&message[key], value, "{key} of a {kind}");
            }
            assert_eq!((&message["room_name"], &message["id"]), (&json!(room_name), &sent["message"]["id"]));
        }
        assert_eq!(world.send(body).await["room"]["id"], sent["room"]["id"], "found again");
        stream.message().await;
    }
}
