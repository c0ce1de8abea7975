//! The support contract as its clients speak it: a WebSocket of plain frames, and REST. Each test names the promises
//! that it holds the server to.

mod cases;
mod connection;
mod messages;
mod rest;
mod resume;
mod roles;
mod views;
mod world;
