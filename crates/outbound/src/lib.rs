//! Whatever leaves the server by itself, kept in the store so that it survives a kill: the calls of outgoing
//! integrations, mail, pushes; and what looks at links for previews.

mod keys;
mod mail;
mod notices;
mod page;
mod payload;
mod phones;
mod previews;
mod push_payload;
mod pushes;
mod queue;
mod signature;
mod silent;
mod webhooks;

pub use mail::{Mail, server as mail_server};
pub use notices::Notices;
pub use phones::{Apple, Google, Own};
pub use previews::Previews;
pub use pushes::Pushes;
pub use webhooks::Webhooks;
