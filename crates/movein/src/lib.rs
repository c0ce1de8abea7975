//! Moving in from other chats: what they held, with its own times, told to nobody, and safe to run twice.

pub mod showwise;
