//! Rows of cases and tickets.

use crate::{
    case::{Case, Queue},
    clock::Time,
    error::Result,
    id::{RoomId, UserId},
    ticket::Ticket,
};

/// Which cases a list wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseFilter {
    /// Cases that this user takes part in.
    pub participant: Option<UserId>,
    /// Open or closed ones.
    pub open: Option<bool>,
    /// Those of this view; sorted by how long they wait, the longest first. Otherwise the most recent activity comes
    /// first.
    pub view: Option<Queue>,
    /// Only what comes behind this one in the order.
    pub beyond: Option<Place>,
    /// The other way round: what comes before `beyond`, the nearest first.
    pub back: bool,
}

/// Which tickets a list wants, the most recent activity first: those that any of these opens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TicketFilter {
    /// All of them.
    pub all: bool,
    /// Created by or assigned to this user; verified too with `ops`.
    pub person: Option<UserId>,
    /// Verifying counts.
    pub ops: bool,
    /// Of this vendor.
    pub vendor: Option<String>,
    /// Of these categories, letter case aside.
    pub categories: Vec<String>,
    /// Only what comes behind this one in the order.
    pub beyond: Option<Place>,
    /// The other way round: what comes before `beyond`, the nearest first.
    pub back: bool,
    /// Without so many.
    pub skip: u64,
}

/// A place in the order of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// By what it is sorted: activity or waiting.
    pub at: Time,
    /// The room, where times are equal.
    pub room: RoomId,
}

/// Reading cases and tickets.
pub trait ReadDesk {
    /// What makes a room a case.
    fn case(&mut self, room: &RoomId) -> Result<Option<Case>>;
    /// Cases with their places, at most `limit` after `skip`.
    fn cases(&mut self, filter: &CaseFilter, skip: u64, limit: u64) -> Result<Vec<(Case, Place)>>;
    /// How many cases there are, wherever the list begins.
    fn count_cases(&mut self, filter: &CaseFilter) -> Result<u64>;
    /// The newest open case of this requester.
    fn open_case_of(&mut self, requester: &UserId) -> Result<Option<Case>>;
    /// Members of a room in the order in which they came, at most `limit`.
    fn participants(&mut self, room: &RoomId, limit: u64) -> Result<Vec<UserId>>;
    /// The ticket that a room belongs to.
    fn ticket(&mut self, room: &RoomId) -> Result<Option<Ticket>>;
    /// A ticket by the host's id.
    fn ticket_by_id(&mut self, id: &str) -> Result<Option<Ticket>>;
    /// Tickets with their places, at most `limit`.
    fn tickets(&mut self, filter: &TicketFilter, limit: u64) -> Result<Vec<(Ticket, Place)>>;
    /// How many tickets there are, wherever the list begins.
    fn count_tickets(&mut self, filter: &TicketFilter) -> Result<u64>;
    /// Tickets whose facts name this user or this vendor, and those whose room he is a member of; at most 10,000.
    fn tickets_about(&mut self, user: &UserId, vendor: Option<&str>) -> Result<Vec<Ticket>>;
    /// Users of this vendor; at most 10,000.
    fn users_of_vendor(&mut self, vendor: &str) -> Result<Vec<UserId>>;
    /// Whether this user has a message in the room.
    fn wrote_in(&mut self, room: &RoomId, user: &UserId) -> Result<bool>;
}

/// Writing cases and tickets. They go with their room.
pub trait WriteDesk: ReadDesk {
    /// Stores a new or changed case; its participants are the room's members.
    fn put_case(&mut self, case: &Case) -> Result<()>;
    /// Stores a new or changed ticket; an id that another room has is `Taken`.
    fn put_ticket(&mut self, ticket: &Ticket) -> Result<()>;
}
