//! End-to-end encryption: switched off here. Keys of a user are kept if a client brings them, nothing more.

use parlor_core::error::Refusal;
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let mut all = vec![
        get("e2e.fetchMyKeys", Who::User, "", fetch),
        post("e2e.setUserPublicAndPrivateKeys", Who::User, r#"{"public_key":"{}","private_key":"{}"}"#, set),
        get("e2e.fetchUsersWaitingForGroupKey", Who::User, "", |_| async {
            success(json!({ "usersWaitingForE2EKeys": {} }))
        }),
        get("e2e.getUsersOfRoomWithoutKey", Who::User, "", |_| async { success(json!({ "users": [] })) }),
    ];
    for name in [
        "e2e.setRoomKeyID",
        "e2e.updateGroupKey",
        "e2e.acceptSuggestedGroupKey",
        "e2e.rejectSuggestedGroupKey",
        "e2e.provideUsersSuggestedGroupKeys",
        "e2e.resetRoomKey",
    ] {
        all.push(post(name, Who::User, "", |_| async { Err(off()) }).answering("encryption is not enabled"));
    }
    all
}

/// The feature is off.
pub(crate) fn off() -> Refused {
    Refused::meteor("error-action-not-allowed", "End-to-end encryption is not enabled")
}

async fn fetch(call: Call) -> Outcome {
    let keys = call.chat().e2e_keys(call.actor()?).await?;
    match keys {
        Some((public, private)) => success(json!({ "public_key": public, "private_key": private })),
        None => success(json!({})),
    }
}

async fn set(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (public, private) = (body.need("public_key")?, body.need("private_key")?);
    let force = body.flag("force")?.unwrap_or_default();
    call.chat().put_e2e_keys(call.actor()?, public, private, force).await.map_err(
        |refusal| match refusal {
            Refusal::Taken { .. } => Refused::meteor("error-keys-already-set", "Keys already set"),
            other => other.into(),
        },
    )?;
    success(Value::Null)
}
