//! Reading by naming messages, as host applications' clients do it: everything older counts as read too, and the others
//! are told which messages were named.

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::Event,
    id::{MessageId, RoomId},
    membership::{Membership, ReadMark},
    message::Message,
    session::Actor,
    store::{Lane, MarkChange, Read, Slice},
};

/// Messages that one call may name.
pub const MAX_NAMED: usize = 100;

/// What was read.
#[derive(Clone, Debug)]
pub struct ReadNamed {
    /// Where.
    pub room: RoomId,
    /// The messages that were named; where none were, the newly read ones, the newest 100 at most.
    pub named: Vec<MessageId>,
    /// When.
    pub at: Time,
    /// What is unread now.
    pub unread: i64,
    /// Until when everything is read.
    pub mark: Option<Time>,
}

impl Chat {
    /// Marks messages of a room as read, or (`None`) all of them. The mark never moves back. Somebody who may read the
    /// room without being a member is answered, and nothing is kept.
    ///
    /// # Errors
    /// `NotFound(Message)` when one of them is not of this room; nothing is kept then.
    pub async fn read_named(
        &self,
        actor: &Actor,
        room: &RoomId,
        named: Option<Vec<MessageId>>,
    ) -> Result<ReadNamed> {
        let room = self.readable_room(actor, room).await?.id.clone();
        if named.as_ref().is_some_and(|named| named.len() > MAX_NAMED) {
            return Err(Refusal::TooLarge { what: "message_ids", limit: MAX_NAMED as u64 });
        }
        self.flush_marks().await?;
        let (user, now) = (actor.user.clone(), self.now());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let membership = tx.membership(&room, &user)?;
                let seen = membership.as_ref().map_or(i64::MAX, |m| m.mark.seq);
                let (ids, mark) = match &named {
                    Some(named) => (named.clone(), mark_of(tx, &room, named)?),
                    None => all_of(tx, &room, seen, &user)?,
                };
                let Some(membership) = membership else {
                    return Ok(ReadNamed { room: room.clone(), named: ids, at: now, unread: 0, mark: None });
                };
                // On a node whose clock is behind, what was written before is not read before.
                let mark = ReadMark { at: mark.at.max(Some(now)), ..mark };
                let change = MarkChange { mark, marked_unread: false, back: false, at: now };
                if tx.put_mark(&room, &user, &change)? {
                    let event = Event::Read {
                        room: room.clone(),
                        user: user.clone(),
                        seq: mark.seq,
                        thread: None,
                        at: now,
                        named: ids.as_slice().into(),
                    };
                    tx.record(None, event)?;
                }
                let membership = tx.membership(&room, &user)?.unwrap_or(membership);
                left(tx, &room, membership, ids, now)
            })
            .await
    }
}

fn left(
    rows: &mut dyn Read,
    room: &RoomId,
    membership: Membership,
    named: Vec<MessageId>,
    at: Time,
) -> Result<ReadNamed> {
    let unread = rows.unread(&membership)?.messages;
    Ok(ReadNamed { room: room.clone(), named, at, unread, mark: membership.mark.at })
}

/// The mark at the newest of these messages.
fn mark_of(rows: &mut dyn Read, room: &RoomId, ids: &[MessageId]) -> Result<ReadMark> {
    let mut mark = ReadMark::default();
    for id in ids {
        let message = rows.message(id)?.filter(|message| message.room == *room);
        let message = message.ok_or(Refusal::NotFound(What::Message))?;
        if message.seq > mark.seq {
            mark = ReadMark { seq: message.seq, counted: message.counted, at: Some(message.at) };
        }
    }
    Ok(mark)
}

/// The mark at the end of the room, and what of others lies between it and what was seen.
fn all_of(
    rows: &mut dyn Read,
    room: &RoomId,
    seen: i64,
    user: &crate::id::UserId,
) -> Result<(Vec<MessageId>, ReadMark)> {
    let head = rows.head(room)?.unwrap_or_default();
    let slice = Slice { after: Some(seen.min(head.position)), ..Slice::newest(MAX_NAMED as u64) };
    let mut fresh: Vec<Message> = rows.timeline(room, &slice)?;
    fresh.retain(|message| message.author != *user && message.speaks());
    let ids = fresh.into_iter().rev().map(|message| message.id).collect();
    Ok((ids, ReadMark { seq: head.position, counted: head.counted, at: head.last_at }))
}
