//! Somebody who listens to all rooms, comes back after every kill, and catches up.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{LAST_WORD, Stage, Unheard, is_fresh};
use crate::cast::Person;
use crate::ddp::Ddp;
use crate::rest;

/// Messages asked for in one page of changes.
const PAGE: &str = "100";

/// One listener.
struct Listener {
    stage: Arc<Stage>,
    person: Person,
    number: u64,
    /// The time of the latest change known, room by room, in milliseconds.
    known: HashMap<String, i64>,
    /// Whether it has listened before, and so may have missed something.
    returning: bool,
    unheard: Unheard,
}

/// Begins to listen; the task ends when the last word of every room is heard. Returns once it listens to all rooms.
pub async fn start(stage: Arc<Stage>, person: Person, number: u64) -> JoinHandle<()> {
    let unheard = stage.rooms.iter().cloned().collect();
    let mut listener = Listener { stage, person, number, known: HashMap::new(), returning: false, unheard };
    let socket = listener.come_in().await;
    tokio::spawn(async move { listener.listen(socket).await })
}

impl Listener {
    /// Subscribes first and pages then, so that nothing falls between.
    async fn come_in(&mut self) -> Option<Ddp> {
        let token = self.person.rest.token().expect("a person is signed in").to_owned();
        'again: loop {
            let mut socket = self.stage.enter(&token).await?;
            for room in self.stage.rooms.clone() {
                let sub = format!("sub-{room}");
                let params = json!([room, {"useCollection": false, "args": []}]);
                let frame =
                    json!({"msg": "sub", "id": sub, "name": "stream-room-messages", "params": params});
                socket.send(frame).await;
                let answered = |frame: &Value| frame["msg"] == "nosub" || frame["subs"][0] == sub.as_str();
                let Some(answer) = socket.seek(answered).await else { continue 'again };
                assert_eq!(answer["msg"], "ready", "a member may listen: {answer}");
                self.stage.ledger.opened(self.number, &room);
            }
            for room in self.stage.rooms.clone() {
                if self.catch_up(&room).await.is_none() {
                    continue 'again;
                }
            }
            self.returning = true;
            return Some(socket);
        }
    }

    /// Everything that changed since the last change known; none when the server went down meanwhile.
    async fn catch_up(&mut self, room: &str) -> Option<()> {
        if !self.returning {
            return Some(());
        }
        // A change of the same millisecond may not have been seen.
        let known = self.known.get(room).map_or(0, |known| known - 1);
        let mut next = Some(known.to_string());
        while let Some(from) = next {
            let query = [("roomId", room), ("type", "UPDATED"), ("count", PAGE), ("next", from.as_str())];
            let request = self.person.rest.request(reqwest::Method::GET, "chat.syncMessages").query(&query);
            let page = rest::try_answer(request).await.ok().filter(|answer| answer.status != 503)?.ok();
            let messages = page["result"]["updated"].as_array().expect("a page of changes");
            for message in messages.iter().filter(|message| is_fresh(message)) {
                let id = message["_id"].as_str().expect("a message has an id");
                self.stage.ledger.fetched(self.number, room, id);
                self.heard(room, message);
            }
            next = page["result"]["cursor"]["next"].as_str().map(str::to_owned);
            assert!(next.as_deref() != Some(from.as_str()), "a page that leads to itself");
        }
        Some(())
    }

    async fn listen(&mut self, mut socket: Option<Ddp>) {
        while let Some(open) = &mut socket {
            if self.unheard.is_empty() {
                break;
            }
            // Frames that came while it subscribed and caught up come first.
            match open.seek(|_| true).await {
                Some(frame) => self.saw(&frame),
                None => socket = self.come_in().await,
            }
        }
        for room in &self.stage.rooms {
            self.stage.ledger.closed(self.number, room, true);
        }
    }

    fn saw(&mut self, frame: &Value) {
        if frame["collection"] != "stream-room-messages" || frame["msg"] != "changed" {
            return;
        }
        let message = &frame["fields"]["args"][0];
        let (Some(room), Some(id)) = (message["rid"].as_str(), message["_id"].as_str()) else { return };
        if let Some(changed) = message["_updatedAt"]["$date"].as_i64() {
            self.known.insert(room.to_owned(), changed);
        }
        if is_fresh(message) && !self.heard(room, message) {
            self.stage.ledger.saw(self.number, room, id, message["msg"].as_str().unwrap_or_default());
        }
    }

    /// Whether this is the last word.
    fn heard(&mut self, room: &str, message: &Value) -> bool {
        let last = message["msg"] == LAST_WORD;
        if last {
            self.unheard.remove(room);
        }
        last
    }
}
