//! Logging in, and who one is.

use serde_json::json;

use crate::{
    call::{Answer, Call, answer},
    caller::Caller,
    shape::user,
};

/// The cheap "am I connected" call.
pub(super) async fn me(call: Call) -> Answer {
    match call.caller()? {
        Caller::App => answer(200, &json!({ "app": true })),
        Caller::User(admitted) => answer(200, &json!({ "user": user::value(&admitted.user, true) })),
    }
}
