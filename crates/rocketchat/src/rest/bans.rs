//! Bans from rooms and forwarding between them: what Rocket.Chat's lists of endpoints leave to its web client.

use parlor_core::{
    error::{Refusal, What},
    id::{MessageId, RoomId},
    user::User,
};
use serde_json::{Value, json};
use std::sync::Arc;

use super::rooms_call::{Body, refuse, user_of};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    rest::chat_draft,
    route::{Outcome, Route, get, post},
    shape::{self, message::Look},
    who::Who,
};

/// Rooms that one message is forwarded to by one call.
const ROOMS: usize = 20;

pub(crate) fn routes() -> Vec<Route> {
    let movers = Who::MayInRoom(&["remove-user"]);
    vec![
        post("rooms.banUser", movers, r#"{"roomId":"$private","userId":"$user"}"#, |call| ban(call, true)),
        post("rooms.unbanUser", movers, r#"{"roomId":"$private","userId":"$user"}"#, |call| ban(call, false))
            .answering("not-banned"),
        get("rooms.bannedUsers", movers, "roomId=$private", banned),
        post(
            "chat.forwardMessage",
            Who::Member,
            r#"{"messageId":"$message","roomIds":["$private"]}"#,
            forward,
        ),
    ]
}

fn room_id(text: &str) -> Result<RoomId, Refused> {
    RoomId::parse(text).ok_or_else(Refused::unknown_room)
}

async fn ban(mut call: Call, on: bool) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = room_id(body.need("roomId")?)?;
    let user: Arc<User> = user_of(&call, &body).await?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let done =
        if on { chat.ban(actor, &room, &user.id).await } else { chat.unban(actor, &room, &user.id).await };
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Membership) => {
            Refused::new("error-user-not-banned").kind("error-user-not-banned")
        }
        other => refuse(other),
    })?;
    success(Value::Null)
}

async fn banned(call: Call) -> Outcome {
    let page = call.page()?;
    let room = room_id(call.need("roomId")?)?;
    let found = call.chat().banned(call.actor()?, &room, page).await.map_err(refuse)?;
    let known = call.chat().users_by_id(&found.items).await?;
    let users: Vec<Value> = known
        .iter()
        .map(|u| json!({ "_id": u.id.as_str(), "username": u.username, "name": u.name }))
        .collect();
    let count = users.len();
    // Rocket.Chat says `bannedUsers`; this server's own clients knew `users` before it did.
    success(json!({
        "bannedUsers": users, "users": users, "count": count, "offset": page.offset, "total": found.total,
    }))
}

/// Shows a message in other rooms, each judged by itself; the first refusal ends it.
async fn forward(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.need("messageId")?;
    let id = MessageId::parse(id).ok_or_else(|| Refused::from(Refusal::NotFound(What::Message)))?;
    let rooms = match (body.list("roomIds")?, body.text("roomId")?) {
        (Some(rooms), _) => rooms,
        (None, Some(room)) => vec![room.to_owned()],
        (None, None) => return Err(Refused::missing("roomIds")),
    };
    if rooms.is_empty() || rooms.len() > ROOMS {
        return Err(Refused::invalid_params("must NOT have more than 20 items"));
    }
    let look = Look::new(&call.chat().settings(), Dates::Iso);
    let mut messages = Vec::with_capacity(rooms.len());
    for room in &rooms {
        let sent = call.chat().forward(call.actor()?, &id, &room_id(room)?).await;
        let sent = sent.map_err(chat_draft::refused)?;
        messages.push(shape::message::value(&sent.message, &look));
    }
    success(json!({ "messages": messages }))
}
