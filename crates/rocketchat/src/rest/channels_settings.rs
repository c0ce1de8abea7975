//! `channels.*` and `groups.*`: what a room is called and how it behaves.

use std::sync::Arc;

use parlor_core::{
    error::{Refusal, State},
    json::Json,
    room::{Room, RoomKind},
    room_settings::RoomChange,
    rooms::RoomRef,
};
use serde_json::{Value, json};

use super::rooms_call::{Body, Family, refuse};
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let mut all: Vec<Route> = [Family::Channels, Family::Groups].into_iter().flat_map(of_family).collect();
    let edit = Who::MayInRoom(&["edit-room"]);
    let toggle = Who::MayInRoom(&["toggle-room-e2e-encryption"]);
    all.push(post(
        "channels.setDefault",
        Who::May(&["view-room-administration"]),
        r#"{"roomId":"$public","default":true}"#,
        set_default,
    ));
    all.push(post("channels.setJoinCode", edit, r#"{"roomId":"$public","joinCode":"abc"}"#, set_join_code));
    all.push(post("groups.setEncrypted", toggle, r#"{"roomId":"$private","encrypted":true}"#, set_encrypted));
    all
}

/// A sample for the family's room with more keys.
macro_rules! sample {
    ($family:expr, $rest:literal) => {
        $family.pick(
            concat!(r#"{"roomId":"$public""#, $rest, "}"),
            concat!(r#"{"roomId":"$private""#, $rest, "}"),
        )
    };
}

fn of_family(f: Family) -> Vec<Route> {
    let edit = Who::MayInRoom(&["edit-room"]);
    let set = |name: &str, key: &'static str, sample, change: fn(String) -> RoomChange| {
        post(&f.path(name), edit, sample, move |call| set_text(f, call, key, change))
    };
    vec![
        set("setTopic", "topic", sample!(f, r#","topic":"t""#), RoomChange::Topic),
        set("setDescription", "description", sample!(f, r#","description":"d""#), RoomChange::Description),
        set("setPurpose", "purpose", sample!(f, r#","purpose":"p""#), RoomChange::Description),
        set(
            "setAnnouncement",
            "announcement",
            sample!(f, r#","announcement":"a""#),
            RoomChange::Announcement,
        ),
        post(&f.path("rename"), edit, sample!(f, r#","name":"$name""#), move |call| rename(f, call)),
        post(&f.path("setCustomFields"), edit, sample!(f, r#","customFields":{"a":1}"#), move |call| {
            set_custom_fields(f, call)
        }),
        post(&f.path("setReadOnly"), Who::MayInRoom(&["set-readonly"]), sample!(f, r#","readOnly":true"#), {
            move |call| set_read_only(f, call)
        }),
        post(
            &f.path("setType"),
            edit,
            f.pick(r#"{"roomId":"$public","type":"p"}"#, r#"{"roomId":"$private","type":"c"}"#),
            move |call| set_type(f, call),
        ),
        post(&f.path("archive"), Who::MayInRoom(&["archive-room"]), sample!(f, ""), move |call| {
            archive(f, call, true)
        }),
        post(&f.path("unarchive"), Who::MayInRoom(&["unarchive-room"]), sample!(f, ""), move |call| {
            archive(f, call, false)
        })
        .answering("is not archived"),
    ]
}

/// Makes one change and gives the room as it is then.
async fn change(call: &Call, room: &Arc<Room>, change: RoomChange) -> Result<Arc<Room>, Refused> {
    call.chat().change_room(call.actor()?, RoomRef::Id(&room.id), &[change]).await.map_err(refuse_change)
}

/// A refusal of a change, in the words of the room settings.
pub(crate) fn refuse_change(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Reserved(name) => {
            Refused::meteor("error-field-unavailable", &format!("{name} is already in use :("))
        }
        Refusal::NotAllowed(_) => Refused::meteor("error-action-not-allowed", "Not allowed"),
        Refusal::State(State::DefaultRoom) => Refused::meteor(
            "error-action-not-allowed",
            "Cannot change the type of a default channel to private",
        ),
        other => refuse(other),
    }
}

async fn set_text(f: Family, mut call: Call, key: &'static str, make: fn(String) -> RoomChange) -> Outcome {
    let body = Body::of(&mut call).await?;
    let text = match body.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(Refused::invalid_params("must be string")),
        None => return Err(Refused::new(format!("The bodyParam \"{key}\" is required"))),
    };
    let room = f.living(&call, &body).await?;
    change(&call, &room, make(text.clone())).await?;
    success(json!({ key: text }))
}

async fn rename(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let name = match body.text("name")?.map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => return Err(Refused::new("The bodyParam \"name\" is required")),
    };
    let room = f.living(&call, &body).await?;
    if room.shown_name() == name {
        let text = format!("The {} name is the same as what it would be renamed to.", f.word());
        return Err(Refused::new(text));
    }
    let room = change(&call, &room, RoomChange::Name(name)).await?;
    f.answer(&call, &room).await
}

async fn set_custom_fields(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let Some(fields @ Value::Object(_)) = body.get("customFields") else {
        return Err(Refused::new("The bodyParam \"customFields\" is required with a type like object."));
    };
    let room = f.living(&call, &body).await?;
    let room = change(&call, &room, RoomChange::CustomFields(Json::new(fields.to_string()))).await?;
    f.answer(&call, &room).await
}

async fn set_read_only(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let Some(on) = body.flag("readOnly")? else {
        return Err(Refused::new("The bodyParam \"readOnly\" is required"));
    };
    let room = f.living(&call, &body).await?;
    if room.read_only == on {
        let text = format!("The {} read only setting is the same as what it would be changed to.", f.word());
        return Err(Refused::new(text));
    }
    let room = change(&call, &room, RoomChange::ReadOnly(on)).await?;
    f.answer(&call, &room).await
}

async fn set_type(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let kind = match body.text("type")? {
        Some("c") => RoomKind::Channel,
        Some("p") => RoomKind::Group,
        Some(text) if !text.is_empty() => {
            return Err(Refused::meteor("error-invalid-room-type", "error-invalid-room-type"));
        }
        _ => return Err(Refused::new("The bodyParam \"type\" is required")),
    };
    let room = f.living(&call, &body).await?;
    if room.kind == kind {
        let text = format!("The {} type is the same as what it would be changed to.", f.word());
        return Err(Refused::new(text));
    }
    let room = change(&call, &room, RoomChange::Kind(kind)).await?;
    // A group that became a channel is still answered as the group it was asked as.
    f.answer(&call, &room).await
}

async fn archive(f: Family, mut call: Call, on: bool) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = if on { f.living(&call, &body).await? } else { f.named(&call, &body).await? };
    if !on && !room.archived {
        return Err(Refused::new(format!("The {}, {}, is not archived", f.word(), room.shown_name())));
    }
    let done =
        call.chat().change_room(call.actor()?, RoomRef::Id(&room.id), &[RoomChange::Archived(on)]).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotAllowed(_) => Refused::meteor("error-not-authorized", "Not authorized"),
        other => refuse(other),
    })?;
    success(Value::Null)
}

async fn set_default(mut call: Call) -> Outcome {
    let f = Family::Channels;
    let body = Body::of(&mut call).await?;
    let Some(on) = body.flag("default")? else {
        return Err(
            Refused::new("The bodyParam \"default\" is required").kind("error-channels-setdefault-is-same")
        );
    };
    let room = f.living(&call, &body).await?;
    if room.default == on {
        let text = "The channel default setting is the same as what it would be changed to.";
        return Err(Refused::new(text).kind("error-channels-setdefault-missing-default-param"));
    }
    let room = change(&call, &room, RoomChange::Default(on)).await?;
    f.answer(&call, &room).await
}

async fn set_join_code(mut call: Call) -> Outcome {
    let f = Family::Channels;
    let body = Body::of(&mut call).await?;
    let code = match body.text("joinCode")?.map(str::trim) {
        Some(code) if !code.is_empty() => code.to_owned(),
        _ => return Err(Refused::new("The bodyParam \"joinCode\" is required")),
    };
    let room = f.living(&call, &body).await?;
    let room = change(&call, &room, RoomChange::JoinCode(Some(code))).await?;
    f.answer(&call, &room).await
}

async fn set_encrypted(mut call: Call) -> Outcome {
    let f = Family::Groups;
    let body = Body::of(&mut call).await?;
    let Some(Value::Bool(on)) = body.get("encrypted") else {
        return Err(Refused::new("The bodyParam \"encrypted\" is required"));
    };
    let room = f.living(&call, &body).await?;
    let room = change(&call, &room, RoomChange::Encrypted(*on)).await?;
    f.answer(&call, &room).await
}
