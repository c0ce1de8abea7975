//! What two people do in a room, each with a client of their own.

use parlor_testkit::{Cast, Ddp, Person, Server, wait};
use serde_json::{Value, json};

use crate::driver::{Client, Kind, text};

/// A person and the client in their hand.
struct Actor {
    person: Person,
    client: Client,
}

impl Actor {
    async fn enter(server: &Server, cast: &Cast, kind: Kind) -> Self {
        let person = cast.administrator.make(server, kind.name(), kind.name()).await;
        let mut client = Client::start(kind, server).await;
        let login = json!({"username": person.username, "password": person.password});
        let answer = client.ask("login", login).await;
        assert_eq!(answer["id"], person.id.as_str(), "{kind:?} knows who it is");
        Self { person, client }
    }

    /// With the client if its library can, otherwise over REST.
    async fn does(&mut self, what: &str, arguments: Value, (endpoint, body): (&str, Value)) -> Value {
        if self.client.can(what) {
            self.client.ask(what, arguments).await
        } else {
            self.person.rest.post(endpoint, body).await.ok()
        }
    }

    async fn creates(&mut self, name: &str, member: &str) -> String {
        let arguments = json!({"name": name, "members": [member], "hidden": false});
        let body = json!({"name": name, "members": [member]});
        let made = self.does("create", arguments, ("channels.create", body)).await;
        text(made.get("rid").unwrap_or(&made["channel"]["_id"])).to_owned()
    }

    /// Sends a message; its id, which the witness tells where the library does not.
    async fn says(&mut self, room: &str, words: &str, thread: Option<&str>, witness: &mut Ddp) -> String {
        self.client.ask("send", json!({"rid": room, "text": words, "thread": thread})).await;
        let is = |args: &Value| args[0]["msg"] == words && args[0]["tcount"].is_null();
        let event = witness.event_where("room-messages", room, is).await;
        assert_eq!(event[0]["u"]["username"], self.person.username.as_str());
        assert_eq!(event[0]["tmid"].as_str(), thread);
        text(&event[0]["_id"]).to_owned()
    }

    /// Waits until the client shows a message that is as wanted: live, or by looking at the history again and again.
    async fn sees(&mut self, room: &str, wanted: impl Fn(&Value) -> bool + Copy) -> Value {
        if self.client.can("watch") {
            return self.client.event("message", |seen| seen["rid"] == room && wanted(seen)).await;
        }
        let client = tokio::sync::Mutex::new(&mut self.client);
        wait::until("a message in the history", || async {
            let history =
                client.lock().await.ask("history", json!({"rid": room, "family": "channels"})).await;
            history.as_array()?.iter().find(|message| wanted(message)).cloned()
        })
        .await
    }
}

/// Two people, a room, and a witness that sees everything.
struct Scene {
    server: Server,
    speaker: Actor,
    listener: Actor,
    witness: Ddp,
    room: String,
}

impl Scene {
    async fn set(speaker: Kind, listener: Kind) -> Self {
        let server = Server::start().await;
        let cast = Cast::assemble(&server).await;
        let mut speaker = Actor::enter(&server, &cast, speaker).await;
        let mut listener = Actor::enter(&server, &cast, listener).await;
        let room = speaker.creates("the-room", &listener.person.username).await;
        let mut witness = listener.person.socket(&server).await;
        for (stream, key) in
            [("room-messages", ""), ("notify-room", "/user-activity"), ("notify-room", "/deleteMessage")]
        {
            witness.stream(stream, &format!("{room}{key}")).await.expect("a member may listen");
        }
        for actor in [&mut speaker, &mut listener] {
            if actor.client.can("watch") {
                actor.client.ask("watch", json!({"rid": room})).await;
            }
        }
        Self { server, speaker, listener, witness, room }
    }
}

/// The whole journey.
pub async fn walk(speaker: Kind, listener: Kind) {
    let mut scene = Scene::set(speaker, listener).await;
    let first = talk(&mut scene).await;
    notices(&mut scene).await;
    mends(&mut scene, &first).await;
    thread(&mut scene, &first).await;
    upload(&mut scene).await;
    search_and_remove(&mut scene).await;
    agree(&mut scene).await;
    scene.speaker.client.quit().await;
    scene.listener.client.quit().await;
}

