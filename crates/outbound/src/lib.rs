//! Whatever leaves the server by itself, fed by the journal so that it survives a kill: the calls of outgoing
//! integrations.

mod keys;
mod payload;
mod signature;
mod webhooks;

pub use keys::push_key;
pub use webhooks::Webhooks;
