//! The REST part of the ticket contract: facts told by the host application, the six rules, the chat. Each test names the
//! promises that it holds the server to.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod access;
mod chat;
mod facts;
mod hidden;
mod origins;
mod world;
