//! What a bridge to another server stands on: what was said here since it last looked, its place there, and taking in
//! what was said there. Messages keep their ids on both sides, so each is there once. For the server's own actors alone.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::{Change, Event},
    id::RoomId,
    json::Json,
    message::{Message, MessageKind},
    moving::{Moved, only_system},
    moving_messages::{MovedMessage, take},
    room::{Room, RoomKind},
    session::Actor,
    store::{Document, EntryKind, Lane, Read, Slice},
    user::User,
};

const CURSOR: &str = "bridge";
const COLLECTION: &str = "bridge";
/// Rows of the journal that one look takes.
const STRETCH: u64 = 200;
/// What tells a message that came over the bridge.
const MARK: &str = r#"{"bridged":true}"#;

/// Something that was said here.
#[derive(Clone, Debug)]
pub struct Said {
    /// Where.
    pub room: Arc<Room>,
    /// What.
    pub message: Message,
    /// Who.
    pub author: User,
    /// User names of the others in a direct room.
    pub others: Vec<String>,
}

/// What was said in a stretch of the journal.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// In order.
    pub said: Vec<Said>,
    /// All up to this number is in it.
    pub upto: i64,
}

impl Chat {
    /// What people said since the last [`Chat::bridge_told`]; a new bridge begins now. What came over the bridge is left
    /// out.
    pub async fn bridge_said(&self, actor: &Actor) -> Result<Stretch> {
        only_system(actor)?;
        let begin = self.store().reading(|rows| Ok((rows.cursor(CURSOR)?, rows.journal_end()?))).await?;
        if begin.0 == 0 {
            self.bridge_told(actor, begin.1).await?;
            return Ok(Stretch { said: Vec::new(), upto: begin.1 });
        }
        self.store()
            .reading(move |rows| {
                let stretch = rows.journal_after(begin.0, None, STRETCH)?;
                let mut said = Vec::new();
                for entry in stretch.entries.iter().filter(|entry| entry.kind == EntryKind::Message) {
                    if let (Some(room), Some(place)) = (&entry.room, entry.position) {
                        said.extend(read_said(rows, room, place)?);
                    }
                }
                Ok(Stretch { said, upto: stretch.upto })
            })
            .await
    }

    /// All up to this number is told on the other side.
    pub async fn bridge_told(&self, actor: &Actor, upto: i64) -> Result<()> {
        only_system(actor)?;
        self.store().writing(Lane::Bulk, move |tx| tx.move_cursor(CURSOR, upto)).await
    }

    /// Up to where the other side was heard, in the bridge's own words.
    pub async fn bridge_place(&self, actor: &Actor) -> Result<Option<String>> {
        only_system(actor)?;
        let found = self.store().reading(|rows| rows.document(COLLECTION, "place")).await?;
        Ok(found.map(|document| document.body.as_str().to_owned()))
    }

    /// Keeps up to where the other side was heard: a JSON text.
    pub async fn keep_bridge_place(&self, actor: &Actor, place: &str) -> Result<()> {
        only_system(actor)?;
        let body = Json::new(place);
        self.store()
            .writing(Lane::Bulk, move |tx| {
                let updated_at = tx.now();
                let document =
                    Document { id: "place".into(), key: String::new(), body: body.clone(), updated_at };
                tx.put_document(COLLECTION, &document)
            })
            .await
    }

    /// The room of this name and kind, made when it is not there.
    ///
    /// # Errors
    /// `Taken` when the name belongs to a room of another kind.
    pub async fn bridge_room(
        &self,
        actor: &Actor,
        kind: RoomKind,
        name: &str,
        title: Option<String>,
        by: &User,
    ) -> Result<Arc<Room>> {
        only_system(actor)?;
        let mut room = self.blank_room(kind, by);
        room.name = Some(name.to_owned());
        room.title = title;
        room.created_at = self.now();
        room.updated_at = room.created_at;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let name = room.name.clone().unwrap_or_default();
                match tx.room_by_name(&name)? {
                    Some(there) if there.kind == room.kind => Ok(Arc::new(there)),
                    Some(_) => Err(Refusal::Taken { what: What::RoomName, value: name }),
                    None => {
                        tx.insert_room(&room)?;
                        let made = Arc::new(room.clone());
                        tx.record(None, Event::Room { room: made.clone(), change: Change::Made })?;
                        Ok(made)
                    }
                }
            })
            .await
    }

    /// Takes in what was said on the other side, and tells whoever listens here; `false` when it is here already.
    pub async fn bridge_message(&self, actor: &Actor, mut message: Message, at: Time) -> Result<bool> {
        only_system(actor)?;
        message.metadata = Some(Json::new(MARK));
        let moved = MovedMessage { message, at, stars: Vec::new(), followers: Vec::new() };
        let now = self.now();
        self.store()
            .writing(Lane::Messages, move |tx| {
                let done = take(tx, std::slice::from_ref(&moved), now, false)?;
                Ok(matches!(done[..], [Moved::New(())]))
            })
            .await
    }
}

fn read_said(rows: &mut dyn Read, room: &RoomId, place: i64) -> Result<Option<Said>> {
    let slice = Slice { after: Some(place - 1), before: Some(place + 1), ..Slice::newest(1) };
    let Some(message) = rows.timeline(room, &slice)?.pop() else { return Ok(None) };
    let came = message.metadata.as_ref().is_some_and(|metadata| metadata.as_str() == MARK);
    let words = message.kind == MessageKind::Text && !message.deleted && message.encrypted.is_none();
    if came || !words {
        return Ok(None);
    }
    let (Some(room), Some(author)) = (rows.room(room)?, rows.user(&message.author)?) else { return Ok(None) };
    if !matches!(room.kind, RoomKind::Channel | RoomKind::Group | RoomKind::Direct) {
        return Ok(None);
    }
    let mut others = Vec::new();
    for id in room.direct.iter().filter(|id| **id != author.id) {
        others.extend(rows.user(id)?.map(|user| user.username));
    }
    Ok(Some(Said { room: Arc::new(room), message, author, others }))
}
