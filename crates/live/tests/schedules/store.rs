//! What is stored, as plainly as it can be said: rooms, members, messages, positions. A commit applies its jobs one
//! after the other and gives facts and answers, as the real store does.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parlor_core::{
    catch_up::Timeline,
    clock::Time,
    error::Result,
    event::{Change, Event, Fact},
    id::{MembershipId, RoomId, SessionId, UserId},
    message::Message,
    room::{Head, Room},
    samples,
    store::Tombstone,
};
use parlor_testkit::history::Stored;

/// Something that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Send {
        line: usize,
        attempt: u64,
        room: usize,
        id: String,
        body: String,
    },
    Edit {
        room: usize,
        nth: usize,
    },
    Delete {
        room: usize,
        nth: usize,
    },
    /// Takes a position and tells nothing.
    Skip {
        room: usize,
    },
    Kick {
        room: usize,
        user: usize,
    },
    Invite {
        room: usize,
        user: usize,
    },
    /// A change of the room; perhaps of who may do what.
    Touch {
        room: usize,
        access: bool,
    },
    EndSession {
        user: usize,
        session: u64,
    },
    Grant,
}

/// What a caller is told after the commit.
#[derive(Clone, Debug)]
pub enum Answer {
    Stored { line: usize, attempt: u64, id: String },
    Refused { line: usize, attempt: u64, id: String },
    Kicked { room: usize, user: usize, position: i64 },
    Invited { room: usize, user: usize },
}

struct Kept {
    message: Message,
    deleted: Option<i64>,
}

pub struct StoredRoom {
    pub id: RoomId,
    pub members: HashSet<usize>,
    position: i64,
    access: i64,
    messages: Vec<Kept>,
    by_id: HashMap<String, usize>,
}

pub struct Store {
    pub rooms: Vec<StoredRoom>,
    pub users: Vec<UserId>,
    g: i64,
}

/// The name of a user's nth session.
pub fn session(user: usize, nth: u64) -> SessionId {
    SessionId::new(format!("{user}-{nth}"))
}

impl Store {
    pub fn new(rooms: usize, users: usize) -> Self {
        let room = |n: usize| StoredRoom {
            id: RoomId::new(format!("room{n}")),
            members: (0..users).collect(),
            position: 0,
            access: 0,
            messages: Vec::new(),
            by_id: HashMap::new(),
        };
        let users = (0..users).map(|n| UserId::new(format!("user{n}"))).collect();
        Self { rooms: (0..rooms).map(room).collect(), users, g: 0 }
    }

    pub fn number_of(&self, room: &RoomId) -> usize {
        self.rooms.iter().position(|r| r.id == *room).expect("only these rooms exist")
    }

    pub fn user_number(&self, user: &UserId) -> usize {
        self.users.iter().position(|u| u == user).expect("only these users exist")
    }

    /// Applies a job; its facts and what its caller is told.
    pub fn apply(&mut self, job: &Job) -> (Vec<Fact>, Option<Answer>) {
        match job {
            Job::Send { line, attempt, room, id, body } => self.send(*line, *attempt, *room, id, body),
            Job::Edit { room, nth } => (self.edit(*room, *nth).into_iter().collect(), None),
            Job::Delete { room, nth } => (self.delete(*room, *nth).into_iter().collect(), None),
            Job::Skip { room } => {
                let event = Event::Skipped { room: self.rooms[*room].id.clone() };
                (vec![self.placed(*room, event)], None)
            }
            Job::Kick { room, user } => self.kick(*room, *user),
            Job::Invite { room, user } => self.invite(*room, *user),
            Job::Touch { room, access } => (vec![self.touch(*room, *access)], None),
            Job::EndSession { user, session: nth } => {
                let (user, session) = (self.users[*user].clone(), Some(session(*user, *nth)));
                (vec![self.loose(Event::SessionsEnded { user, session, kept: None })], None)
            }
            Job::Grant => {
                let roles = Arc::new([]);
                (vec![self.loose(Event::Permission { id: "view-c-room".into(), roles, at: Time(0) })], None)
            }
        }
    }

    fn loose(&mut self, event: Event) -> Fact {
        self.g += 1;
        Fact { g: self.g, place: None, event }
    }

    fn placed(&mut self, room: usize, event: Event) -> Fact {
        self.g += 1;
        let room = &mut self.rooms[room];
        room.position += 1;
        Fact { g: self.g, place: Some((room.id.clone(), room.position)), event }
    }

    fn send(
        &mut self,
        line: usize,
        attempt: u64,
        at: usize,
        id: &str,
        body: &str,
    ) -> (Vec<Fact>, Option<Answer>) {
        let room = &mut self.rooms[at];
        let stored = Answer::Stored { line, attempt, id: id.to_owned() };
        if room.by_id.contains_key(id) {
            return (Vec::new(), Some(stored));
        }
        if !room.members.contains(&line) {
            return (Vec::new(), Some(Answer::Refused { line, attempt, id: id.to_owned() }));
        }
        let mut message = samples::message(id, &room.id, &self.users[line], room.position + 1);
        message.text = body.to_owned();
        room.by_id.insert(id.to_owned(), room.messages.len());
        room.messages.push(Kept { message: message.clone(), deleted: None });
        let event = Event::Message { message: Arc::new(message), change: Change::Made, head: None };
        (vec![self.placed(at, event)], Some(stored))
    }

