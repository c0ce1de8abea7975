//! DDP methods, by what they are about. Each file gives its part of the table.

mod accounts;
mod accounts_own;
pub(crate) mod administration;
mod mail;
mod members;
mod messages;
mod rooms;
mod streams;
mod timeline;
mod workspace;

use crate::method::Method;

/// The whole table.
pub(crate) fn all() -> Vec<Method> {
    let parts = [
        accounts::methods(),
        accounts_own::methods(),
        administration::methods(),
        mail::methods(),
        members::methods(),
        messages::methods(),
        rooms::methods(),
        streams::methods(),
        timeline::methods(),
        workspace::methods(),
        crate::rest::sounds::methods(),
        crate::rest::statuses::methods(),
    ];
    parts.into_iter().flatten().collect()
}
