//! Rooms as Rocket.Chat writes them, and the users that rooms, memberships and teams speak of.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parlor_core::{
    chat::Chat,
    error::Result,
    id::{MessageId, UserId},
    room::{Room, RoomKind, RoomView},
    session::Actor,
    user::User,
};
use serde_json::{Map, Value, json};

use super::message::Look;
use crate::date::Dates;

/// The users that some objects name, loaded before they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct People(HashMap<UserId, Arc<User>>);

impl People {
    /// Those with these ids; removed ones are left out.
    pub(crate) async fn with(chat: &Chat, ids: Vec<UserId>) -> Result<Self> {
        let mut people = HashMap::new();
        for id in ids {
            if let std::collections::hash_map::Entry::Vacant(vacant) = people.entry(id)
                && let Some(user) = chat.user(vacant.key()).await?
            {
                vacant.insert(user);
            }
        }
        Ok(Self(people))
    }

    /// All whom these rooms name: makers, members of direct rooms, muted ones.
    pub(crate) async fn of_rooms(chat: &Chat, rooms: &[&RoomView]) -> Result<Self> {
        let mut named = Vec::new();
        for view in rooms {
            let room = &view.room;
            named.push(room.creator.clone());
            for list in [&room.direct, &room.muted, &room.unmuted] {
                named.extend(list.iter().cloned());
            }
        }
        Self::with(chat, named).await
    }

    pub(crate) fn get(&self, id: &UserId) -> Option<&Arc<User>> {
        self.0.get(id)
    }

    /// A user's name, or the id of a removed one.
    pub(crate) fn username<'a>(&'a self, id: &'a UserId) -> &'a str {
        self.get(id).map_or(id.as_str(), |user| &user.username)
    }

    /// `{_id, username, name}`.
    pub(crate) fn brief(&self, id: &UserId) -> Value {
        match self.get(id) {
            Some(user) => json!({ "_id": id.as_str(), "username": user.username, "name": user.shown_name() }),
            None => json!({ "_id": id.as_str(), "username": id.as_str() }),
        }
    }
}

/// Rocket.Chat's letter of a kind.
pub(crate) fn letter(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Channel => "c",
        RoomKind::Direct => "d",
        RoomKind::Group | RoomKind::Case | RoomKind::Ticket => "p",
    }
}

/// The kinds behind a letter; empty for letters that have none here.
pub(crate) fn kinds(letter: &str) -> &'static [RoomKind] {
    match letter {
        "c" => &[RoomKind::Channel],
        "p" => &[RoomKind::Group, RoomKind::Case, RoomKind::Ticket],
        "d" => &[RoomKind::Direct],
        _ => &[],
    }
}

/// Whether nobody can write: a direct room with a deactivated account counts as well.
pub(crate) fn is_read_only(room: &Room, people: &People) -> bool {
    room.read_only || room.direct.iter().any(|id| people.get(id).is_none_or(|user| !user.active))
}

/// A room. A fresh channel or group has exactly the keys that Rocket.Chat gives it; the rest appears once it has been
/// used or changed, empty values too, so that clients see what was cleared.
pub(crate) fn room(view: &RoomView, people: &People, dates: Dates) -> Value {
    let (room, head) = (&*view.room, &*view.head);
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("_id", room.id.as_str().into());
    put("t", letter(room.kind).into());
    if let Some(name) = &room.name {
        put("name", name.as_str().into());
        put("fname", room.shown_name().into());
    }
    put("msgs", head.messages.into());
    put("usersCount", room.members.into());
    put("u", people.brief(&room.creator));
    put("customFields", json_text(room.custom_fields.as_str()));
    put("ts", dates.value(room.created_at));
    put("ro", is_read_only(room, people).into());
    put("sysMes", if room.hidden_system.is_empty() { true.into() } else { json!(room.hidden_system) });
    if room.is_direct() {
        put("uids", room.direct.iter().map(UserId::as_str).collect());
        put("usernames", room.direct.iter().map(|id| people.username(id)).collect());
    } else {
        put("default", room.default.into());
    }
    if let Some(at) = head.last_at {
        put("lm", dates.value(at));
    }
    if let Some(last) = &view.last {
        put("lastMessage", super::message::value(last, &Look::usual(dates)));
    }
    put("_updatedAt", dates.value(room.updated_at.max(head.changed_at)));
    put_rare(&mut object, room, people);
    Value::Object(object)
}

