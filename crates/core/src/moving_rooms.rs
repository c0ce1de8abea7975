//! Rooms, teams and memberships that move in from another chat.

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::{Change, Event},
    id::{MembershipId, MessageId, RoomId, UserId},
    membership::{Membership, ReadMark},
    moving::{Moved, free_name, only_system, reason},
    room::{Room, RoomKind},
    session::Actor,
    store::{Lane, Page, Slice, Team, Tx},
};

/// How far a member of another chat had read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Everything.
    All,
    /// What was written until then.
    Until(Time),
}

/// A membership of another chat.
#[derive(Clone, Debug)]
pub struct MovedMember {
    /// The membership; its mark is worked out.
    pub membership: Membership,
    /// How far the member had read.
    pub seen: Seen,
    /// Roots of followed threads with replies that the member had not read.
    pub unread_threads: Vec<MessageId>,
}

impl Chat {
    /// A room with nothing but id and kind, to be filled by whoever knows the other chat.
    pub fn empty_room(&self, id: RoomId, kind: RoomKind, creator: UserId) -> Room {
        let by = self.blank_user(creator, "");
        Room { id, ..self.blank_room(kind, &by) }
    }

    /// A membership with nothing but its parts, to be filled by whoever knows the other chat.
    pub fn empty_membership(&self, id: Option<MembershipId>, room: &RoomId, user: &UserId) -> Membership {
        let by = self.blank_user(user.clone(), "");
        let room = Room { id: room.clone(), ..self.blank_room(RoomKind::Group, &by) };
        let membership = self.new_membership(&room, user, false);
        Membership { id: id.unwrap_or_else(|| membership.id.clone()), translation: None, ..membership }
    }

    /// Brings in rooms under their own ids, without members; the rooms as they are here. A direct room of the same people is
    /// the same room; a name that another room has gets `-2`, `-3` ….
    pub async fn move_rooms(&self, actor: &Actor, wanted: Vec<Room>, dry: bool) -> Result<Vec<Moved<Room>>> {
        self.move_all(actor, wanted, dry, move |tx, wanted| take_room(tx, wanted, dry)).await
    }

    /// Brings in a team; its main room has to be here, its members are that room's.
    pub async fn move_team(&self, actor: &Actor, team: Team, dry: bool) -> Result<Moved<()>> {
        only_system(actor)?;
        let store = move |tx: &mut dyn Tx| {
            if tx.team(&team.id)?.is_some() {
                return Ok(Moved::Known(()));
            }
            if tx.team_by_name(&team.name)?.is_some() {
                return Ok(Moved::Left("another team has its name".into()));
            }
            if dry {
                return Ok(Moved::New(()));
            }
            tx.room(&team.room)?.ok_or(Refusal::NotFound(What::Room))?;
            tx.insert_team(&team)?;
            tx.record(None, Event::Team { team: team.id.clone() })?;
            Ok(Moved::New(()))
        };
        reason(self.store().writing(Lane::Bulk, store).await)
    }

    /// Brings in memberships, after the rooms' messages.
    pub async fn move_members(
        &self,
        actor: &Actor,
        moved: Vec<MovedMember>,
        dry: bool,
    ) -> Result<Vec<Moved<()>>> {
        self.move_all(actor, moved, dry, move |tx, moved| {
            if tx.membership(&moved.membership.room, &moved.membership.user)?.is_some() {
                return Ok(Moved::Known(()));
            }
            if !dry {
                enter_as_before(tx, moved)?;
            }
            Ok(Moved::New(()))
        })
        .await
    }
}

fn take_room(tx: &mut dyn Tx, wanted: &Room, dry: bool) -> Result<Moved<Room>> {
    if let Some(there) = tx.room(&wanted.id)? {
        return Ok(Moved::Known(there));
    }
    if wanted.is_direct()
        && let Some(there) = tx.direct_room(&wanted.direct)?
    {
        return Ok(Moved::Known(there));
    }
    let mut room = wanted.clone();
    if let Some(name) = &wanted.name {
        room.name = Some(free_name(name, |name| Ok(tx.room_by_name(name)?.is_none()))?);
    }
    if !dry {
        tx.insert_room(&room)?;
        tx.record(None, Event::Room { room: room.clone().into(), change: Change::Made })?;
    }
    Ok(Moved::New(room))
}

fn enter_as_before(tx: &mut dyn Tx, moved: &MovedMember) -> Result<()> {
    let mut membership = moved.membership.clone();
    let (room, user) = (membership.room.clone(), membership.user.clone());
    tx.lock_room(&room)?.ok_or(Refusal::NotFound(What::Room))?;
    let head = tx.head(&room)?.unwrap_or_default();
    membership.mark = match moved.seen {
        Seen::All => ReadMark { seq: head.position, counted: head.counted, at: membership.mark.at },
        Seen::Until(at) => mark_at(tx, &room, at)?,
    };
    membership.updated_at = tx.now();
    tx.insert_membership(&membership)?;
    if moved.unread_threads.is_empty() {
        let now = tx.now();
        tx.read_all_threads(&room, &user, head.position, now)?;
    }
    tx.record(None, Event::Membership { membership: membership.into(), change: Change::Made, by: None })
}

/// The mark of somebody who had read everything until then.
fn mark_at(tx: &mut dyn Tx, room: &RoomId, at: Time) -> Result<ReadMark> {
    let last = tx.timeline(
        room,
        &Slice {
            before: None,
            after: None,
            latest: Some(at),
            oldest: None,
            inclusive: true,
            room_only: false,
            newest_first: true,
            page: Page { offset: 0, count: 1 },
        },
    )?;
    Ok(match last.first() {
        Some(message) => ReadMark { seq: message.seq, counted: message.counted, at: Some(at) },
        None => ReadMark { seq: 0, counted: 0, at: Some(at) },
    })
}
