//! Full text: cut into tokens, indexed from the journal outside the writer's hot path, looked up newest first.

mod index;
mod indexer;
mod query;
mod tokens;

pub(crate) use index::{cursor, drop_between};
pub(crate) use indexer::{Indexer, Signal};
pub(crate) use query::{Query, fuzz};
pub(crate) use tokens::tokens;

use parlor_core::message::{Attachment, Message};

/// Messages that may wait to be indexed: searches look through them one by one. Beyond it indexing takes its turn
/// among the verbs, and sends slow down.
pub(crate) const TAIL: u64 = 20_000;

/// What of a message can be searched: its text, and its files' names and descriptions.
pub(crate) fn searchable(message: &Message) -> String {
    let mut text = message.text.clone();
    for attachment in &message.attachments {
        if let Attachment::File(file) = attachment {
            for part in [&file.name, &file.description] {
                text.push('\n');
                text.push_str(part);
            }
        }
    }
    text
}