    fn edit(&mut self, at: usize, nth: usize) -> Option<Fact> {
        let room = &mut self.rooms[at];
        let position = room.position + 1;
        let count = room.messages.len().max(1);
        let kept = room.messages.get_mut(nth % count).filter(|kept| kept.deleted.is_none())?;
        kept.message.rev = position;
        let message = Arc::new(kept.message.clone());
        Some(self.placed(at, Event::Message { message, change: Change::Changed, head: None }))
    }

    fn delete(&mut self, at: usize, nth: usize) -> Option<Fact> {
        let room = &mut self.rooms[at];
        let position = room.position + 1;
        let count = room.messages.len().max(1);
        let kept = room.messages.get_mut(nth % count).filter(|kept| kept.deleted.is_none())?;
        kept.deleted = Some(position);
        let (message, seq, room) = (kept.message.id.clone(), kept.message.seq, room.id.clone());
        Some(
            self.placed(
                at,
                Event::MessageDeleted { room, message, seq, thread: None, emptied: None, by: None },
            ),
        )
    }

    fn kick(&mut self, at: usize, user: usize) -> (Vec<Fact>, Option<Answer>) {
        if !self.rooms[at].members.remove(&user) {
            return (Vec::new(), None);
        }
        let (room, id) = (self.rooms[at].id.clone(), MembershipId::new(format!("{at}-{user}")));
        let fact = self.placed(
            at,
            Event::MembershipRemoved { id, room, kind: None, user: self.users[user].clone(), by: None },
        );
        self.rooms[at].access += 1;
        let position = self.rooms[at].position;
        (vec![fact], Some(Answer::Kicked { room: at, user, position }))
    }

    fn invite(&mut self, at: usize, user: usize) -> (Vec<Fact>, Option<Answer>) {
        if !self.rooms[at].members.insert(user) {
            return (Vec::new(), None);
        }
        let membership = Arc::new(samples::membership(&self.rooms[at].id, &self.users[user]));
        let fact = self.placed(at, Event::Membership { membership, change: Change::Made, by: None });
        self.rooms[at].access += 1;
        (vec![fact], Some(Answer::Invited { room: at, user }))
    }

    fn touch(&mut self, at: usize, access: bool) -> Fact {
        self.rooms[at].access += i64::from(access);
        let room = Arc::new(self.room_of(at));
        self.placed(at, Event::Room { room, change: Change::Changed })
    }

    fn room_of(&self, at: usize) -> Room {
        Room { access: self.rooms[at].access, ..samples::room(&self.rooms[at].id) }
    }

    pub fn position(&self, at: usize) -> i64 {
        self.rooms[at].position
    }

    /// All messages that a page of the whole history shows, and those that were removed.
    pub fn page(&self, at: usize) -> Vec<String> {
        self.rooms[at].messages.iter().map(|kept| kept.message.id.to_string()).collect()
    }

    /// Everything ever stored, room by room, in order; what was removed counts as stored.
    pub fn history(&self) -> Vec<Stored> {
        let of = |room: &StoredRoom| -> Vec<Stored> {
            let one = |kept: &Kept| Stored {
                room: room.id.to_string(),
                id: kept.message.id.to_string(),
                body: kept.message.text.clone(),
            };
            room.messages.iter().map(one).collect()
        };
        self.rooms.iter().flat_map(of).collect()
    }
}

impl Timeline for &Store {
    fn room(&mut self, room: &RoomId) -> Result<Option<Room>> {
        Ok(Some(self.room_of(self.number_of(room))))
    }

    fn head(&mut self, room: &RoomId) -> Result<Option<Head>> {
        let position = self.position(self.number_of(room));
        Ok(Some(Head { position, ..Head::default() }))
    }

    fn made_after(&mut self, room: &RoomId, seq: i64, limit: u64) -> Result<Vec<Message>> {
        let room = &self.rooms[self.number_of(room)];
        let there = room.messages.iter().filter(|kept| kept.deleted.is_none() && kept.message.seq > seq);
        Ok(there.take(limit as usize).map(|kept| kept.message.clone()).collect())
    }

    fn changed_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Message>> {
        let room = &self.rooms[self.number_of(room)];
        let there = room.messages.iter().filter(|kept| kept.deleted.is_none() && kept.message.rev > rev);
        let mut changed: Vec<Message> = there.map(|kept| kept.message.clone()).collect();
        changed.sort_by_key(|message| message.rev);
        changed.truncate(limit as usize);
        Ok(changed)
    }

    fn deleted_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Tombstone>> {
        let room = &self.rooms[self.number_of(room)];
        let tombstone = |kept: &Kept| {
            let rev = kept.deleted.filter(|deleted| *deleted > rev)?;
            Some(Tombstone {
                id: kept.message.id.clone(),
                at: kept.message.at,
                rev,
                thread: None,
                emptied: None,
            })
        };
        let mut deleted: Vec<Tombstone> = room.messages.iter().filter_map(tombstone).collect();
        deleted.sort_by_key(|tombstone| tombstone.rev);
        deleted.truncate(limit as usize);
        Ok(deleted)
    }
}
