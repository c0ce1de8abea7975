//! Pictures of the workspace: `assets.setAsset`, `assets.unsetAsset`, `/assets/…`, `/images/logo/…`, `/fonts/…`.

use axum::http::{HeaderValue, header};
use parlor_core::{
    assets::MAX_ASSET,
    clock::Time,
    error::{Refusal, What},
};
use serde_json::Value;

use super::{form::Form, rooms_call::Body};
use crate::{
    call::{Call, success},
    draw,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    serve::{self, Served},
    who::Who,
};

/// A font with nothing in it but a blank and a box, for pages that ask for one.
const FONT: &[u8] = include_bytes!("../../assets/parlor.woff2");

pub(crate) fn routes() -> Vec<Route> {
    let managers = Who::May(&["manage-assets"]);
    vec![
        post("assets.setAsset", managers, r#"form asset {"assetName":"logo"}"#, set),
        post("assets.unsetAsset", managers, r#"{"assetName":"logo"}"#, unset),
        get("/assets/{file}", Who::Anyone, "/none.svg", asset).answering("Not found"),
        get("/images/logo/{file}", Who::Anyone, "/logo.svg", logo),
        get("/fonts/{file}", Who::Anyone, "/none.woff", font).answering("Not found"),
    ]
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Setting) => Refused::meteor("error-invalid-asset", "Invalid asset"),
        Refusal::Invalid { field: "asset", problem } => Refused::meteor("error-invalid-file-type", &problem),
        other => other.into(),
    }
}

async fn set(mut call: Call) -> Outcome {
    let mut form = Form::read(&mut call, MAX_ASSET).await?;
    let named = form.text("assetName").map(str::to_owned);
    let Some(file) = form.file.take() else {
        return Err(Refused::new("[No file uploaded]").kind("No file uploaded"));
    };
    // Old clients name the form's field after the asset.
    let name = named.unwrap_or_else(|| file.field.clone());
    call.chat().set_asset(call.actor()?, &name, &file.name, &file.bytes).await.map_err(refused)?;
    success(Value::Null)
}

async fn unset(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.chat().unset_asset(call.actor()?, body.need("assetName")?).await.map_err(refused)?;
    success(Value::Null)
}

/// `/assets/NAME.EXTENSION`: the workspace's picture, else the server's own.
async fn asset(call: Call) -> Outcome {
    let file = call.path("file");
    let (name, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    let mut answer = match call.chat().asset(name).await {
        Ok(Some((upload, bytes))) => {
            let tag = Some(upload.id.to_string());
            let cache = "public, max-age=3600".to_owned();
            let media_type = upload.media_type;
            Served { media_type, bytes, changed: upload.at, cache, expires: false, tag }.answer(&call.headers)
        }
        Ok(None) => own(&call, extension, 256),
        Err(_) => serve::not_found(),
    };
    answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(answer)
}

/// The mark, in the side that the file's name tells (`android-chrome-512x512.png`).
async fn logo(call: Call) -> Outcome {
    let name = call.path("file");
    let side = name.split(|c: char| !c.is_ascii_digit()).find_map(|n| n.parse().ok()).unwrap_or(256);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    Ok(own(&call, extension, side))
}

fn own(call: &Call, extension: &str, side: u32) -> axum::response::Response {
    let (media_type, bytes) = match extension {
        "svg" => ("image/svg+xml", draw::MARK_SVG.as_bytes().to_vec()),
        _ => ("image/png", draw::mark(side)),
    };
    let tag = Some(format!("mark-{side}-{}", media_type.len()));
    let cache = "public, max-age=86400".to_owned();
    let media_type = media_type.to_owned();
    Served { media_type, bytes, changed: Time(0), cache, expires: false, tag }.answer(&call.headers)
}

async fn font(call: Call) -> Outcome {
    if !call.path("file").ends_with(".woff2") {
        return Ok(serve::not_found());
    }
    let served = Served {
        media_type: "font/woff2".into(),
        bytes: FONT.to_vec(),
        changed: Time(0),
        cache: "public, max-age=86400".into(),
        expires: false,
        tag: Some("parlor".into()),
    };
    let mut answer = served.answer(&call.headers);
    answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(answer)
}
