//! Whatever leaves the server by itself, kept in the store so that it survives a kill: the calls of outgoing
//! integrations, mail, pushes; and what looks at links for previews.

mod keys;
mod mail;
mod page;
mod payload;
mod previews;
mod queue;
mod signature;
mod webhooks;

pub use keys::push_key;
pub use mail::{Mail, server as mail_server};
pub use previews::Previews;
pub use webhooks::Webhooks;
