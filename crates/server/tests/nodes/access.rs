//! Whoever loses access on one node has lost it on the other.

use parlor_testkit::{Ddp, Person, Rest, Server, server::ADMINISTRATOR};
use serde_json::{Value, json};

use crate::{stage::Kind, world::Nodes};

/// A socket on this node that hears a room's messages.
async fn listening(server: &Server, token: &str, room: &str) -> Ddp {
    let mut socket = Ddp::connect(server).await;
    socket.resume(token).await.expect("let in");
    socket.stream("room-messages", room).await.expect("a member may listen");
    socket
}

/// A room on the first node, and an ear on the second.
struct Marker {
    by: Person,
    room: String,
    ear: Ddp,
}

impl Marker {
    /// Says something on the first node and waits until the second tells it: by then that knows all that came before.
    async fn crosses(&mut self) -> Value {
        let id = self.by.say(&self.room, "a marker").await["_id"].take();
        let is_it = |args: &Value| args[0]["_id"] == id;
        drop(self.ear.event_where("room-messages", &self.room, is_it).await);
        id
    }
}

fn token(who: &Person) -> String {
    who.rest.token().expect("signed in").to_owned()
}

/// The same session on another node.
fn at(server: &Server, who: &Person) -> Rest {
    server.rest().signed_in(&who.id, &token(who))
}

async fn refused(rest: &Rest, endpoint: &str, body: Value) {
    let answer = rest.post(endpoint, body).await;
    assert!((400..500).contains(&answer.status), "{endpoint}: {}", answer.text());
}

/// A member is removed, a session ends, an account is switched off, a permission is taken: all on one node, and on the
/// other nothing more is heard or done.
#[tokio::test]
async fn access_that_is_lost_on_one_node_is_lost_on_the_other() {
    let Some(mut nodes) = Nodes::start(Kind::Group).await else { return };
    let (a, b) = (&nodes.a.server, &nodes.b.server);
    let (name, password) = ADMINISTRATOR;
    let admin = Person::sign_in(a, name, password).await;
    let owner = admin.make(a, "owner", "Olga Owner").await;
    let removed = admin.make(a, "removed", "Rita Removed").await;
    let off = admin.make(a, "off", "Otto Off").await;
    let stays = admin.make(a, "stays", "Sam Stays").await;
    let room = owner.group("closed", &[&removed, &off, &stays]).await;
    let ear = listening(b, &token(&stays), &room).await;
    let mut lost = listening(b, &token(&removed), &room).await;
    let mut ended = listening(b, &token(&off), &room).await;
    let mut marker = Marker { by: owner, room: room.clone(), ear };

    // All hear, and may write on the other node.
    let first = marker.crosses().await;
    for socket in [&mut lost, &mut ended] {
        assert_eq!(socket.event("room-messages", &room).await[0]["_id"], first);
    }
    let message = |text: &str| json!({"message": {"rid": room, "msg": text}});
    drop(at(b, &removed).post("chat.sendMessage", message("still in")).await.ok());
    drop(at(b, &off).get("me", &[]).await.ok());

    drop(marker.by.rest.post("groups.kick", json!({"roomId": room, "userId": removed.id})).await.ok());
    let switch = json!({"userId": off.id, "activeStatus": false});
    drop(admin.rest.post("users.setActiveStatus", switch).await.ok());
    let secret = marker.crosses().await;
    assert!(ended.until_closed().await.is_some(), "the account's socket is closed");
    lost.barrier().await;
    for frame in lost.kept().chain(ended.kept()) {
        assert!(!frame.to_string().contains(secret.as_str().expect("an id")), "{frame}");
    }
    refused(&at(b, &removed), "chat.sendMessage", message("let me in")).await;
    let _ = at(b, &off).get("me", &[]).await.refused(401);

    whoever_is_banned_is_out_everywhere(&nodes, &mut marker, &removed).await;
    a_token_that_is_removed_opens_nothing_anywhere(&nodes, &mut marker, &stays).await;
    a_role_that_is_taken_is_taken_everywhere(&nodes, &admin, &mut marker, &stays).await;
    settings_and_permissions_hold_everywhere(&nodes, &admin, &marker.by).await;
    let limit = "Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User";
    drop(admin.rest.post(&format!("settings/{limit}"), json!({"value": 4})).await.ok());
    marker.crosses().await;
    a_logout_ends_the_session_everywhere(&nodes, &stays, marker.ear).await;
    nodes.redis.take_away();
    guesses_at_several_nodes_lock_out_on_all(&nodes, &stays, &removed).await;
}

