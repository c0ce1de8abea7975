//! `requests.batch`: several reading calls in one, for clients that are far from the server. Each is judged, counted and
//! answered as if it had come alone.

use std::{collections::HashMap, sync::OnceLock};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, Request, StatusCode, header, request::Parts},
    response::Response,
};
use futures_util::future::join_all;
use parlor_live::ClientAddress;

use crate::{
    call::Call,
    rates,
    refusal::Refused,
    route::{Outcome, Route, Verb, get},
    who::Who,
};

const NAME: &str = "requests.batch";
/// Calls in one request.
const MOST: usize = 12;
/// Bytes of one answer; a larger one has to be asked for alone.
const LARGEST: usize = 16 * 1024 * 1024;

pub(crate) fn routes() -> Vec<Route> {
    vec![get(NAME, Who::Anyone, "call=info", together)]
}

/// The calls that can stand in one: those that read, and answer in JSON by the name alone.
fn known(path: &str) -> Option<&'static Route> {
    static KNOWN: OnceLock<HashMap<String, Route>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let fits = |route: &Route| {
            let name = route.path.strip_prefix("/api/v1/");
            route.verb == Verb::Get && name.is_some_and(|name| name != NAME && !name.contains('{'))
        };
        super::all().into_iter().filter(fits).map(|route| (route.path.clone(), route)).collect()
    });
    known.get(path)
}

/// `call`, once for each: a name with its query (`rooms.get?updatedSince=…`).
async fn together(call: Call) -> Outcome {
    let calls = call.all("call");
    if calls.is_empty() || calls.len() > MOST {
        return Err(Refused::invalid_params(&format!("\"call\" must stand there 1 to {MOST} times")));
    }
    let answers = join_all(calls.iter().map(|one| alone(&call, one))).await;
    let mut text = Vec::from(&br#"{"success":true,"answers":["#[..]);
    for (at, (status, body)) in answers.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        text.extend_from_slice(format!("{comma}{{\"status\":{},\"body\":", status.as_u16()).as_bytes());
        text.extend_from_slice(body);
        text.push(b'}');
    }
    text.extend_from_slice(b"]}");
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// What one call is answered.
async fn alone(call: &Call, wanted: &str) -> (StatusCode, Vec<u8>) {
    let test_mode = call.door.config.test_mode;
    let answer = match asked(call, wanted).await {
        Ok(answer) => answer,
        Err(refused) => refused.response(test_mode),
    };
    let status = answer.status();
    let json = is_json(answer.headers());
    match to_bytes(answer.into_body(), LARGEST).await {
        Ok(body) if json => (status, body.into()),
        // A file, or too much of anything.
        _ => (StatusCode::PAYLOAD_TOO_LARGE, br#"{"success":false,"error":"error-ask-alone"}"#.to_vec()),
    }
}

async fn asked(call: &Call, wanted: &str) -> Outcome {
    let parts = parts(call, wanted)
        .ok_or_else(|| Refused::invalid_params("each \"call\" must be a name with its query"))?;
    let route = known(parts.uri.path()).ok_or_else(|| {
        Refused::invalid_params("a \"call\" must be one that reads, and not be a batch itself")
    })?;
    let inner = Call::admit(call.door.clone(), route, parts, Call::no_body(), &rates::Told::new()).await?;
    route.answer(inner).await
}

/// The request that would ask for it alone.
fn parts(call: &Call, wanted: &str) -> Option<Parts> {
    let (mut parts, ()) = Request::get(format!("/api/v1/{wanted}")).body(()).ok()?.into_parts();
    parts.headers = call.headers.clone();
    if let Some(address) = call.address {
        parts.extensions.insert(ClientAddress(address));
    }
    Some(parts)
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