fn put_rare(object: &mut Map<String, Value>, room: &Room, people: &People) {
    let changed = room.updated_at > room.created_at;
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    for (key, text) in
        [("topic", &room.topic), ("description", &room.description), ("announcement", &room.announcement)]
    {
        if changed || !text.is_empty() {
            put(key, text.as_str().into());
        }
    }
    for (key, on) in [
        ("reactWhenReadOnly", room.react_when_read_only),
        ("broadcast", room.broadcast),
        ("encrypted", room.encrypted),
        ("archived", room.archived),
        ("featured", room.featured),
        ("joinCodeRequired", room.join_code.is_some()),
        ("teamMain", room.team_main),
        ("teamDefault", room.team_default),
    ] {
        if on || (changed && matches!(key, "reactWhenReadOnly" | "encrypted" | "archived")) {
            put(key, on.into());
        }
    }
    if room.favourite {
        put("favorite", true.into());
    }
    // Parlor's own: which groups are something else.
    match room.kind {
        RoomKind::Case => put("parlorKind", "case".into()),
        RoomKind::Ticket => put("parlorKind", "ticket".into()),
        RoomKind::Channel | RoomKind::Direct | RoomKind::Group => None,
    };
    for (key, users) in [("muted", &room.muted), ("unmuted", &room.unmuted)] {
        if changed || !users.is_empty() {
            put(key, users.iter().map(|id| people.username(id)).collect());
        }
    }
    for (key, text) in [
        ("prid", room.parent.as_deref()),
        ("teamId", room.team.as_deref()),
        ("avatarETag", room.avatar.as_deref()),
        ("e2eKeyId", room.e2e_key.as_deref()),
    ] {
        if let Some(text) = text {
            put(key, text.into());
        }
    }
    if !room.sidepanel.is_empty() {
        put("sidepanel", json!({ "items": room.sidepanel }));
    }
}

/// Rooms with everybody they name, as one user sees them: with that user's own stars.
pub(crate) async fn rooms(
    chat: &Chat,
    views: &[&RoomView],
    viewer: &UserId,
    dates: Dates,
) -> Result<Vec<Value>> {
    let people = People::of_rooms(chat, views).await?;
    let mut values: Vec<Value> = views.iter().map(|view| room(view, &people, dates)).collect();
    put_stars(chat, views, viewer, &mut values).await?;
    Ok(values)
}

/// Puts one user's stars on the last messages of rooms that were written from these views.
pub(crate) async fn put_stars(
    chat: &Chat,
    views: &[&RoomView],
    viewer: &UserId,
    values: &mut [Value],
) -> Result<()> {
    let ids = views.iter().filter_map(|view| view.last.as_ref()).map(|last| last.id.clone()).collect();
    let starred: HashSet<MessageId> = chat.starred_of(viewer, ids).await?.into_iter().collect();
    for (view, value) in views.iter().zip(values) {
        if view.last.as_ref().is_some_and(|last| starred.contains(&last.id)) {
            value["lastMessage"]["starred"] = json!([{ "_id": viewer.as_str() }]);
        }
    }
    Ok(())
}

/// One room with everybody it names, as it is now for this viewer.
pub(crate) async fn current(chat: &Chat, viewer: &Actor, found: &Arc<Room>, dates: Dates) -> Result<Value> {
    let view = chat.room_view(viewer, found).await?;
    let people = People::of_rooms(chat, &[&view]).await?;
    Ok(room(&view, &people, dates))
}

/// A JSON text that the core only carries.
pub(crate) fn json_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!({}))
}