/// Two guesses here and two there are four, also while Redis is away; others are let in.
async fn guesses_at_several_nodes_lock_out_on_all(nodes: &Nodes, victim: &Person, other: &Person) {
    let sign_in = async |server: &Server, who: &Person, password: &str| {
        let body = json!({"user": who.username, "password": password});
        server.rest().post("login", body).await
    };
    let both = [&nodes.a.server, &nodes.b.server];
    for n in 0..2 {
        for server in both {
            let _ = sign_in(server, victim, &format!("guess {n}")).await.refused(401);
        }
    }
    for server in both {
        let locked = sign_in(server, victim, &victim.password).await;
        assert_ne!(locked.status, 200, "{}", locked.text());
        assert!(locked.text().contains("login-blocked"), "{}", locked.text());
        drop(sign_in(server, other, &other.password).await.ok());
    }
}

async fn whoever_is_banned_is_out_everywhere(nodes: &Nodes, marker: &mut Marker, who: &Person) {
    let there = at(&nodes.b.server, who);
    let square = marker.by.channel("square", &[]).await;
    marker.crosses().await;
    let query = [("roomId", square.as_str())];
    drop(there.get("channels.messages", &query).await.ok());
    let ban = json!({"roomId": square, "userId": who.id});
    drop(marker.by.rest.post("rooms.banUser", ban.clone()).await.ok());
    marker.crosses().await;
    assert_ne!(there.get("channels.messages", &query).await.status, 200);
    refused(&there, "channels.join", json!({"roomId": square})).await;
    drop(marker.by.rest.post("rooms.unbanUser", ban).await.ok());
    marker.crosses().await;
    drop(there.get("channels.messages", &query).await.ok());
}

async fn a_token_that_is_removed_opens_nothing_anywhere(nodes: &Nodes, marker: &mut Marker, who: &Person) {
    let wanted = json!({"tokenName": "robot", "bypassTwoFactor": true});
    let made = who.rest.post("users.generatePersonalAccessToken", wanted).await.ok();
    let made = made["token"].as_str().expect("a token").to_owned();
    let there = nodes.b.server.rest().signed_in(&who.id, &made);
    drop(there.get("me", &[]).await.ok());
    drop(who.rest.post("users.removePersonalAccessToken", json!({"tokenName": "robot"})).await.ok());
    marker.crosses().await;
    let _ = there.get("me", &[]).await.refused(401);
    drop(at(&nodes.b.server, who).get("me", &[]).await.ok());
}

async fn a_role_that_is_taken_is_taken_everywhere(
    nodes: &Nodes,
    admin: &Person,
    marker: &mut Marker,
    who: &Person,
) {
    let there = at(&nodes.b.server, who);
    let role = json!({"roleId": "admin", "username": who.username});
    assert_ne!(there.get("rooms.adminRooms", &[]).await.status, 200);
    drop(admin.rest.post("roles.addUserToRole", role.clone()).await.ok());
    marker.crosses().await;
    drop(there.get("rooms.adminRooms", &[]).await.ok());
    drop(admin.rest.post("roles.removeUserFromRole", role).await.ok());
    marker.crosses().await;
    assert_ne!(there.get("rooms.adminRooms", &[]).await.status, 200);
}

async fn settings_and_permissions_hold_everywhere(nodes: &Nodes, admin: &Person, owner: &Person) {
    let b = &nodes.b.server;
    let there = at(b, owner);
    drop(there.post("channels.create", json!({"name": "before"})).await.ok());
    let mut socket = Ddp::connect(b).await;
    socket.resume(&token(owner)).await.expect("let in");
    for (stream, key) in [("notify-logged", "permissions-changed"), ("notify-all", "public-settings-changed")]
    {
        socket.stream(stream, key).await.expect("everybody may");
    }
    let body = json!({"permissions": [{"_id": "create-c", "roles": ["admin"]}]});
    drop(admin.rest.post("permissions.update", body).await.ok());
    drop(socket.event("notify-logged", "permissions-changed").await);
    refused(&there, "channels.create", json!({"name": "after"})).await;

    drop(admin.rest.post("settings/Site_Name", json!({"value": "One house"})).await.ok());
    drop(socket.event("notify-all", "public-settings-changed").await);
    let told = b.rest().get("settings.public", &[("_id", "Site_Name")]).await.ok();
    assert_eq!(told["settings"][0]["value"], "One house", "{told}");
}

async fn a_logout_ends_the_session_everywhere(nodes: &Nodes, who: &Person, mut socket: Ddp) {
    let there = at(&nodes.b.server, who);
    drop(there.get("me", &[]).await.ok());
    drop(who.rest.post("logout", json!({})).await.ok());
    assert!(socket.until_closed().await.is_some(), "its socket on the other node is closed");
    let _ = there.get("me", &[]).await.refused(401);
}

