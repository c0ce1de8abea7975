//! REST endpoints, one family a file, named as its URL says. Each file gives its part of the table.

pub(crate) mod answers;
mod assets;
mod auth;
mod banners;
mod bans;
pub(crate) mod calls;
mod channels;
pub(crate) mod channels_members;
pub(crate) mod channels_settings;
pub(crate) mod chat;
pub(crate) mod chat_draft;
pub(crate) mod chat_lists;
pub(crate) mod chat_marks;
pub(crate) mod chat_threads;
pub(crate) mod commands;
mod devices;
pub(crate) mod discussions;
pub(crate) mod e2e;
mod emoji;
mod exports;
pub(crate) mod files;
pub(crate) mod finding;
pub(crate) mod form;
mod hooks;
mod hooks_services;
mod im;
mod info;
pub(crate) mod integrations;
mod invites;
pub(crate) mod left_out;
mod machine;
pub(crate) mod mail;
mod method_call;
mod moderation;
mod oauth_apps;
mod oauth_provider;
mod oauth_sign_in;
pub(crate) mod permissions;
mod push;
pub(crate) mod roles;
pub(crate) mod rooms;
pub(crate) mod rooms_call;
mod rooms_lists;
pub(crate) mod rooms_settings;
mod sessions;
pub(crate) mod settings;
pub(crate) mod sounds;
pub(crate) mod statuses;
pub(crate) mod subscriptions;
mod support;
mod teams;
mod teams_rooms;
pub(crate) mod timeline;
mod together;
mod translation;
mod twofactor;
mod uploads;
mod users;
pub(crate) mod users_change;
pub(crate) mod users_create;
mod users_status;
pub(crate) mod users_tokens;
mod workspace;

use crate::route::Route;

/// The whole table.
pub(crate) fn all() -> Vec<Route> {
    let parts = [
        answers::routes(),
        translation::routes(),
        assets::routes(),
        auth::routes(),
        banners::routes(),
        bans::routes(),
        calls::routes(),
        channels::routes(),
        channels_members::routes(),
        channels_settings::routes(),
        chat::routes(),
        chat_lists::routes(),
        chat_marks::routes(),
        chat_threads::routes(),
        commands::routes(),
        devices::routes(),
        exports::routes(),
        files::routes(),
        finding::routes(),
        hooks::routes(),
        im::routes(),
        integrations::routes(),
        info::routes(),
        machine::routes(),
        mail::routes(),
        method_call::routes(),
        moderation::routes(),
        oauth_apps::routes(),
        oauth_provider::routes(),
        oauth_sign_in::routes(),
        permissions::routes(),
        push::routes(),
        roles::routes(),
        rooms::routes(),
        rooms_lists::routes(),
        sessions::routes(),
        settings::routes(),
        subscriptions::routes(),
        support::routes(),
        timeline::routes(),
        together::routes(),
        users::routes(),
        users_change::routes(),
        users_status::routes(),
        uploads::routes(),
        discussions::routes(),
        invites::routes(),
        teams::routes(),
        teams_rooms::routes(),
        rooms_settings::routes(),
        users_tokens::routes(),
        twofactor::routes(),
        e2e::routes(),
        emoji::routes(),
        sounds::routes(),
        statuses::routes(),
        crate::avatar::routes(),
        users_create::routes(),
        workspace::routes(),
    ];
    parts.into_iter().flatten().collect()
}
