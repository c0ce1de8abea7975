//! Many things at once, for what moves in: where the database is a way off, each of these takes a round trip or few,
//! however many things it is about. They do what their namesakes for one thing do, and refuse what those refuse.

use crate::{
    clock::Time,
    error::Result,
    event::Event,
    id::{RoomId, UserId},
    membership::{Membership, ReadMark},
    room::Room,
    store::Secrets,
    user::User,
};

/// Reading and writing many things at once. Lists of answers are as long as what was asked, in its order.
pub trait Arrivals {
    /// Users by their ids, or by aliases of them.
    fn users_at(&mut self, ids: &[&UserId]) -> Result<Vec<Option<User>>>;
    /// Which user names somebody has, letter case aside.
    fn taken_usernames(&mut self, names: &[&str]) -> Result<Vec<bool>>;
    /// Which addresses somebody has, letter case aside.
    fn taken_emails(&mut self, addresses: &[&str]) -> Result<Vec<bool>>;
    /// Stores new users with their secrets.
    fn insert_users(&mut self, all: &[(&User, &Secrets)]) -> Result<()>;
    /// The rooms that have these ids, or are direct rooms of the same people.
    fn rooms_at(&mut self, wanted: &[&Room]) -> Result<Vec<Option<Room>>>;
    /// Which names rooms have, letter case aside.
    fn taken_room_names(&mut self, names: &[&str]) -> Result<Vec<bool>>;
    /// Stores new rooms without members.
    fn insert_rooms(&mut self, rooms: &[&Room]) -> Result<()>;
    /// Who is a member of what.
    fn are_members(&mut self, all: &[(&RoomId, &UserId)]) -> Result<Vec<bool>>;
    /// Locks rooms and tells where they end: the mark of somebody who has read everything. `None`: there is none.
    fn lock_rooms(&mut self, ids: &[&RoomId]) -> Result<Vec<Option<ReadMark>>>;
    /// The marks of people who have read a room until some time.
    fn marks_until(&mut self, all: &[(&RoomId, Time)]) -> Result<Vec<ReadMark>>;
    /// Stores new memberships and counts them.
    fn insert_memberships(&mut self, all: &[&Membership]) -> Result<()>;
    /// Takes all threads of rooms as read by somebody, up to a position.
    fn read_threads(&mut self, all: &[(&RoomId, &UserId, i64)]) -> Result<()>;
    /// Records what happened outside timelines, in this order.
    fn record_all(&mut self, events: Vec<Event>) -> Result<()>;
}
