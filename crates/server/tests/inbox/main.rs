//! The door `inbox` over plain HTTP and real sockets. Each test names the promises of the contract that it shows.
#![allow(clippy::indexing_slicing, reason = "what is missing in an answer is a failed test")]

mod beyond;
mod browser;
mod clients;
mod cross;
mod groups;
mod movein;
mod presence;
mod reading;
mod refusals;
mod resume;
mod sending;
mod shapes;
#[path = "../workspace/sink.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod sink;
mod sse;
mod stream;
mod support;
mod webhook;
mod world;
