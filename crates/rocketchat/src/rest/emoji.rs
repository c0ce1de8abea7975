//! Custom emoji: `emoji-custom.*` and the pictures themselves.

use parlor_core::{
    clock::Time,
    customs::NewEmoji,
    error::{Refusal, What},
    event::CustomKind,
    store::Custom,
};
use serde_json::{Value, json};

use super::{form::Form, rooms_call::Body, settings::cut};
use crate::{
    call::{Call, success},
    date::{self, Dates, read},
    draw,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    serve, shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let managers = Who::May(&["manage-emoji"]);
    vec![
        get("emoji-custom.list", Who::User, "", list),
        get("emoji-custom.all", Who::User, "", all),
        post("emoji-custom.create", managers, r#"form emoji {"name":"$name","aliases":""}"#, create),
        post(
            "emoji-custom.update",
            managers,
            r#"form emoji {"_id":"$emoji","name":"$name","aliases":""}"#,
            update,
        ),
        post("emoji-custom.delete", managers, r#"{"emojiId":"$emoji"}"#, delete),
        get("/emoji-custom/", Who::Anyone, "", |_| async { Ok(serve::forbidden()) }).answering("Forbidden"),
        get("/emoji-custom/{name}", Who::Anyone, "/none.png", picture),
    ]
}

fn shown(all: &[Custom]) -> Vec<Value> {
    all.iter().map(|c| shape::custom::custom(c, Dates::Iso)).collect()
}

async fn list(call: Call) -> Outcome {
    let chat = call.chat();
    let (update, remove) = match call.since("updatedSince")? {
        Some(since) => {
            let (there, gone) = chat.customs_since(CustomKind::Emoji, since).await?;
            (shown(&there), gone.iter().map(|c| shape::custom::gone(c, Dates::Iso)).collect())
        }
        None => (shown(&chat.customs(CustomKind::Emoji).await?), Vec::new()),
    };
    let update = match changed_after(&call)? {
        None => update,
        Some(after) => {
            update.into_iter().filter(|it| read(&it["_updatedAt"]).is_none_or(|at| at > after)).collect()
        }
    };
    success(json!({ "emojis": { "update": update, "remove": remove } }))
}

/// After which moment an emoji must have changed: today's clients say it by itself, older ones within `query`.
fn changed_after(call: &Call) -> Result<Option<Time>, Refused> {
    let invalid = || Refused::invalid_params("_updatedAt must match format \"iso-date-time\"");
    if let Some(text) = call.param("_updatedAt") {
        return date::read_text(text).map(Some).ok_or_else(invalid);
    }
    let query = call.json_param("query")?.unwrap_or_default();
    let bound = query.get("_updatedAt").and_then(|at| at.get("$gt").or_else(|| at.get("$gte")));
    bound.map(|at| read(at).ok_or_else(invalid)).transpose()
}

/// A page of a kind's list, narrowed by `name` and `_id`.
pub(crate) async fn page_of(call: &Call, kind: CustomKind, key: &str) -> Outcome {
    let page = call.page()?;
    let all = call.chat().customs(kind).await?;
    let name = call.param("name").map(str::to_lowercase);
    let fits = |c: &&Custom| {
        name.as_ref().is_none_or(|name| c.name.to_lowercase().contains(name))
            && call.param("_id").is_none_or(|id| c.id == id)
    };
    let found: Vec<&Custom> = all.iter().filter(fits).collect();
    let items: Vec<Value> = cut(&found, page).iter().map(|c| shape::custom::custom(c, Dates::Iso)).collect();
    success(json!({ "count": items.len(), "offset": page.offset, "total": found.len(), key: items }))
}

async fn all(call: Call) -> Outcome {
    page_of(&call, CustomKind::Emoji, "emojis").await
}

fn aliases(form: &Form) -> Option<Vec<String>> {
    form.fields.get("aliases").map(|text| text.split(',').map(str::to_owned).collect())
}

async fn create(mut call: Call) -> Outcome {
    let mut form = Form::read(&mut call, parlor_core::customs::MAX_EMOJI).await?;
    let file = form.take_file("emoji")?;
    let name = form.text("name").ok_or_else(|| Refused::new("The \"name\" param is required"))?.to_owned();
    let image = Some((file.extension(), file.bytes));
    let wanted = NewEmoji { id: None, name, aliases: aliases(&form), image };
    call.chat().put_emoji(call.actor()?, wanted).await.map_err(refused)?;
    success(Value::Null)
}

async fn update(mut call: Call) -> Outcome {
    let mut form = Form::read(&mut call, parlor_core::customs::MAX_EMOJI).await?;
    let id = form
        .text("_id")
        .ok_or_else(|| Refused::meteor("The required \"_id\" query param is missing.", ""))?
        .to_owned();
    let image = match form.file {
        Some(_) => Some(form.take_file("emoji").map(|file| (file.extension(), file.bytes))?),
        None => None,
    };
    let before = call.chat().customs(CustomKind::Emoji).await?.iter().find(|c| c.id == id).cloned();
    let before = before.ok_or_else(|| Refused::meteor("Emoji not found.", ""))?;
    let name = form.text("name").map_or(before.name, str::to_owned);
    let wanted = NewEmoji { id: Some(id), name, aliases: aliases(&form), image };
    call.chat().put_emoji(call.actor()?, wanted).await.map_err(refused)?;
    success(Value::Null)
}

async fn delete(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.text("emojiId")?.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Refused::new("The \"emojiId\" params is required!"))?;
    call.chat().remove_custom(call.actor()?, CustomKind::Emoji, id).await.map_err(refused)?;
    success(Value::Null)
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Taken { .. } => Refused::meteor(
            "Custom_Emoji_Error_Name_Or_Alias_Already_In_Use",
            "The custom emoji or one of its aliases is already in use",
        ),
        Refusal::NotFound(What::Emoji) => {
            Refused::meteor("Custom_Emoji_Error_Invalid_Emoji", "Invalid emoji")
        }
        Refusal::Invalid { field: "name" | "aliases", problem } => {
            Refused::meteor("error-input-is-not-a-valid-field", &problem)
        }
        Refusal::Invalid { field: "image", .. } => Refused::meteor(
            "emoji-is-not-image",
            "Emoji file provided cannot be uploaded since it's not an image",
        ),
        other => other.into(),
    }
}

/// By name or alias, whatever the extension; unknown ones are a grey question mark.
async fn picture(call: Call) -> Outcome {
    let wanted = call.path("name");
    let name = wanted.rsplit_once('.').map_or(wanted, |(name, _)| name);
    let all = call.chat().customs(CustomKind::Emoji).await?;
    let found = all.iter().find(|c| c.name == name || c.aliases.iter().any(|alias| alias == name));
    let Some((emoji, upload)) = found.and_then(|c| Some((c, c.upload.as_ref()?))) else {
        return Ok(serve::Served::unknown_picture(draw::unknown()).answer(&call.headers));
    };
    let Ok((file, bytes)) = call.chat().public_bytes(upload).await else {
        return Ok(serve::Served::unknown_picture(draw::unknown()).answer(&call.headers));
    };
    let served = serve::Served {
        media_type: file.media_type,
        bytes,
        changed: emoji.updated_at,
        cache: "public, max-age=31536000".into(),
        expires: false,
        tag: None,
    };
    Ok(served.answer(&call.headers))
}
