//! What nodes say to each other: a small JSON text a letter, several words in one.

use std::sync::Arc;

use parlor_core::{
    event::Event,
    id::{MessageId, RoomId, UserId},
    json::Json,
    nodes::{Open, Shared, Whereabouts},
    presence::NodeId,
    user::Status,
};
use serde::{Deserialize, Serialize};

/// One word.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) enum Said {
    /// Something was committed: read.
    News,
    /// Still there.
    Alive,
    /// Just come, or back: tell everything.
    Hello,
    /// Gone for good.
    Bye,
    /// Those whose connections changed.
    People(Vec<Person>),
    /// All people, and who (second) has which room (first) open.
    All(Vec<Person>, Vec<(String, String)>),
    /// See [`Event::Activity`].
    Activity {
        room: String,
        user: String,
        name: Arc<str>,
        activities: Vec<String>,
        thread: Option<String>,
        origin: u64,
    },
    /// See [`Event::Gathered`].
    Gathered { room: String, user: String, name: Arc<str>, here: bool },
    /// See [`Event::Whisper`].
    Whisper { user: String, room: String, text: Arc<str>, thread: Option<String> },
    /// See [`Event::Signal`].
    Signal { user: String, name: Arc<str>, args: String },
}

/// One user: who, what he chose, and where: gone, there, away, or declared.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Person(String, u8, u8);

#[derive(Serialize, Deserialize)]
struct Letter<T> {
    from: u64,
    said: Vec<T>,
}

/// What is sent.
pub(crate) fn letter(from: NodeId, said: &[Said]) -> String {
    let letter = Letter { from: from.0, said: said.to_vec() };
    serde_json::to_string(&letter).unwrap_or_default()
}

/// What came, without the words of a newer version; `None` for what is no letter.
pub(crate) fn open(text: &[u8]) -> Option<(NodeId, Vec<Said>)> {
    let letter: Letter<serde_json::Value> = serde_json::from_slice(text).ok()?;
    let said = letter.said.into_iter().filter_map(|word| serde_json::from_value(word).ok());
    Some((NodeId(letter.from), said.collect()))
}

const STATUSES: [Status; 4] = [Status::Offline, Status::Online, Status::Away, Status::Busy];

fn number(status: Status) -> u8 {
    status as u8
}

fn status(number: u8) -> Status {
    STATUSES.into_iter().find(|status| *status as u8 == number).unwrap_or_default()
}

impl From<&Shared> for Person {
    fn from(one: &Shared) -> Self {
        let place = match one.whereabouts {
            Whereabouts::Gone => 0,
            Whereabouts::There { away: false } => 1,
            Whereabouts::There { away: true } => 2,
            Whereabouts::Declared(status) => 10 + number(status),
        };
        Self(one.user.to_string(), number(one.chosen), place)
    }
}

impl From<Person> for Shared {
    fn from(Person(user, chosen, place): Person) -> Self {
        let whereabouts = match place {
            1 => Whereabouts::There { away: false },
            2 => Whereabouts::There { away: true },
            10.. => Whereabouts::Declared(status(place - 10)),
            _ => Whereabouts::Gone,
        };
        Self { user: UserId::from(user), chosen: status(chosen), whereabouts }
    }
}

pub(crate) fn people(all: &[Shared]) -> Vec<Person> {
    all.iter().map(Person::from).collect()
}

pub(crate) fn shared(people: Vec<Person>) -> Vec<Shared> {
    people.into_iter().map(Shared::from).collect()
}

pub(crate) fn all(people_here: &[Shared], open: Vec<Open>) -> Said {
    let open = open.into_iter().map(|one| (one.room.to_string(), one.user.to_string()));
    Said::All(people(people_here), open.collect())
}

pub(crate) fn opened(open: Vec<(String, String)>) -> Vec<Open> {
    open.into_iter().map(|(room, user)| Open { room: room.into(), user: user.into() }).collect()
}

impl Said {
    /// A passing event, as other nodes are told.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let text = |id: &Option<MessageId>| id.as_ref().map(|id| id.to_string());
        Some(match event {
            Event::Activity { room, user, name, activities, thread, origin } => Self::Activity {
                room: room.to_string(),
                user: user.to_string(),
                name: name.clone(),
                activities: activities.to_vec(),
                thread: text(thread),
                origin: *origin,
            },
            Event::Gathered { room, user, name, here } => Self::Gathered {
                room: room.to_string(),
                user: user.to_string(),
                name: name.clone(),
                here: *here,
            },
            Event::Whisper { user, room, text: words, thread } => Self::Whisper {
                user: user.to_string(),
                room: room.to_string(),
                text: words.clone(),
                thread: text(thread),
            },
            Event::Signal { user, name, args } => {
                Self::Signal { user: user.to_string(), name: name.clone(), args: args.as_str().to_owned() }
            }
            _ => return None,
        })
    }

    /// The passing event that was told.
    pub(crate) fn event(self) -> Option<Event> {
        let thread = |id: Option<String>| id.map(MessageId::from);
        Some(match self {
            Self::Activity { room, user, name, activities, thread: root, origin } => Event::Activity {
                room: RoomId::from(room),
                user: UserId::from(user),
                name,
                activities: activities.into(),
                thread: thread(root),
                origin,
            },
            Self::Gathered { room, user, name, here } => {
                Event::Gathered { room: RoomId::from(room), user: UserId::from(user), name, here }
            }
            Self::Whisper { user, room, text, thread: root } => Event::Whisper {
                user: UserId::from(user),
                room: RoomId::from(room),
                text,
                thread: thread(root),
            },
            Self::Signal { user, name, args } => {
                Event::Signal { user: UserId::from(user), name, args: Json::new(args) }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_arrives_as_it_was() {
        let whereabouts = [
            Whereabouts::Gone,
            Whereabouts::There { away: false },
            Whereabouts::There { away: true },
            Whereabouts::Declared(Status::Busy),
        ];
        let told: Vec<Shared> = whereabouts
            .into_iter()
            .map(|whereabouts| Shared { user: "ann".into(), chosen: Status::Away, whereabouts })
            .collect();
        let typing = Event::Activity {
            room: "r".into(),
            user: "ann".into(),
            name: "Ann".into(),
            activities: ["user-typing".to_owned()].into(),
            thread: Some("t".into()),
            origin: 7,
        };
        let said = [Said::News, Said::People(people(&told)), Said::of(&typing).unwrap()];
        let (from, came) = open(letter(NodeId(9), &said).as_bytes()).unwrap();
        assert_eq!((from, &came[..]), (NodeId(9), &said[..]));
        let [_, Said::People(people), activity] = &came[..] else { panic!("{came:?}") };
        assert_eq!(shared(people.clone()), told);
        assert!(matches!(activity.clone().event(), Some(Event::Activity { origin: 7, .. })));
    }

    #[test]
    fn what_a_newer_version_says_does_not_spoil_the_rest() {
        let text = br#"{"from":1,"said":["Whatever",{"Else":[1]},"News"]}"#;
        assert_eq!(open(text), Some((NodeId(1), vec![Said::News])));
        assert_eq!(open(b"nonsense"), None);
    }
}
