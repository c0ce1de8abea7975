//! Members: added, removed, muted.

use parlor_core::{
    error::{Refusal, What},
    id::UserId,
};
use parlor_host::{Answer, Call, Fields, Problem, answer, shape::rooms as shape};
use serde_json::json;

use crate::{room_of, rooms::refused};

fn user_of(call: &Call) -> Result<UserId, Problem> {
    let text = call.path("user_id");
    UserId::parse(text).ok_or_else(|| Problem::unknown_users(&[text.to_owned()]))
}

/// `POST /api/chat/rooms/{room_id}/members/{user_id}`.
pub(crate) async fn add(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let room = room_of(&call)?;
    let body = call.object_if_any().await?;
    let chat = call.host.chat().clone();
    chat.card(&actor, &room).await?;
    let mut fields = Fields::new(&body);
    let admin = fields.flag("is_admin").unwrap_or_default();
    fields.done()?;
    let user = user_of(&call)?;
    let unknown = |refusal| match refusal {
        Refusal::NotFound(What::User) => Problem::unknown_users(&[user.to_string()]),
        other => refused(other),
    };
    let (seat, new) = chat.add_host_member(&actor, &room, &user, admin).await.map_err(unknown)?;
    let card = chat.card(&actor, &room).await?;
    answer(if new { 201 } else { 200 }, &shape::member(&card.room, &seat))
}

/// `DELETE /api/chat/rooms/{room_id}/members/{user_id}`.
pub(crate) async fn remove(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let room = room_of(&call)?;
    let chat = call.host.chat();
    chat.card(&actor, &room).await?;
    let none = || Problem::not_found("Member");
    let user = UserId::parse(call.path("user_id")).ok_or_else(none)?;
    chat.remove_host_member(&actor, &room, &user).await.map_err(refused)?;
    answer(200, &json!({ "success": true, "room_id": room.as_str(), "user_id": user.as_str() }))
}

/// `POST /api/chat/rooms/{room_id}/members/{user_id}/mute`.
pub(crate) async fn mute(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let room = room_of(&call)?;
    let body = call.object().await?;
    let chat = call.host.chat().clone();
    chat.card(&actor, &room).await?;
    let mut fields = Fields::new(&body);
    let muted = fields.need_flag("muted");
    fields.done()?;
    let none = || Problem::not_found("Member");
    let user = UserId::parse(call.path("user_id")).ok_or_else(none)?;
    let seat = chat.mute_host_member(&actor, &room, &user, muted).await.map_err(refused)?;
    let card = chat.card(&actor, &room).await?;
    answer(200, &shape::member(&card.room, &seat))
}
