//! Memberships as Rocket.Chat writes them: subscriptions.

use parlor_core::{
    id::{MessageId, UserId},
    membership::Notify,
    room::Room,
    rooms::Mine,
    setting::Settings,
    store::{RemovedMembership, Unread},
    user::User,
};
use serde_json::{Map, Value, json};

use super::room::{People, letter};
use crate::date::Dates;

/// A subscription. `people` must hold the member and, for direct rooms, the others.
pub(crate) fn subscription(mine: &Mine, people: &People, settings: &Settings, dates: Dates) -> Value {
    let (m, room, unread) = (&*mine.membership, &*mine.view.room, &mine.news.unread);
    let (name, fname) = names(room, &m.user, people);
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("_id", m.id.as_str().into());
    put("rid", m.room.as_str().into());
    put("u", people.brief(&m.user));
    put("t", letter(room.kind).into());
    put("name", name.into());
    put("fname", fname.into());
    put("open", mine.news.open.into());
    put("alert", mine.news.alert.into());
    put("unread", shown_unread(room, unread, settings).into());
    // Parlor's own field: all unread messages, whatever the workspace chose to show in `unread`.
    put("unreadMessages", unread.messages.into());
    put("userMentions", unread.mentions.into());
    put("groupMentions", unread.group_mentions.into());
    put("ts", dates.value(m.joined_at));
    put("ls", dates.value(m.mark.at.unwrap_or(m.joined_at)));
    if let Some(at) = m.last_reply {
        put("lr", dates.value(at));
    }
    if !m.roles.is_empty() {
        put("roles", m.roles.iter().map(|role| role.as_str()).collect());
    }
    put("f", m.favourite.into());
    put("tunread", ids(&unread.threads));
    put("tunreadUser", ids(&unread.threads_mentioning));
    put("tunreadGroup", json!([]));
    let last = mine.view.head.changed_at;
    put("_updatedAt", dates.value(m.updated_at.max(room.updated_at).max(last)));
    if !m.ignored.is_empty() {
        put("ignored", m.ignored.iter().map(|id| id.as_str()).collect());
    }
    put_room(&mut object, room, m.blocked, m.blocker);
    put_notify(&mut object, &m.notify);
    if let Some(wish) = &m.translation {
        object.extend(wish.on.map(|on| ("autoTranslate".to_owned(), on.into())));
        if !wish.language.is_empty() {
            object.insert("autoTranslateLanguage".into(), wish.language.as_str().into());
        }
    }
    if let Some(member) = people.get(&m.user) {
        put_preferred(&mut object, member);
    }
    if let Some(key) = &m.e2e_key {
        object.insert("E2EKey".into(), key.as_str().into());
    }
    Value::Object(object)
}

fn put_room(object: &mut Map<String, Value>, room: &Room, blocked: bool, blocker: bool) {
    for (key, on) in [
        ("archived", room.archived),
        ("teamMain", room.team_main),
        ("encrypted", room.encrypted),
        ("blocked", blocked),
        ("blocker", blocker),
    ] {
        if on || (room.is_direct() && key.starts_with("block")) {
            object.insert(key.into(), on.into());
        }
    }
    for (key, id) in [("prid", room.parent.as_deref()), ("teamId", room.team.as_deref())] {
        if let Some(id) = id {
            object.insert(key.into(), id.into());
        }
    }
}

fn put_notify(object: &mut Map<String, Value>, notify: &Notify) {
    for (key, on) in [
        ("disableNotifications", notify.disabled),
        ("muteGroupMentions", notify.mute_group_mentions),
        ("hideUnreadStatus", notify.hide_unread),
        ("hideMentionStatus", notify.hide_mentions),
    ] {
        object.insert(key.into(), on.into());
    }
    for (key, origin, value) in [
        ("desktopNotifications", "desktopPrefOrigin", &notify.desktop),
        ("mobilePushNotifications", "mobilePrefOrigin", &notify.mobile),
        ("emailNotifications", "emailPrefOrigin", &notify.email),
        ("audioNotificationValue", "", &notify.sound),
        ("unreadAlert", "", &notify.unread_alert),
    ] {
        let Some(value) = value else { continue };
        object.insert(key.into(), value.as_str().into());
        if !origin.is_empty() {
            object.insert(origin.into(), "subscription".into());
        }
    }
}

