//! Taking in the documents of another chat, in Rocket.Chat's shape, wherever they come from. What has to be known of
//! people and rooms to place messages stays in memory: some 200 bytes each.

mod attachments;
mod extras;
mod files;
pub(crate) mod kind;
mod messages;
mod people;
mod places;

use std::collections::HashMap;

use anyhow::Result;
use parlor_core::{
    bootstrap::ROCKET_CAT,
    chat::Chat,
    id::{MessageId, RoomId, UserId},
    moving::{AT_ONCE, MESSAGES_AT_ONCE},
    session::Actor,
};

pub(crate) use self::{files::Bytes, messages::order};
use crate::{doc::Doc, tally::Tally};

/// A person, as messages need it.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) name: String,
}

/// Takes everything in, kind by kind: people, then rooms, files, messages, memberships, the rest.
pub(crate) struct Importer<'a> {
    chat: &'a Chat,
    actor: Actor,
    dry: bool,
    /// By their ids there.
    people: HashMap<String, Person>,
    /// Ids there by user names in lower case.
    names: HashMap<String, String>,
    /// Rooms here by their ids there.
    rooms: HashMap<String, RoomId>,
    pub(crate) tally: Tally,
}

impl<'a> Importer<'a> {
    pub(crate) fn new(chat: &'a Chat, dry: bool) -> Self {
        let actor = Actor::system(UserId::new(ROCKET_CAT));
        let mut new = Self {
            chat,
            actor,
            dry,
            people: HashMap::new(),
            names: HashMap::new(),
            rooms: HashMap::new(),
            tally: Tally::default(),
        };
        new.know(ROCKET_CAT, UserId::new(ROCKET_CAT), ROCKET_CAT, "Rocket.Cat");
        new
    }

    fn know(&mut self, there: &str, id: UserId, username: &str, name: &str) {
        self.names.insert(username.to_lowercase(), there.to_owned());
        let person = Person { id, username: username.to_owned(), name: name.to_owned() };
        self.people.insert(there.to_owned(), person);
    }

    /// Whether a room there has one here.
    pub(crate) fn has_room(&self, there: &str) -> bool {
        self.rooms.contains_key(there)
    }

    /// Whether all these messages are here.
    pub(crate) async fn has_messages(&self, messages: &[Doc]) -> Result<bool> {
        let ids: Vec<MessageId> =
            messages.iter().filter_map(|message| MessageId::parse(&message.id())).collect();
        Ok(self.chat.known_messages(&self.actor, &ids).await?.len() == messages.len())
    }

    fn person_named(&self, username: &str) -> Option<&Person> {
        self.people.get(self.names.get(&username.to_lowercase())?)
    }
}

/// Bytes of documents at which a batch is full, whatever their number.
const MOST_BYTES: usize = 4 << 20;

/// Documents in bounded batches.
pub(crate) struct Batch {
    docs: Vec<Doc>,
    most: usize,
    bytes: usize,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self { docs: Vec::new(), most: AT_ONCE, bytes: 0 }
    }
    /// A batch of messages.
    pub(crate) fn of_messages() -> Self {
        Self { most: MESSAGES_AT_ONCE, ..Self::new() }
    }
    /// Takes a document; a full batch comes back.
    pub(crate) fn push(&mut self, doc: Doc) -> Option<Vec<Doc>> {
        self.push_of(doc, 0)
    }
    /// Takes a document of so many bytes.
    pub(crate) fn push_of(&mut self, doc: Doc, bytes: usize) -> Option<Vec<Doc>> {
        self.docs.push(doc);
        self.bytes += bytes;
        let full = self.docs.len() == self.most || self.bytes >= MOST_BYTES;
        full.then(|| {
            self.bytes = 0;
            std::mem::take(&mut self.docs)
        })
    }
    /// What is left.
    pub(crate) fn rest(self) -> Vec<Doc> {
        self.docs
    }
}
