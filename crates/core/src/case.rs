//! Cases: support conversations, and the queues in which they wait.

use std::sync::Arc;

use crate::{
    clock::Time,
    id::{RoomId, UserId},
    message::Message,
    room::{Head, Room, RoomKind},
    user::User,
};

/// How urgent a case is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// As usual.
    #[default]
    Normal,
    /// Before the usual.
    High,
    /// Goes to the queue of emergencies, whoever asks.
    Emergency,
}

/// Where a case waits. `General` is the queue of whoever has none of his own; the view of all cases has its name too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Queue {
    General,
    Driver,
    Regulator,
    Emergency,
}

/// What a case is beside its room.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The room it lives in.
    pub room: RoomId,
    /// Whose case it is; `None` when the control centre opened it with several people.
    pub requester: Option<UserId>,
    /// The requester's role word when the case was opened.
    pub requester_role: Option<String>,
    /// Where it waits.
    pub queue: Queue,
    /// How urgent it is.
    pub priority: Priority,
    /// The place of the message that opened it; 0 when there was none.
    pub first_seq: i64,
    /// Opened, or opened again.
    pub waiting_since: Time,
    /// Who closed it and when, while it is closed.
    pub closed: Option<(UserId, Time)>,
    /// Its members in the order in which they came, at most [`MAX_PARTICIPANTS`] of them.
    pub participants: Vec<UserId>,
}

/// Participants that a case shows.
pub const MAX_PARTICIPANTS: usize = 200;

/// What happened to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CaseAction {
    Created,
    Claimed,
    Closed,
    Reopened,
    ParticipantAdded,
    ParticipantRemoved,
    Acknowledged,
    Noted,
}

/// A conversation as support shows it: any room, with what makes it a case if it is one.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The room.
    pub room: Arc<Room>,
    /// How far it got.
    pub head: Arc<Head>,
    /// What makes it a case.
    pub case: Option<Arc<Case>>,
    /// Members in the order in which they came, at most [`MAX_PARTICIPANTS`].
    pub participants: Vec<UserId>,
    /// The case's requester.
    pub requester: Option<Arc<User>>,
    /// The newest message.
    pub last: Option<Arc<Message>>,
    /// What is unread, for those for whom it is known.
    pub unread: Vec<(UserId, i64)>,
}

impl Priority {
    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::High => "HIGH",
            Self::Emergency => "EMERGENCY",
        }
    }
    /// Reads the word, letter case aside.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Normal, Self::High, Self::Emergency]
            .into_iter()
            .find(|p| p.as_str().eq_ignore_ascii_case(word))
    }
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::General, Self::Driver, Self::Regulator, Self::Emergency];

    /// The support room that stands for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general_support",
            Self::Driver => "driver_support",
            Self::Regulator => "regulator_support",
            Self::Emergency => "emergency_support",
        }
    }
    /// By the support room's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
    /// Where somebody's case waits: emergencies together, the others by the requester's role.
    pub fn of(requester: Option<&User>, priority: Priority) -> Self {
        let holds = |role| requester.is_some_and(|user| user.has_role(role));
        match priority {
            Priority::Emergency => Self::Emergency,
            _ if holds("bus-driver") => Self::Driver,
            _ if holds("queue-regulator") => Self::Regulator,
            _ => Self::General,
        }
    }
}

impl CaseAction {
    /// Only the control centre is told of it.
    pub fn is_internal(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Noted)
    }
    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Claimed => "claimed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::ParticipantAdded => "participant_added",
            Self::ParticipantRemoved => "participant_removed",
            Self::Acknowledged => "acknowledged",
            Self::Noted => "noted",
        }
    }
}

impl Case {
    /// Whether it waits in this view: the general one shows all.
    pub fn is_in(&self, view: Queue) -> bool {
        view == Queue::General || self.queue == view
    }
}

impl Conversation {
    /// What this user has not read, as far as it is known here.
    pub fn unread_of(&self, user: &UserId) -> i64 {
        self.unread.iter().find(|(known, _)| known == user).map_or(0, |(_, unread)| *unread)
    }
    /// Whether it can be written to as far as its own state goes.
    pub fn is_open(&self) -> bool {
        self.case.as_ref().is_none_or(|case| case.closed.is_none())
    }
    /// Whether it is a case.
    pub fn is_case(&self) -> bool {
        self.room.kind == RoomKind::Case
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn with(role: &str) -> User {
        User { roles: vec![role.into()], ..samples::user("u") }
    }

    #[test]
    fn an_emergency_waits_with_emergencies_and_the_rest_by_role() {
        let driver = with("bus-driver");
        assert_eq!(Queue::of(Some(&driver), Priority::Normal), Queue::Driver);
        assert_eq!(Queue::of(Some(&driver), Priority::High), Queue::Driver);
        assert_eq!(Queue::of(Some(&driver), Priority::Emergency), Queue::Emergency);
        assert_eq!(Queue::of(Some(&with("queue-regulator")), Priority::Normal), Queue::Regulator);
        assert_eq!(Queue::of(Some(&with("user")), Priority::Normal), Queue::General);
        assert_eq!(Queue::of(None, Priority::Normal), Queue::General);
    }

    #[test]
    fn the_words_of_the_wire_are_read_as_they_are_written() {
        for queue in Queue::ALL {
            assert_eq!(Queue::parse(queue.as_str()), Some(queue));
        }
        assert_eq!(Queue::parse("vip_support"), None);
        assert_eq!(Priority::parse("emergency"), Some(Priority::Emergency));
        assert_eq!(Priority::parse("URGENT"), None);
    }
}
