//! Which streams there are, who may hear them, and what a subscription's name and key mean.

use parlor_core::id::{RoomId, UserId};

use crate::who::Who;

/// A stream, declared as data: tests walk it as every kind of caller.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// As in `stream-NAME`.
    pub name: &'static str,
    /// A key that is good for whoever may, with the placeholders of `Route::sample`.
    pub key: &'static str,
    /// Who may listen.
    pub who: Who,
}

const fn stream(name: &'static str, key: &'static str, who: Who) -> Stream {
    Stream { name, key, who }
}

/// Every stream with a sample key of each kind.
pub const STREAMS: &[Stream] = &[
    stream("room-messages", "$private", Who::Reader),
    stream("room-messages", "__my_messages__", Who::User),
    stream("notify-room", "$private/user-activity", Who::Reader),
    stream("notify-room", "$private/typing", Who::Reader),
    stream("notify-room", "$private/deleteMessage", Who::Reader),
    stream("notify-room", "$private/deleteMessageBulk", Who::Reader),
    stream("notify-room", "$private/messagesRead", Who::Reader),
    stream("notify-room", "$private/videoconf", Who::Reader),
    stream("notify-user", "$me/notification", Who::User),
    stream("notify-user", "$me/subscriptions-changed", Who::User),
    stream("notify-user", "$me/rooms-changed", Who::User),
    stream("notify-all", "public-settings-changed", Who::Anyone),
    stream("notify-logged", "permissions-changed", Who::User),
    stream("notify-logged", "user-status", Who::User),
    stream("notify-logged", "private-settings-changed", Who::May(&["view-privileged-setting"])),
    stream("roles", "roles", Who::User),
    stream("user-presence", "", Who::User),
    stream("support-desk", "desk", Who::User),
    stream("apps", "apps", Who::User),
];

/// Events of one room that a connection can want; bits of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RoomEvent {
    Messages = 1,
    Deleted = 2,
    Purged = 4,
    Read = 8,
    Activity = 16,
    Typing = 32,
    /// Accepted, and never sent (calls, key requests of features that are off).
    Silent = 64,
}

/// Events of one user; bits of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum UserEvent {
    Subscriptions = 1,
    Rooms = 2,
    Notification = 4,
    Message = 8,
    UserData = 16,
    ForceLogout = 32,
    /// Sent when clients signal each other (`video-conference`, `e2ekeyRequest`, `webrtc`, …).
    Signal = 64,
    /// Everything in all rooms of the user, for bots.
    MyMessages = 128,
}

/// What a subscription is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Room(RoomId, RoomEvent),
    User(UserId, UserEvent),
    /// `notify-all`: also before login.
    Everyone,
    /// `notify-logged` and `roles`.
    LoggedIn,
    Presence,
    /// `notify-logged/user-status`: everybody's presence, for clients that know no watch list.
    Statuses,
    /// Settings that are not public: accepted from those who may see them, and never sent.
    PrivateSettings,
    /// What happens to cases, for the control centre; others hear nothing.
    Desk,
    /// Accepted for clients that subscribe it and never answered otherwise; needs a login when set.
    Idle {
        login: bool,
    },
}

/// Publications of Meteor's own, which are ready at once.
const PUBLICATIONS: &[&str] =
    &["meteor.loginServiceConfiguration", "meteor_autoupdate_clientVersions", "userData", "activeUsers"];

/// Streams of features that are not here: accepted, silent.
const QUIET: &[&str] = &[
    "apps",
    "importers",
    "stdout",
    "integrationHistory",
    "canned-responses",
    "livechat-room",
    "livechat-inquiry-queue-observer",
    "room-data",
];

/// Longest key of a subscription, in bytes: a connection remembers its subscriptions' keys. A room's or user's id with
/// a slash and an event's name are far shorter.
const LONGEST_KEY: usize = 512;

/// Reads a subscription's name and key; `None` when there is no such publication or the key is not one.
pub(crate) fn topic(name: &str, key: &str) -> Option<Topic> {
    if key.len() > LONGEST_KEY {
        return None;
    }
    if PUBLICATIONS.contains(&name) {
        return Some(Topic::Idle { login: false });
    }
    match name.strip_prefix("stream-")? {
        "room-messages" if key == "__my_messages__" => {
            Some(Topic::User(UserId::new(""), UserEvent::MyMessages))
        }
        "room-messages" => Some(Topic::Room(RoomId::parse(key)?, RoomEvent::Messages)),
        "notify-room" => {
            let (room, event) = key.split_once('/')?;
            Some(Topic::Room(RoomId::parse(room)?, room_event(event)))
        }
        "notify-user" => {
            let (user, event) = key.split_once('/')?;
            Some(Topic::User(UserId::parse(user)?, user_event(event)))
        }
        "notify-all" => Some(Topic::Everyone),
        "notify-logged" if key == "user-status" => Some(Topic::Statuses),
        "notify-logged" if key == "private-settings-changed" => Some(Topic::PrivateSettings),
        "notify-logged" | "roles" => Some(Topic::LoggedIn),
        "user-presence" => Some(Topic::Presence),
        "support-desk" => Some(Topic::Desk),
        other if QUIET.contains(&other) => Some(Topic::Idle { login: true }),
        _ => None,
    }
}

fn room_event(name: &str) -> RoomEvent {
    match name {
        "deleteMessage" => RoomEvent::Deleted,
        "deleteMessageBulk" => RoomEvent::Purged,
        "messagesRead" => RoomEvent::Read,
        "user-activity" => RoomEvent::Activity,
        "typing" => RoomEvent::Typing,
        _ => RoomEvent::Silent,
    }
}

fn user_event(name: &str) -> UserEvent {
    match name {
        "subscriptions-changed" => UserEvent::Subscriptions,
        "rooms-changed" => UserEvent::Rooms,
        "notification" => UserEvent::Notification,
        "message" => UserEvent::Message,
        "userData" => UserEvent::UserData,
        "force_logout" => UserEvent::ForceLogout,
        _ => UserEvent::Signal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_key_is_refused() {
        for (name, key) in [
            ("stream-room-messages", "a b"),
            ("stream-room-messages", ""),
            ("stream-notify-room", "noslash"),
            ("stream-notify-user", "/x"),
            ("stream-unknown", "x"),
            ("unknown", ""),
        ] {
            assert_eq!(topic(name, key), None, "{name} {key}");
        }
    }

    #[test]
    fn a_key_that_would_fill_the_memory_is_refused_by_every_stream() {
        let endless = format!("abc/{}", "x".repeat(LONGEST_KEY));
        let names = STREAMS.iter().map(|s| format!("stream-{}", s.name));
        for name in names.chain(PUBLICATIONS.iter().chain(QUIET).map(|name| (*name).to_owned())) {
            assert_eq!(topic(&name, &endless), None, "{name}");
        }
    }
}
