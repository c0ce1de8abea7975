//! Messages that move in from another chat, with their ids, times and all that hangs on them.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    id::{MessageId, UserId},
    message::Message,
    moving::{MESSAGES_AT_ONCE, Moved},
    session::Actor,
    store::{Restored, Standing, Tx},
};

/// A message of another chat.
#[derive(Clone, Debug)]
pub struct MovedMessage {
    /// The message; what the store decides is ignored, and a thread whose root is not here is none.
    pub message: Message,
    /// When it was written. Messages of one room come in the order of their times.
    pub at: Time,
    /// Who starred it.
    pub stars: Vec<UserId>,
    /// Who follows the thread that begins with it.
    pub followers: Vec<UserId>,
}

impl Chat {
    /// Brings in messages, in this order, in one transaction, at most [`MESSAGES_AT_ONCE`]; what became of each.
    pub async fn move_messages(
        &self,
        actor: &Actor,
        messages: Vec<MovedMessage>,
        dry: bool,
    ) -> Result<Vec<Moved<()>>> {
        let now = self.now();
        let take = move |tx: &mut dyn Tx, moved: &[MovedMessage]| take(tx, moved, now, dry);
        self.move_together(actor, messages, MESSAGES_AT_ONCE, dry, take).await
    }
}

/// Where messages stand that are here, or will be when those before are.
type Here = FxHashMap<MessageId, Standing>;

/// Takes messages in, in this order; what became of each. `dry`: only says what would.
pub(crate) fn take(tx: &mut dyn Tx, moved: &[MovedMessage], now: Time, dry: bool) -> Result<Vec<Moved<()>>> {
    let mut here = here(tx, moved)?;
    let mut done = Vec::with_capacity(moved.len());
    let (mut new, mut wanted) = (Vec::new(), Vec::new());
    for one in moved {
        if here.contains_key(&one.message.id) {
            done.push(Moved::Known(()));
            continue;
        }
        let message = hung(&one.message, &here);
        let standing = Standing {
            id: message.id.clone(),
            room: Some(message.room.clone()),
            thread: message.thread.clone(),
            deleted: false,
        };
        here.insert(message.id.clone(), standing);
        new.push((done.len(), one));
        done.push(Moved::New(()));
        if !dry {
            wanted.push(Restored { message, at: one.at.min(now).max(Time(0)) });
        }
    }
    if wanted.is_empty() {
        return Ok(done);
    }
    let mut stored = Vec::with_capacity(wanted.len());
    for ((place, one), message) in new.into_iter().zip(tx.restore_messages(wanted)?) {
        match message {
            Some(message) => stored.push((one, message)),
            // Somebody else was quicker.
            None => done[place] = Moved::Known(()),
        }
    }
    hang(tx, stored)?;
    Ok(done)
}

/// Which of these messages and of the roots of their threads are here.
fn here(tx: &mut dyn Tx, moved: &[MovedMessage]) -> Result<Here> {
    let ids = moved.iter().flat_map(|one| std::iter::once(&one.message.id).chain(&one.message.thread));
    let ids: FxHashSet<&MessageId> = ids.collect();
    let ids: Vec<MessageId> = ids.into_iter().cloned().collect();
    Ok(tx.standing(&ids)?.into_iter().map(|standing| (standing.id.clone(), standing)).collect())
}

/// The message with the thread that it gets: a reply to a reply hangs on the same root; one whose root went is a
/// message of the room.
fn hung(message: &Message, here: &Here) -> Message {
    let mut message = message.clone();
    let root = message.thread.as_ref().and_then(|root| here.get(root));
    let root = root.filter(|root| root.room.as_ref() == Some(&message.room) && !root.deleted);
    message.thread = root.map(|root| root.thread.clone().unwrap_or_else(|| root.id.clone()));
    message.shown_in_room = message.thread.is_some() && message.shown_in_room;
    message
}

/// Stars, files and followers of stored messages; replies count in their threads.
fn hang(tx: &mut dyn Tx, all: Vec<(&MovedMessage, Message)>) -> Result<()> {
    let (mut stars, mut follows, mut replies) = (Vec::new(), Vec::new(), Vec::new());
    for (moved, stored) in all {
        stars.extend(moved.stars.iter().map(|user| (user.clone(), stored.id.clone())));
        follows.extend(moved.followers.iter().map(|user| (stored.id.clone(), user.clone(), stored.seq)));
        for file in stored.files() {
            if tx.upload(&file.upload)?.is_some_and(|upload| upload.message.is_none()) {
                tx.confirm_upload(&file.upload, Some(&stored.id))?;
            }
        }
        if stored.thread.is_some() {
            replies.push(stored);
        }
    }
    tx.put_stars(&stars)?;
    tx.follow_threads(&follows)?;
    tx.add_replies(&replies)
}
