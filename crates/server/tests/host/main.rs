//! What all doors for host applications share: identity, users, roles, errors, origins, files; and rooms over REST.

#[path = "../workspace/browsers.rs"]
mod browsers;
mod callers;
mod cross;
mod files;
mod identity;
mod keys;
mod letter;
mod operations;
mod operator;
mod origins;
#[path = "../workspace/post.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod post;
mod rights;
mod rooms;
mod shown;
#[path = "../workspace/sink.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod sink;
mod succession;
mod users;
