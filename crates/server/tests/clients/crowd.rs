//! All clients in one room, talking at the same time.

use parlor_testkit::history::{self, Entry, Stored};
use parlor_testkit::{Cast, Server};
use serde_json::{Value, json};

use crate::driver::{Client, Kind, nanoseconds, text};

/// Messages that each client sends.
const EACH: usize = 20;

/// Everybody sends as fast as their library can; the judge looks at what was sent, told, seen and stored.
pub async fn talk() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let mut clients = Vec::new();
    let mut people = Vec::new();
    for kind in Kind::ALL {
        let person = cast.administrator.make(&server, kind.name(), kind.name()).await;
        let mut client = Client::start(kind, &server).await;
        client.ask("login", json!({"username": person.username, "password": person.password})).await;
        clients.push(client);
        people.push(person);
    }
    let room = cast.owner.channel("the-crowd", &people.iter().collect::<Vec<_>>()).await;
    let mut entries = Vec::new();
    for (socket, client) in clients.iter_mut().enumerate().filter(|(_, client)| client.can("watch")) {
        let (at, _) = client.ask_at("watch", json!({"rid": room})).await;
        entries.push(Entry::Opened { at, socket: socket as u64, room: room.clone() });
    }
    let said = everybody_talks(&mut clients, &room).await;
    let last = cast.owner.say(&room, "the last word").await;
    for (socket, client) in clients.iter_mut().enumerate().filter(|(_, client)| client.can("watch")) {
        entries.extend(sights(client, socket as u64, &room, text(&last["_id"])).await);
    }
    let stored = history::fetch(&cast.owner.rest, "channels", &room).await;
    for (kind, messages) in &said {
        messages.iter().for_each(|message| entries.extend(sends(*kind, message, &room, &stored)));
    }
    // The last word belongs to nobody's ledger.
    let stored: Vec<Stored> = stored.into_iter().filter(|message| message.body != "the last word").collect();
    let verdict = history::judge(&entries, &stored);
    verdict.assert_sound();
    assert_eq!(verdict.stored, EACH * Kind::ALL.len(), "{verdict}");
    assert!(verdict.seen >= EACH * Kind::ALL.len() * 4, "four of the clients listen: {verdict}");
    for client in clients {
        client.quit().await;
    }
}

/// All begin before any is waited for.
async fn everybody_talks(clients: &mut [Client], room: &str) -> Vec<(Kind, Vec<Value>)> {
    let mut begun = Vec::new();
    for client in clients.iter_mut() {
        let arguments = json!({"rid": room, "count": EACH, "prefix": format!("{:?}", client.kind)});
        begun.push(client.begin("chatter", arguments).await);
    }
    let mut said = Vec::new();
    for (client, number) in clients.iter_mut().zip(begun) {
        let (_, messages) = client.finish(number, "chatter").await;
        said.push((client.kind, messages.as_array().expect("a list of what was said").clone()));
    }
    said
}

/// What one message leaves in the ledger. A library that does not tell ids is known by its texts.
fn sends(kind: Kind, message: &Value, room: &str, stored: &[Stored]) -> [Entry; 2] {
    let body = text(&message["body"]).to_owned();
    let by_text = || stored.iter().find(|message| message.body == body).map(|message| message.id.clone());
    let id = message["stored"].as_str().map(str::to_owned).or_else(by_text).unwrap_or_else(|| body.clone());
    let sent = nanoseconds(&message["sent"]);
    let line = if kind.keeps_order() { kind as u64 } else { sent };
    let acked = Entry::Acked { at: nanoseconds(&message["acked"]), id: id.clone(), stored: id.clone() };
    [Entry::Sent { at: sent, line, room: room.to_owned(), id, body }, acked]
}

/// What a client saw of new messages, up to the last word.
async fn sights(client: &mut Client, socket: u64, room: &str, last: &str) -> Vec<Entry> {
    let end = client.event("message", |seen| seen["message"] == last).await;
    let mut entries = Vec::new();
    for seen in client.take_seen() {
        let new = seen["event"] == "message" && seen["rid"] == room && seen["kind"].is_null();
        if new {
            let (id, body) = (text(&seen["message"]).to_owned(), text(&seen["text"]).to_owned());
            entries.push(Entry::Saw {
                at: nanoseconds(&seen["at"]),
                socket,
                room: room.to_owned(),
                id,
                body,
            });
        }
    }
    let closed = Entry::Closed { at: nanoseconds(&end["at"]), socket, room: room.to_owned(), drained: true };
    entries.push(closed);
    entries
}
