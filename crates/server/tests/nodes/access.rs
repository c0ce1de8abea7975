//! Whoever loses access on one node has lost it on the other.

use parlor_testkit::{Ddp, Person, Server, server::ADMINISTRATOR, wait};
use serde_json::{Value, json};

use crate::{stage::Kind, world::Nodes};

/// A socket on this node that hears a room's messages.
async fn listening(server: &Server, token: &str, room: &str) -> Ddp {
    let mut socket = Ddp::connect(server).await;
    socket.resume(token).await.expect("let in");
    socket.stream("room-messages", room).await.expect("a member may listen");
    socket
}

async fn say(who: &Person, room: &str, text: &str) -> Value {
    who.say(room, text).await["_id"].take()
}

/// A member is removed, a session ends, an account is switched off, a permission is taken: all on one node, and on the
/// other nothing more is heard or done.
#[tokio::test]
async fn access_that_is_lost_on_one_node_is_lost_on_the_other() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let (a, b) = (&nodes.a.server, &nodes.b.server);
    let (name, password) = ADMINISTRATOR;
    let admin = Person::sign_in(a, name, password).await;
    let owner = admin.make(a, "owner", "Olga Owner").await;
    let removed = admin.make(a, "removed", "Rita Removed").await;
    let off = admin.make(a, "off", "Otto Off").await;
    let stays = admin.make(a, "stays", "Sam Stays").await;
    let room = owner.group("closed", &[&removed, &off, &stays]).await;
    let token = |who: &Person| who.rest.token().expect("signed in").to_owned();
    let mut hears = listening(b, &token(&stays), &room).await;
    let mut lost = listening(b, &token(&removed), &room).await;
    let mut ended = listening(b, &token(&off), &room).await;
    let elsewhere = |who: &Person| b.rest().signed_in(&who.id, &token(who));

    // All three hear, and may write on the other node.
    let first = say(&owner, &room, "for all three").await;
    for socket in [&mut hears, &mut lost, &mut ended] {
        assert_eq!(socket.event("stream-room-messages", &room).await["fields"]["args"][0]["_id"], first);
    }
    let message = |text: &str| json!({"message": {"rid": room, "msg": text}});
    drop(elsewhere(&removed).post("chat.sendMessage", message("still in")).await.ok());

    drop(owner.rest.post("groups.kick", json!({"roomId": room, "userId": removed.id})).await.ok());
    drop(
        admin.rest.post("users.setActiveStatus", json!({"userId": off.id, "activeStatus": false})).await.ok(),
    );
    let secret = say(&owner, &room, "for those who stayed").await;
    hears
        .event_where("stream-room-messages", &room, |frame| frame["fields"]["args"][0]["_id"] == secret)
        .await;
    // What came to the one who stayed came to all who may hear it: the others' sockets hold nothing of it.
    assert_eq!(ended.until_closed().await.map(|_| ()), Some(()), "the account's socket is closed");
    lost.barrier().await;
    for frame in lost.kept().chain(ended.kept()) {
        assert!(!frame.to_string().contains("for those who stayed"), "{frame}");
    }
    let refused = elsewhere(&removed).post("chat.sendMessage", message("let me in")).await;
    assert!(refused.status >= 400, "{}", refused.text());
    elsewhere(&off).get("me", &[]).await.refused(401);

    a_logout_ends_the_session_everywhere(&nodes, &stays, &mut hears).await;
    settings_and_permissions_hold_everywhere(&nodes, &admin, &owner).await;
}

async fn a_logout_ends_the_session_everywhere(nodes: &Nodes, who: &Person, socket: &mut Ddp) {
    let there = nodes.b.server.rest().signed_in(&who.id, who.rest.token().expect("signed in"));
    drop(there.get("me", &[]).await.ok());
    drop(who.rest.post("logout", json!({})).await.ok());
    assert!(socket.until_closed().await.is_some(), "its socket on the other node is closed");
    there.get("me", &[]).await.refused(401);
}

async fn settings_and_permissions_hold_everywhere(nodes: &Nodes, admin: &Person, owner: &Person) {
    let b = &nodes.b.server;
    let there = b.rest().signed_in(&owner.id, owner.rest.token().expect("signed in"));
    drop(there.post("channels.create", json!({"name": "before"})).await.ok());
    let mut socket = Ddp::connect(b).await;
    socket.resume(owner.rest.token().expect("signed in")).await.expect("let in");
    for (stream, key) in [("notify-logged", "permissions-changed"), ("notify-all", "public-settings-changed")]
    {
        socket.stream(stream, key).await.expect("everybody may");
    }
    let body = json!({"permissions": [{"_id": "create-c", "roles": ["admin"]}]});
    drop(admin.rest.post("permissions.update", body).await.ok());
    socket.event("stream-notify-logged", "permissions-changed").await;
    let refused = there.post("channels.create", json!({"name": "after"})).await;
    assert!(refused.status >= 400, "{}", refused.text());

    drop(admin.rest.post("settings/Site_Name", json!({"value": "One house"})).await.ok());
    socket.event("stream-notify-all", "public-settings-changed").await;
    let told =
        wait::within("the setting", b.rest().get("settings.public", &[("_id", "Site_Name")])).await.ok();
    assert_eq!(told["settings"][0]["value"], "One house", "{told}");
}
