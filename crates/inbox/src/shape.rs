//! Messages, rooms and groups as this contract writes them.

use parlor_core::{
    chat::Chat,
    feed::Fate,
    inbox::InboxRoom,
    message::{FileCard, Message},
    room::{Room, RoomKind},
    user::User,
};
use parlor_host::{
    Host,
    problem::Problem,
    shape::{
        beyond::{self, Spelling},
        rooms::{media_class, reply_to},
    },
    time::{iso, iso_or_null},
};
use serde_json::{Map, Value, json};

/// Members that a group's list shows.
const MOST_MEMBERS: u64 = 1_000;

/// A room as its objects need it, with the names that belong to it.
pub(crate) struct Place {
    pub(crate) room: std::sync::Arc<Room>,
    /// The user names of a direct room, in the order of its members.
    names: Vec<String>,
}

impl Place {
    /// Looks up what a room's name depends on.
    pub(crate) async fn of(chat: &Chat, room: &std::sync::Arc<Room>) -> Result<Self, Problem> {
        let mut names = Vec::with_capacity(room.direct.len());
        for id in &room.direct {
            names.push(chat.user(id).await?.map(|user| user.username.clone()).unwrap_or_default());
        }
        Ok(Self { room: room.clone(), names })
    }

    fn kind(&self) -> &'static str {
        match self.room.kind {
            RoomKind::Channel => "channel",
            RoomKind::Direct if Chat::is_dm(&self.room) => "dm",
            RoomKind::Group | RoomKind::Direct => "group",
            RoomKind::Case => "support",
            RoomKind::Ticket => "ticket",
        }
    }

    fn name(&self) -> Option<&str> {
        self.room.name.as_deref()
    }

    fn team(&self) -> Option<&str> {
        match self.kind() {
            "channel" => self.name(),
            "support" => Some("support"),
            _ => None,
        }
    }

    fn group(&self) -> Option<&str> {
        match self.kind() {
            "group" => Some(self.name().unwrap_or(&self.room.id)),
            _ => None,
        }
    }

    /// The user name of the member of a direct room of two who is not this one; of a room with oneself one's own.
    fn other_than(&self, user: &str) -> Option<&str> {
        if self.kind() != "dm" {
            return None;
        }
        let ids = self.room.direct.iter().map(|id| id.as_str());
        let other = ids.zip(&self.names).find(|(id, _)| *id != user).map(|(_, name)| name.as_str());
        other.or_else(|| self.names.first().map(String::as_str))
    }

    /// The name that the viewer sees.
    fn shown(&self, viewer: &User) -> String {
        match self.kind() {
            "dm" => self.other_than(&viewer.id).unwrap_or_default().to_owned(),
            "support" => "support".to_owned(),
            "channel" => self.name().unwrap_or_default().to_owned(),
            _ if self.room.is_direct() => {
                let others: Vec<_> =
                    self.names.iter().filter(|name| **name != viewer.username).cloned().collect();
                others.join(", ")
            }
            _ => self.room.shown_name().to_owned(),
        }
    }
}

/// A message as the viewer sees it; `read`: how far the viewer has read the room.
pub(crate) fn message(host: &Host, viewer: &User, place: &Place, message: &Message, read: i64) -> Value {
    let gone = message.is_gone();
    let own = message.author == viewer.id;
    let name = message.shown_author();
    let files = message.files().map(|file| attachment(host, viewer, file));
    let metadata = message.metadata.as_ref().filter(|_| !gone);
    let mut told = json!({
        "id": message.id.as_str(),
        "from_name": message.author_username,
        "name": name,
        "user_id": message.author.as_str(),
        "message": if gone { "" } else { &message.text },
        "timestamp": iso(message.at),
        "team": place.team(),
        "group": place.group(),
        "to": place.other_than(&message.author),
        "room_id": message.room.as_str(),
        "room_name": place.shown(viewer),
        "room_type": place.kind(),
        "seq": message.seq,
        "read": own || read >= message.seq,
        "edited": message.edited.is_some() && !gone,
        "edited_at": iso_or_null(message.edited.as_ref().filter(|_| !gone).map(|mark| mark.at)),
        "deleted": gone,
        "system": message.is_system(),
        "reply_to_id": reply_to(message).map(|id| id.as_str()),
        "attachments": if gone { Vec::new() } else { files.collect() },
        "metadata": metadata.and_then(|json| serde_json::from_str::<Value>(json.as_str()).ok()),
        "client_id": message.client_id,
        "reactions": reactions(message),
        // People are known by user name here.
        "pinned_by": message.pinned.as_ref().filter(|_| !gone).map(|mark| mark.username.as_str()),
    });
    beyond::add(Spelling::Snake, &mut told, message);
    told
}

