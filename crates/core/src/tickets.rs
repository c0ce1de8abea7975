//! Tickets: what the host application says of them, and what becomes of their rooms.

use std::sync::Arc;

use crate::{
    cases::SPOKEN,
    cases_list::Part,
    chat::Chat,
    error::{Refusal, Result, What},
    event::{Change, Event},
    id::{RoomId, UserId},
    messages::{Draft, Sent},
    permissions::{Action, Object},
    room::{Room, RoomKind},
    rooms_notices::{change_room, later},
    rooms_remove::erase,
    session::Actor,
    store::{Document, Lane, Place, Read, TicketFilter, Tx},
    ticket::{MAX_PEOPLE, Relation, Ticket, is_ticket_id},
    tickets_members::{money, settle},
    user::User,
};

/// Longest title of a ticket, in characters.
pub const MAX_TITLE: usize = 200;
/// Longest category, status or vendor, in characters.
pub const MAX_WORD: usize = 64;
/// Tickets of one page at most.
pub const MAX_TICKETS: u64 = 100;
/// The reserved user in whose name the host application speaks.
pub use crate::host_users::SYSTEM_USER;

/// What the host says anew; `None` leaves a fact as it is, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct TicketChange {
    pub title: Option<Option<String>>,
    pub created_by: Option<UserId>,
    pub assignees: Option<Vec<UserId>>,
    pub vendor: Option<Option<String>>,
    pub verified_by: Option<Vec<UserId>>,
    pub category: Option<Option<String>>,
    pub status: Option<Option<String>>,
}

/// A page of tickets.
#[derive(Clone, Debug, Default)]
pub struct Tickets {
    /// The most recent activity first.
    pub items: Vec<Ticket>,
    /// Behind the last one there are more, from here on.
    pub next: Option<Place>,
    /// How many there are in all, where it was asked.
    pub total: Option<u64>,
}

impl Chat {
    /// Takes in what the host application says of a ticket; `true` when it is new. For the host itself (the system)
    /// and administrators. The facts are in force for everybody when this answers.
    pub async fn put_ticket(
        &self,
        actor: &Actor,
        id: &str,
        change: TicketChange,
    ) -> Result<(Arc<Ticket>, bool)> {
        self.require_host(actor).await?;
        if !is_ticket_id(id) {
            return Err(Refusal::invalid("ticketId", "must match [A-Za-z0-9_.:-]{1,64}"));
        }
        check(&change)?;
        let fresh = self.fresh_ticket_room(id);
        let id = id.to_owned();
        self.store()
            .writing(Lane::Verbs, move |tx| match tx.ticket_by_id(&id)? {
                Some(before) => update(tx, before, &change).map(|ticket| (ticket, false)),
                None => create(tx, &fresh, &id, &change).map(|ticket| (ticket, true)),
            })
            .await
    }

    /// Only the host application and administrators say what a ticket is.
    async fn require_host(&self, actor: &Actor) -> Result<()> {
        if actor.is_system() || self.active_user(actor).await?.has_role("admin") {
            return Ok(());
        }
        Err(Refusal::NotAllowed(crate::cases::NOT_YOURS))
    }

    fn fresh_ticket_room(&self, id: &str) -> Room {
        let mut room =
            self.blank_room(RoomKind::Ticket, &self.blank_user(UserId::from(SYSTEM_USER), SYSTEM_USER));
        room.name = Some(format!("ticket-{}", crate::rooms_names::host_name(id, &room.id)));
        room
    }

