//! Whatever leaves the server by itself, fed by the journal so that it survives a kill: the calls of outgoing
//! integrations.

mod payload;
mod signature;
mod webhooks;

pub use webhooks::Webhooks;
