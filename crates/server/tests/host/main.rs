//! What all doors for host applications share: identity, users, roles, errors, origins, files; and rooms over REST.

mod cross;
mod files;
mod identity;
mod keys;
mod operator;
mod origins;
mod rooms;
mod users;
