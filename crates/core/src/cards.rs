//! Rooms as one viewer sees them, with everything that host applications show of a room at once.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    id::{RoomId, UserId},
    membership::Membership,
    message::Message,
    room::{Head, Room, RoomKind, RoomView},
    session::Actor,
    store::{HostSlice, MemberFilter, Page, Read},
    user::User,
};

/// Members that a card of one room brings at most.
pub const MOST_MEMBERS: u64 = 1_000;
/// Rooms with more members show none in lists.
pub const FEW_MEMBERS: i64 = 50;

/// A room as one viewer sees it.
#[derive(Clone, Debug)]
pub struct Card {
    /// Who looks.
    pub viewer: UserId,
    /// The room.
    pub room: Arc<Room>,
    /// How far it got.
    pub head: Arc<Head>,
    /// The viewer's place in it.
    pub membership: Option<Arc<Membership>>,
    /// What the viewer has not read.
    pub unread: i64,
    /// The newest message, removed or not.
    pub last: Option<Arc<Message>>,
    /// The other side of a direct room of two.
    pub other: Option<Arc<User>>,
    /// Its members in the order in which they came; `None` where they were not asked for or are too many.
    pub members: Option<Vec<Seat>>,
    /// The host's ticket that it belongs to.
    pub ticket: Option<String>,
}

/// A member with the account.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The place in the room.
    pub membership: Arc<Membership>,
    /// The account.
    pub user: Arc<User>,
}

/// Part of a user's rooms.
#[derive(Clone, Debug)]
pub struct Cards {
    /// Latest activity first.
    pub items: Vec<Card>,
    /// There are more behind them.
    pub more: bool,
    /// How many there are.
    pub total: u64,
}

/// A place in a list of rooms: its activity and its id.
pub type RoomPlace = (Time, RoomId);

impl Card {
    /// When something last happened in it.
    pub fn activity(&self) -> Time {
        activity(&self.room, &self.head)
    }
    /// Its place in a list of rooms.
    pub fn place(&self) -> RoomPlace {
        (self.activity(), self.room.id.clone())
    }
}

fn activity(room: &Room, head: &Head) -> Time {
    head.last_at.unwrap_or(room.created_at).max(room.created_at)
}

/// What the store knows of a card.
struct Found {
    unread: i64,
    last: Option<Message>,
    members: Option<Vec<Membership>>,
}

impl Chat {
    /// A room that the actor may read, with its members.
    ///
    /// # Errors
    /// `NotFound(Room)`.
    pub async fn card(&self, actor: &Actor, room: &RoomId) -> Result<Card> {
        let room = self.readable_room(actor, room).await?;
        self.card_of(&room, &self.active_user(actor).await?.id, MOST_MEMBERS as i64).await
    }

