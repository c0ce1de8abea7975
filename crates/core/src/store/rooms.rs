//! Rows of rooms, memberships and teams.

use super::{Page, Paged};
use crate::{
    clock::Time,
    error::Result,
    id::{MembershipId, RoomId, TeamId, UserId},
    membership::Membership,
    room::{Head, Room, RoomKind, RoomView},
};

/// Which rooms a list wants. Empty fields don't filter.
#[derive(Clone, Debug, Default)]
pub struct RoomFilter {
    /// Of these kinds.
    pub kinds: Vec<RoomKind>,
    /// Part of name, title or topic; letter case does not matter.
    pub text: String,
    /// Only rooms of this member.
    pub member: Option<UserId>,
    /// Public rooms that this user is not banned from, and private ones of this user.
    pub visible_to: Option<UserId>,
    /// Discussions of this room.
    pub parent: Option<RoomId>,
    /// Rooms of this team.
    pub team: Option<TeamId>,
    /// Rooms of this team, and discussions of this room of it.
    pub below_team: Option<(TeamId, RoomId)>,
    /// Rooms that a team's members join by themselves, or not.
    pub team_default: Option<bool>,
    /// Discussions or not.
    pub discussion: Option<bool>,
    /// Team main rooms or not.
    pub team_main: Option<bool>,
    /// Default rooms or not.
    pub default: Option<bool>,
    /// Rooms inside a team (not its main room) or not.
    pub in_team: Option<bool>,
    /// Archived rooms or not.
    pub archived: Option<bool>,
    /// Exactly this slug, letter case aside.
    pub name: Option<String>,
    /// Only these ids.
    pub ids: Option<Vec<RoomId>>,
    /// Those behind this one in the order of ids: for going through all of them, sorted so, while some come and go.
    pub after: Option<RoomId>,
    /// Sorted by this.
    pub sort: RoomSort,
    /// Last first.
    pub descending: bool,
}

/// Orders of room lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RoomSort {
    #[default]
    Name,
    Id,
    CreatedAt,
    Members,
    LastMessage,
}

/// A removed membership, kept 30 days for clients that catch up.
#[derive(Clone, Debug, PartialEq)]
pub struct RemovedMembership {
    /// Which.
    pub id: MembershipId,
    /// Of which room.
    pub room: RoomId,
    /// When.
    pub at: Time,
}

/// A team. Its members are the members of its main room; their team roles are their roles there.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    /// Opaque.
    pub id: TeamId,
    /// Unique; also the main room's name.
    pub name: String,
    /// Private ones are found by members only.
    pub private: bool,
    /// The main room.
    pub room: RoomId,
    /// Who made it.
    pub creator: UserId,
    /// When.
    pub created_at: Time,
    /// Last change.
    pub updated_at: Time,
}

/// A link by which people come into a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Invite {
    /// The secret in the link.
    pub id: String,
    /// Where it leads.
    pub room: RoomId,
    /// Who made it; it works only while that member is there.
    pub creator: UserId,
    /// Days that it is good for; 0 for ever.
    pub days: i64,
    /// How many may use it; 0 for any number.
    pub max_uses: i64,
    /// How many did.
    pub uses: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Option<Time>,
}

/// Which teams a list wants. Empty fields don't filter.
#[derive(Clone, Debug, Default)]
pub struct TeamFilter {
    /// Teams of this member.
    pub member: Option<UserId>,
    /// Public ones, and private ones of this user.
    pub visible_to: Option<UserId>,
    /// Begins with this, letter case aside.
    pub prefix: String,
}

/// Which members a list wants.
#[derive(Clone, Debug, Default)]
pub struct MemberFilter {
    /// Part of user name or name.
    pub text: String,
    /// Only those with one of these room roles.
    pub roles: Vec<String>,
    /// Only these users (e.g. those online now).
    pub only: Option<Vec<UserId>>,
    /// Last first (by user name).
    pub descending: bool,
    /// Owners first, then moderators, then the others; within that by user name.
    pub by_role: bool,
    /// Owners first, then leaders, moderators and the others; `Some(true)`: the other way round.
    pub by_rank: Option<bool>,
    /// Accounts that are active or not.
    pub active: Option<bool>,
}

