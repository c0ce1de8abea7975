//! Serving stored files as Rocket.Chat does.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use parlor_core::{error::Refusal, id::UploadId, store::Upload};
use parlor_live::serving::{Manner, serve};

use crate::{
    call::Call,
    refusal::Refused,
    route::{Outcome, Route, get},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("/file-upload/{id}/{name}", Who::Anyone, "/none/none.png", file).answering("Forbidden"),
        get("/ufs/{store}/{id}/{name}", Who::Anyone, "/none/none/none.png", file).answering("Forbidden"),
    ]
}

/// One answer for files that are unknown and files that may not be seen; a store that is away is another matter.
fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Storage | Refusal::Unavailable => refusal.into(),
        _ => Refused::status(StatusCode::FORBIDDEN, "Forbidden"),
    }
}

async fn file(call: Call) -> Outcome {
    let unknown = || Refused::status(StatusCode::FORBIDDEN, "Forbidden");
    let id = UploadId::parse(call.path("id")).ok_or_else(unknown)?;
    let actor = call.file_actor().await?;
    let upload = call.chat().file(actor.as_ref(), &id).await.map_err(refused)?;
    let download = call.param("download").is_some();
    if !download && let Some(address) = call.chat().file_address(&upload).await {
        return redirect(&address);
    }
    let manner = Manner { download, cache: "private, max-age=31536000" };
    let mut response =
        serve(call.chat(), &upload, &call.headers, manner).await.map_err(|refusal| match refusal {
            // Whoever may see it learns that its bytes are gone.
            Refusal::NotFound(_) => Refused::status(StatusCode::NOT_FOUND, "Not Found"),
            other => refused(other),
        })?;
    cross_origin(&mut response);
    Ok(response)
}

/// The store itself gives the bytes; its address is good for a short while only.
fn redirect(address: &str) -> Outcome {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::FOUND;
    let place = HeaderValue::try_from(address).map_err(|_| refused(Refusal::Storage))?;
    response.headers_mut().insert(header::LOCATION, place);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    cross_origin(&mut response);
    Ok(response)
}

fn cross_origin(response: &mut Response) {
    let name = HeaderName::from_static("cross-origin-resource-policy");
    response.headers_mut().insert(name, HeaderValue::from_static("cross-origin"));
}

/// A whole file, to be kept: never shown inline.
pub(crate) async fn whole(call: &Call, upload: Upload) -> Outcome {
    let manner = Manner { download: true, cache: "no-store" };
    let all = axum::http::HeaderMap::new();
    let mut response = serve(call.chat(), &upload, &all, manner).await?;
    cross_origin(&mut response);
    Ok(response)
}