    /// A room as one of its members sees it, for doors that tell that user of a change; `None` when he is no member.
    pub async fn card_for(&self, room: &RoomId, user: &UserId) -> Result<Option<Card>> {
        if self.membership(room, user).await?.is_none() {
            return Ok(None);
        }
        match self.room(room).await {
            Ok(room) => Ok(Some(self.card_of(&room, user, FEW_MEMBERS).await?)),
            Err(Refusal::NotFound(_)) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    async fn card_of(&self, room: &Arc<Room>, user: &UserId, most: i64) -> Result<Card> {
        let membership = self.membership(&room.id, user).await?;
        let (id, mine) = (room.id.clone(), membership.clone());
        let few = room.members <= most;
        let (head, found) = self
            .store()
            .reading(move |rows| {
                let head = rows.head(&id)?.unwrap_or_default();
                Ok((head, look(rows, &id, mine.as_deref(), few)?))
            })
            .await?;
        self.card_with(room.clone(), Arc::new(head), membership, user, found).await
    }

    /// Part of the rooms that the actor is a member of: those behind a place (`back`: before it, the nearest ones), or
    /// but so many.
    pub async fn my_cards(
        &self,
        actor: &Actor,
        beyond: Option<RoomPlace>,
        back: bool,
        skip: u64,
        limit: u64,
    ) -> Result<Cards> {
        let user = self.active_user(actor).await?;
        let id = user.id.clone();
        let mut all = self.store().reading(move |rows| rows.rooms_of(&id, None)).await?;
        let key =
            |view: &RoomView| std::cmp::Reverse((activity(&view.room, &view.head), view.room.id.clone()));
        all.sort_by_cached_key(|(_, view)| key(view));
        let total = all.len() as u64;
        let back = back && beyond.is_some();
        if let Some(place) = beyond {
            all.retain(|(_, view)| if back { key(view).0 > place } else { key(view).0 < place });
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let skip = if back { all.len().saturating_sub(most) as u64 } else { skip };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(all.len());
        let mut page = all.split_off(skip);
        let more = if back { skip > 0 } else { page.len() > most };
        page.truncate(most);
        let wanted: Vec<(Membership, bool, RoomId)> = page
            .iter()
            .map(|(m, view)| (m.clone(), view.room.members <= FEW_MEMBERS, view.room.id.clone()))
            .collect();
        let found = self
            .store()
            .reading(move |rows| {
                wanted
                    .iter()
                    .map(|(mine, few, room)| look(rows, room, Some(mine), *few))
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        let mut items = Vec::with_capacity(found.len());
        for ((membership, view), found) in page.into_iter().zip(found) {
            let membership = self.marks.overlay(Arc::new(membership));
            items.push(self.card_with(view.room, view.head, Some(membership), &user.id, found).await?);
        }
        Ok(Cards { items, more, total })
    }

    async fn card_with(
        &self,
        room: Arc<Room>,
        head: Arc<Head>,
        membership: Option<Arc<Membership>>,
        viewer: &UserId,
        found: Found,
    ) -> Result<Card> {
        let other = match room.direct.as_slice() {
            two @ [_, _] => match two.iter().find(|id| *id != viewer) {
                Some(other) => self.user(other).await?,
                None => None,
            },
            _ => None,
        };
        let members = match found.members {
            Some(members) => Some(self.seats(members).await?),
            None => None,
        };
        let ticket = match room.kind {
            RoomKind::Ticket => self.ticket_of(&room.id).await?.map(|ticket| ticket.id.clone()),
            _ => None,
        };
        let last = found.last.map(Arc::new);
        let unread = found.unread;
        Ok(Card { viewer: viewer.clone(), room, head, membership, unread, last, other, members, ticket })
    }

    async fn seats(&self, members: Vec<Membership>) -> Result<Vec<Seat>> {
        let mut seats = Vec::with_capacity(members.len());
        for membership in members {
            if let Some(user) = self.user(&membership.user).await? {
                seats.push(Seat { membership: Arc::new(membership), user });
            }
        }
        seats.sort_by(|a, b| (a.membership.joined_at, &a.user.id).cmp(&(b.membership.joined_at, &b.user.id)));
        Ok(seats)
    }

    /// One member of a room, with the account.
    ///
    /// # Errors
    /// `NotFound(Membership)`.
    pub async fn seat(&self, actor: &Actor, room: &RoomId, user: &UserId) -> Result<Seat> {
        let none = || Refusal::NotFound(What::Membership);
        let room = self.readable_room(actor, room).await?;
        let user = self.user(user).await?.ok_or_else(none)?;
        let membership = self.membership(&room.id, &user.id).await?.ok_or_else(none)?;
        Ok(Seat { membership, user })
    }
}

fn look(rows: &mut dyn Read, room: &RoomId, mine: Option<&Membership>, with_members: bool) -> Result<Found> {
    let unread = match mine {
        Some(mine) => rows.unread(mine)?.messages,
        None => 0,
    };
    let last = rows.host_timeline(room, &HostSlice { limit: 1, ..HostSlice::default() })?.pop();
    let members = if with_members {
        let page = Page { offset: 0, count: MOST_MEMBERS };
        Some(rows.members(room, &MemberFilter::default(), page)?.items)
    } else {
        None
    };
    Ok(Found { unread, last, members })
}
