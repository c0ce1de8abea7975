//! What a socket listens with. Ears run on the publisher's thread: they queue and never wait.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_core::{
    catch_up::CatchUp,
    event::{Change, Event, Fact},
    hub::{Listener, Subscription},
    id::{MessageId, RoomId, UserId},
    message::Message,
    published::{Published, Slot},
    room::RoomKind,
    tickets::TicketFate,
    typing::TYPING,
    user::User,
};
use parlor_host::Problem;
use parlor_live::{Class, Close, Dirty, Lost, Outbox};

use super::{Call, Form};
use crate::{
    Door, packet, rooms,
    tickets::{self, Farewell},
};

/// Personal events that wait to be written at most; beyond that a connection is too slow.
const MOST_NEWS: usize = 1_000;
/// Members beyond which a channel is a crowd.
const CROWD: i64 = 50;
/// Marks of a socket that are not told to it, remembered at most.
const MOST_READING: usize = 16;

/// What all ears of one connection share.
pub(crate) struct Wire {
    pub(crate) door: Arc<Door>,
    pub(crate) outbox: Arc<Outbox>,
    /// The connection's number.
    pub(crate) connection: u64,
    pub(crate) user: UserId,
    pending: Mutex<Pending>,
}

/// What the session has to look at.
#[derive(Default)]
struct Pending {
    lost: Vec<RoomId>,
    news: Vec<Personal>,
}

/// Something that concerns a member, joined or not; written for each by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Personal {
    /// The user is a member now: of a new room, or added to one by this user.
    Entered(RoomId, Option<UserId>),
    /// The room changed.
    Changed(RoomId),
    /// Somebody was added, by this user.
    Added(RoomId, UserId, Option<UserId>),
    /// Somebody is out, perhaps the user, by this user; of a room of this kind, where it is known.
    Removed(RoomId, UserId, Option<UserId>, Option<RoomKind>),
}

impl Wire {
    pub(crate) fn new(door: &Arc<Door>, outbox: Arc<Outbox>, user: &User) -> Arc<Self> {
        let connection = door.host.chat().new_connection();
        let (door, user) = (door.clone(), user.id.clone());
        Arc::new(Self { door, outbox, connection, user, pending: Mutex::default() })
    }

    /// What has become known since the last time.
    pub(crate) fn take(&self) -> (Vec<RoomId>, Vec<Personal>) {
        let pending = std::mem::take(&mut *self.pending.lock());
        (pending.lost, pending.news)
    }

    fn note(&self, change: impl FnOnce(&mut Pending)) {
        let mut pending = self.pending.lock();
        change(&mut pending);
        if pending.news.len() > MOST_NEWS {
            return self.outbox.close(parlor_live::Closed::TooSlow);
        }
        drop(pending);
        self.outbox.mark(Dirty { kind: 0, room: "".into() });
    }

    fn removed(&self, room: &RoomId, user: &UserId, by: Option<&UserId>) {
        let kind = self.door.host.chat().room_at_hand(room).map(|room| room.kind);
        self.news(Personal::Removed(room.clone(), user.clone(), by.cloned(), kind));
    }

    fn news(&self, news: Personal) {
        self.note(|pending| {
            // A room is shown as it is when it is written: once is enough.
            if !matches!(news, Personal::Changed(_)) || !pending.news.contains(&news) {
                pending.news.push(news);
            }
        });
    }
}

fn topic(room: &RoomId) -> u64 {
    // Neither 0 nor the largest, which have their own meaning.
    BuildHasherDefault::<DefaultHasher>::default().hash_one(room).clamp(1, u64::MAX - 1)
}

/// The forms in which a socket has joined a room, as bits.
#[derive(Default)]
pub(crate) struct Forms(AtomicU8);

impl Forms {
    pub(crate) fn has(&self, form: Form) -> bool {
        self.0.load(Ordering::Relaxed) & form as u8 != 0
    }

    /// Leaves a form; what is left.
    pub(crate) fn remove(&self, form: Form) -> u8 {
        self.0.fetch_and(!(form as u8), Ordering::Relaxed) & !(form as u8)
    }

