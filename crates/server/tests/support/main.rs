//! The support contract as its clients speak it: a WebSocket of plain frames, and REST. Each test names the promises
//! that it holds the server to.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod beyond;
mod browser;
mod cases;
mod clients;
mod connection;
mod hidden;
mod logging;
mod messages;
mod push;
mod refusals;
mod rest;
mod resume;
mod roles;
mod shapes;
#[path = "../workspace/sink.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod sink;
mod views;
mod world;
