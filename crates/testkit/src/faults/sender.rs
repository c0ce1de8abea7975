//! Somebody who says things until they are told that it is stored.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::Stage;
use crate::cast::Person;
use crate::ddp::Ddp;

/// Refusals of one message after which the sender gives up: a server that is up must take a plain message.
const TRIES: usize = 200;

/// A message that is not acknowledged yet.
struct Pending {
    room: String,
    id: String,
    body: String,
    refusals: usize,
}

/// Sends until it is enough, then until everything sent is acknowledged.
pub async fn send(stage: Arc<Stage>, person: Person, number: usize, in_flight: usize) {
    let token = person.rest.token().expect("a person is signed in").to_owned();
    let mut pending: VecDeque<Pending> = VecDeque::new();
    let mut made = 0;
    loop {
        let Some(mut socket) = stage.enter(&token).await else { return };
        let line = stage.lines.fetch_add(1, Ordering::Relaxed);
        loop {
            while pending.len() < in_flight && !stage.enough.load(Ordering::Relaxed) {
                pending.push_back(next(&stage, number, made));
                made += 1;
            }
            if pending.is_empty() {
                return;
            }
            if !round(&stage, &mut socket, line, &mut pending).await {
                break;
            }
        }
    }
}

fn next(stage: &Stage, number: usize, made: usize) -> Pending {
    let room = stage.rooms[(number + made) % stage.rooms.len()].clone();
    Pending {
        room,
        id: format!("s{number}m{made}"),
        body: format!("message {made} of {number}"),
        refusals: 0,
    }
}

/// Sends everything pending on one socket, then reads the answers; false when the socket ended.
async fn round(stage: &Stage, socket: &mut Ddp, line: u64, pending: &mut VecDeque<Pending>) -> bool {
    let mut calls = Vec::new();
    for message in pending.iter() {
        stage.ledger.sent(line, &message.room, &message.id, &message.body);
        let params = json!([{"_id": message.id, "rid": message.room, "msg": message.body}]);
        calls.push(socket.start("sendMessage", params).await);
    }
    for call in calls {
        let Some(result) = socket.result_if_any(&call).await else { return false };
        let mut message = pending.pop_front().expect("one message a call");
        match result {
            Ok(stored) => {
                stage.ledger.acked(&message.id, stored["_id"].as_str().unwrap_or("an answer without an id"));
                stage.acknowledged.fetch_add(1, Ordering::Relaxed);
                stage.progress.notify_one();
            }
            Err(error) => {
                // Not stored as far as the sender knows; a full or stopping server may say so for a while.
                message.refusals += 1;
                assert!(message.refusals < TRIES, "{} is refused again and again: {error}", message.id);
                pending.push_back(message);
            }
        }
    }
    true
}