    fn add(&self, form: Form) {
        self.0.fetch_or(form as u8, Ordering::Relaxed);
    }
}

/// Renderings that all sockets share: rooms form, tickets form, both at once, and the tickets form of what comes twice.
const ROOMS: Slot = Slot::number(10);
const TICKETS: Slot = Slot::number(11);
const BOTH: Slot = Slot::number(12);
/// Reactions, which are told beside the message that they are part of.
const REACTIONS: Slot = Slot::number(14);

/// Hears one room, in one form or both.
pub(crate) struct RoomEar {
    /// The wire's own, here as well: what is said to a thousand sockets looks at as little memory of each as it can.
    outbox: Arc<Outbox>,
    wire: Arc<Wire>,
    pub(crate) room: RoomId,
    topic: u64,
    pub(crate) forms: Forms,
    /// The ticket's id, once it is joined in that form.
    ticket: OnceLock<Arc<str>>,
    /// Events wait here while the room is being read.
    heard: Mutex<CatchUp>,
    /// What this socket marks as read just now, which it need not be told; `None` where the messages are not known yet.
    reading: Mutex<Vec<Option<Vec<MessageId>>>>,
}

impl RoomEar {
    pub(crate) fn new(wire: &Arc<Wire>, room: &RoomId) -> Arc<Self> {
        Arc::new(Self {
            outbox: wire.outbox.clone(),
            wire: wire.clone(),
            room: room.clone(),
            topic: topic(room),
            forms: Forms::default(),
            ticket: OnceLock::new(),
            heard: Mutex::default(),
            reading: Mutex::default(),
        })
    }

    /// The room's ticket, for the tickets form.
    pub(crate) fn set_ticket(&self, id: &str) {
        let _ = self.ticket.set(id.into());
    }

    /// Whether this ticket was joined with it.
    pub(crate) fn is_of(&self, ticket: &str) -> bool {
        self.ticket.get().is_some_and(|id| **id == *ticket)
    }

    /// This socket is about to mark these messages, or all, as read.
    pub(crate) fn begin_reading(&self, named: Option<Vec<MessageId>>) {
        let mut reading = self.reading.lock();
        // Marks that changed nothing are told to nobody, so they would stay.
        if reading.len() >= MOST_READING {
            reading.remove(0);
        }
        reading.push(named);
    }

    /// It has marked these; `None` when it was refused.
    pub(crate) fn end_reading(&self, named: Option<&[MessageId]>) {
        let mut reading = self.reading.lock();
        match named {
            None => drop(reading.pop()),
            Some(named) => {
                if let Some(all) = reading.iter_mut().find(|one| one.is_none()) {
                    *all = Some(named.to_vec());
                }
            }
        }
    }

    /// Whether a mark of this user was made by this socket.
    fn is_own_reading(&self, named: &[MessageId]) -> bool {
        let mut reading = self.reading.lock();
        let own = reading.iter().position(|one| one.as_deref().is_none_or(|ids| ids == named));
        own.map(|at| reading.remove(at)).is_some()
    }

    /// Nothing was read: events go on as before.
    pub(crate) fn calm(&self) {
        let mut heard = self.heard.lock();
        if let Some(waiting) = heard.read(0) {
            waiting.iter().for_each(|published| self.tell(published));
        }
    }

    /// Events wait from now on, until [`RoomEar::go_on`].
    pub(crate) fn wait(&self) {
        *self.heard.lock() = CatchUp::new();
    }

    /// The room was read up to this position: what is newer goes out, in this form too.
    pub(crate) fn go_on(&self, form: Form, position: i64) {
        let mut heard = self.heard.lock();
        self.forms.add(form);
        match heard.read(position) {
            Some(waiting) => waiting.iter().for_each(|published| self.tell(published)),
            // More came than may wait: the client comes back and reads again.
            None => self.wire.outbox.close(parlor_live::Closed::TooSlow),
        }
    }

