//! Several nodes: the same program twice, on one PostgreSQL database, with Redis between them. What is done on one is seen
//! on the other, once and in one order; whoever loses access on one is deaf on both; and without Redis nothing is lost
//! but a moment.

#![allow(clippy::indexing_slicing, reason = "what is missing in an answer is a failed test")]

mod access;
mod alone;
mod clocks;
mod desk;
mod factors;
mod faults;
mod official;
mod told;
mod world;

#[allow(dead_code, reason = "the doors of another test binary, of which a part is used")]
#[path = "../host/cross/doors.rs"]
mod doors;
#[allow(dead_code, reason = "the ears of another test binary, of which a part is used")]
#[path = "../host/cross/ears.rs"]
mod ears;
#[allow(dead_code, reason = "the server of another test binary, of which a part is used")]
#[path = "../workspace/sink.rs"]
mod sink;
#[allow(dead_code, reason = "the client of another test binary, of which a part is used")]
#[path = "../socketio/client.rs"]
mod sio;
#[allow(dead_code, reason = "the client of another test binary, of which a part is used")]
#[path = "../inbox/sse.rs"]
mod sse;
#[allow(dead_code, reason = "the stage of another test binary, of which a part is used")]
#[path = "../host/cross/stage.rs"]
mod stage;
#[allow(dead_code, reason = "the client of another test binary, of which a part is used")]
#[path = "../support/world.rs"]
mod support;