/// Each says something and the other sees it. Returns the first message.
async fn talk(scene: &mut Scene) -> String {
    let Scene { speaker, listener, witness, room, .. } = scene;
    let first = speaker.says(room, "hello from the speaker", None, witness).await;
    let seen = listener.sees(room, |message| message["message"] == first.as_str()).await;
    assert_eq!(seen["text"], "hello from the speaker");
    assert_eq!(seen["author"], speaker.person.username.as_str());
    let second = listener.says(room, "hello from the listener", None, witness).await;
    let seen = speaker.sees(room, |message| message["message"] == second.as_str()).await;
    assert_eq!(seen["author"], listener.person.username.as_str());
    first
}

/// Typing and presence.
async fn notices(scene: &mut Scene) {
    let Scene { speaker, listener, witness, room, .. } = scene;
    if speaker.client.can("typing") {
        speaker.client.ask("typing", json!({"rid": room, "on": true})).await;
        let args = witness.event("notify-room", &format!("{room}/user-activity")).await;
        assert_eq!(args[0], speaker.person.username.as_str());
        assert_eq!(args[1], json!(["user-typing"]));
        if listener.client.can("watchPresence") {
            let typing = listener.client.event("typing", |seen| seen["on"] == true).await;
            assert_eq!(typing["username"], speaker.person.username.as_str());
        }
    }
    if listener.client.can("watchPresence") {
        listener.client.ask("watchPresence", json!({"ids": [speaker.person.id]})).await;
        let arguments = json!({"status": "busy", "text": "on the way"});
        let body = json!({"status": "busy", "message": "on the way"});
        speaker.does("status", arguments, ("users.setStatus", body)).await;
        let seen = listener.client.event("presence", |seen| seen["status"] == 3).await;
        assert_eq!(seen["user"], speaker.person.id.as_str());
    }
}

/// An edit and a reaction, seen by the other side.
async fn mends(scene: &mut Scene, first: &str) {
    let Scene { speaker, listener, room, .. } = scene;
    let arguments = json!({"rid": room, "message": first, "text": "hello, mended"});
    let body = json!({"roomId": room, "msgId": first, "text": "hello, mended"});
    speaker.does("edit", arguments, ("chat.update", body)).await;
    let edited = |seen: &Value| seen["message"] == first && seen["edited"] == true;
    let seen = listener.sees(room, edited).await;
    assert_eq!(seen["text"], "hello, mended");
    let body = json!({"messageId": first, "emoji": ":thumbsup:"});
    listener.does("react", json!({"message": first, "emoji": ":thumbsup:"}), ("chat.react", body)).await;
    let name = listener.person.username.clone();
    let reacted = |seen: &Value| seen["message"] == first && !seen["reactions"][":thumbsup:"].is_null();
    let seen = speaker.sees(room, reacted).await;
    assert_eq!(seen["reactions"][":thumbsup:"], json!([name]));
}

/// A reply in a thread: seen as such, and its root counts it.
async fn thread(scene: &mut Scene, first: &str) {
    let Scene { speaker, listener, witness, room, .. } = scene;
    let reply = listener.says(room, "a reply in the thread", Some(first), witness).await;
    let seen = speaker.sees(room, |message| message["message"] == reply.as_str()).await;
    assert_eq!(seen["thread"], first);
    let root = speaker.sees(room, |message| message["message"] == first && message["replies"] == 1).await;
    assert_eq!(root["text"], "hello, mended");
    for actor in [speaker, listener] {
        if actor.client.can("thread") {
            let replies = actor.client.ask("thread", json!({"message": first})).await;
            let ids: Vec<&str> =
                replies.as_array().expect("replies").iter().map(|one| text(&one["message"])).collect();
            assert_eq!(ids, [reply.as_str()]);
        }
    }
}