    fn push(&self, frame: Bytes) {
        if !frame.is_empty() {
            self.outbox.push(frame, Class::Event { topic: self.topic });
        }
    }

    /// An event that is told once to each socket, with the keys of the forms in which it has joined.
    fn once(&self, published: &Published) {
        let (rooms, tickets) = (self.forms.has(Form::Rooms), self.forms.has(Form::Tickets));
        let slot = match (rooms, tickets) {
            (true, true) => BOTH,
            (true, false) => ROOMS,
            (false, true) => TICKETS,
            (false, false) => return,
        };
        let render = || render(&self.wire.door, published, rooms, self.ticket(tickets), &self.wire.user);
        let frame = match published.fact.event {
            // Links to media are signed for each viewer.
            Event::Message { ref message, .. } if has_media(message) => render(),
            _ => published.rendered(slot, |_| render()).clone(),
        };
        self.push(frame);
    }

    fn ticket(&self, on: bool) -> Option<&str> {
        self.ticket.get().filter(|_| on).map(AsRef::as_ref)
    }

    fn typing(&self, published: &Published, on: bool) {
        if on {
            return self.once(published);
        }
        // A stop has another name in each form.
        if self.forms.has(Form::Rooms) {
            let render = |fact: &Fact| rooms::events::frame(&self.wire.door, &fact.event);
            self.push(published.rendered(ROOMS, render).clone());
        }
        if let Some(ticket) = self.ticket(self.forms.has(Form::Tickets)) {
            let render = |fact: &Fact| tickets::events::stopped_typing(&self.wire.door, &fact.event, ticket);
            self.push(published.rendered(TICKETS, render).clone());
        }
    }

    /// Something about a message changed, but not what it says: reactions, a pin, replies in its thread. Reactions are told
    /// by themselves in the rooms form, where older clients look for them.
    fn touched(&self, published: &Arc<Published>, message: &Message) {
        if self.forms.has(Form::Rooms) {
            self.push(published.rendered(REACTIONS, |_| rooms::events::reactions(message)).clone());
        }
        self.once(published);
    }

    fn tell(&self, published: &Arc<Published>) {
        match &published.fact.event {
            Event::Message { message, .. } if !message.is_for_hosts() => {}
            Event::Message { message, change: Change::Changed, .. }
                if !message.is_just_edited() && !message.is_gone() =>
            {
                self.touched(published, message);
            }
            Event::Message { .. } | Event::MessageDeleted { .. } => self.once(published),
            Event::Gathered { user, .. } if *user != self.wire.user => self.once(published),
            Event::Activity { user, activities, .. } if *user != self.wire.user => {
                self.typing(published, activities.iter().any(|activity| activity == TYPING));
            }
            Event::Read { thread: None, user, named, .. } if self.forms.has(Form::Rooms) => {
                if *user == self.wire.user && self.is_own_reading(named) {
                    return;
                }
                let frame =
                    published.rendered(ROOMS, |fact| rooms::events::frame(&self.wire.door, &fact.event));
                self.push(frame.clone());
            }
            _ => {}
        }
    }

    /// The access has ended: says so in the form that has a word for it, and lets the session forget the room.
    fn over(&self, farewell: Farewell) {
        if let Some(ticket) = self.ticket(self.forms.has(Form::Tickets)) {
            let frame = tickets::events::left(ticket, self.wire.door.host.now(), farewell);
            self.wire.outbox.push(frame, Class::Event { topic: 0 });
        }
        self.forms.remove(Form::Rooms);
        self.forms.remove(Form::Tickets);
        self.wire.note(|pending| pending.lost.push(self.room.clone()));
    }
}

/// An event in the keys of one form or both.
fn render(door: &Door, published: &Published, rooms: bool, ticket: Option<&str>, viewer: &UserId) -> Bytes {
    crate::events::render(door, &published.fact.event, rooms, ticket, viewer)
}

fn has_media(message: &Message) -> bool {
    message.files().next().is_some()
}

