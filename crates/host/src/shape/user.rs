//! Users as the contracts write them.

use parlor_core::user::User;
use serde_json::{Value, json};

/// A user; the address only for those who may see it.
pub fn value(user: &User, with_email: bool) -> Value {
    let mut value = json!({
        "id": user.id.as_str(),
        "username": user.username,
        "name": user.shown_name(),
        "roles": user.words(),
        "vendor_id": user.host.vendor,
        "active": user.active,
    });
    if with_email && let Some(object) = value.as_object_mut() {
        object.insert("email".into(), user.emails.first().map(|email| email.address.clone()).into());
    }
    value
}
