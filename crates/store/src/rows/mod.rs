//! The core's row traits on a transaction, a file a noun.

mod accounts;
mod arriving;
mod cases;
pub(crate) mod users;
mod users_host;
mod users_rename;
mod workspace;

mod memberships;
mod rooms;
mod rooms_new;
mod teams;
mod tickets;

mod deliveries;
mod devices;
mod elsewhere;
mod feed;

pub(crate) mod anchors;
pub(crate) mod append;
pub(crate) mod append_postgres;
pub(crate) mod heads;
mod invites;
pub(crate) mod journal;
mod marks;
mod messages;
mod messages_codec;
mod messages_host;
mod messages_list;
mod messages_write;
mod reports;
mod restoring;
mod search;
mod tombstones;
mod unread;
mod uploads_rows;

pub(crate) use search::texts_by_keys;
