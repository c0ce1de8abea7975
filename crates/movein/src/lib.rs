//! What other chats held, brought in with its own ids and times: dry runs, counts that add up, safe to repeat.

mod doc;
mod dump;
pub mod live;
pub mod rocketchat;
pub mod showwise;
pub mod slack;
mod tally;
mod workspace;

pub use tally::Tally;
