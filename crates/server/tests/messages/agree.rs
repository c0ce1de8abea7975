//! What clients are told as it happens is what they read afterwards.

use super::{Stage, id};
use parlor_testkit::{Ddp, Person, wait};
use serde_json::{Value, json};

/// A socket of somebody who listens as the mobile app does.
async fn listening(stage: &Stage, who: &Person, rooms: &[&str]) -> Ddp {
    let mut socket = who.socket(&stage.server).await;
    for room in rooms {
        socket.stream("room-messages", room).await.expect("a member listens");
    }
    for event in ["subscriptions-changed", "rooms-changed"] {
        socket.stream("notify-user", &format!("{}/{event}", who.id)).await.expect("one's own");
    }
    socket
}

/// The first told state of a room, or of one's place in it, that is as wanted.
async fn told(
    socket: &mut Ddp,
    who: &Person,
    event: &str,
    room: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let key = format!("{}/{event}", who.id);
    let about = |args: &Value| args[1].get("rid").unwrap_or(&args[1]["_id"]) == room && wanted(&args[1]);
    socket.event_where("notify-user", &key, about).await[1].take()
}

/// The first message of a room that is as wanted.
async fn heard(socket: &mut Ddp, room: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    socket.event_where("room-messages", room, |args| wanted(&args[0])).await[0].take()
}

/// A value without its dates' dress: DDP's and REST's dates look the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("$date") => map["$date"].clone(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::String(text) if text.ends_with('Z') => millis(text).map_or(value.clone(), Value::from),
        other => other.clone(),
    }
}

fn millis(text: &str) -> Option<i64> {
    let parsed = text.parse::<jiff::Timestamp>().ok()?;
    Some(parsed.as_millisecond())
}

#[tokio::test]
async fn a_discussions_anchor_is_told_of_as_the_discussion_moves() {
    let stage = Stage::set().await;
    let cast = &stage.cast;
    let wanted = json!({ "prid": stage.room, "t_name": "side talk", "users": ["member"] });
    let made = cast.owner.rest.post("rooms.createDiscussion", wanted).await.ok();
    let side = made["discussion"]["_id"].as_str().expect("an id").to_owned();
    let mut socket = listening(&stage, &cast.member, &[&stage.room]).await;
    let first = cast.owner.say(&side, "first").await;
    let second = cast.owner.say(&side, "second").await;
    let params = [("roomId", stage.room.as_str())];
    // The anchor follows what was said a moment later.
    let read = wait::until("the anchor knows the second message", || async {
        let read = cast.member.rest.get("chat.getDiscussions", &params).await.ok()["messages"][0].take();
        (read["dlm"] == second["ts"]).then_some(read)
    })
    .await;
    let same = |m: &Value| m["drid"] == side.as_str() && plain(&m["dlm"]) == plain(&read["dlm"]);
    let anchor = heard(&mut socket, &stage.room, same).await;
    assert_eq!((&anchor["_id"], &anchor["dcount"]), (&read["_id"], &read["dcount"]));
    // A client that was away learns of it as well, and removing counts back.
    let since = anchor["_updatedAt"]["$date"].as_i64().expect("a date");
    let delete = json!({ "roomId": side, "msgId": id(&first) });
    let _ = cast.owner.rest.post("chat.delete", delete).await.ok();
    let count = anchor["dcount"].as_i64().expect("a count");
    let later = |m: &Value| m["dcount"] == count - 1 && m["_updatedAt"]["$date"].as_i64() > Some(since);
    let fewer = heard(&mut socket, &stage.room, later).await;
    assert_eq!(id(&fewer), id(&anchor));
    let params = [("roomId", stage.room.as_str()), ("lastUpdate", "2020-01-01T00:00:00.000Z")];
    let missed = cast.member.rest.get("chat.syncMessages", &params).await.ok();
    let all = missed["result"]["updated"].as_array().expect("a list");
    let synced = all.iter().find(|m| m["_id"] == anchor["_id"]).expect("the anchor changed");
    assert!(millis(synced["_updatedAt"].as_str().expect("a date")) > Some(since));
    assert_eq!(synced["dcount"], count - 1);
}

