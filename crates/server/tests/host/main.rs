//! What all doors for host applications share: identity, users, roles, errors, origins, files; and rooms over REST.

mod cross;
mod files;
mod identity;
mod keys;
mod operations;
mod operator;
mod origins;
mod rooms;
#[path = "../workspace/sink.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod sink;
mod users;
