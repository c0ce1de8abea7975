//! Pictures of people and rooms: `/avatar/…`, and choosing one (`users.setAvatar` and its like).

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::Engine;
use parlor_core::{
    clock::Time,
    error::Refusal,
    id::{RoomId, UploadId, UserId},
    profile::MAX_PICTURE,
};
use serde_json::{Value, json};

use crate::{
    call::{Call, success},
    draw,
    refusal::Refused,
    rest::{form::Form, rooms_call},
    route::{Outcome, Route, get, post},
    serve::Served,
    shape,
    who::Who,
};

/// Side of initials unless a client says otherwise, in pixels.
const SIDE: u32 = 200;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("/avatar/{name}", Who::Anyone, "/$username", of_user),
        get("avatar/{name}", Who::Anyone, "/$username", of_user),
        get("/avatar/uid/{id}", Who::Anyone, "/$user", of_user_id),
        get("/avatar/room/{id}", Who::Anyone, "/none", of_room),
        get("users.getAvatar", Who::User, "username=$username", redirect),
        get("users.getAvatarSuggestion", Who::User, "", |_| async { success(json!({ "suggestions": {} })) }),
        post("users.setAvatar", Who::User, "form image {}", set),
        post("users.resetAvatar", Who::User, "{}", reset),
    ]
}

/// Some workspaces show pictures only to those who are logged in.
async fn admit(call: &Call) -> Result<(), Refused> {
    let closed = call.chat().settings().is_on("Accounts_AvatarBlockUnauthenticatedAccess");
    if closed && call.file_actor().await?.is_none() {
        return Err(Refused::status(StatusCode::FORBIDDEN, "Forbidden"));
    }
    Ok(())
}

async fn of_user(call: Call) -> Outcome {
    admit(&call).await?;
    let name = call.path("name");
    // `@name` asks for the letters, whatever the picture is.
    if let Some(letters) = name.strip_prefix('@') {
        return Ok(initials(&call, letters, Time(0)));
    }
    match call.chat().user_named(name).await {
        Ok(user) => answer(&call, user.avatar.as_deref(), &user.username, user.updated_at).await,
        Err(_) => Ok(initials(&call, name, Time(0))),
    }
}

async fn of_user_id(call: Call) -> Outcome {
    admit(&call).await?;
    let found = match UserId::parse(call.path("id")) {
        Some(id) => call.chat().user(&id).await?,
        None => None,
    };
    match found {
        Some(user) => answer(&call, user.avatar.as_deref(), &user.username, user.updated_at).await,
        None => Ok(initials(&call, "?", Time(0))),
    }
}

/// A room's own picture; rooms that the caller may not read look like rooms that do not exist.
async fn of_room(call: Call) -> Outcome {
    admit(&call).await?;
    let actor = call.file_actor().await?;
    let (Some(actor), Some(id)) = (actor, RoomId::parse(call.path("id"))) else {
        return Ok(initials(&call, "?", Time(0)));
    };
    match call.chat().find_room(&actor, parlor_core::rooms::RoomRef::Id(&id)).await {
        Ok(room) => {
            let mut shown = answer(&call, room.avatar.as_deref(), room.shown_name(), room.updated_at).await?;
            // Not everybody may see it, so no cache on the way keeps it.
            let private = HeaderValue::from_static("private, max-age=3600");
            shown.headers_mut().insert(header::CACHE_CONTROL, private);
            Ok(shown)
        }
        Err(_) => Ok(initials(&call, "?", Time(0))),
    }
}

async fn answer(call: &Call, tag: Option<&str>, name: &str, changed: Time) -> Outcome {
    let Some(tag) = tag else { return Ok(initials(call, name, changed)) };
    let stored = match UploadId::parse(tag) {
        Some(id) => call.chat().public_bytes(&id).await.ok(),
        None => None,
    };
    let Some((file, bytes)) = stored else { return Ok(initials(call, name, changed)) };
    let served = Served {
        media_type: file.media_type,
        bytes,
        changed: file.at,
        cache: cache(call),
        expires: false,
        tag: Some(tag.to_owned()),
    };
    Ok(served.answer(&call.headers))
}

