//! Who is there: `users.presence`, `users.getPresence`, `users.getStatus`, `users.setStatus`.

use parlor_core::{
    error::Refusal,
    id::UserId,
    presence::NewStatus,
    store::{Page, UserFilter},
    user::{Status, User},
};
use serde_json::{Value, json};

use super::rooms_call::{Body, user_of};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

/// A client that was away longer gets everybody who is there.
const RECENT: i64 = 10 * 60 * 1000;
/// People told of at once.
const MOST: usize = 1_000;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("users.presence", Who::User, "", presence),
        get("users.getPresence", Who::User, "username=$username", get_presence),
        get("users.getStatus", Who::User, "", get_status),
        post("users.setStatus", Who::User, r#"{"status":"busy","message":"at work"}"#, set_status),
        get("presence.getConnections", Who::May(&["manage-user-status"]), "", connections),
        post("presence.enableBroadcast", Who::May(&["manage-user-status"]), "", |_| async {
            success(Value::Null)
        }),
    ]
}

async fn presence(call: Call) -> Outcome {
    let chat = call.chat();
    let ids: Vec<UserId> = call.list("ids").iter().filter_map(|id| UserId::parse(id)).collect();
    let since = call.since("from")?.filter(|at| chat.now().millis().saturating_sub(at.millis()) < RECENT);
    let moved = since.and_then(|since| chat.moved_since(since));
    let full = ids.is_empty() && moved.is_none();
    let users: Vec<(User, Status)> = if ids.is_empty() {
        let everybody = || chat.online_users(MOST).into_iter().map(|(id, _)| id).collect();
        let mut those: Vec<UserId> = moved.unwrap_or_else(everybody);
        those.truncate(MOST);
        let known = chat.users_by_id(&those).await?;
        known.iter().map(|user| (User::clone(user), chat.status_of(&user.id))).collect()
    } else {
        let filter = UserFilter { ids: Some(ids), ..UserFilter::default() };
        let page = Page { offset: 0, count: MOST as u64 };
        let found = chat.list_users(call.actor()?, filter, page).await?.items;
        found
            .into_iter()
            .map(|user| {
                let now = chat.status_of(&user.id);
                (user, now)
            })
            .collect()
    };
    let shown: Vec<Value> = users.iter().map(|(user, now)| short(user, *now)).collect();
    success(json!({ "users": shown, "full": full }))
}

fn short(user: &User, now: Status) -> Value {
    let mut shown = json!({
        "_id": user.id.as_str(), "username": user.username, "name": user.name,
        "status": now.word(), "utcOffset": shape::setting::number(user.utc_offset),
    });
    if !user.status_text.is_empty() {
        shown["statusText"] = user.status_text.as_str().into();
    }
    if let Some(tag) = &user.avatar {
        shown["avatarETag"] = tag.as_str().into();
    }
    shown
}

/// Whom a call is about: the caller unless it names somebody.
async fn subject(call: &Call) -> Result<std::sync::Arc<User>, Refused> {
    match call.param("userId").or(call.param("username")).or(call.param("user")) {
        Some(_) => call.named_user().await,
        None => Ok(call.chat().active_user(call.actor()?).await?),
    }
}

async fn get_presence(call: Call) -> Outcome {
    let user = subject(&call).await?;
    let now = call.chat().status_of(&user.id).word();
    let mut answer = json!({ "presence": now });
    if user.id == call.actor()?.user {
        answer["connectionStatus"] = now.into();
        if let Some(at) = user.last_login {
            answer["lastLogin"] = Dates::Iso.value(at);
        }
    }
    success(answer)
}

async fn get_status(call: Call) -> Outcome {
    let user = subject(&call).await?;
    let now = call.chat().status_of(&user.id).word();
    success(json!({
        "_id": user.id.as_str(), "message": user.status_text, "connectionStatus": now, "status": now,
    }))
}

async fn set_status(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    if body.get("status").is_none() && body.get("message").is_none() {
        return Err(Refused::new(
            "Match error: Failed Match.OneOf, Match.Maybe or Match.Optional validation",
        ));
    }
    let status = match body.text("status")? {
        Some(text) => Some(Status::from_word(text).ok_or_else(invalid_status)?),
        None => None,
    };
    let new = NewStatus { status, text: body.text("message")?.map(str::to_owned) };
    let (chat, actor) = (call.chat(), call.actor()?);
    let named = ["userId", "username", "user"].iter().any(|key| body.get(key).is_some());
    let of = if named { user_of(&call, &body).await?.id.clone() } else { actor.user.clone() };
    chat.set_status(actor, Some(&of), new).await.map_err(refused)?;
    success(Value::Null)
}

fn invalid_status() -> Refused {
    Refused::meteor("error-invalid-status", "Valid status types include online, away, offline, and busy.")
}

/// Refusals of a status.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Disabled("Accounts_AllowInvisibleStatusOption") => {
            Refused::meteor("error-status-not-allowed", "Invisible status is disabled")
        }
        Refusal::Disabled(_) => Refused::meteor("error-not-allowed", "Change status is not allowed"),
        other => other.into(),
    }
}

async fn connections(call: Call) -> Outcome {
    success(json!({ "current": call.chat().live_connections(), "max": 200 }))
}
