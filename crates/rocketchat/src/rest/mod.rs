//! REST endpoints, one family a file, named as its URL says. Each file gives its part of the table.

mod auth;
mod channels;
mod channels_members;
mod channels_settings;
pub(crate) mod chat;
pub(crate) mod chat_draft;
pub(crate) mod chat_lists;
pub(crate) mod chat_threads;
mod files;
mod im;
mod info;
mod method_call;
mod permissions;
mod roles;
mod rooms;
mod rooms_call;
mod rooms_lists;
mod settings;
mod subscriptions;
pub(crate) mod timeline;
mod uploads;
mod users;
mod users_change;
mod users_create;
mod users_status;

use crate::route::Route;

/// The whole table.
pub(crate) fn all() -> Vec<Route> {
    let parts = [
        auth::routes(),
        channels::routes(),
        channels_members::routes(),
        channels_settings::routes(),
        chat::routes(),
        chat_lists::routes(),
        chat_threads::routes(),
        files::routes(),
        im::routes(),
        info::routes(),
        method_call::routes(),
        permissions::routes(),
        roles::routes(),
        rooms::routes(),
        rooms_lists::routes(),
        settings::routes(),
        subscriptions::routes(),
        timeline::routes(),
        users::routes(),
        users_change::routes(),
        users_status::routes(),
        uploads::routes(),
        users_create::routes(),
    ];
    parts.into_iter().flatten().collect()
}
