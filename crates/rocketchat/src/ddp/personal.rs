//! Personal state, rendered when the connection drains: the user's rooms and subscriptions as they are now.

use std::{io::Write as _, sync::Arc};

use bytes::Bytes;
use parlor_core::{error::Result, id::RoomId, message::Message, session::Actor};
use parlor_live::{Dirty, FrameWriter};
use serde_json::json;

use super::{ears, frame};
use crate::{
    Door,
    date::Dates,
    shape::{self, room::People},
};

/// What changed, as frames; what is gone meanwhile is left out (its removal was told by itself).
pub(super) async fn render(door: &Door, actor: &Actor, changed: Vec<Dirty>) -> Vec<Bytes> {
    let mut frames = Vec::with_capacity(changed.len());
    for dirty in changed {
        if let Ok(Some(frame)) = one(door, actor, &dirty).await {
            frames.push(frame);
        }
    }
    frames
}

async fn one(door: &Door, actor: &Actor, dirty: &Dirty) -> Result<Option<Bytes>> {
    let chat = &door.chat;
    let Some(mine) = chat.my_room(actor, &RoomId::new(dirty.room.clone())).await? else { return Ok(None) };
    let room = &mine.view.room;
    let mut named = room.direct.clone();
    named.extend([room.creator.clone(), mine.membership.user.clone()]);
    let people = People::with(chat, named).await?;
    let word = match dirty.kind {
        ears::SUBSCRIPTION_MADE | ears::ROOM_MADE => "inserted",
        _ => "updated",
    };
    let (event, noun) = match dirty.kind {
        ears::SUBSCRIPTION | ears::SUBSCRIPTION_MADE => {
            let shown = shape::subscription::subscription(&mine, &people, &chat.settings(), Dates::Ejson);
            ("subscriptions-changed", shown)
        }
        _ => ("rooms-changed", shape::room::room(&mine.view, &people, Dates::Ejson)),
    };
    Ok(Some(frame::event("notify-user", &format!("{}/{event}", actor.user), &json!([word, noun]))))
}

/// The answer to a send: the message as stored.
pub(super) fn sent(door: &Door, id: &str, message: &Arc<Message>) -> Bytes {
    let text = super::render::shown(door, message);
    // Writing into memory can't fail.
    let mut frame = FrameWriter::text(64 + id.len() + text.len());
    let _ = frame.write_all(br#"{"msg":"result","id":"#);
    let _ = frame.write_all(id.as_bytes());
    let _ = frame.write_all(br#","result":"#);
    let _ = frame.write_all(&text);
    let _ = frame.write_all(b"}");
    frame.finish()
}
