//! Personal state, rendered when the connection drains: the user's rooms and subscriptions as they are now.

use std::{collections::HashMap, io::Write as _, sync::Arc};

use bytes::Bytes;
use parlor_core::{error::Result, id::RoomId, message::Message, rooms::Mine, session::Actor};
use parlor_live::{Dirty, FrameWriter};
use serde_json::json;

use super::{ears, frame};
use crate::{
    Door,
    date::Dates,
    shape::{self, room::People},
};

/// What changed, as frames; what is gone meanwhile is left out (its removal was told by itself). Each room is read
/// once, whatever of it changed.
pub(super) async fn render(door: &Door, actor: &Actor, changed: Vec<Dirty>) -> Vec<Bytes> {
    let mut frames = Vec::with_capacity(changed.len());
    let mut looked: HashMap<Arc<str>, Option<(Mine, People)>> = HashMap::new();
    for dirty in changed {
        if !looked.contains_key(&dirty.room) {
            let found = look(door, actor, &dirty.room).await.ok().flatten();
            looked.insert(dirty.room.clone(), found);
        }
        let Some(Some((mine, people))) = looked.get(&dirty.room) else { continue };
        if let Ok(frame) = frame_of(door, actor, &dirty, mine, people).await {
            frames.push(frame);
        }
    }
    frames
}

async fn look(door: &Door, actor: &Actor, room: &Arc<str>) -> Result<Option<(Mine, People)>> {
    let chat = &door.chat;
    let Some(mine) = chat.my_room(actor, &RoomId::new(room.clone())).await? else { return Ok(None) };
    let room = &mine.view.room;
    let mut named: Vec<_> =
        [&room.direct, &room.muted, &room.unmuted].into_iter().flatten().cloned().collect();
    named.extend([room.creator.clone(), mine.membership.user.clone()]);
    let people = People::with(chat, named).await?;
    Ok(Some((mine, people)))
}

async fn frame_of(door: &Door, actor: &Actor, dirty: &Dirty, mine: &Mine, people: &People) -> Result<Bytes> {
    let chat = &door.chat;
    let word = match dirty.kind {
        ears::SUBSCRIPTION_MADE | ears::ROOM_MADE => "inserted",
        _ => "updated",
    };
    let (event, noun) = match dirty.kind {
        ears::SUBSCRIPTION | ears::SUBSCRIPTION_MADE => {
            let shown = shape::subscription::subscription(mine, people, &chat.settings(), Dates::Ejson);
            ("subscriptions-changed", shown)
        }
        _ => {
            let mut shown = [shape::room::room(&mine.view, people, Dates::Ejson)];
            shape::room::put_stars(chat, &[&mine.view], &actor.user, &mut shown).await?;
            let [shown] = shown;
            ("rooms-changed", shown)
        }
    };
    Ok(frame::event("notify-user", &format!("{}/{event}", actor.user), &json!([word, noun])))
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
