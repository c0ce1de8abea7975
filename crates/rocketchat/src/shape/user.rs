//! Users as Rocket.Chat writes them: as their own holder sees them, as administrators do, as everybody does.

use parlor_core::{
    setting::Settings,
    user::{Status, User, UserKind},
};
use serde_json::{Map, Value, json};

use super::setting;
use crate::{Door, date::Dates};

/// Preferences that everybody has; the key set is part of the contract.
pub(crate) const PREFERENCES: &[&str] = &[
    "alsoSendThreadToChannel",
    "newRoomNotification",
    "newMessageNotification",
    "showThreadsInMainChannel",
    "useEmojis",
    "convertAsciiEmoji",
    "saveMobileBandwidth",
    "collapseMediaByDefault",
    "autoImageLoad",
    "emailNotificationMode",
    "unreadAlert",
    "notificationsSoundVolume",
    "omnichannelTranscriptEmail",
    "desktopNotifications",
    "pushNotifications",
    "enableAutoAway",
    "desktopNotificationRequireInteraction",
    "hideUsernames",
    "hideRoles",
    "displayAvatars",
    "hideFlexTab",
    "sendOnEnter",
    "idleTimeLimit",
    "sidebarShowFavorites",
    "sidebarShowUnread",
    "themeAppearence",
    "sidebarSortby",
    "sidebarViewMode",
    "sidebarDisplayAvatar",
    "sidebarGroupByType",
    "sidebarSectionsOrder",
    "muteFocusedConversations",
    "notifyCalendarEvents",
    "enableMobileRinging",
    "featuresPreview",
];

/// 0 offline, 1 online, 2 away, 3 busy.
pub(crate) fn status_code(status: Status) -> u8 {
    match status {
        Status::Offline => 0,
        Status::Online => 1,
        Status::Away => 2,
        Status::Busy => 3,
    }
}

/// `user`, `bot`, `app`.
pub(crate) fn kind(user: &User) -> &'static str {
    match user.kind {
        UserKind::Person => "user",
        UserKind::Bot => "bot",
        UserKind::App => "app",
    }
}

/// As everybody who is logged in may see another user.
pub(crate) fn public(user: &User, now: Status) -> Value {
    Value::Object(seen(user, now))
}

/// As lists of members and look-ups for mentions have it.
pub(crate) fn member(user: &User, now: Status) -> Value {
    let mut all = Map::from_iter([
        ("_id".to_owned(), user.id.as_str().into()),
        ("username".to_owned(), user.username.as_str().into()),
        ("name".to_owned(), user.name.as_str().into()),
        ("status".to_owned(), now.word().into()),
        ("statusText".to_owned(), user.status_text.as_str().into()),
        ("utcOffset".to_owned(), hours(user.utc_offset)),
    ]);
    put_texts(&mut all, user);
    Value::Object(all)
}

/// As those see it who hold `view-full-other-user-info`.
pub(crate) fn full(user: &User, now: Status, dates: Dates) -> Value {
    let mut all = seen(user, now);
    put_private(&mut all, user, dates);
    Value::Object(all)
}

/// As its holder sees it: the `me` object.
pub(crate) fn own(door: &Door, user: &User, dates: Dates) -> Value {
    let settings = door.chat.settings();
    let now = door.chat.status_of(&user.id);
    let mut all = seen(user, now);
    put_private(&mut all, user, dates);
    let verified = user.emails.iter().find(|e| e.verified).map(|e| e.address.as_str());
    let services = if user.has_password { json!({ "password": { "exists": true } }) } else { json!({}) };
    let more = [
        ("statusText", user.status_text.as_str().into()),
        ("language", user.language.as_str().into()),
        ("email", verified.into()),
        ("services", services),
        ("isOAuthUser", false.into()),
        ("settings", json!({ "profile": {}, "preferences": preferences(user, &settings) })),
        ("avatarUrl", format!("{}/avatar/{}", root(door), encoded(&user.username)).into()),
    ];
    for (key, value) in more {
        if !value.is_null() {
            all.insert(key.to_owned(), value);
        }
    }
    Value::Object(all)
}

/// The user's own preferences over the workspace's defaults.
pub(crate) fn preferences(user: &User, settings: &Settings) -> Map<String, Value> {
    let default = |key: &&str| {
        let of_all = settings.get(&format!("Accounts_Default_User_Preferences_{key}"))?;
        Some(((*key).to_owned(), setting::value(&of_all.value)))
    };
    let mut all: Map<String, Value> = PREFERENCES.iter().filter_map(default).collect();
    all.extend(chosen_preferences(user));
    all
}

/// What the user chose.
pub(crate) fn chosen_preferences(user: &User) -> Map<String, Value> {
    serde_json::from_str(user.preferences.as_str()).unwrap_or_default()
}

/// The workspace's public address without a slash at its end.
pub(crate) fn root(door: &Door) -> String {
    let settings = door.chat.settings();
    let chosen = settings.text("Site_Url").trim_end_matches('/');
    if chosen.is_empty() { door.config.root_url.clone() } else { chosen.to_owned() }
}

/// A user name or file name within a path.
pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2E", ".")
        .replace("%2D", "-")
        .replace("%5F", "_")
}

/// Hours east of UTC: whole ones without a decimal point.
fn hours(offset: f64) -> Value {
    setting::number(offset)
}

fn seen(user: &User, now: Status) -> Map<String, Value> {
    let mut all = Map::from_iter([
        ("_id".to_owned(), user.id.as_str().into()),
        ("username".to_owned(), user.username.as_str().into()),
        ("name".to_owned(), user.name.as_str().into()),
        ("type".to_owned(), kind(user).into()),
        ("active".to_owned(), user.active.into()),
        ("roles".to_owned(), user.roles.iter().map(|r| r.as_str()).collect::<Vec<_>>().into()),
        ("status".to_owned(), now.word().into()),
        ("utcOffset".to_owned(), hours(user.utc_offset)),
    ]);
    if !user.status_text.is_empty() {
        all.insert("statusText".to_owned(), user.status_text.as_str().into());
    }
    if !user.custom_fields.is_empty() {
        all.insert("customFields".to_owned(), custom_fields(user));
    }
    put_texts(&mut all, user);
    all
}

fn custom_fields(user: &User) -> Value {
    serde_json::from_str(user.custom_fields.as_str()).unwrap_or_else(|_| json!({}))
}

fn put_texts(all: &mut Map<String, Value>, user: &User) {
    for (key, text) in [("bio", &user.bio), ("nickname", &user.nickname)] {
        if !text.is_empty() {
            all.insert(key.to_owned(), text.as_str().into());
        }
    }
    if let Some(tag) = &user.avatar {
        all.insert("avatarETag".to_owned(), tag.as_str().into());
    }
}

fn put_private(all: &mut Map<String, Value>, user: &User, dates: Dates) {
    let emails: Vec<Value> =
        user.emails.iter().map(|e| json!({ "address": e.address, "verified": e.verified })).collect();
    let connection = all.get("status").cloned().unwrap_or_default();
    let more = [
        ("emails", emails.into()),
        ("statusConnection", connection),
        ("statusDefault", user.status_default.word().into()),
        ("customFields", custom_fields(user)),
        ("requirePasswordChange", user.require_password_change.into()),
        ("createdAt", dates.value(user.created_at)),
        ("_updatedAt", dates.value(user.updated_at)),
    ];
    all.extend(more.map(|(key, value)| (key.to_owned(), value)));
    if let Some(at) = user.last_login {
        all.insert("lastLogin".to_owned(), dates.value(at));
    }
}
