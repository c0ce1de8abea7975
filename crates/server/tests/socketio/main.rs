//! The Socket.IO door as its clients see it: raw sockets, the official clients, and the exchanges of the contracts.

mod beyond;
mod client;
mod engine;
mod enter;
mod heard;
mod large;
mod official;
mod pages;
mod resume;
mod rooms;
mod shapes;
mod slow;
mod tickets;
mod tickets_room;
