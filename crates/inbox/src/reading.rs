//! What is read, and what is not.

use parlor_core::id::{MessageId, RoomId};
use parlor_host::{
    call::{Answer, Call, answer},
    fields::{Fields, Text},
    problem::Problem,
};
use serde_json::{Map, Value, json};

use crate::{
    acting::{Acting, Known, Unknown, acting},
    send::renamed,
};

/// Messages that one call marks.
const MAX_MARKED: usize = 100;

/// Whoever a body with `username` is about; a name that nobody has is unknown.
pub(crate) async fn of_body(call: &Call, username: Option<&str>) -> Result<Acting, Problem> {
    let who = acting(call, "body", "username", username, Unknown::Left, Known::default()).await?;
    who.ok_or_else(|| Problem::not_found("User"))
}

/// `POST /api/chat/mark-read`.
pub(crate) async fn mark_read(mut call: Call) -> Answer {
    call.caller()?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let username = fields.text("username", Text::ID);
    let room = fields.text("room_id", Text::ID);
    let one = fields.text("message_id", Text::ID).or_else(|| fields.text("id", Text::ID));
    let mut ids = fields.texts("message_ids", MAX_MARKED);
    if let Some(one) = one {
        ids.get_or_insert_default().push(one);
    }
    if room.is_none() && ids.as_ref().is_none_or(Vec::is_empty) {
        fields.missing("room_id");
    }
    fields.done()?;
    let who = of_body(&call, username.as_deref()).await?;
    let chat = call.host.chat();
    let unknown = || Problem::not_found("Message");
    let ids: Option<Vec<MessageId>> = match ids.filter(|ids| !ids.is_empty()) {
        None => None,
        Some(ids) => {
            let read: Option<Vec<MessageId>> = ids.iter().map(|id| MessageId::parse(id)).collect();
            Some(read.ok_or_else(unknown)?)
        }
    };
    let room = match (room, ids.as_ref().and_then(|ids| ids.first())) {
        (Some(room), _) => RoomId::parse(&room).ok_or_else(|| Problem::not_found("Room"))?,
        (None, Some(message)) => chat.host_message(&who.actor, message).await?.0.id.clone(),
        (None, None) => return Err(unknown()),
    };
    let left = chat.read_named(&who.actor, &room, ids).await.map_err(|refusal| renamed(refusal.into()))?;
    let body = json!({
        "success": true,
        "username": who.user.username,
        "room_id": room.as_str(),
        "unread_count": left.unread,
        "unread_total": total(&unread(&call, &who).await?),
    });
    answer(200, &body)
}

/// `POST /api/chat/mark-all-read`.
pub(crate) async fn mark_all_read(mut call: Call) -> Answer {
    call.caller()?;
    let body = call.object_if_any().await?;
    let mut fields = Fields::new(&body);
    let username = fields.text("username", Text::ID);
    fields.done()?;
    let who = of_body(&call, username.as_deref()).await?;
    call.host.chat().read_everything(&who.actor).await?;
    answer(200, &json!({ "success": true, "username": who.user.username, "unread_count": 0 }))
}

/// `GET /api/chat/unread-count/<username>`.
pub(crate) async fn unread_count(call: Call) -> Answer {
    let name = call.path("username").to_owned();
    let who = acting(&call, "path", "username", Some(&name), Unknown::Left, Known::default()).await?;
    let Some(who) = who else {
        return answer(
            200,
            &json!({ "success": true, "username": name, "known": false, "unread_count": 0, "rooms": {} }),
        );
    };
    let rooms = unread(&call, &who).await?;
    let body = json!({
        "success": true,
        "username": who.user.username,
        "known": true,
        "unread_count": total(&rooms),
        "rooms": rooms,
    });
    answer(200, &body)
}

async fn unread(call: &Call, who: &Acting) -> Result<Map<String, Value>, Problem> {
    let rooms = call.host.chat().unread_rooms(&who.actor).await?;
    Ok(rooms.into_iter().map(|(room, count)| (room.as_str().to_owned(), count.into())).collect())
}

fn total(rooms: &Map<String, Value>) -> i64 {
    rooms.values().filter_map(Value::as_i64).sum()
}
