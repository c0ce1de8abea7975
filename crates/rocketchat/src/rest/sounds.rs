//! Custom sounds: `custom-sounds.*`, their methods, and the files themselves.

use parlor_core::{
    customs::{MAX_SOUND, NewSound},
    error::{Refusal, What},
    event::CustomKind,
};
use serde_json::{Value, json};

use super::{emoji::page_of, form::Form, rooms_call::Body};
use crate::{
    call::{Call, success},
    date::Dates,
    method::{Answer, Invocation, Method, method, mismatch},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    serve, shape,
    who::Who,
};

const MANAGERS: Who = Who::May(&["manage-sounds"]);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("custom-sounds.list", Who::User, "", |call| async move {
            page_of(&call, CustomKind::Sound, "sounds").await
        }),
        get("custom-sounds.getOne", Who::User, "_id=$sound", get_one),
        post("custom-sounds.create", MANAGERS, r#"form sound {"name":"$name","extension":"mp3"}"#, create),
        post(
            "custom-sounds.update",
            MANAGERS,
            r#"form sound {"_id":"$sound","name":"$name","extension":"mp3","newFile":"false"}"#,
            create,
        ),
        post("custom-sounds.delete", MANAGERS, r#"{"_id":"$sound"}"#, delete),
        get("/custom-sounds/", Who::Anyone, "", |_| async { Ok(serve::forbidden()) }).answering("Forbidden"),
        get("/custom-sounds/{file}", Who::Anyone, "/none.mp3", file).answering("Not found"),
    ]
}

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method("listCustomSounds", Who::User, "[]", list_all),
        method(
            "insertOrUpdateSound",
            MANAGERS,
            r#"[{"name":"$name","extension":"mp3","newFile":true}]"#,
            insert,
        ),
        method("uploadCustomSound", MANAGERS, r#"["","audio/mp3",{"_id":"none"}]"#, upload)
            .answering("error-input-is-not-a-valid-field"),
        method("deleteCustomSound", MANAGERS, r#"["$sound"]"#, remove),
    ]
}

async fn get_one(call: Call) -> Outcome {
    let id = call.need("_id")?;
    let all = call.chat().customs(CustomKind::Sound).await?;
    let found = all.iter().find(|c| c.id == id).ok_or_else(|| Refused::new("Custom Sound not found."))?;
    success(json!({ "sound": shape::custom::custom(found, Dates::Iso) }))
}

async fn create(mut call: Call) -> Outcome {
    let mut form = Form::read(&mut call, MAX_SOUND).await?;
    let file = match form.file {
        Some(_) => Some(form.take_file("sound")?),
        None => None,
    };
    let told = form.text("extension").map(str::to_owned);
    let wanted = NewSound {
        id: form.text("_id").map(str::to_owned),
        name: form.text("name").ok_or_else(|| Refused::missing("name"))?.to_owned(),
        extension: told.or(file.as_ref().map(|f| f.extension())).unwrap_or_default(),
        bytes: file.map(|f| f.bytes),
    };
    let made = call.chat().put_sound(call.actor()?, wanted).await.map_err(refused)?;
    success(json!({ "sound": shape::custom::custom(&made, Dates::Iso) }))
}

async fn delete(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.need("_id")?;
    call.chat().remove_custom(call.actor()?, CustomKind::Sound, id).await.map_err(refused)?;
    success(Value::Null)
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Taken { .. } => Refused::meteor(
            "Custom_Sound_Error_Name_Already_In_Use",
            "The custom sound name is already in use",
        ),
        Refusal::NotFound(What::Sound) => {
            Refused::meteor("Custom_Sound_Error_Invalid_Sound", "Invalid sound")
        }
        Refusal::Invalid { problem, .. } => Refused::meteor("error-input-is-not-a-valid-field", &problem),
        other => other.into(),
    }
}

async fn list_all(invocation: Invocation) -> Answer {
    let all = invocation.chat().customs(CustomKind::Sound).await?;
    Ok(all.iter().map(|c| shape::custom::custom(c, Dates::Ejson)).collect::<Vec<_>>().into())
}

fn read(sound: &serde_json::Map<String, Value>) -> Result<NewSound, Refused> {
    let text = |key: &str| match sound.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        other => Err(mismatch("string", other)),
    };
    Ok(NewSound {
        id: text("_id")?.filter(|id| !id.is_empty()),
        name: text("name")?.unwrap_or_default(),
        extension: text("extension")?.unwrap_or_default(),
        bytes: None,
    })
}

/// Gives the id, by which the bytes follow in a call of `uploadCustomSound`.
async fn insert(invocation: Invocation) -> Answer {
    let wanted = read(invocation.object(0)?)?;
    let made = invocation.chat().put_sound(invocation.actor()?, wanted).await.map_err(refused)?;
    Ok(made.id.into())
}

/// The bytes as text, one character a byte.
async fn upload(invocation: Invocation) -> Answer {
    let binary = invocation.text(0)?;
    let sound = invocation.object(2)?;
    let byte = |c: char| u8::try_from(u32::from(c)).map_err(|_| mismatch("string", None));
    let bytes = binary.chars().map(byte).collect::<Result<Vec<u8>, Refused>>()?;
    let mut wanted = NewSound { bytes: Some(bytes), ..read(sound)? };
    if wanted.id.is_none() {
        let all = invocation.chat().customs(CustomKind::Sound).await?;
        wanted.id = all.iter().find(|c| c.name == wanted.name).map(|c| c.id.clone());
    }
    invocation.chat().put_sound(invocation.actor()?, wanted).await.map_err(refused)?;
    Ok(Value::Null)
}

async fn remove(invocation: Invocation) -> Answer {
    let id = invocation.text(0)?;
    invocation.chat().remove_custom(invocation.actor()?, CustomKind::Sound, id).await.map_err(refused)?;
    Ok(true.into())
}

/// By id (some clients: by name), whatever the extension.
async fn file(call: Call) -> Outcome {
    let wanted = call.path("file");
    let id = wanted.rsplit_once('.').map_or(wanted, |(id, _)| id);
    let all = call.chat().customs(CustomKind::Sound).await?;
    let found = all.iter().find(|c| c.id == id).and_then(|c| Some((c, c.upload.as_ref()?)));
    let Some((sound, upload)) = found else { return Ok(serve::not_found()) };
    let Ok((_, bytes)) = call.chat().public_bytes(upload).await else { return Ok(serve::not_found()) };
    let media_type = match sound.extension.as_str() {
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        _ => "audio/mpeg",
    };
    let served = serve::Served {
        media_type: media_type.into(),
        bytes,
        changed: sound.updated_at,
        cache: "public, max-age=0".into(),
        expires: true,
        tag: None,
    };
    Ok(served.answer(&call.headers))
}
