//! Whatever leaves the server by itself, fed by the journal so that it survives a kill: the calls of outgoing
//! integrations; and what looks at links for previews.

mod keys;
mod page;
mod payload;
mod previews;
mod signature;
mod webhooks;

pub use keys::push_key;
pub use previews::Previews;
pub use webhooks::Webhooks;
