//! The one outgoing HTTP client: webhooks, previews, key sets, pictures. It connects only to public addresses and to
//! what the operator opened; names are resolved, judged and connected to in one step, so that a second answer of the
//! name server changes nothing; redirects are followed by hand and judged like the first call.

mod allowed;
mod client;
mod names;

pub use allowed::{Allowed, BadEntry, is_public};
pub use client::Client;
