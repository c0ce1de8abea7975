//! Messages that move in from another chat, with their ids, times and all that hangs on them.

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    id::{MessageId, UserId},
    message::{Mention, Message},
    moving::Moved,
    session::Actor,
    store::Tx,
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
    /// Brings in messages, in this order, in one transaction; what became of each.
    pub async fn move_messages(
        &self,
        actor: &Actor,
        messages: Vec<MovedMessage>,
        dry: bool,
    ) -> Result<Vec<Moved<()>>> {
        let now = self.now();
        self.move_all(actor, messages, dry, move |tx, moved| {
            if tx.message(&moved.message.id)?.is_some() {
                return Ok(Moved::Known(()));
            }
            if !dry {
                take(tx, moved, now)?;
            }
            Ok(Moved::New(()))
        })
        .await
    }
}

pub(crate) fn take(tx: &mut dyn Tx, moved: &MovedMessage, now: Time) -> Result<()> {
    let mut message = moved.message.clone();
    let root = match &message.thread {
        Some(root) => tx.message(root)?.filter(|root| root.room == message.room && !root.deleted),
        None => None,
    };
    // A reply to a reply hangs on the same root; one whose root went is a message of the room.
    message.thread = root.as_ref().map(|root| root.thread.clone().unwrap_or_else(|| root.id.clone()));
    message.shown_in_room = message.thread.is_some() && message.shown_in_room;
    let before = tx.pretend(moved.at.min(now));
    let stored = tx.append_message(message);
    tx.pretend(before);
    let stored = stored?;
    hang(tx, moved, &stored)?;
    match &stored.thread {
        Some(root) => reply(tx, root, &stored),
        None => Ok(()),
    }
}

/// Mentions, stars, files and followers of a stored message.
fn hang(tx: &mut dyn Tx, moved: &MovedMessage, stored: &Message) -> Result<()> {
    let named = |mention: &Mention| match mention {
        Mention::User { id, .. } => Some(id.clone()),
        _ => None,
    };
    let mentioned: Vec<UserId> = stored.mentions.iter().filter_map(named).collect();
    if !stored.mentions.is_empty() {
        tx.put_mentions(stored, &mentioned, stored.addresses_everybody())?;
    }
    for user in &moved.stars {
        tx.put_star(user, &stored.id, true)?;
    }
    for file in stored.files() {
        if tx.upload(&file.upload)?.is_some_and(|upload| upload.message.is_none()) {
            tx.confirm_upload(&file.upload, Some(&stored.id))?;
        }
    }
    for user in &moved.followers {
        tx.follow_thread(&stored.id, user, stored.seq, true)?;
    }
    Ok(())
}

/// Counts a reply in its thread; the first one makes its root one.
fn reply(tx: &mut dyn Tx, root: &MessageId, stored: &Message) -> Result<()> {
    let info = tx.add_reply(root, stored, std::slice::from_ref(&stored.author))?;
    if info.replies == 1
        && let Some(mut root) = tx.message(root)?
        && root.thread_info.is_none()
    {
        root.thread_info = Some(info);
        tx.update_message(&root)?;
    }
    Ok(())
}
