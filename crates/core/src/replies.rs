//! When each member last wrote in each room. Seen at once in memory, written every few seconds; a crash may lose the
//! last of them, never a message.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    event::{Change, Event},
    id::{RoomId, UserId},
    membership::Membership,
    message::MessageKind,
    store::{Lane, Tx},
};

/// Members and rooms that wait to be written at a time; what is beyond is not kept.
const WAITING: usize = 50_000;
/// Written in one transaction.
const BATCH: usize = 500;

/// Times that are seen but not written yet.
#[derive(Default)]
pub(crate) struct Replies {
    waiting: Mutex<FxHashMap<(RoomId, UserId), Time>>,
}

impl Replies {
    /// Takes in what was committed; quick, for the committing thread.
    pub(crate) fn committed(&self, event: &Event) {
        let Event::Message { message, change: Change::Made, .. } = event else { return };
        if message.kind != MessageKind::Text {
            return;
        }
        let mut waiting = self.waiting.lock();
        let key = (message.room.clone(), message.author.clone());
        let room_for_more = waiting.len() < WAITING;
        match waiting.get_mut(&key) {
            Some(at) => *at = message.at.max(*at),
            None if room_for_more => {
                waiting.insert(key, message.at);
            }
            None => {}
        }
    }

    /// The membership with the time that is still to be written.
    pub(crate) fn overlay(&self, mut membership: Arc<Membership>) -> Arc<Membership> {
        let waiting = self.waiting.lock();
        let known = waiting.get(&(membership.room.clone(), membership.user.clone())).copied();
        drop(waiting);
        if known > membership.last_reply {
            Arc::make_mut(&mut membership).last_reply = known;
        }
        membership
    }
}

impl Chat {
    /// Writes when members last wrote. To be called every few seconds and before the end.
    pub async fn flush_replies(&self) -> Result<()> {
        let all: Vec<_> = self.replies.waiting.lock().iter().map(|(key, at)| (key.clone(), *at)).collect();
        for batch in all.chunks(BATCH) {
            let rows = batch.to_vec();
            let store = move |tx: &mut dyn Tx| {
                rows.iter().try_for_each(|((room, user), at)| tx.put_last_reply(room, user, *at))
            };
            self.store().writing(Lane::Bulk, store).await?;
            for (key, at) in batch {
                self.forget_membership(key);
                let mut waiting = self.replies.waiting.lock();
                if waiting.get(key) == Some(at) {
                    waiting.remove(key);
                }
            }
        }
        Ok(())
    }
}
