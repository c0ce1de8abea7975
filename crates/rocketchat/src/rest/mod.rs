//! REST endpoints, one family a file, named as its URL says. Each file gives its part of the table.

mod auth;
mod info;
mod method_call;
mod settings;
mod users_create;

use crate::route::Route;

/// The whole table.
pub(crate) fn all() -> Vec<Route> {
    let parts =
        [auth::routes(), info::routes(), method_call::routes(), settings::routes(), users_create::routes()];
    parts.into_iter().flatten().collect()
}
