//! Rooms, teams and memberships that move in from another chat.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::{Change, Event},
    id::{MembershipId, MessageId, RoomId, UserId},
    membership::{Membership, ReadMark},
    moving::{AT_ONCE, Moved, Taken, free_name, only_system, reason},
    room::{Room, RoomKind},
    session::Actor,
    store::{Lane, Team, Tx},
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
        self.move_together(actor, wanted, AT_ONCE, dry, move |tx, wanted: &[Room]| take(tx, wanted, dry))
            .await
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
        let take = move |tx: &mut dyn Tx, moved: &[MovedMember]| take_members(tx, moved, dry);
        self.move_together(actor, moved, AT_ONCE, dry, take).await
    }
}

/// Takes rooms in, in this order; what became of each. `dry`: only says what would.
fn take(tx: &mut dyn Tx, wanted: &[Room], dry: bool) -> Result<Vec<Moved<Room>>> {
    let there = tx.rooms_at(&wanted.iter().collect::<Vec<_>>())?;
    let fresh = wanted.iter().zip(&there).filter(|(_, there)| there.is_none());
    let names: Vec<&str> = fresh.filter_map(|(room, _)| room.name.as_deref()).collect();
    let mut names = Taken::of(&names, tx.taken_room_names(&names)?);
    let (mut done, mut new): (Vec<Moved<Room>>, Vec<Room>) = (Vec::with_capacity(wanted.len()), Vec::new());
    for (wanted, there) in wanted.iter().zip(there) {
        let same = |room: &&Room| room.id == wanted.id || wanted.is_direct() && room.direct == wanted.direct;
        if let Some(known) = there.or_else(|| new.iter().find(same).cloned()) {
            done.push(Moved::Known(known));
            continue;
        }
        let mut room = wanted.clone();
        if let Some(name) = &wanted.name {
            let free = |name: &str| Ok(!names.has(name, |name| Ok(tx.room_by_name(name)?.is_some()))?);
            let name = free_name(name, free)?;
            names.take(&name);
            room.name = Some(name);
        }
        done.push(Moved::New(room.clone()));
        new.push(room);
    }
    if !dry && !new.is_empty() {
        tx.insert_rooms(&new.iter().collect::<Vec<_>>())?;
        let made = |room: Room| Event::Room { room: room.into(), change: Change::Made };
        tx.record_all(new.into_iter().map(made).collect())?;
    }
    Ok(done)
}

/// Takes memberships in; what became of each. `dry`: only says what would.
fn take_members(tx: &mut dyn Tx, moved: &[MovedMember], dry: bool) -> Result<Vec<Moved<()>>> {
    let places: Vec<_> = moved.iter().map(|one| (&one.membership.room, &one.membership.user)).collect();
    let mut here: FxHashSet<_> = places
        .iter()
        .zip(tx.are_members(&places)?)
        .filter(|(_, there)| *there)
        .map(|(place, _)| *place)
        .collect();
    let (mut done, mut new) = (Vec::with_capacity(moved.len()), Vec::new());
    for (one, place) in moved.iter().zip(places) {
        if here.insert(place) {
            new.push(one);
            done.push(Moved::New(()));
        } else {
            done.push(Moved::Known(()));
        }
    }
    if !dry && !new.is_empty() {
        enter_as_before(tx, &new)?;
    }
    Ok(done)
}

/// Makes members of people who had read so far as they had.
fn enter_as_before(tx: &mut dyn Tx, moved: &[&MovedMember]) -> Result<()> {
    let rooms: BTreeSet<&RoomId> = moved.iter().map(|one| &one.membership.room).collect();
    let rooms: Vec<&RoomId> = rooms.into_iter().collect();
    let ends = tx.lock_rooms(&rooms)?;
    let ends: FxHashMap<&RoomId, ReadMark> =
        rooms.into_iter().zip(ends).filter_map(|(room, end)| Some((room, end?))).collect();
    let end = |room: &RoomId| ends.get(room).copied().ok_or(Refusal::NotFound(What::Room));
    let until = moved.iter().filter_map(|one| match one.seen {
        Seen::Until(at) => Some((&one.membership.room, at)),
        Seen::All => None,
    });
    let mut until = tx.marks_until(&until.collect::<Vec<_>>())?.into_iter();
    let (mut members, mut read) = (Vec::with_capacity(moved.len()), Vec::new());
    for one in moved {
        let (mut membership, end) = (one.membership.clone(), end(&one.membership.room)?);
        membership.mark = match one.seen {
            Seen::All => ReadMark { at: membership.mark.at, ..end },
            Seen::Until(_) => until.next().unwrap_or_default(),
        };
        membership.updated_at = tx.now();
        if one.unread_threads.is_empty() {
            read.push((&one.membership.room, &one.membership.user, end.seq));
        }
        members.push(membership);
    }
    tx.insert_memberships(&members.iter().collect::<Vec<_>>())?;
    tx.read_threads(&read)?;
    let entered =
        |it: Membership| Event::Membership { membership: it.into(), change: Change::Made, by: None };
    tx.record_all(members.into_iter().map(entered).collect())
}
