//! Notices: the lines that the system writes into a room's timeline, and the steps that every change of a room shares.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::{Change, Event},
    id::{MembershipId, MessageId, RoomId, UserId},
    membership::{Membership, Notify, ReadMark, Translation},
    message::Message,
    room::{Head, Room},
    store::Tx,
    user::User,
};

impl Chat {
    /// A notice by this user; `text` is its parameter (the affected user name, the new topic …).
    pub(crate) fn notice(&self, room: &RoomId, by: &User, kind: &str, text: impl Into<String>) -> Message {
        Message::notice(by, MessageId::new(self.new_id()), room.clone(), kind, text.into())
    }

    /// What stands in a new membership until it is known who comes: the language in which nothing needs translating.
    fn translation_to_judge(&self) -> Option<Translation> {
        let settings = self.settings();
        let automatic =
            settings.is_on("AutoTranslate_Enabled") && settings.is_on("AutoTranslate_AutoEnableOnJoinRoom");
        automatic.then(|| Translation { on: None, language: settings.text("Language").to_owned() })
    }

    /// A new membership. Everything before it counts as read, unless it is `news` to the member.
    pub(crate) fn new_membership(&self, room: &Room, user: &UserId, news: bool) -> Membership {
        Membership {
            id: MembershipId::new(self.new_id()),
            room: room.id.clone(),
            user: user.clone(),
            roles: Vec::new(),
            open: true,
            favourite: room.default && room.favourite,
            joined_at: Time::default(),
            mark: ReadMark::default(),
            marked_unread: news,
            last_reply: None,
            notify: Notify::default(),
            ignored: Vec::new(),
            blocker: false,
            blocked: false,
            e2e_key: None,
            translation: self.translation_to_judge(),
            updated_at: Time::default(),
        }
    }
}

/// What has been read by somebody who comes now.
fn mark(head: &Head) -> ReadMark {
    ReadMark { seq: head.position, counted: head.counted, at: None }
}

/// Stores a membership that begins now and tells of it, and of who began it.
pub(crate) fn enter(
    tx: &mut dyn Tx,
    mut membership: Membership,
    by: Option<&UserId>,
) -> Result<Arc<Membership>> {
    let head = tx.head(&membership.room)?.unwrap_or_default();
    membership.mark = mark(&head);
    membership.joined_at = tx.now();
    membership.updated_at = tx.now();
    if let Some(usual) = membership.translation.take() {
        let language = tx.user(&membership.user)?.map(|user| user.language).unwrap_or_default();
        let other = !matches!(&*language, "" | "default") && language != usual.language;
        membership.translation = other.then_some(Translation { on: Some(true), language });
    }
    tx.insert_membership(&membership)?;
    let membership = Arc::new(membership);
    let (made, by) = (membership.clone(), by.cloned());
    tx.record(None, Event::Membership { membership: made, change: Change::Made, by })?;
    Ok(membership)
}

/// Stores a membership that begins now, or gives the one that is there already; `true` when it is new.
pub(crate) fn enter_once(
    tx: &mut dyn Tx,
    membership: Membership,
    by: Option<&UserId>,
) -> Result<(Arc<Membership>, bool)> {
    match tx.membership(&membership.room, &membership.user)? {
        Some(there) => Ok((Arc::new(there), false)),
        None => {
            crate::bans::refuse_banned(tx, &membership.room, &membership.user)?;
            Ok((enter(tx, membership, by)?, true))
        }
    }
}

/// Ends a membership. It takes a position, so that whoever listens is judged again before anything later is heard.
pub(crate) fn end(tx: &mut dyn Tx, membership: &Membership, by: Option<&UserId>) -> Result<()> {
    if !tx.remove_membership(&membership.room, &membership.user)? {
        return Err(Refusal::NotFound(What::Membership));
    }
    tx.bump_access(&membership.room)?;
    let place = tx.advance(&membership.room)?;
    let event = Event::MembershipRemoved {
        id: membership.id.clone(),
        room: membership.room.clone(),
        kind: tx.room(&membership.room)?.map(|room| room.kind),
        user: membership.user.clone(),
        by: by.cloned(),
    };
    tx.record(Some((membership.room.clone(), place.position)), event)
}

/// Changes a membership in a way that decides nothing about access.
pub(crate) fn change_membership(
    tx: &mut dyn Tx,
    room: &RoomId,
    user: &UserId,
    change: impl Fn(&mut Membership),
) -> Result<Arc<Membership>> {
    let before = tx.membership(room, user)?.ok_or(Refusal::NotMember)?;
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return Ok(Arc::new(before));
    }
    after.updated_at = later(tx.now(), before.updated_at);
    tx.update_membership(&after)?;
    let after = Arc::new(after);
    tx.record(None, changed(&after))?;
    Ok(after)
}

/// As [`change_membership`], for changes of roles: everybody's rights in the room are judged again.
pub(crate) fn change_roles(
    tx: &mut dyn Tx,
    room: &RoomId,
    user: &UserId,
    change: impl Fn(&mut Membership),
) -> Result<Arc<Membership>> {
    tx.bump_access(room)?;
    let place = tx.advance(room)?;
    let before = tx.membership(room, user)?.ok_or(Refusal::NotMember)?;
    let mut after = before.clone();
    change(&mut after);
    after.updated_at = later(tx.now(), before.updated_at);
    tx.update_membership(&after)?;
    let after = Arc::new(after);
    tx.record(Some((room.clone(), place.position)), changed(&after))?;
    Ok(after)
}

fn changed(membership: &Arc<Membership>) -> Event {
    Event::Membership { membership: membership.clone(), change: Change::Changed, by: None }
}

/// Changes a room and tells of it. `access`: the change decides who may do what.
pub(crate) fn change_room(
    tx: &mut dyn Tx,
    id: &RoomId,
    access: bool,
    change: impl Fn(&mut Room),
) -> Result<Arc<Room>> {
    let mut room = tx.lock_room(id)?.ok_or(Refusal::NotFound(What::Room))?;
    let before = room.updated_at;
    change(&mut room);
    room.updated_at = later(tx.now(), before);
    tx.update_room(&room)?;
    let place = if access {
        tx.bump_access(id)?;
        room.access += 1;
        Some((id.clone(), tx.advance(id)?.position))
    } else {
        None
    };
    let room = Arc::new(room);
    tx.record(place, Event::Room { room: room.clone(), change: Change::Changed })?;
    Ok(room)
}

/// A time of change that grows even when the clock does not.
pub(crate) fn later(now: Time, before: Time) -> Time {
    if now > before { now } else { Time(before.millis() + 1) }
}
