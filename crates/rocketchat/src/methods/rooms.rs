//! Methods about rooms: making, finding, changing, ending.

use parlor_core::{
    chat::Chat,
    discussions::NewDiscussion,
    error::{Refusal, What},
    id::{MessageId, RoomId},
    json::Json,
    room::{Room, RoomKind},
    room_settings::RoomChange,
    rooms::RoomRef,
    rooms_create::NewRoom,
    session::Actor,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use crate::{
    date::{self, Dates},
    method::{Answer, Invocation, Method, method, mismatch},
    refusal::Refused,
    rest::{
        channels_settings::refuse_change,
        discussions::refuse_discussion,
        rooms::my_rooms,
        rooms_call::{Body, refuse, texts},
        rooms_settings::{notify_change, save_room},
        subscriptions::my_subscriptions,
    },
    shape,
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    let edit = Who::Holder(&["edit-room"]);
    vec![
        method("rooms/get", Who::User, "[]", rooms_get),
        method("subscriptions/get", Who::User, "[]", subscriptions_get),
        method("createChannel", Who::May(&["create-c"]), r#"["$name",[]]"#, |call| {
            create(call, RoomKind::Channel)
        }),
        method("createPrivateGroup", Who::May(&["create-p"]), r#"["$name",[]]"#, |call| {
            create(call, RoomKind::Group)
        }),
        method("createDirectMessage", Who::User, r#"["$username"]"#, create_direct),
        method(
            "createDiscussion",
            Who::Member,
            r#"[{"prid":"$private","t_name":"$name"}]"#,
            create_discussion,
        ),
        method("getRoomByTypeAndName", Who::Reader, r#"["p","$private"]"#, by_type_and_name),
        method("getRoomIdByNameOrId", Who::Reader, r#"["$private"]"#, id_by_name),
        method("getRoomNameById", Who::Reader, r#"["$private"]"#, name_by_id),
        method("getRoomById", Who::Reader, r#"["$private"]"#, by_id),
        method("canAccessRoom", Who::Reader, r#"["$private"]"#, by_id),
        method("roomNameExists", Who::User, r#"["general"]"#, name_exists),
        method("saveRoomSettings", edit, r#"["$private",{"roomTopic":"t"}]"#, save_settings),
        method(
            "saveNotificationSettings",
            Who::Member,
            r#"["$private","desktopNotifications","all"]"#,
            notify,
        ),
        method("saveAudioNotificationValue", Who::Member, r#"["$private","beep"]"#, notify_sound),
        method("archiveRoom", Who::Holder(&["archive-room"]), r#"["$private"]"#, |call| archive(call, true)),
        method("unarchiveRoom", Who::MayInRoom(&["unarchive-room"]), r#"["$private"]"#, |call| {
            archive(call, false)
        }),
        method("eraseRoom", Who::Holder(&["delete-c", "delete-p"]), r#"["$private"]"#, erase),
    ]
}

/// The id in a parameter; what is no id belongs to no room.
pub(super) fn room_id(call: &Invocation, index: usize) -> Result<RoomId, Refused> {
    RoomId::parse(call.text(index)?).ok_or_else(invalid_room)
}

pub(super) fn invalid_room() -> Refused {
    Refused::meteor("error-invalid-room", "Invalid room")
}

/// A refusal as methods say it: unknown rooms are invalid.
pub(super) fn refuse_method(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Room) => invalid_room(),
        other => refuse(other),
    }
}

/// A parameter that must be an object, read like a body.
pub(super) fn object(call: &Invocation, index: usize) -> Result<Body, Refused> {
    Ok(Body(call.object(index)?.clone()))
}

async fn rooms_get(call: Invocation) -> Answer {
    let since = call.param(0).and_then(date::read);
    let (update, remove) = my_rooms(call.chat(), call.actor()?, since, Dates::Ejson).await?;
    Ok(if since.is_some() { json!({ "update": update, "remove": remove }) } else { update.into() })
}

async fn subscriptions_get(call: Invocation) -> Answer {
    let since = call.param(0).and_then(date::read);
    let (update, remove) = my_subscriptions(call.chat(), call.actor()?, since, Dates::Ejson).await?;
    Ok(if since.is_some() { json!({ "update": update, "remove": remove }) } else { update.into() })
}

async fn create(call: Invocation, kind: RoomKind) -> Answer {
    let mut wanted = NewRoom::new(kind, call.text(0)?);
    wanted.members = match call.param(1) {
        None => Vec::new(),
        Some(Value::Array(items)) => texts(items)?,
        other => return Err(mismatch("array", other)),
    };
    wanted.read_only = call.param(2).and_then(Value::as_bool).unwrap_or_default();
    if let Some(fields @ Value::Object(_)) = call.param(3) {
        wanted.custom_fields = Json::new(fields.to_string());
    }
    if let Some(Value::Object(extra)) = call.param(4) {
        let extra = Body(extra.clone());
        wanted.broadcast = extra.flag("broadcast")?.unwrap_or_default();
        wanted.encrypted = extra.flag("encrypted")?;
        wanted.topic = extra.text("topic")?.unwrap_or_default().to_owned();
        wanted.team = extra.text("teamId")?.map(|team| team.into());
    }
    let room = call.chat().create_room(call.actor()?, wanted).await.map_err(refuse_method)?;
    let mut value = written(call.chat(), call.actor()?, &room).await?;
    value["rid"] = room.id.as_str().into();
    Ok(value)
}

async fn written(chat: &Chat, actor: &Actor, room: &Arc<Room>) -> Result<Value, Refused> {
    Ok(shape::room::current(chat, actor, room, Dates::Ejson).await?)
}

async fn create_direct(call: Invocation) -> Answer {
    let names: Vec<String> = call
        .params
        .iter()
        .map_while(Value::as_str)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        return Err(Refused::meteor("error-invalid-user", "Invalid user"));
    }
    let without_me = call.params.contains(&Value::Bool(true));
    let made = call.chat().direct_room(call.actor()?, &names, without_me).await;
    let (room, inserted) = made.map_err(refuse_method)?;
    let mut value = written(call.chat(), call.actor()?, &room).await?;
    value["rid"] = room.id.as_str().into();
    value["inserted"] = inserted.into();
    Ok(value)
}

async fn create_discussion(call: Invocation) -> Answer {
    let body = object(&call, 0)?;
    let about = match body.text("pmid")? {
        Some(id) => Some(
            MessageId::parse(id)
                .ok_or_else(|| Refused::meteor("error-invalid-message", "Invalid message"))?,
        ),
        None => None,
    };
    let wanted = NewDiscussion {
        parent: RoomId::parse(body.need("prid")?).ok_or_else(invalid_room)?,
        about,
        title: body.need("t_name")?.to_owned(),
        reply: body.text("reply")?.unwrap_or_default().to_owned(),
        users: body.list("users")?.unwrap_or_default(),
        encrypted: body.flag("encrypted")?.unwrap_or_default(),
    };
    let room = call.chat().start_discussion(call.actor()?, wanted).await.map_err(refuse_discussion)?;
    let mut value = written(call.chat(), call.actor()?, &room).await?;
    value["rid"] = room.id.as_str().into();
    Ok(value)
}

async fn by_type_and_name(call: Invocation) -> Answer {
    let text = |index| call.param(index).and_then(Value::as_str).ok_or_else(invalid_room);
    let (letter, name) = (text(0)?, text(1)?);
    let actor = call.actor()?;
    let found = if letter == "d" {
        match call.chat().find_room(actor, RoomRef::Id(name)).await {
            Err(Refusal::NotFound(_)) => {
                let there = call.chat().existing_direct_room(actor, name).await?;
                there.ok_or(Refusal::NotFound(What::Room))
            }
            found => found,
        }
    } else {
        call.chat().find_room(actor, RoomRef::Any(name)).await
    };
    let room = found.map_err(refuse_method)?;
    if shape::room::letter(room.kind) != letter {
        return Err(invalid_room());
    }
    written(call.chat(), call.actor()?, &room).await
}

async fn found(call: &Invocation) -> Result<Arc<Room>, Refused> {
    let found = call.chat().find_room(call.actor()?, RoomRef::Any(call.text(0)?)).await;
    found.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-not-allowed", "Not allowed"),
        other => refuse_method(other),
    })
}

async fn id_by_name(call: Invocation) -> Answer {
    Ok(found(&call).await?.id.as_str().into())
}

async fn name_by_id(call: Invocation) -> Answer {
    let room = found(&call).await?;
    Ok(room.name.as_deref().map_or(Value::Null, Value::from))
}

async fn by_id(call: Invocation) -> Answer {
    let room = found(&call).await?;
    written(call.chat(), call.actor()?, &room).await
}

async fn name_exists(call: Invocation) -> Answer {
    let name = call.text(0)?;
    Ok(call.chat().room_name_exists(call.actor()?, name).await?.into())
}

/// `(rid, settings)` or `(rid, key, value)`.
async fn save_settings(call: Invocation) -> Answer {
    let rid = call.text(0)?;
    let body = match call.params.get(1) {
        Some(Value::Object(settings)) => Body(settings.clone()),
        Some(Value::String(key)) => {
            let value = call.params.get(2).cloned().unwrap_or_default();
            Body(Map::from_iter([(key.clone(), value)]))
        }
        other => return Err(mismatch("object", other)),
    };
    save_room(call.chat(), call.actor()?, rid, &body).await?;
    Ok(json!({ "result": true, "rid": rid }))
}

async fn notify(call: Invocation) -> Answer {
    let (room, field) = (room_id(&call, 0)?, call.text(1)?.to_owned());
    let change = notify_change(Map::from_iter([(field, call.params.get(2).cloned().unwrap_or_default())]))?;
    set_notifications(&call, &room, change).await
}

async fn notify_sound(call: Invocation) -> Answer {
    let (room, sound) = (room_id(&call, 0)?, call.text(1)?);
    let change = notify_change(Map::from_iter([("audioNotificationValue".to_owned(), sound.into())]))?;
    set_notifications(&call, &room, change).await
}

async fn set_notifications(
    call: &Invocation,
    room: &RoomId,
    change: parlor_core::members_own::NotifyChange,
) -> Answer {
    let done = call.chat().set_notifications(call.actor()?, room, change).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-invalid-subscription", "Invalid subscription"),
        other => refuse_method(other),
    })?;
    Ok(true.into())
}

async fn archive(call: Invocation, on: bool) -> Answer {
    let room = room_id(&call, 0)?;
    let done = call.chat().change_room(call.actor()?, RoomRef::Id(&room), &[RoomChange::Archived(on)]).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Room) => invalid_room(),
        Refusal::NotAllowed(_) => Refused::meteor("error-not-authorized", "Not authorized"),
        other => refuse_change(other),
    })?;
    Ok(Value::Null)
}

async fn erase(call: Invocation) -> Answer {
    let room = room_id(&call, 0)?;
    call.chat().remove_room(call.actor()?, RoomRef::Id(&room)).await.map_err(refuse_method)?;
    Ok(true.into())
}
