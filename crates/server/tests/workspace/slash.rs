//! Slash commands, as clients send them.

use parlor_testkit::{Answer, Cast, Person, Server};
use serde_json::{Value, json};

/// Types a command in a room.
async fn typed(who: &Person, room: &str, command: &str, params: &str) -> Answer {
    let body = json!({ "command": command, "roomId": room, "params": params });
    who.rest.post("commands.run", body).await
}

async fn newest(who: &Person, room: &str) -> Value {
    let found = who.rest.get("groups.history", &[("roomId", room), ("count", "1")]).await.ok();
    found["messages"][0].clone()
}

#[tokio::test]
async fn s1_24_what_one_may_do_by_a_command_is_what_one_may_do_otherwise() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("quay", &[&cast.member]).await;
    for (command, params, said) in [
        ("me", "waves", "_waves_"),
        ("shrug", "well", r"well ¯\_(ツ)_/¯"),
        ("tableflip", "", "(╯°□°）╯︵ ┻━┻"),
    ] {
        typed(&cast.member, &room, command, params).await.expect(200);
        assert_eq!(newest(&cast.member, &room).await["msg"], said);
    }
    let _ = typed(&cast.member, &room, "topic", "mine now").await.refused(400);
    typed(&cast.owner, &room, "topic", "ships and cranes").await.expect(200);
    assert_eq!(newest(&cast.member, &room).await["t"], "room_changed_topic");

    let muted = async |who: &Person| typed(who, &room, "me", "speaks").await;
    let _ = typed(&cast.member, &room, "mute", "@owner").await.refused(400);
    typed(&cast.owner, &room, "mute", "@member").await.expect(200);
    let _ = muted(&cast.member).await.refused(400);
    typed(&cast.owner, &room, "unmute", "@member").await.expect(200);
    muted(&cast.member).await.expect(200);
    let _ = typed(&cast.member, &room, "kick", "@owner").await.refused(400);
    typed(&cast.owner, &room, "kick", "@member").await.expect(200);
    let _ = muted(&cast.member).await.refused(403);
    typed(&cast.owner, &room, "invite", "@member @outsider").await.expect(200);
    muted(&cast.member).await.expect(200);
    typed(&cast.member, &room, "msg", "@owner between us").await.expect(200);
    let direct = cast.member.direct(&cast.owner).await;
    let told = cast.owner.rest.get("im.history", &[("roomId", &direct)]).await.ok();
    assert_eq!(told["messages"][0]["msg"], "between us");
    let _ = typed(&cast.owner, &room, "fly", "").await.refused(400);
    let _ = typed(&cast.owner, "nowhere", "topic", "x").await.refused(403);
}

/// A private room is asked for as in Rocket.Chat, and what is asked for privately is never public.
#[tokio::test]
async fn a_room_that_is_made_by_a_command_is_as_private_as_it_was_asked_for() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.channel("quay", &[]).await;
    for (params, name, family) in [
        ("#cranes", "cranes", "channels"),
        ("#hold --private", "hold", "groups"),
        ("--private cabin", "cabin", "groups"),
        ("private galley", "galley", "groups"),
    ] {
        typed(&cast.owner, &room, "create", params).await.expect(200);
        let made = cast.owner.rest.get(&format!("{family}.info"), &[("roomName", name)]).await;
        made.expect(200);
        let seen = cast.outsider.rest.get("rooms.info", &[("roomName", name)]).await;
        assert_eq!(seen.status == 200, family == "channels", "{params}");
    }
    for wrong in ["", "--private", "#cranes", "#a/b"] {
        let _ = typed(&cast.owner, &room, "create", wrong).await.refused(400);
    }
}
