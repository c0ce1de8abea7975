//! Nouns as Rocket.Chat writes them.

pub(crate) mod attachment;
pub(crate) mod custom;
pub(crate) mod message;
pub(crate) mod role;
pub(crate) mod room;
pub(crate) mod setting;
pub(crate) mod subscription;
pub(crate) mod team;
pub(crate) mod user;
