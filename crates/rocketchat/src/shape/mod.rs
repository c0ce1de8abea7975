//! Nouns as Rocket.Chat writes them.

pub(crate) mod setting;
pub(crate) mod user;
