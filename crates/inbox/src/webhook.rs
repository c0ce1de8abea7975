//! Webhooks in: what another program tells a team, in the shape of Rocket.Chat's outgoing webhooks.

use parlor_core::{error::Refusal, messages::Draft};
use parlor_host::{
    call::{Answer, Call, answer},
    caller::Caller,
    problem::Problem,
};
use serde_json::{Map, Value, json};

use crate::{
    acting::{Known, check_name, for_webhook},
    send::{SUPPORT, renamed},
};

/// `POST /api/chat/webhook`: with the application's key in the header, or as `token` in the body.
pub(crate) async fn webhook(mut call: Call) -> Answer {
    let by_header = call.caller().map(|caller| matches!(caller, Caller::App));
    if matches!(by_header, Ok(false)) {
        return Err(Problem::invalid_token());
    }
    let body = match call.object().await {
        Ok(body) => body,
        // Without a proof nothing else is answered.
        Err(problem) => return Err(by_header.map_or_else(|refused| refused, |_| problem)),
    };
    if let Err(refused) = by_header {
        let token = body.get("token").and_then(Value::as_str);
        if !token.is_some_and(|token| call.host.is_app_key(token)) {
            return Err(refused);
        }
    }
    let told = read(&body)?;
    post(&call, told).await?;
    answer(200, &json!({ "success": true }))
}

struct Told {
    user: String,
    text: String,
    team: String,
    id: Option<String>,
}

/// What is written at a place of the body; nothing where there is none, or only white space.
fn text_at(body: &Map<String, Value>, field: &str, pointer: &str) -> Result<Option<String>, Problem> {
    let mut value = body.get(field).unwrap_or(&Value::Null);
    for key in pointer.split('/').skip(1) {
        value = match (value, key.parse::<usize>()) {
            (Value::Object(object), Err(_)) => object.get(key),
            (Value::Array(list), Ok(place)) => list.get(place),
            (Value::Null, _) => None,
            (_, Ok(_)) => return Err(Problem::invalid(field, "must be a list of objects")),
            (_, Err(_)) => return Err(Problem::invalid(field, "must be an object")),
        }
        .unwrap_or(&Value::Null);
    }
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
        _ => Err(Problem::invalid(format!("{field}{}", pointer.replace('/', ".")), "must be a string")),
    }
}

fn read(body: &Map<String, Value>) -> Result<Told, Problem> {
    let (named, called) = (text_at(body, "user", "/name")?, text_at(body, "user_name", "")?);
    let (shown, said) = (text_at(body, "attachments", "/0/text")?, text_at(body, "text", "")?);
    let (user, text) = (named.or(called), shown.or(said));
    let user = user.ok_or_else(|| Problem::invalid("user.name", "is required"))?;
    check_name("body", "user.name", &user)?;
    let text = text.ok_or_else(|| Problem::invalid("attachments[0].text", "is required"))?;
    let team = text_at(body, "channel_name", "")?.unwrap_or_else(|| "general".to_owned());
    let id = text_at(body, "message_id", "")?;
    Ok(Told { user, text, team: team.trim_start_matches('#').to_owned(), id })
}

async fn post(call: &Call, told: Told) -> Result<(), Problem> {
    let chat = call.host.chat();
    // What comes back from here is not posted again.
    if let Some(id) = &told.id
        && chat.holds_message(id).await?
    {
        return Ok(());
    }
    let who = for_webhook(&call.host, &told.user, Known::default()).await?;
    let client_id = told.id.filter(|id| is_client_id(id));
    let draft = Draft { text: told.text, client_id, from_host: true, ..Draft::default() };
    let refused = |refusal: Refusal| renamed(refusal.into());
    // As when sending: the name stands for the user's own case, never for a channel that everybody reads.
    if told.team.eq_ignore_ascii_case(SUPPORT) {
        return chat.send_to_support(&who.actor, None, draft).await.map(drop).map_err(refused);
    }
    let room = chat.join_team_channel(&who.actor, &told.team).await.map_err(refused)?;
    chat.post(&who.actor, Draft { room: Some(room.id.clone()), ..draft }).await.map(drop).map_err(refused)
}

fn is_client_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_names_who_and_what_in_two_ways() {
        let read = |body: Value| read(body.as_object().unwrap());
        let told = read(json!({"user": {"name": "alice"}, "attachments": [{"text": "done"}]})).unwrap();
        assert_eq!((&*told.user, &*told.text, &*told.team), ("alice", "done", "general"));
        let told = read(json!({"user_name": "bob", "text": "x", "channel_name": "#crew"})).unwrap();
        assert_eq!((&*told.user, &*told.text, &*told.team), ("bob", "x", "crew"));
        for bad in [
            json!({}),
            json!({"user": {"name": "a"}}),
            json!({"user": "a", "text": "x"}),
            json!({"user": {"name": {"$ne": 1}}, "text": "x"}),
            json!({"user": {"name": "a"}, "attachments": "x"}),
            json!({"user": {"name": "a"}, "attachments": ["x"], "text": "x"}),
            json!({"user": 5, "user_name": "a", "text": "x"}),
            json!({"user": {"name": "a"}, "text": "x", "channel_name": 5}),
            json!({"user": {"name": "a"}, "text": "x", "message_id": 5}),
        ] {
            assert!(read(bad).is_err());
        }
    }
}
