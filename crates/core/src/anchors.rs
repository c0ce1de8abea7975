//! What the anchor of a discussion shows of it (how many messages, when the last) moves with the discussion. It is
//! read from the discussion itself, always; here those who look at the parent room are told of it, a moment after each
//! change and of many changes at once, so that a message in a discussion costs nothing while it is stored.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use tokio::sync::Notify;

use crate::{
    chat::Chat,
    error::{Refusal, Result},
    event::{Change, Event},
    id::{MessageId, RoomId},
    messages::store_changed,
    room::Room,
    store::{Lane, Tx},
};

/// Rooms that wait at a time; what is beyond is told with the next message in it.
const WAITING: usize = 10_000;
/// Between two rounds: a discussion in full swing changes its anchor this often at most.
const PAUSE: Duration = Duration::from_millis(200);

/// Rooms in which something was said and that are discussions, or may be.
#[derive(Default)]
pub(crate) struct Anchors {
    waiting: Mutex<FxHashSet<RoomId>>,
    more: Notify,
}

impl Anchors {
    /// Takes in what was committed here, not what other nodes tell of; quick, for the committing thread. `at_hand`: a room, if it is in memory.
    pub(crate) fn committed(&self, event: &Event, at_hand: impl Fn(&RoomId) -> Option<Arc<Room>>) {
        let room = match event {
            Event::Message { message, change: Change::Made, .. } => &message.room,
            Event::MessageDeleted { room, .. } | Event::MessagesPurged { room, .. } => room,
            _ => return,
        };
        if at_hand(room).is_some_and(|room| !room.is_discussion()) {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING && waiting.insert(room.clone()) {
            drop(waiting);
            self.more.notify_one();
        }
    }

    async fn next(&self) -> FxHashSet<RoomId> {
        loop {
            let more = self.more.notified();
            let waiting = std::mem::take(&mut *self.waiting.lock());
            if !waiting.is_empty() {
                return waiting;
            }
            more.await;
        }
    }
}

impl Chat {
    /// Tells of what anchors show whenever their discussions move. To be run for as long as the chat lives.
    pub async fn tell_discussions_forever(&self) {
        loop {
            for room in self.anchors.next().await {
                if let Err(refusal) = self.tell_anchor(&room).await {
                    tracing::warn!(%refusal, "a discussion's anchor is told of with the next message");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn tell_anchor(&self, id: &RoomId) -> Result<()> {
        let room = match self.room(id).await {
            Err(Refusal::NotFound(_)) => return Ok(()),
            found => found?,
        };
        let Some(parent) = room.parent.clone() else { return Ok(()) };
        let Some(anchor) = self.anchor_of(&room, &parent).await? else { return Ok(()) };
        let store = move |tx: &mut dyn Tx| {
            let Some(message) = tx.message(&anchor)?.filter(|it| !it.deleted) else { return Ok(()) };
            store_changed(tx, message).map(drop)
        };
        match self.store().writing(Lane::Verbs, store).await {
            // The parent room went meanwhile.
            Err(Refusal::NotFound(_)) => Ok(()),
            done => done,
        }
    }

    /// The message that a discussion hangs on. It never changes, so it is looked for once.
    async fn anchor_of(&self, room: &Arc<Room>, parent: &RoomId) -> Result<Option<MessageId>> {
        let (wanted, parent) = (room.clone(), parent.clone());
        let load = || self.store().reading(move |rows| rows.anchor(&parent, &wanted));
        self.anchor_ids.get_or_load(&room.id, load).await
    }
}
