//! The chat itself: nouns, rules, verbs, events, and the ports to everything outside.
//!
//! Knows no protocol, no SQL, no JSON. Doors hold a [`chat::Chat`] and nothing else; they cannot reach the store or
//! publish an event, because both are private to this crate.

pub mod accounts;
pub mod blobs;
pub mod bootstrap;
mod cache;
pub mod catch_up;
pub mod chat;
pub mod clock;
pub mod credentials;
pub mod error;
pub mod event;
pub mod hub;
pub mod id;
pub mod json;
pub mod listening;
pub mod members;
pub mod members_list;
mod members_mute;
pub mod members_own;
mod members_roles;
pub mod membership;
mod mentions;
pub mod message;
pub mod messages;
pub mod messages_change;
mod messages_custom;
mod messages_prepare;
pub mod messages_read;
pub mod moderation;
pub mod permission_table;
pub mod permissions;
mod pins;
pub mod presence;
pub mod published;
pub mod publisher;
mod quotes;
mod reactions;
pub mod reading;
pub mod role;
mod roles_admin;
pub mod room;
pub mod room_settings;
pub mod rooms;
pub mod rooms_create;
mod rooms_names;
mod rooms_notices;
mod rooms_remove;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
mod search;
pub mod session;
mod sessions;
pub mod setting;
mod settings_admin;
pub mod settings_table;
mod signals;
pub mod store;
pub mod teams;
pub mod threads;
pub mod typing;
pub mod upkeep;
pub mod user;
pub mod users_create;
pub mod users_rules;
