//! `autotranslate.*`: the server has no translator. It keeps who wants which room in which language, for clients.

use parlor_core::{
    error::{Refusal, State, What},
    id::{MessageId, RoomId},
    membership::Translation,
};
use serde_json::{Value, json};

use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    rest::{chat_draft::seen, rooms_call::Body},
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let off = "AutoTranslate is disabled";
    // The core asks for `auto-translate`, and says so with 400.
    let may = Who::User;
    vec![
        get("autotranslate.getSupportedLanguages", may, "targetLanguage=en", languages).answering(off),
        post("autotranslate.saveSettings", may, "", save).answering(off),
        post("autotranslate.translateMessage", Who::User, "", translate).answering(off),
    ]
}

fn switched_on(call: &Call) -> Result<(), Refused> {
    let on = call.chat().settings().is_on("AutoTranslate_Enabled");
    if on { Ok(()) } else { Err(Refused::new("AutoTranslate is disabled.")) }
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("auto-translate") => {
            Refused::meteor("error-action-not-allowed", "Auto-Translate is not allowed")
        }
        Refusal::NotFound(_) => Refused::meteor("error-invalid-subscription", "Invalid subscription"),
        Refusal::State(State::Encrypted) => {
            Refused::meteor("error-e2e-enabled", "Encrypted rooms can't be translated")
        }
        other => other.into(),
    }
}

async fn languages(call: Call) -> Outcome {
    switched_on(&call)?;
    call.chat().require(call.actor()?, "auto-translate", None).await.map_err(refused)?;
    success(json!({ "languages": [] }))
}

async fn save(mut call: Call) -> Outcome {
    switched_on(&call)?;
    let body = Body::of(&mut call).await?;
    let needed = |key: &str| Refused::new(format!("The bodyParam \"{key}\" is required."));
    let room = body.text("roomId")?.filter(|id| !id.is_empty()).ok_or_else(|| needed("roomId"))?;
    let field = body.text("field")?.filter(|field| !field.is_empty()).ok_or_else(|| needed("field"))?;
    let wish = match (field, body.0.get("value")) {
        ("autoTranslate", Some(Value::Bool(on))) => Translation { on: Some(*on), ..Translation::default() },
        ("autoTranslateLanguage", Some(Value::String(language))) => {
            Translation { on: None, language: language.clone() }
        }
        ("autoTranslateLanguage", _) => {
            return Err(Refused::new("The bodyParam \"autoTranslateLanguage\" must be a string."));
        }
        ("autoTranslate", _) => {
            return Err(Refused::new("The bodyParam \"autoTranslate\" must be a boolean."));
        }
        _ => return Err(Refused::new("The bodyParam \"field\" is invalid.")),
    };
    let otherwise = body.text("defaultLanguage")?.map(str::to_owned);
    let unknown = || refused(Refusal::NotFound(What::Membership));
    let room = RoomId::parse(room).ok_or_else(unknown)?;
    call.chat().set_translation(call.actor()?, &room, wish, otherwise).await.map_err(refused)?;
    success(Value::Null)
}

/// The message as it is: nobody here knows another language.
async fn translate(mut call: Call) -> Outcome {
    switched_on(&call)?;
    let body = Body::of(&mut call).await?;
    let missing = || Refused::new("The bodyParam \"messageId\" is required.");
    let id = body.text("messageId")?.filter(|id| !id.is_empty()).ok_or_else(missing)?;
    let none = || Refused::new("Message not found.");
    let id = MessageId::parse(id).ok_or_else(none)?;
    let message = call.chat().message(call.actor()?, &id).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => none(),
        other => other.into(),
    })?;
    success(json!({ "message": seen(call.chat(), call.actor()?, &message, Dates::Iso).await? }))
}
