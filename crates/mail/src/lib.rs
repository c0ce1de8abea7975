//! Letters: what they say in each language, and how they reach a mail server. Knows nothing of the chat.

mod layout;
mod post;
mod server;
mod words;

pub use layout::{Button, Item, Letter, Written};
pub use post::{Fault, Post, check, is_address};
pub use server::{BadUrl, Encryption, Server, read_url};
pub use words::{Language, Topic, write};