    /// Removes a ticket with its room, messages, files and marks, on every surface; how many messages it had.
    pub async fn remove_ticket(&self, actor: &Actor, id: &str) -> Result<i64> {
        self.require_host(actor).await?;
        let id = id.to_owned();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let ticket = tx.ticket_by_id(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                let room = tx.lock_room(&ticket.room)?.ok_or(Refusal::NotFound(What::Room))?;
                let messages = tx.head(&room.id)?.unwrap_or_default().messages;
                let ticket = Arc::new(ticket);
                tx.record(None, Event::Ticket { ticket, change: TicketFate::Removed })?;
                erase(tx, &Arc::new(room))?;
                Ok(messages)
            })
            .await
    }

    /// A ticket that the actor may enter, with the reason; the host application sees all (without a reason).
    /// Unknown and closed to the actor are the same.
    pub async fn ticket(&self, actor: &Actor, id: &str) -> Result<(Arc<Ticket>, Option<Relation>)> {
        let user = self.active_user(actor).await?;
        let ticket = self.ticket_by_id(id).await?;
        if actor.is_system() {
            return Ok((ticket, None));
        }
        let relation = ticket.relation(&user, &self.money()).ok_or(Refusal::NotFound(What::Room))?;
        Ok((ticket, Some(relation)))
    }

    /// A ticket by the host's id without any judgement, cached.
    pub(crate) async fn ticket_by_id(&self, id: &str) -> Result<Arc<Ticket>> {
        let unknown = || Refusal::NotFound(What::Room);
        if !is_ticket_id(id) {
            return Err(unknown());
        }
        let key: Box<str> = id.into();
        let wanted = id.to_owned();
        let load =
            || self.store().reading(move |rows| Ok(rows.ticket_by_id(&wanted)?.map(|ticket| ticket.room)));
        let room = self.ticket_rooms.get_or_load(&key, load).await?.ok_or_else(unknown)?;
        self.ticket_of(&room).await?.ok_or_else(unknown)
    }

    /// The ticket that a room belongs to, cached; for judging.
    pub(crate) async fn ticket_of(&self, room: &RoomId) -> Result<Option<Arc<Ticket>>> {
        let wanted = room.clone();
        let load = || self.store().reading(move |rows| Ok(rows.ticket(&wanted)?.map(Arc::new)));
        self.tickets.get_or_load(room, load).await
    }

    /// The ticket that a room belongs to, if it is in memory, for doors that render an event.
    pub fn ticket_at_hand(&self, room: &RoomId) -> Option<Arc<Ticket>> {
        self.tickets.get(room).flatten()
    }

    /// The tickets that the actor may enter, the most recent activity first.
    pub async fn my_tickets(&self, actor: &Actor, part: Part) -> Result<Tickets> {
        let user = self.active_user(actor).await?;
        let limit = part.limit.clamp(1, MAX_TICKETS);
        let filter = TicketFilter {
            all: actor.is_system() || user.has_role("admin"),
            person: Some(user.id.clone()),
            ops: user.has_role("ops"),
            vendor: user.host.vendor.as_deref().map(str::to_owned).filter(|_| user.has_role("vendor")),
            categories: if user.has_role("accounts") { self.money().to_vec() } else { Vec::new() },
            back: part.back && part.beyond.is_some(),
            beyond: part.beyond,
            skip: part.skip,
        };
        let back = filter.back;
        let read = move |rows: &mut dyn Read| {
            let total = if part.count { Some(rows.count_tickets(&filter)?) } else { None };
            Ok((rows.tickets(&filter, limit + 1)?, total))
        };
        let (found, total) = self.store().reading(read).await?;
        let more = found.len() as u64 > limit;
        let kept = || found.iter().take(limit as usize);
        let next = kept().next_back().filter(|_| more).map(|(_, place)| place.clone());
        let mut items: Vec<_> = kept().map(|(ticket, _)| ticket.clone()).collect();
        if back {
            items.reverse();
        }
        Ok(Tickets { items, next, total })
    }

    /// The members of a ticket's room with their relations: those who are known here, at most 1,000, in the order in
    /// which they came. A member who may not enter any more is none.
    pub async fn ticket_members(&self, actor: &Actor, id: &str) -> Result<Vec<(Arc<User>, Relation)>> {
        let (ticket, _) = self.ticket(actor, id).await?;
        let room = ticket.room.clone();
        let ids = self.store().reading(move |rows| rows.participants(&room, 1_000)).await?;
        let money = self.money();
        let users = self.users_by_id(&ids).await?;
        Ok(users.into_iter().filter_map(|user| ticket.relation(&user, &money).map(|r| (user, r))).collect())
    }

    /// Says something in a ticket in the name of the host application: a system message.
    pub async fn speak_in_ticket(&self, id: &str, draft: Draft) -> Result<Sent> {
        let ticket = self.ticket_by_id(id).await?;
        let actor = Actor::system(UserId::from(SYSTEM_USER));
        if self.user(&actor.user).await?.is_none() {
            self.ensure_system_user().await?;
        }
        self.post(&actor, Draft { room: Some(ticket.room.clone()), system_line: true, ..draft }).await
    }

    /// The categories that ACCOUNTS see.
    pub fn money(&self) -> Arc<[String]> {
        self.money.read().clone()
    }

    /// Says which categories ACCOUNTS see; at start, before anybody is let in. Kept for the store's own steps.
    pub async fn set_money(&self, categories: Vec<String>) -> Result<()> {
        let body = crate::json::Json::new(serde_json::json!(categories).to_string());
        *self.money.write() = categories.into();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if tx.document("workspace", money::KEY)?.is_some_and(|known| known.body == body) {
                    return Ok(());
                }
                let row = Document {
                    id: money::KEY.into(),
                    key: String::new(),
                    body: body.clone(),
                    updated_at: tx.now(),
                };
                tx.put_document("workspace", &row)
            })
            .await
    }

    /// Whether the actor may enter the room by the ticket's facts.
    pub(crate) async fn enters_ticket(&self, user: &User, room: &RoomId) -> Result<bool> {
        let ticket = self.ticket_of(room).await?;
        Ok(ticket.is_some_and(|ticket| ticket.relation(user, &self.money()).is_some()))
    }

    /// A room of whatever kind, if the actor may read it; with its ticket if it is one.
    pub async fn room_with_ticket(
        &self,
        actor: &Actor,
        room: &RoomId,
    ) -> Result<(Arc<Room>, Option<Arc<Ticket>>)> {
        let room = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let ticket = if room.kind == RoomKind::Ticket { self.ticket_of(&room.id).await? } else { None };
        Ok((room, ticket))
    }
}

/// What became of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TicketFate {
    Made,
    Changed,
    Removed,
}