/// One node is cut off from Redis without notice, while both see the database: what is said is heard on both in one order,
/// and who is switched off on one is put out on the other.
#[tokio::test]
async fn s0_84_a_node_that_is_cut_off_from_redis_hears_everything_and_lets_nobody_stay() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let (a, b) = (&nodes.a.server, &nodes.b.server);
    let (name, password) = ADMINISTRATOR;
    let admin = Person::sign_in(a, name, password).await;
    let owner = admin.make(a, "owner", "Olga Owner").await;
    let off = admin.make(a, "off", "Otto Off").await;
    let room = owner.group("cut", &[&off]).await;
    let (mut here, mut there) =
        (listening(a, &token(&owner), &room).await, listening(b, &token(&off), &room).await);
    let far = at(b, &owner);
    for cut in [true, false] {
        nodes.redis.cut(cut);
        for number in 0..5 {
            let (text, far_text) = (format!("near {number}"), format!("far {number}"));
            let far = far.post("chat.sendMessage", json!({"message": {"rid": room, "msg": far_text}}));
            drop(tokio::join!(owner.say(&room, &text), async { far.await.ok() }));
        }
        let (mut near_story, mut far_story) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            near_story.push(here.event("room-messages", &room).await[0]["_id"].clone());
            far_story.push(there.event("room-messages", &room).await[0]["_id"].clone());
        }
        assert_eq!(near_story, far_story);
    }
    nodes.redis.cut(true);
    let switch = json!({"userId": off.id, "activeStatus": false});
    drop(admin.rest.post("users.setActiveStatus", switch).await.ok());
    assert!(there.until_closed().await.is_some(), "the account's socket is closed");
    refused(&at(b, &off), "chat.sendMessage", json!({"message": {"rid": room, "msg": "still here?"}})).await;
}

/// Whoever acts on one node while the other has just changed who may: he is judged anew until the word of it has come, which
/// takes a moment where hints are lost, and is not told that the server is busy.
#[tokio::test]
async fn who_acts_just_after_access_was_changed_elsewhere_is_judged_by_what_it_is_now() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    nodes.redis.lose_hints(true);
    let (room, here, there) = (&nodes.a.room, &nodes.a, &nodes.b);
    let cys = format!("/api/chat/rooms/{room}/members/u-cy");
    let send = |said: &str| json!({"room_id": room, "content": said});
    let first = here.ann.rest.post("/api/chat/messages", send("first")).await.expect(201);
    let first = format!("/api/chat/messages/{}", first["id"].as_str().expect("an id"));
    for turn in 0..4 {
        there.ann.rest.remove(&cys).await.expect(200);
        here.ben.rest.post("/api/chat/messages", send(&format!("still here {turn}"))).await.expect(201);
        there.ann.rest.post(&cys, json!({})).await.expect(201);
        here.ann.rest.patch(&first, json!({"content": format!("changed {turn}")})).await.expect(200);
    }
    there.ann.rest.remove(&cys).await.expect(200);
    here.cy.rest.post("/api/chat/messages", send("not any more")).await.problem(404, "not_found");
    assert!(nodes.redis.lost_hints() > 0);
    let listed = there.lists(&there.ben).await;
    let said = |list: &[(String, String)]| list.iter().filter(|(_, said)| said.starts_with("still")).count();
    assert!(listed.iter().all(|(_, list)| said(list) == 4), "{listed:?}");
}

/// Members come and go while others write, on the same node and on the other: each word is taken, and none refused because
/// of it.
#[tokio::test]
async fn who_writes_while_members_come_and_go_is_never_told_that_the_server_is_busy() {
    const WORDS: usize = 50;
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let cys = format!("/api/chat/rooms/{}/members/u-cy", nodes.a.room);
    let coming = async {
        for _ in 0..25 {
            nodes.a.ann.rest.remove(&cys).await.expect(200);
            nodes.a.ann.rest.post(&cys, json!({})).await.expect(201);
        }
    };
    let writing = async |rest: &Rest, name: &str| {
        for n in 0..WORDS {
            let said = json!({"room_id": nodes.a.room, "content": format!("{name} {n}")});
            rest.post("/api/chat/messages", said).await.expect(201);
        }
    };
    tokio::join!(coming, writing(&nodes.a.ben.rest, "here"), writing(&nodes.b.ann.rest, "there"));
    let path = format!("/api/chat/rooms/{}/messages", nodes.b.room);
    let page = nodes.b.cy.rest.get(&path, &[("limit", "100")]).await.expect(200);
    assert_eq!(page["pagination"]["total"], 2 * WORDS);
}
