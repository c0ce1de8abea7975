//! `/hooks/ID` and `/hooks/ID/TOKEN`: what other programs post, as Rocket.Chat, Slack and well-known services write it.

use axum::http::{StatusCode, header};
use parlor_core::{
    error::{Refusal, What},
    id::MessageId,
    integrations_in::{FIXED_CHANNEL, HookCall},
};
use serde_json::{Map, Value};

use super::{chat_draft::cards, hooks_services};
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("/hooks/{id}", Who::Anyone, r#"/none {"text":"hello"}"#, by_id).answering("Invalid integration"),
        post("/hooks/{id}/{token}", Who::Anyone, r#"/none/none {"text":"hello"}"#, by_token)
            .answering("Invalid integration"),
        // Old addresses carry the user's id between the two.
        post("/hooks/{id}/{user}/{token}", Who::Anyone, r#"/none/none/none {"text":"hello"}"#, by_token)
            .answering("Invalid integration"),
        get("/hooks/{id}", Who::Anyone, "/none", hint).answering("Post JSON"),
        get("/hooks/{id}/{token}", Who::Anyone, "/none/none", hint).answering("Post JSON"),
    ]
}

/// For people who open the address in a browser.
async fn hint(_call: Call) -> Outcome {
    Err(Refused::status(StatusCode::METHOD_NOT_ALLOWED, "Post JSON to this address: {\"text\": \"Hello\"}"))
}

async fn by_id(call: Call) -> Outcome {
    run(call, false).await
}

async fn by_token(call: Call) -> Outcome {
    run(call, true).await
}

async fn run(mut call: Call, with_token: bool) -> Outcome {
    let service = hooks_services::Service::of(&call.headers);
    let body = body(&mut call).await?;
    // A service says hello when an address is set up; there is nothing to post.
    let Some(said) = read(&body, service)? else { return success(Value::Null) };
    let token = with_token.then(|| call.path("token"));
    call.chat().call_hook(call.path("id"), token, said).await.map_err(refused)?;
    success(Value::Null)
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Integration) | Refusal::Deactivated => {
            Refused::status(StatusCode::NOT_FOUND, "Invalid integration id or token provided.")
        }
        Refusal::NotMember => Refused::new("error-not-allowed"),
        Refusal::NotFound(_) => Refused::meteor("invalid-channel", ""),
        Refusal::NotAllowed(FIXED_CHANNEL) => Refused::new(FIXED_CHANNEL),
        other => super::chat_draft::refused(other),
    }
}

/// The body as an object: JSON under any content type (people forget it), Slack's `payload` field, form fields, or
/// plain text.
async fn body(call: &mut Call) -> Result<Map<String, Value>, Refused> {
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (form, plain) = (kind.starts_with("application/x-www-form"), kind.starts_with("text/plain"));
    if form {
        let mut fields = call.object().await?;
        let Some(Value::String(payload)) = fields.remove("payload") else { return Ok(fields) };
        return match serde_json::from_str(&payload) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(Refused::invalid_params("payload must be a JSON object")),
        };
    }
    let bytes = call.bytes().await?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ if plain => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Ok(Map::from_iter([("text".to_owned(), Value::String(text))]))
        }
        Ok(_) => Err(Refused::invalid_params("must be object")),
        Err(_) => {
            Err(Refused::new("Invalid JSON in the request body [invalid-params]").kind("invalid-params"))
        }
    }
}

fn read(
    body: &Map<String, Value>,
    service: Option<hooks_services::Service>,
) -> Result<Option<HookCall>, Refused> {
    let text = |key: &str| match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(Refused::invalid_params(&format!("{key} must be string"))),
    };
    if let Some(service) = service.or_else(|| hooks_services::Service::told_by(body)) {
        let Some(said) = service.say(body) else { return Ok(None) };
        return Ok(Some(HookCall {
            text: said,
            alias: Some(service.name().to_owned()),
            ..HookCall::default()
        }));
    }
    let said = text("text")?.or(text("msg")?).unwrap_or_default();
    Ok(Some(HookCall {
        text: from_slack(&said),
        cards: cards(body)?.unwrap_or_default(),
        channels: [places(body, "roomId")?, places(body, "channel")?].concat(),
        alias: text("alias")?.or(text("username")?),
        avatar: text("avatar")?.or(text("icon_url")?),
        emoji: text("emoji")?.or(text("icon_emoji")?),
        thread: text("tmid")?.as_deref().map(MessageId::from),
    }))
}

fn places(body: &Map<String, Value>, key: &str) -> Result<Vec<String>, Refused> {
    let wrong = || Refused::invalid_params(&format!("{key} must be string"));
    match body.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(all)) => {
            let named: Result<Vec<_>, _> =
                all.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect();
            // An empty list is a choice too, and as little allowed where the room is fixed.
            named.map(|all| if all.is_empty() { vec![String::new()] } else { all })
        }
        Some(_) => Err(wrong()),
    }
}

/// Slack's links and addresses in the form that people write here: `<url|label>`, `<url>`, `<!channel>`, `<!here>`.
fn from_slack(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        said.push_str(before);
        let Some(end) = from.find('>').filter(|end| !from[..*end].contains('\n')) else {
            said.push('<');
            rest = &from[1..];
            continue;
        };
        let inner = &from[1..end];
        match inner.split_once('|') {
            Some((url, label)) if is_link(url) => said.push_str(&format!("[{label}]({url})")),
            None if is_link(inner) => said.push_str(inner),
            None if inner == "!channel" || inner == "!everyone" => said.push_str("@all"),
            None if inner == "!here" => said.push_str("@here"),
            _ => said.push_str(&from[..=end]),
        }
        rest = &from[end + 1..];
    }
    said.push_str(rest);
    said
}

fn is_link(text: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| text.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::from_slack;

    #[test]
    fn slacks_links_become_links_and_other_brackets_stay() {
        let pairs = [
            (
                "see <https://a.example|the page>, <https://b.example>",
                "see [the page](https://a.example), https://b.example",
            ),
            ("<!channel> and <!here>", "@all and @here"),
            ("1 < 2 and <b>bold</b>", "1 < 2 and <b>bold</b>"),
            ("<javascript:x|y> <", "<javascript:x|y> <"),
        ];
        for (slack, here) in pairs {
            assert_eq!(from_slack(slack), here);
        }
    }
}
