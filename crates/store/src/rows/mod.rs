//! The core's row traits on a transaction, a file a noun.
mod accounts;
pub(crate) mod users;
mod workspace;

mod memberships;
mod rooms;
mod teams;