/// What the member prefers everywhere stands where the place itself says nothing.
fn put_preferred(object: &mut Map<String, Value>, member: &User) {
    const PREFERENCES: [(&str, &str, &str); 3] = [
        ("desktopNotifications", "desktopNotifications", "desktopPrefOrigin"),
        ("pushNotifications", "mobilePushNotifications", "mobilePrefOrigin"),
        ("emailNotificationMode", "emailNotifications", "emailPrefOrigin"),
    ];
    // Most chose none of them: nothing is read for each of their places then.
    if !PREFERENCES.iter().any(|(preference, ..)| member.preferences.as_str().contains(preference)) {
        return;
    }
    let preferences = super::user::chosen_preferences(member);
    for (preference, key, origin) in PREFERENCES {
        let preferred = preferences.get(preference).and_then(Value::as_str);
        if let (Some(value), false) = (preferred.filter(|it| *it != "default"), object.contains_key(key)) {
            object.insert(key.into(), value.into());
            object.insert(origin.into(), "user".into());
        }
    }
}

/// `name` and `fname`: a direct room is named after the others, at this moment.
fn names(room: &Room, me: &UserId, people: &People) -> (String, String) {
    if !room.is_direct() {
        return (room.name.clone().unwrap_or_default(), room.shown_name().to_owned());
    }
    let mut others: Vec<_> = room.direct.iter().filter(|id| *id != me).collect();
    if others.is_empty() {
        others.push(me);
    }
    let title = |id: &UserId| people.get(id).map_or_else(|| id.to_string(), |u| u.shown_name().to_owned());
    others.sort_by_cached_key(|id| title(id));
    let names: Vec<_> = others.iter().map(|id| people.username(id)).collect();
    let titles: Vec<_> = others.into_iter().map(title).collect();
    (names.join(","), titles.join(", "))
}

/// The number beside the room's name: what counts is the workspace's choice.
fn shown_unread(room: &Room, unread: &Unread, settings: &Settings) -> i64 {
    let setting = if room.is_direct() { "Unread_Count_DM" } else { "Unread_Count" };
    match settings.text(setting) {
        "all_messages" => unread.messages,
        "user_mentions_only" | "mentions_only" => unread.mentions,
        "group_mentions_only" => unread.group_mentions,
        _ => unread.mentions + unread.group_mentions,
    }
}

fn ids(all: &[MessageId]) -> Value {
    all.iter().map(|id| id.as_str()).collect()
}

/// What is left of an ended membership: `{_id, _deletedAt}`; `room`: the room's id instead of the membership's.
pub(crate) fn removed(removed: &RemovedMembership, room: bool, dates: Dates) -> Value {
    let id = if room { removed.room.as_str() } else { removed.id.as_str() };
    json!({ "_id": id, "_deletedAt": dates.value(removed.at) })
}

#[cfg(test)]
mod tests {
    use parlor_core::{room::RoomKind, samples};

    use super::*;

    #[test]
    fn a_direct_room_is_named_after_the_others() {
        let room = |ids: &[&str]| Room {
            kind: RoomKind::Direct,
            name: None,
            direct: ids.iter().map(|id| (*id).into()).collect(),
            ..samples::room("d")
        };
        let named = |ids: &[&str]| names(&room(ids), &"ann".into(), &People::default());
        assert_eq!(named(&["ann", "bob"]).0, "bob");
        assert_eq!(named(&["ann"]).0, "ann");
        assert_eq!(named(&["ann", "bob", "cy"]), ("bob,cy".into(), "bob, cy".into()));
    }

    #[test]
    fn what_counts_as_unread_is_the_workspaces_choice() {
        let unread = Unread { messages: 9, mentions: 2, group_mentions: 1, ..Unread::default() };
        assert_eq!(shown_unread(&samples::room("r"), &unread, &Settings::default()), 3);
    }
}
