//! The Socket.IO door as its clients see it: raw sockets, the official clients, and the exchanges of the contracts.

mod client;
mod engine;
mod enter;
mod official;
mod resume;
mod rooms;
mod tickets;