/// Reading rooms and memberships.
pub trait ReadRooms {
    /// By id.
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>>;
    /// By its slug, letter case aside.
    fn room_by_name(&mut self, name: &str) -> Result<Option<Room>>;
    /// The direct room of exactly these users (any order).
    fn direct_room(&mut self, users: &[UserId]) -> Result<Option<Room>>;
    /// How far the room got.
    fn head(&mut self, id: &RoomId) -> Result<Option<Head>>;
    /// A page of rooms with their heads.
    fn rooms(&mut self, filter: &RoomFilter, page: Page) -> Result<Paged<RoomView>>;
    /// One membership; in a writing transaction nobody else changes it until the end.
    fn membership(&mut self, room: &RoomId, user: &UserId) -> Result<Option<Membership>>;
    /// By its own id.
    fn membership_by_id(&mut self, id: &MembershipId) -> Result<Option<Membership>>;
    /// All memberships of a user, with what changed after `since` only when given; at most 10,000.
    fn memberships_of(&mut self, user: &UserId, since: Option<Time>) -> Result<Vec<Membership>>;
    /// All memberships of a user with their rooms and heads (without last messages): those where membership, room or
    /// head changed after `since`, when given; at most 10,000.
    fn rooms_of(&mut self, user: &UserId, since: Option<Time>) -> Result<Vec<(Membership, RoomView)>>;
    /// The rooms of a user with the position that each has got to; at most 10,000.
    fn room_positions_of(&mut self, user: &UserId) -> Result<Vec<(RoomId, i64)>>;
    /// Memberships of this user that ended after `since`; at most 10,000.
    fn removed_memberships(&mut self, user: &UserId, since: Time) -> Result<Vec<RemovedMembership>>;
    /// Whether the room has a member that is not field staff alone (see `classes.rs`).
    fn has_others_than_field(&mut self, room: &RoomId) -> Result<bool>;
    /// A page of members.
    fn members(&mut self, room: &RoomId, filter: &MemberFilter, page: Page) -> Result<Paged<Membership>>;
    /// Members that hold any role in the room, by user name; at most 1,000.
    fn members_with_roles(&mut self, room: &RoomId) -> Result<Vec<Membership>>;
    /// How many members hold this role there.
    fn count_role(&mut self, room: &RoomId, role: &str) -> Result<u64>;
    /// An invite by its secret.
    fn invite(&mut self, id: &str) -> Result<Option<Invite>>;
    /// Invites into this room, or all; newest first, at most 1,000.
    fn invites(&mut self, room: Option<&RoomId>) -> Result<Vec<Invite>>;
    /// A team.
    fn team(&mut self, id: &TeamId) -> Result<Option<Team>>;
    /// By name, letter case aside.
    fn team_by_name(&mut self, name: &str) -> Result<Option<Team>>;
    /// A page of teams by name, those that match the filter.
    fn teams(&mut self, filter: &TeamFilter, page: Page) -> Result<Paged<Team>>;
}

/// Writing rooms and memberships.
pub trait WriteRooms: ReadRooms {
    /// The room, read for changing it: whoever else wants to change it or its memberships waits.
    fn lock_room(&mut self, id: &RoomId) -> Result<Option<Room>>;
    /// Stores a new room with an empty head and no members; a taken id, name or direct set is `Taken`.
    fn insert_room(&mut self, room: &Room) -> Result<()>;
    /// Stores a changed room, with the same refusals. `members` and `access` are counted by the store alone.
    fn update_room(&mut self, room: &Room) -> Result<()>;
    /// Removes a room with all its messages, memberships and what hangs on them; it is invisible from now on, and
    /// `sweep_rooms` does the rest in the bulk lane.
    fn remove_room(&mut self, id: &RoomId) -> Result<()>;
    /// Sweeps a piece of what removed rooms left behind (memberships become tombstones); `false` when all is done.
    fn sweep_rooms(&mut self) -> Result<bool>;
    /// Raises the room's access version: whoever may do what here has to be judged again.
    fn bump_access(&mut self, id: &RoomId) -> Result<()>;
    /// Stores a new membership and counts it in `Room::members`; an existing one is `AlreadyMember`.
    fn insert_membership(&mut self, membership: &Membership) -> Result<()>;
    /// Stores a changed membership, read in the same transaction before.
    fn update_membership(&mut self, membership: &Membership) -> Result<()>;
    /// Removes a membership, keeps a tombstone and counts down; `false` if there was none.
    fn remove_membership(&mut self, room: &RoomId, user: &UserId) -> Result<bool>;
    /// Stores a new invite.
    fn insert_invite(&mut self, invite: &Invite) -> Result<()>;
    /// Counts a use, if it is neither used up nor over; `false` otherwise.
    fn use_invite(&mut self, id: &str, now: Time) -> Result<bool>;
    /// Removes an invite; `false` if there was none.
    fn remove_invite(&mut self, id: &str) -> Result<bool>;
    /// Stores a new team; a taken name is `Taken`.
    fn insert_team(&mut self, team: &Team) -> Result<()>;
    /// Stores a changed team.
    fn update_team(&mut self, team: &Team) -> Result<()>;
    /// Removes a team; its rooms are the verb's affair.
    fn remove_team(&mut self, id: &TeamId) -> Result<()>;
}