impl Listener for RoomEar {
    fn hear(&self, published: &Arc<Published>) {
        let mut heard = self.heard.lock();
        if let Event::Ticket { change: TicketFate::Removed, .. } = &published.fact.event {
            drop(heard);
            return self.over(Farewell::Deleted);
        }
        if let Some(published) = heard.hear(published) {
            self.tell(&published);
        }
    }

    fn revoked(&self) {
        self.wire.outbox.purge(Lost::Topic(self.topic));
        self.over(Farewell::Revoked);
    }
}

/// Hears what happens to the user; ends the connection with the session.
pub(crate) struct UserEar(pub(crate) Arc<Wire>);

impl Listener for UserEar {
    fn hear(&self, published: &Arc<Published>) {
        match &published.fact.event {
            Event::Membership { membership, change: Change::Made, by } => {
                self.0.news(Personal::Entered(membership.room.clone(), by.clone()));
            }
            Event::MembershipRemoved { room, user, by, .. } => {
                self.0.removed(room, user, by.as_ref());
            }
            _ => {}
        }
    }

    fn revoked(&self) {
        let outbox = &self.0.outbox;
        outbox.purge(Lost::All);
        let user = self.0.door.host.chat().user_at_hand(&self.0.user);
        let problem = match user {
            Some(user) if user.active => Problem::invalid_token(),
            _ => Problem::user_inactive(),
        };
        outbox.push(packet::event("error", &Call::none().error(&problem)), Class::Reply);
        outbox.push(packet::disconnect(), Class::Reply);
        outbox.finish(Close::policy("logged out"));
    }
}

/// Hears the news of the user's rooms.
pub(crate) struct InboxEar(pub(crate) Arc<Wire>);

impl InboxEar {
    /// Whether the user is told who comes into this room and goes. Not for tickets, whose own events say so to those who
    /// have joined them; nor for a channel with many members that the user has not open, or every new account would cost
    /// as much as there are connections.
    fn is_told(&self, room: &RoomId) -> bool {
        let chat = self.0.door.host.chat();
        let Some(known) = chat.room_at_hand(room) else { return true };
        match known.kind {
            RoomKind::Ticket => false,
            RoomKind::Channel => known.members <= CROWD || chat.is_live_in(room, &self.0.user),
            _ => true,
        }
    }
}

impl Listener for InboxEar {
    /// They come to the rooms that were joined.
    fn wants_messages(&self) -> bool {
        false
    }

    fn hear(&self, published: &Arc<Published>) {
        match &published.fact.event {
            Event::Room { room, change: Change::Changed } if room.kind != RoomKind::Ticket => {
                self.0.news(Personal::Changed(room.id.clone()));
            }
            Event::Membership { membership: m, change: Change::Made, by } if self.is_told(&m.room) => {
                self.0.news(Personal::Added(m.room.clone(), m.user.clone(), by.clone()));
            }
            Event::MembershipRemoved { room, user, by, .. } if self.is_told(room) => {
                self.0.removed(room, user, by.as_ref());
            }
            _ => {}
        }
    }

    fn revoked(&self) {}
}

/// A subscription that ends with whoever holds this: a request that is cancelled half-way leaves nothing behind.
pub(crate) struct Listening {
    door: Arc<Door>,
    subscription: Subscription,
}

impl Listening {
    pub(crate) fn new(door: &Arc<Door>, subscription: Subscription) -> Self {
        Self { door: door.clone(), subscription }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.door.host.chat().end(self.subscription);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_leaves_one_form_and_keeps_the_other() {
        let forms = Forms::default();
        forms.add(Form::Rooms);
        forms.add(Form::Tickets);
        assert_eq!(forms.remove(Form::Tickets), Form::Rooms as u8);
        assert!(forms.has(Form::Rooms) && !forms.has(Form::Tickets));
        assert_eq!(forms.remove(Form::Rooms), 0);
    }

    #[test]
    fn a_topic_is_never_one_with_a_meaning_of_its_own() {
        assert!((1..u64::MAX).contains(&topic(&"r".into())));
    }
}
