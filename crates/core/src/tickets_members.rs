//! The members of tickets' rooms: they follow from the facts and from writing, and from nothing else.

use crate::{
    error::{Refusal, Result, What},
    id::{MembershipId, UserId},
    membership::{Membership, Notify, ReadMark},
    rooms_notices::{end, enter_once},
    store::Tx,
    ticket::Ticket,
    user::User,
};

/// Members of a ticket's room that are looked at when its facts change.
const MAX_MEMBERS: u64 = 10_000;

/// The categories that ACCOUNTS see, as the store's steps know them.
pub(crate) mod money {
    use crate::{error::Result, store::Tx};

    /// Where they are kept.
    pub(crate) const KEY: &str = "ticket-categories";

    pub(super) fn read(tx: &mut dyn Tx) -> Result<Vec<String>> {
        let known = tx.document("workspace", KEY)?;
        Ok(known.and_then(|row| serde_json::from_str(row.body.as_str()).ok()).unwrap_or_default())
    }
}

/// Makes the members of a ticket's room what its facts say.
pub(crate) fn settle(tx: &mut dyn Tx, ticket: &Ticket) -> Result<()> {
    let money = money::read(tx)?;
    for id in tx.participants(&ticket.room, MAX_MEMBERS)? {
        if let Some(user) = tx.user(&id)? {
            settle_one(tx, ticket, &user, &money)?;
        }
    }
    let named = std::iter::once(&ticket.created_by).chain(&ticket.assignees).chain(&ticket.verified_by);
    let mut named: Vec<UserId> = named.cloned().collect();
    if let Some(vendor) = &ticket.vendor {
        named.extend(tx.users_of_vendor(vendor)?);
    }
    for id in named {
        if let Some(user) = tx.user(&id)? {
            settle_one(tx, ticket, &user, &money)?;
        }
    }
    Ok(())
}

/// A user is new, or something changed by which tickets are entered: the memberships follow.
pub(crate) fn settle_user(tx: &mut dyn Tx, user: &User) -> Result<()> {
    let tickets = tx.tickets_about(&user.id, user.host.vendor.as_deref())?;
    if tickets.is_empty() {
        return Ok(());
    }
    let money = money::read(tx)?;
    for ticket in &tickets {
        tx.lock_room(&ticket.room)?.ok_or(Refusal::NotFound(What::Room))?;
        settle_one(tx, ticket, user, &money)?;
    }
    Ok(())
}

fn settle_one(tx: &mut dyn Tx, ticket: &Ticket, user: &User, money: &[String]) -> Result<()> {
    let there = tx.membership(&ticket.room, &user.id)?;
    if ticket.makes_member(user) {
        if there.is_none() {
            let membership = membership(tx, ticket, &user.id);
            enter_once(tx, membership, None)?;
        }
        return Ok(());
    }
    let Some(membership) = there else { return Ok(()) };
    let enters = ticket.relation(user, money).is_some();
    if !enters || !tx.wrote_in(&ticket.room, &user.id)? {
        end(tx, &membership, None)?;
    }
    Ok(())
}

/// A membership that begins now. Its id follows from what it is: the step may be run twice.
fn membership(tx: &dyn Tx, ticket: &Ticket, user: &UserId) -> Membership {
    let room = crate::rooms_names::tail(&ticket.room);
    Membership {
        id: MembershipId::new(format!("{:x}.{room}.{user}", tx.now().millis())),
        room: ticket.room.clone(),
        user: user.clone(),
        roles: Vec::new(),
        open: true,
        favourite: false,
        joined_at: tx.now(),
        mark: ReadMark::default(),
        marked_unread: true,
        last_reply: None,
        notify: Notify::default(),
        ignored: Vec::new(),
        blocker: false,
        blocked: false,
        e2e_key: None,
        translation: None,
        updated_at: tx.now(),
    }
}
