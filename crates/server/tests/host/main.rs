//! What all doors for host applications share: identity, users, roles, errors, origins, files; and rooms over REST.

mod files;
mod identity;
mod origins;
mod rooms;
mod users;