/// A file: seen by the other side, and fetched with its token.
async fn upload(scene: &mut Scene) {
    let Scene { speaker, listener, room, .. } = scene;
    // "a small file" in base64.
    let content = "YSBzbWFsbCBmaWxl";
    let file = json!({"rid": room, "name": "Zettel №1.txt", "kind": "text/plain", "content": content, "text": "look"});
    let speaker_can = speaker.client.can("upload");
    let (sender, receiver) = if speaker_can { (speaker, listener) } else { (listener, speaker) };
    if !sender.client.can("upload") {
        return;
    }
    let sent = sender.client.ask("upload", file).await;
    let seen = receiver.sees(room, |message| message["message"] == sent["message"]).await;
    assert_eq!(seen["file"], "Zettel №1.txt");
    let url = text(&sent["url"]);
    let path = url.find("/file-upload/").map_or(url, |at| &url[at..]);
    assert_eq!(receiver.person.rest.get(path, &[]).await.text(), "a small file");
}

/// A word is found where it is; a removed message is gone for the other side and for the search.
async fn search_and_remove(scene: &mut Scene) {
    let Scene { speaker, listener, witness, room, .. } = scene;
    let unwanted = speaker.says(room, "a regrettable xylophone", None, witness).await;
    for actor in [&mut *speaker, &mut *listener] {
        if actor.client.can("search") {
            let found = actor.client.ask("search", json!({"rid": room, "text": "xylophone"})).await;
            assert_eq!(found[0]["message"], unwanted.as_str(), "{found}");
        }
    }
    let body = json!({"roomId": room, "msgId": unwanted});
    speaker.does("remove", json!({"rid": room, "message": unwanted}), ("chat.delete", body)).await;
    let args = witness.event("notify-room", &format!("{room}/deleteMessage")).await;
    assert_eq!(args[0]["_id"], unwanted.as_str());
    if listener.client.can("watchPresence") {
        listener.client.event("deleted", |seen| seen["message"] == unwanted.as_str()).await;
    }
    let query = [("roomId", room.as_str()), ("searchText", "xylophone")];
    let found = speaker.person.rest.get("chat.search", &query).await.ok();
    assert_eq!(found["messages"], json!([]));
}

/// Both clients and the server tell the same history, and reading it leaves nothing unread.
async fn agree(scene: &mut Scene) {
    let Scene { server, speaker, listener, room, .. } = scene;
    let stored = parlor_testkit::history::fetch(&speaker.person.rest, "channels", room).await;
    let ids: Vec<&str> = stored.iter().map(|message| message.id.as_str()).collect();
    for actor in [&mut *speaker, &mut *listener] {
        if actor.client.can("history") {
            let told = actor.client.ask("history", json!({"rid": room, "family": "channels"})).await;
            let told = told.as_array().expect("a history").iter().filter(|message| message["kind"].is_null());
            let told: Vec<&str> = told.map(|message| text(&message["message"])).collect();
            assert_eq!(told, ids, "{:?} on {}", actor.client.kind, server.url());
        }
    }
    listener.does("read", json!({"rid": room}), ("subscriptions.read", json!({"rid": room}))).await;
    let query = [("roomId", room.as_str())];
    let answer = listener.person.rest.get("subscriptions.getOne", &query).await.ok();
    assert_eq!(answer["subscription"]["unread"], 0);
}

/// What only one library does: its driver's own checks, with a peer who speaks once when it is ready to listen.
pub async fn own(kind: Kind) {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let mut actor = Actor::enter(&server, &cast, kind).await;
    let room = actor.creates("the-room", &cast.member.username).await;
    let arguments = json!({"rid": room, "name": "the-room", "peer": cast.member.username});
    let number = actor.client.begin("own", arguments).await;
    if kind == Kind::Classic {
        actor.client.event("ready", |_| true).await;
        let _ = cast.member.say(&room, "something to respond to").await;
    }
    actor.client.finish(number, "its own journey").await;
    actor.client.quit().await;
}

/// The REST library in an administrator's hand.
pub async fn administer() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.channel("the-room", &[&cast.member]).await;
    let mut client = Client::start(Kind::Api, &server).await;
    let Person { username, password, .. } = &cast.administrator;
    client.ask("login", json!({"username": username, "password": password})).await;
    let arguments = json!({"rid": room, "name": "the-room", "peer": cast.member.username});
    client.ask("administer", arguments).await;
    client.quit().await;
}
