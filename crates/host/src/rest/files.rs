//! Files over REST: uploading, addresses, and the bytes themselves.

use axum::extract::{Request, State};
use parlor_core::{
    id::{UploadId, UserId},
    session::Actor,
    store::Upload,
};
use serde_json::{Value, json};

use crate::{
    call::{Answer, Call, QueryTokens, answer},
    files::escaped,
    host::Host,
    problem::{Fault, Problem},
    serving,
    time::iso,
    uploads,
};

/// How long an address for uploading is good, in seconds.
const UPLOAD_SECONDS: u64 = 15 * 60;
/// What a signature for uploading is for.
const WRITE: &str = "write";

fn unknown() -> Problem {
    Problem::not_found("File")
}

/// `GET /api/files/{id}/{name}`.
pub(super) async fn get(State(host): State<Host>, request: Request) -> Answer {
    let call = Call::read(host, request, QueryTokens::Stream).await;
    let id = UploadId::parse(call.path("id")).ok_or_else(unknown)?;
    let upload = find(&call, &id).await?;
    serving::serve(call.host.chat(), upload, &call.headers).await
}

async fn find(call: &Call, id: &UploadId) -> Result<Upload, Problem> {
    let chat = call.host.chat();
    let query = |name: &str| call.query.get(name);
    if let Some(signature) = query("sig") {
        let (user, exp) = (query("u").unwrap_or_default(), query("exp").unwrap_or_default());
        let viewer = call.host.check_file_url(id, user, exp, signature)?;
        return Ok(chat.host_file_of(&viewer, id).await?);
    }
    if call.host.options().public_media {
        return Ok(chat.public_file(id).await?);
    }
    Ok(chat.host_file(call.user()?, id).await?)
}

/// `POST /api/chat/upload`.
pub(super) async fn upload(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let stored = uploads::receive(&mut call, &actor, None).await?;
    answer(201, &shown(&call.host, &actor.user, &stored))
}

fn shown(host: &Host, viewer: &UserId, upload: &Upload) -> Value {
    let signed = host.file_url(viewer, &upload.id, &upload.name);
    json!({
        "id": upload.id.as_str(),
        "url": signed.url,
        "filename": upload.name,
        "size": upload.size,
        "mime_type": upload.media_type,
        "expires_at": iso(signed.expires_at),
    })
}

/// `GET /api/chat/media/{id}/url`: a fresh address.
pub(super) async fn address(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let id = UploadId::parse(call.path("id")).ok_or_else(unknown)?;
    let upload = call.host.chat().host_file(&actor, &id).await?;
    let signed = call.host.file_url(&actor.user, &upload.id, &upload.name);
    answer(200, &json!({ "id": id.as_str(), "url": signed.url, "expires_at": iso(signed.expires_at) }))
}

/// `GET /api/chat/upload/signed-url`: an address to which the bytes may be sent, once.
pub(super) async fn announce(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let mut faults = Vec::new();
    let mut need = |name: &'static str| match call.query.get(name) {
        Some(text) => text.to_owned(),
        None => {
            faults.push(Fault { missing: true, ..Fault::query(name, "is required") });
            String::new()
        }
    };
    let (name, kind, size) = (need("filename"), need("mime_type"), need("size"));
    if !size.is_empty() && size.parse::<u64>().is_err() {
        faults.push(Fault::query("size", "must be an integer"));
    }
    if name.len() > 255 {
        faults.push(Fault::query("filename", "must have at most 255 bytes"));
    }
    if !faults.is_empty() {
        return Err(Problem::validation(faults));
    }
    if !call.host.options().upload_types.contains(&kind) {
        return Err(Problem::unsupported_type("Files of this type are not taken"));
    }
    let size: u64 = size.parse().unwrap_or_default();
    let id = call.host.chat().announce_upload(&actor, size).await.map_err(uploads::refused)?;
    let expires_at = call.host.now().after(std::time::Duration::from_secs(UPLOAD_SECONDS));
    let seconds = expires_at.millis().div_euclid(1000).to_string();
    let size = size.to_string();
    let signature = call.host.signature(WRITE, &[&id, &actor.user, &seconds, &size, &name]);
    let upload_url = format!(
        "{}/api/files/{id}/{}?u={}&exp={seconds}&size={size}&sig={signature}",
        call.host.options().root_url,
        escaped(&name),
        escaped(&actor.user)
    );
    answer(
        200,
        &json!({
            "id": id.as_str(),
            "upload_url": upload_url,
            "method": "PUT",
            "headers": { "Content-Type": kind },
            "url": call.host.file_url(&actor.user, &id, &name).url,
            "expires_at": iso(expires_at),
        }),
    )
}

/// `PUT /api/files/{id}/{name}`: the bytes of an announced upload; the address itself is the proof.
pub(super) async fn put(mut call: Call) -> Answer {
    let id = UploadId::parse(call.path("id")).ok_or_else(unknown)?;
    let name = call.path("name").to_owned();
    let part = |name: &str| call.query.get(name).unwrap_or_default().to_owned();
    let (user, exp, size, signature) = (part("u"), part("exp"), part("size"), part("sig"));
    let bad = || Problem::new(403, "bad_signature", "The signature is not valid");
    if !call.host.is_signature(WRITE, &[&id, &user, &exp, &size, &name], &signature) {
        return Err(bad());
    }
    let (seconds, size): (i64, u64) = exp.parse().ok().zip(size.parse().ok()).ok_or_else(bad)?;
    if call.host.now().millis() >= seconds.saturating_mul(1000) {
        return Err(Problem::new(403, "url_expired", "The address has expired"));
    }
    let actor = Actor::user(UserId::parse(&user).ok_or_else(bad)?, None);
    let stored = uploads::receive_announced(&mut call, &actor, &id, &name, size).await?;
    answer(201, &shown(&call.host, &actor.user, &stored))
}
