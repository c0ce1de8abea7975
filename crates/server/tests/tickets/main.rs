//! The REST part of the ticket contract: facts told by the host application, the six rules, the chat. Each test names the
//! promises that it holds the server to.

mod access;
mod chat;
mod facts;
mod world;
