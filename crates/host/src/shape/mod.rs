//! Nouns as the contracts write them, where more than one door writes them.
pub mod beyond;
pub mod rooms;
pub mod tickets;
pub mod user;