#[tokio::test]
async fn ones_own_words_move_ones_own_place_in_the_list() {
    let stage = Stage::set().await;
    let cast = &stage.cast;
    let mut socket = listening(&stage, &cast.owner, &[]).await;
    let sent = stage.send(&cast.owner, json!({ "msg": "here I am" })).await.ok();
    let told =
        told(&mut socket, &cast.owner, "subscriptions-changed", &stage.room, |s| s["lr"].is_object()).await;
    assert_eq!(plain(&told["lr"]), plain(&sent["message"]["ts"]));
    let read = stage.subscription(&cast.owner).await;
    assert_eq!(plain(&told), plain(&read));
    assert_eq!((&read["unread"], &read["alert"]), (&json!(0), &json!(false)));
    assert!(stage.subscription(&cast.member).await.get("lr").is_none(), "others have not written");
}

#[tokio::test]
async fn when_one_last_wrote_outlives_the_server() {
    let mut stage = Stage::set().await;
    let sent = stage.send(&stage.cast.owner, json!({ "msg": "before" })).await.ok();
    assert!(stage.server.stop().await.success());
    stage.server.restart().await;
    assert_eq!(plain(&stage.subscription(&stage.cast.owner).await["lr"]), plain(&sent["message"]["ts"]));
}

#[tokio::test]
async fn the_last_message_shows_ones_own_star_and_everybodys_pin() {
    let stage = Stage::set().await;
    let cast = &stage.cast;
    let sent = stage.send(&cast.owner, json!({ "msg": "worth keeping" })).await.ok();
    let message = id(&sent["message"]).to_owned();
    let mut owner = listening(&stage, &cast.owner, &[&stage.room]).await;
    let mut member = listening(&stage, &cast.member, &[&stage.room]).await;
    let star = json!({ "messageId": message });
    let _ = cast.owner.rest.post("chat.starMessage", star.clone()).await.ok();
    let mine = json!([{ "_id": cast.owner.id }]);
    let starred = told(&mut owner, &cast.owner, "rooms-changed", &stage.room, |room| {
        room["lastMessage"]["starred"] == mine
    })
    .await;
    for (name, key) in [("groups.list", "groups"), ("rooms.get", "update")] {
        let read = cast.owner.rest.get(name, &[]).await.ok();
        let rooms = read[key].as_array().expect("a list");
        let room = rooms.iter().find(|room| room["_id"] == stage.room.as_str()).expect("the room");
        assert_eq!(plain(room), plain(&starred), "{name}");
    }
    assert_eq!(owner.event("room-messages", &stage.room).await[0]["starred"], mine);
    let _ = cast.owner.rest.post("chat.pinMessage", star.clone()).await.ok();
    let pinned = told(&mut member, &cast.member, "rooms-changed", &stage.room, |room| {
        room["lastMessage"]["_id"] != message.as_str() || room["lastMessage"]["pinned"] == true
    })
    .await;
    assert!(pinned["lastMessage"].get("starred").is_none(), "others' stars are not shown");
    let _ = cast.owner.rest.post("chat.unStarMessage", star).await.ok();
    let shown = |m: &Value| m["_id"] == message.as_str() && m.get("starred").is_some();
    let gone = heard(&mut owner, &stage.room, shown).await;
    assert_eq!(gone["starred"], json!([]), "clients that merge see that it went");
}

#[tokio::test]
async fn a_threads_root_is_told_as_it_is_read() {
    let stage = Stage::set().await;
    let cast = &stage.cast;
    let root = id(&cast.owner.say(&stage.room, "a question").await).to_owned();
    let mut socket = listening(&stage, &cast.owner, &[&stage.room]).await;
    for text in ["an answer", "another"] {
        let reply = json!({ "msg": text, "tmid": root });
        let _ = stage.send(&cast.member, reply).await.ok();
    }
    let both = |m: &Value| m["_id"] == root.as_str() && m["tcount"] == 2;
    let twice = heard(&mut socket, &stage.room, both).await;
    let read = cast.owner.rest.get("chat.getMessage", &[("msgId", &root)]).await.ok();
    assert_eq!(plain(&twice), plain(&read["message"]));
    assert_eq!(twice["replies"], json!([cast.owner.id, cast.member.id]));
    let read = plain(&stage.subscription(&cast.owner).await);
    assert_eq!(read["tunread"], json!([root]));
    let same = |told: &Value| plain(told) == read;
    let _ = told(&mut socket, &cast.owner, "subscriptions-changed", &stage.room, same).await;
    let room = cast.owner.rest.get("rooms.info", &[("roomId", &stage.room)]).await.ok();
    assert_eq!(room["room"]["lastMessage"]["_id"], root.as_str(), "replies stay in their thread");
}
