//! The chat itself: nouns, rules, verbs, events, and the ports to everything outside.
//!
//! Knows no protocol, no SQL, no JSON. Doors hold a [`chat::Chat`] and nothing else; they cannot reach the store or
//! publish an event, because both are private to this crate.

pub mod accounts;
pub mod blobs;
pub mod bootstrap;
mod cache;
pub mod chat;
pub mod clock;
pub mod credentials;
pub mod error;
pub mod event;
pub mod hub;
pub mod id;
pub mod json;
pub mod listening;
pub mod membership;
pub mod message;
pub mod permission_table;
pub mod permissions;
pub mod published;
pub mod publisher;
pub mod role;
pub mod room;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
pub mod session;
mod sessions;
pub mod setting;
pub mod settings_table;
pub mod store;
pub mod user;