fn reactions(message: &Message) -> Vec<Value> {
    let one = |reaction: &parlor_core::message::Reaction| {
        let users: Vec<&str> = reaction.users.iter().map(|(_, name)| name.as_str()).collect();
        json!({ "emoji": reaction.emoji, "usernames": users })
    };
    message.reactions.iter().map(one).collect()
}

fn attachment(host: &Host, viewer: &User, file: &FileCard) -> Value {
    json!({
        "id": file.upload.as_str(),
        "url": host.file_url(&viewer.id, &file.upload, &file.name).url,
        "filename": file.name,
        "size": file.size,
        "mime_type": file.media_type,
        "kind": media_class(&file.media_type),
    })
}

/// The type that a stream gives to what happened to a message.
pub(crate) fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Made => "message",
        Fate::Edited => "message_edited",
        Fate::Removed => "message_deleted",
        Fate::Touched => "message_updated",
    }
}

/// A room as the viewer sees it, without messages.
pub(crate) async fn room(host: &Host, viewer: &User, found: &InboxRoom) -> Result<Value, Problem> {
    let chat = host.chat();
    let place = Place::of(chat, &found.room).await?;
    let (mut requester, mut status) = (Value::Null, Value::Null);
    if found.room.kind == RoomKind::Case
        && let Some(case) = chat.case(&found.room.id).await?
    {
        if let Some(id) = &case.requester {
            requester = chat.user(id).await?.map(|user| user.username.clone()).into();
        }
        status = if case.closed.is_some() { "CLOSED" } else { "ACTIVE" }.into();
    }
    let name = match place.kind() {
        "channel" | "group" => place.name().map_or_else(|| place.shown(viewer), str::to_owned),
        _ => place.shown(viewer),
    };
    let display = match place.kind() {
        "channel" | "support" => found.room.shown_name().to_owned(),
        _ => place.shown(viewer),
    };
    Ok(json!({
        "id": found.room.id.as_str(),
        "name": name,
        "display_name": display,
        "type": place.kind(),
        "team": place.team(),
        "group": place.group(),
        "with": place.other_than(&viewer.id),
        "requester": requester,
        "status": status,
        "members_count": found.room.members,
        "unread": found.unread,
        "last_activity": iso(found.activity.at),
    }))
}

/// A group with its members' names.
pub(crate) async fn group(host: &Host, room: &std::sync::Arc<Room>) -> Result<Map<String, Value>, Problem> {
    let chat = host.chat();
    let creator = chat.user(&room.creator).await?.map(|user| user.username.clone());
    let value = json!({
        "id": room.id.as_str(),
        "name": room.name,
        "display_name": room.shown_name(),
        "type": "group",
        "created_by": creator,
        "members": members(host, room).await?,
        "created_at": iso(room.created_at),
        "updated_at": iso(room.updated_at),
    });
    Ok(value.as_object().cloned().unwrap_or_default())
}

/// The user names of a room's members, those who came first at the front; at most 1,000.
pub(crate) async fn members(host: &Host, room: &std::sync::Arc<Room>) -> Result<Vec<String>, Problem> {
    Ok(host.chat().member_names(&room.id, MOST_MEMBERS).await?)
}

/// A user for lists.
pub(crate) fn user(user: &User, online: bool, with_email: bool) -> Value {
    let mut value = json!({
        "id": user.id.as_str(),
        "username": user.username,
        "name": user.shown_name(),
        "roles": user.words(),
        "online": online,
        "active": user.active,
    });
    if with_email && let Some(object) = value.as_object_mut() {
        object.insert("email".into(), user.emails.first().map(|email| email.address.clone()).into());
    }
    value
}
