//! Bad input at every door: what is broken, too much, too deep, too slow or a lie gets a clear refusal in the door's
//! dialect; never a 5xx, a hang or a panic; and whoever chats meanwhile notices nothing.
//!
//! Each test keeps a [`watch::Watch`] over its server: somebody who goes on chatting, the server's memory, its log.

mod attack;
mod ddp;
mod descriptors;
mod frames;
mod holes;
mod hosts;
mod http;
mod nasty;
#[expect(dead_code, reason = "the walk of the tables needs more of it")]
#[path = "../access/people.rs"]
mod people;
mod slow;
mod socketio;
#[expect(dead_code, reason = "the inbox's own tests need more of it")]
#[path = "../inbox/sse.rs"]
mod sse;
mod tables;
mod uploads;
mod watch;
mod wire;
#[expect(dead_code, reason = "the walk of the tables needs more of it")]
#[path = "../access/world.rs"]
mod world;

/// The smallest picture, for forms.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 4, 0, 0, 0, 0xb5, 0x1c, 0x0c, 2, 0, 0, 0, 0x0b, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0x64,
    0x60, 0, 0, 0, 6, 0, 2, 0x30, 0x81, 0xd0, 0x2f, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60,
    0x82,
];
