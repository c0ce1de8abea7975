//! The support contract as its clients speak it: a WebSocket of plain frames, and REST. Each test names the promises
//! that it holds the server to.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod browser;
mod cases;
mod connection;
mod messages;
mod rest;
mod resume;
mod roles;
mod views;
mod world;