fn create(tx: &mut dyn Tx, fresh: &Room, id: &str, change: &TicketChange) -> Result<Arc<Ticket>> {
    let created_by =
        change.created_by.clone().ok_or_else(|| Refusal::invalid("created_by", "is required"))?;
    let mut ticket = Ticket {
        room: fresh.id.clone(),
        id: id.to_owned(),
        title: None,
        created_by,
        assignees: Vec::new(),
        vendor: None,
        verified_by: Vec::new(),
        category: None,
        status: "OPEN".into(),
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    apply(&mut ticket, change);
    let mut room = fresh.clone();
    room.creator = ticket.created_by.clone();
    room.title = Some(ticket.shown().to_owned());
    room.name = Some(free_name(tx, fresh.name.as_deref().unwrap_or_default())?);
    (room.created_at, room.updated_at) = (tx.now(), tx.now());
    tx.insert_room(&room)?;
    let event = Event::Room { room: Arc::new(room), change: Change::Made };
    tx.record(None, event)?;
    tx.put_ticket(&ticket)?;
    let ticket = Arc::new(ticket);
    tx.record(None, Event::Ticket { ticket: ticket.clone(), change: TicketFate::Made })?;
    settle(tx, &ticket)?;
    Ok(ticket)
}

fn update(tx: &mut dyn Tx, before: Ticket, change: &TicketChange) -> Result<Arc<Ticket>> {
    // Another writer may have been quicker: what counts is what stands while the room is held.
    tx.lock_room(&before.room)?.ok_or(Refusal::NotFound(What::Room))?;
    let before = tx.ticket(&before.room)?.ok_or(Refusal::NotFound(What::Room))?;
    let mut ticket = before.clone();
    apply(&mut ticket, change);
    if ticket == before {
        return Ok(Arc::new(ticket));
    }
    ticket.updated_at = later(tx.now(), before.updated_at);
    tx.put_ticket(&ticket)?;
    let ticket = Arc::new(ticket);
    tx.record(None, Event::Ticket { ticket: ticket.clone(), change: TicketFate::Changed })?;
    let title = ticket.shown().to_owned();
    // Whoever listens is judged again by the new facts.
    change_room(tx, &ticket.room, true, |room| room.title = Some(title.clone()))?;
    settle(tx, &ticket)?;
    Ok(ticket)
}

fn apply(ticket: &mut Ticket, change: &TicketChange) {
    let change = change.clone();
    if let Some(title) = change.title {
        ticket.title = title.filter(|title| !title.trim().is_empty());
    }
    if let Some(people) = change.assignees {
        ticket.assignees = once(people);
    }
    if let Some(people) = change.verified_by {
        ticket.verified_by = once(people);
    }
    if let Some(vendor) = change.vendor {
        ticket.vendor = vendor.filter(|vendor| !vendor.is_empty());
    }
    if let Some(category) = change.category {
        ticket.category = category.filter(|category| !category.is_empty());
    }
    if let Some(status) = change.status {
        ticket.status = status.filter(|status| !status.is_empty()).unwrap_or_else(|| "OPEN".into());
    }
}

fn once(people: Vec<UserId>) -> Vec<UserId> {
    let mut seen = rustc_hash::FxHashSet::default();
    people.into_iter().filter(|person| seen.insert(person.clone())).collect()
}

fn check(change: &TicketChange) -> Result<()> {
    let words = [
        ("title", change.title.as_ref(), MAX_TITLE),
        ("vendor_id", change.vendor.as_ref(), MAX_WORD),
        ("category", change.category.as_ref(), MAX_WORD),
        ("status", change.status.as_ref(), MAX_WORD),
    ];
    for (field, word, limit) in words {
        let Some(word) = word.and_then(Option::as_ref) else { continue };
        if word.chars().count() > limit {
            return Err(Refusal::TooLarge { what: field, limit: limit as u64 });
        }
        if word.chars().any(char::is_control) {
            return Err(Refusal::invalid(field, "must not hold control characters"));
        }
    }
    for (field, people) in [("assignees", &change.assignees), ("verified_by", &change.verified_by)] {
        if people.as_ref().is_some_and(|people| people.len() > MAX_PEOPLE) {
            return Err(Refusal::TooLarge { what: field, limit: MAX_PEOPLE as u64 });
        }
    }
    Ok(())
}

/// The name with the first number that makes it free.
pub(crate) fn free_name(tx: &mut dyn Tx, wanted: &str) -> Result<String> {
    if tx.room_by_name(wanted)?.is_none() {
        return Ok(wanted.to_owned());
    }
    for number in 2..10_000 {
        let numbered = format!("{wanted}-{number}");
        if tx.room_by_name(&numbered)?.is_none() {
            return Ok(numbered);
        }
    }
    Err(Refusal::Taken { what: What::RoomName, value: wanted.to_owned() })
}

impl crate::message::Message {
    /// Whether it is a line of the conversation on the product surfaces: what somebody wrote, and what the system said
    /// there; not the notices of coming and going.
    pub fn speaks(&self) -> bool {
        self.notice_kind().is_none_or(|kind| kind == SPOKEN)
    }
}