fn cache(call: &Call) -> String {
    let seconds = call.chat().settings().number("Accounts_AvatarCacheTime").clamp(0.0, 31_536_000.0) as u64;
    format!("public, max-age={seconds}")
}

/// SVG unless the client asks for `format=png` (or jpg, which a PNG serves as well).
fn initials(call: &Call, name: &str, changed: Time) -> Response {
    let side = call.param("size").and_then(|s| s.parse().ok()).unwrap_or(SIDE);
    let (media_type, bytes) = match call.param("format") {
        Some("png" | "jpg" | "jpeg") => ("image/png", draw::letters_png(name, side)),
        _ => ("image/svg+xml", draw::letters_svg(name, side).into_bytes()),
    };
    let tag = Some(format!("letters-{}-{side}-{}", media_type.len(), draw::initial(name) as u32));
    let served =
        Served { media_type: media_type.into(), bytes, changed, cache: cache(call), expires: false, tag };
    served.answer(&call.headers)
}

async fn redirect(call: Call) -> Outcome {
    let user = call.named_user().await?;
    let place = format!("{}/avatar/{}", shape::user::root(&call.door), shape::user::encoded(&user.username));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Whom a change is about: the caller unless it names somebody.
async fn subject(call: &Call, id: Option<&str>, name: Option<&str>) -> Result<UserId, Refused> {
    match (id, name) {
        (None, None) => Ok(call.actor()?.user.clone()),
        (id, name) => Ok(rooms_call::user(call, id, name).await?.id.clone()),
    }
}

async fn set(mut call: Call) -> Outcome {
    let mut form = Form::read(&mut call, MAX_PICTURE).await?;
    let of = subject(&call, form.text("userId"), form.text("username")).await?;
    let image = match (&form.file, form.text("avatarUrl")) {
        (Some(_), _) => form.take_file("image")?.bytes,
        (None, Some(url)) => data_url(url)?,
        (None, None) => {
            return Err(Refused::new("The \"image\" file or the \"avatarUrl\" param is required"));
        }
    };
    call.chat().set_avatar(call.actor()?, &of, image).await.map_err(refused)?;
    success(Value::Null)
}

/// The bytes within `data:image/…;base64,…`. Addresses elsewhere are not fetched.
pub(crate) fn data_url(url: &str) -> Result<Vec<u8>, Refused> {
    let bad = || {
        Refused::meteor(
            "error-avatar-invalid-url",
            "Invalid avatar URL: send the image itself or a data: URL",
        )
    };
    let (head, body) =
        url.strip_prefix("data:image/").and_then(|rest| rest.split_once(',')).ok_or_else(bad)?;
    if !head.ends_with(";base64") {
        return Err(bad());
    }
    base64::engine::general_purpose::STANDARD.decode(body).map_err(|_| bad())
}

pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed(_) => Refused::meteor("error-not-allowed", "Not allowed"),
        Refusal::Disabled(_) => Refused::meteor("error-not-allowed", "Change avatar is not allowed"),
        Refusal::Invalid { .. } => Refused::meteor("error-avatar-invalid-image", "Invalid image"),
        other => other.into(),
    }
}

async fn reset(mut call: Call) -> Outcome {
    let body = rooms_call::Body::of(&mut call).await?;
    let of = subject(&call, body.text("userId")?, body.text("username")?.or(body.text("user")?)).await?;
    call.chat().reset_avatar(call.actor()?, &of).await.map_err(|refusal| match refusal {
        Refusal::NotAllowed(_) | Refusal::Disabled(_) => {
            Refused::meteor("error-not-allowed", "Reset avatar is not allowed")
        }
        other => other.into(),
    })?;
    success(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_urls_hold_a_picture() {
        assert_eq!(data_url("data:image/png;base64,AQID").ok(), Some(vec![1, 2, 3]));
        for bad in
            ["https://x.org/a.png", "data:text/html;base64,AQID", "data:image/png,AQID", "file:///etc/passwd"]
        {
            assert!(data_url(bad).is_err(), "{bad}");
        }
    }
}
