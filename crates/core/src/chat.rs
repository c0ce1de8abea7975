//! The chat: the one handle that doors hold. Verbs live beside their nouns (`messages.rs`, `rooms.rs`, …) as
//! `impl Chat` blocks; each is authorised in one place, stored, then published, in that order.

use std::{sync::Arc, time::Duration};

use parking_lot::RwLock;

use crate::{
    blobs::Blobs,
    cache::Cache,
    clock::{Clock, Random, Time},
    credentials::Credentials,
    directory::Directory,
    error::{Refusal, Result, What},
    event::{Event, Fact},
    fetch::Fetch,
    host_tokens::HostTokens,
    id::{MessageId, RoomId, UserId},
    media::Media,
    membership::Membership,
    oauth::Providers,
    role::{Grant, Roles},
    room::{Head, Room},
    session::Actor,
    setting::{Setting, Settings, Value},
    store::Store,
    tickets::TicketFate,
    user::User,
};

/// What the chat stands on.
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Where bytes are kept.
    pub blobs: Arc<dyn Blobs>,
    /// Proof of who somebody is.
    pub credentials: Arc<dyn Credentials>,
    /// Proof by the word of others, by whom people sign in.
    pub providers: Arc<dyn Providers>,
    /// A directory of people.
    pub directory: Arc<dyn Directory>,
    /// Proof by the word of a host application.
    pub host_tokens: Arc<dyn HostTokens>,
    /// What looks into bytes.
    pub media: Arc<dyn Media>,
    /// What fetches from outside.
    pub fetch: Arc<dyn Fetch>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// Users, rooms and cases remembered as they were before a change, each.
const AT_HAND: usize = 2_000;

/// Users, rooms and memberships held in memory at most. Rooms and users of about 1 KB each, memberships 300 bytes.
#[derive(Clone, Copy, Debug)]
pub struct CacheSizes {
    /// Users.
    pub users: usize,
    /// Rooms and their heads.
    pub rooms: usize,
    /// Memberships (absent ones are remembered too).
    pub memberships: usize,
}

impl Default for CacheSizes {
    fn default() -> Self {
        Self { users: 20_000, rooms: 20_000, memberships: 200_000 }
    }
}

/// The chat itself.
pub struct Chat {
    pub(crate) ports: Ports,
    users: Cache<UserId, Option<Arc<User>>>,
    rooms: Cache<RoomId, Option<Arc<Room>>>,
    heads: Cache<RoomId, Arc<Head>>,
    memberships: Cache<(RoomId, UserId), Option<Arc<Membership>>>,
    pub(crate) cases: Cache<RoomId, Option<Arc<crate::case::Case>>>,
    pub(crate) tickets: Cache<RoomId, Option<Arc<crate::ticket::Ticket>>>,
    pub(crate) ticket_rooms: Cache<Box<str>, Option<RoomId>>,
    /// The categories of tickets that ACCOUNTS see.
    pub(crate) money: RwLock<Arc<[String]>>,
    pub(crate) bans: Cache<RoomId, crate::bans::Bans>,
    pub(crate) sessions: crate::sessions::Sessions,
    pub(crate) confirmed: crate::second_factor::Confirmed,
    pub(crate) customs: crate::customs::Customs,
    pub(crate) listening: crate::publisher::Listening,
    pub(crate) moved: crate::moved::Moved,
    pub(crate) feed_tail: crate::feed_tail::Tail,
    roles: RwLock<Arc<Roles>>,
    settings: RwLock<Arc<Settings>>,
    pub(crate) latest: crate::latest::Latest,
    pub(crate) marks: crate::reading::Marks,
    pub(crate) replies: crate::replies::Replies,
    pub(crate) anchors: crate::anchors::Anchors,
    pub(crate) anchor_ids: Cache<RoomId, Option<MessageId>>,
    pub(crate) waiting: crate::notify::Waiting,
    pub(crate) links: crate::previews::Links,
    latencies: crate::histogram::Latencies,
    /// Messages under way.
    pub(crate) sends: Arc<std::sync::atomic::AtomicUsize>,
    pub(crate) send_limit: crate::send_limit::SendLimit,
    /// What a feed tells to somebody who comes back, at most.
    pub(crate) most_missed: std::sync::atomic::AtomicUsize,
    pub(crate) wakers: crate::outgoing::Wakers,
    pub(crate) sweeping: crate::uploads_sweep::Sweeping,
    pub(crate) keen: crate::keen::Keen,
    pub(crate) newest: crate::newest::Newest,
    pub(crate) machine: std::sync::OnceLock<Arc<dyn crate::machine::Machine>>,
}

impl Chat {
    /// A chat on these ports, with roles and settings as they were loaded.
    pub fn new(ports: Ports, sizes: CacheSizes, roles: Roles, settings: Settings) -> Self {
        let (in_order, now) = (ports.store.tells_in_order(), ports.clock.now());
        Self {
            ports,
            users: Cache::new(sizes.users, in_order).remembering(AT_HAND),
            rooms: Cache::new(sizes.rooms, in_order).remembering(AT_HAND),
            heads: Cache::new(sizes.rooms, in_order),
            memberships: Cache::new(sizes.memberships, in_order),
            cases: Cache::new(sizes.rooms, in_order).remembering(AT_HAND),
            tickets: Cache::new(sizes.rooms, in_order),
            ticket_rooms: Cache::new(sizes.rooms, in_order),
            money: RwLock::new(["PAYMENT".to_owned(), "INVOICE".to_owned()].into()),
            bans: Cache::new(crate::bans::ROOMS, in_order),
            sessions: crate::sessions::Sessions::new(),
            confirmed: Default::default(),
            customs: Default::default(),
            listening: crate::publisher::Listening::default(),
            moved: crate::moved::Moved::begin(now),
            feed_tail: Default::default(),
            roles: RwLock::new(Arc::new(roles)),
            settings: RwLock::new(Arc::new(settings)),
            latest: crate::latest::Latest::new(in_order),
            marks: Default::default(),
            replies: Default::default(),
            anchors: Default::default(),
            anchor_ids: Cache::new(sizes.rooms, in_order),
            waiting: Default::default(),
            links: Default::default(),
            latencies: Default::default(),
            sends: Arc::default(),
            send_limit: Default::default(),
            most_missed: std::sync::atomic::AtomicUsize::new(crate::feed::MOST_MISSED),
            wakers: Default::default(),
            sweeping: Default::default(),
            keen: crate::keen::Keen::new(sizes.rooms, in_order),
            newest: crate::newest::Newest::new(in_order),
            machine: Default::default(),
        }
    }

    /// The roles and grants in force.
    pub fn roles(&self) -> Arc<Roles> {
        self.roles.read().clone()
    }

    /// What fetches from outside.
    pub fn outside(&self) -> Arc<dyn Fetch> {
        self.ports.fetch.clone()
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().clone()
    }

    /// How fast one user may send: so many at once, then so many a second; 0 of either is no limit. Off at first.
    pub fn limit_sends(&self, burst: u32, rate: u32) {
        self.send_limit.set(burst, rate);
    }

    /// How much somebody may have missed for a feed to tell it all; [`crate::feed::MOST_MISSED`] at first.
    pub fn limit_missed(&self, most: usize) {
        self.most_missed.store(most, std::sync::atomic::Ordering::Relaxed);
    }

    /// How long people wait, for whoever shows it.
    pub fn latencies(&self) -> &crate::histogram::Latencies {
        &self.latencies
    }

    /// The wall clock.
    pub fn now(&self) -> Time {
        self.ports.clock.now()
    }

    /// A new opaque id: a UUIDv7 from the chat's own clock and randomness.
    pub fn new_id(&self) -> String {
        let mut random = [0; 10];
        self.ports.random.fill(&mut random);
        let millis = u64::try_from(self.now().millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
    }

    /// Runs a verb (judge, then write); judged anew, at most ten times, when its judgement was overtaken between the
    /// two: somebody who blocks and unblocks all the time is no reason to refuse another.
    pub(crate) async fn judged<T, F: Future<Output = Result<T>>>(&self, verb: impl Fn() -> F) -> Result<T> {
        for times in 0..9 {
            match verb().await {
                Err(Refusal::Stale) => self.overtaken(times).await,
                done => return done,
            }
        }
        match verb().await {
            Err(Refusal::Stale) => Err(Refusal::Unavailable),
            done => done,
        }
    }

    /// Before a verb is judged anew: what overtook it is committed, and may not be told of yet, by another connection of
    /// the store's or another node. Each time it is given longer, half a second in all.
    pub(crate) async fn overtaken(&self, times: u32) {
        if !self.store().tells_in_order() {
            tokio::time::sleep(Duration::from_millis(1 << times.min(8))).await;
        }
    }

    /// The store, for verbs.
    pub(crate) fn store(&self) -> &(dyn Store + 'static) {
        &*self.ports.store
    }

    /// A user by id, cached.
    pub async fn user(&self, id: &UserId) -> Result<Option<Arc<User>>> {
        let wanted = id.clone();
        self.users
            .get_or_load(id, || self.store().reading(move |rows| Ok(rows.user(&wanted)?.map(Arc::new))))
            .await
    }

    /// A user if in memory, for doors that render an event: somebody who just did something is there.
    pub fn user_at_hand(&self, id: &UserId) -> Option<Arc<User>> {
        self.users.at_hand(id).flatten()
    }

    /// The acting user, if the account is active.
    pub async fn active_user(&self, actor: &Actor) -> Result<Arc<User>> {
        let user = self.user(&actor.user).await?.ok_or(Refusal::NotLoggedIn)?;
        if user.active || actor.is_system() { Ok(user) } else { Err(Refusal::Deactivated) }
    }

    /// A room by id, cached; for verbs, which judge afterwards.
    pub(crate) async fn room(&self, id: &RoomId) -> Result<Arc<Room>> {
        let wanted = id.clone();
        let found = self
            .rooms
            .get_or_load(id, || self.store().reading(move |rows| Ok(rows.room(&wanted)?.map(Arc::new))))
            .await?;
        found.ok_or(Refusal::NotFound(What::Room))
    }

    /// A room if it is in memory, for doors that render an event. Who came or left last may not be counted.
    pub fn room_at_hand(&self, id: &RoomId) -> Option<Arc<Room>> {
        self.rooms.at_hand(id).flatten()
    }

    /// How far a room got, cached; for verbs, which judge afterwards.
    pub(crate) async fn head(&self, id: &RoomId) -> Result<Arc<Head>> {
        let wanted = id.clone();
        let load = || self.store().reading(move |rows| Ok(Arc::new(rows.head(&wanted)?.unwrap_or_default())));
        self.heads.get_or_load(id, load).await
    }

    /// A membership, cached.
    pub(crate) async fn membership(&self, room: &RoomId, user: &UserId) -> Result<Option<Arc<Membership>>> {
        let key = (room.clone(), user.clone());
        let wanted = key.clone();
        let load =
            || self.store().reading(move |rows| Ok(rows.membership(&wanted.0, &wanted.1)?.map(Arc::new)));
        let found = self.memberships.get_or_load(&key, load).await?;
        Ok(found.map(|membership| self.marks.overlay(membership)))
    }

    /// A membership is read anew.
    pub(crate) fn forget_membership(&self, key: &(RoomId, UserId)) {
        self.memberships.forget(key);
    }

    /// Takes in what was committed, before anybody gets an answer: the caches must tell the truth by then.
    /// Quick and without waiting; called by the committing thread.
    pub fn committed(&self, facts: &[Fact]) {
        let previews = self.settings().is_on(crate::previews::SETTING);
        for fact in facts {
            if !self.latest.note(&fact.event) {
                continue;
            }
            self.take_in(&fact.event);
            self.keen.take_in(&fact.event);
            self.newest.take_in(fact);
            self.waiting.committed(&fact.event);
            self.replies.committed(&fact.event);
            self.anchors.committed(&fact.event, |room| self.room_at_hand(room));
            if previews {
                self.links.committed(&fact.event);
            }
        }
        if !facts.is_empty() {
            self.journal_grew();
            if let Some(relay) = self.listening.relay.get() {
                relay.committed();
            }
        }
    }

    /// Something took a position in a room.
    pub(crate) fn heads_moved(&self, room: &RoomId) {
        self.heads.forget(room);
    }

    /// A membership's change may have moved the room's member count or access version.
    fn members_moved(&self, room: &RoomId) {
        self.rooms.forget(room);
        self.cases.forget(room);
    }

    pub(crate) fn take_in(&self, event: &Event) {
        match event {
            Event::Message { message, head: Some(head), .. } => {
                self.heads.put(message.room.clone(), head.clone())
            }
            Event::MessageDeleted { room, .. } | Event::MessagesPurged { room, .. } => {
                self.heads.forget(room)
            }
            Event::Room { room, .. } => {
                self.rooms.put(room.id.clone(), Some(room.clone()));
                self.bans.forget(&room.id);
            }
            Event::RoomRemoved { room } => {
                self.rooms.remove(&room.id);
                self.bans.forget(&room.id);
                self.heads.forget(&room.id);
                self.cases.remove(&room.id);
            }
            Event::Membership { membership: m, .. } => {
                self.memberships.put((m.room.clone(), m.user.clone()), Some(m.clone()));
                self.members_moved(&m.room);
            }
            Event::Case { conversation, .. } => {
                let room = &conversation.room;
                self.rooms.put(room.id.clone(), Some(room.clone()));
                self.heads.forget(&room.id);
                self.cases.put(room.id.clone(), conversation.case.clone());
            }
            Event::Ticket { ticket, change: TicketFate::Removed } => {
                self.tickets.forget(&ticket.room);
                self.ticket_rooms.forget(&ticket.id.as_str().into());
            }
            Event::Ticket { ticket, .. } => {
                self.tickets.put(ticket.room.clone(), Some(ticket.clone()));
                self.ticket_rooms.put(ticket.id.as_str().into(), Some(ticket.room.clone()));
            }
            Event::Read { room, user, .. } => self.memberships.forget(&(room.clone(), user.clone())),
            Event::MembershipRemoved { room, user, .. } => {
                self.memberships.put((room.clone(), user.clone()), None);
                self.members_moved(room);
                self.bans.forget(room);
            }
            Event::SessionsEnded { user, session, kept } => {
                self.sessions.forget(user, session.as_ref(), kept.as_ref());
            }
            Event::User { user, before, .. } => {
                if let Some(before) = before.as_ref().filter(|before| before.id != user.id) {
                    self.renamed(&before.id);
                }
                self.listening.presence.chose(&user.id, user.status_default);
                self.users.put(user.id.clone(), Some(user.clone()));
            }
            Event::UserRemoved { user } => self.users.remove(&user.id),
            Event::Setting { id, value, at } => self.take_in_setting(id, value, *at),
            Event::Custom { kind, .. } => self.customs.forget(*kind),
            Event::Permission { id, roles, at } => {
                let grant = Grant { permission: id.clone(), roles: roles.to_vec(), updated_at: *at };
                Arc::make_mut(&mut self.roles.write()).put(grant);
            }
            Event::Role { id, role, .. } => {
                let mut all = self.roles.write();
                match role {
                    Some(role) => Arc::make_mut(&mut all).roles.insert(id.clone(), role.as_ref().clone()),
                    None => Arc::make_mut(&mut all).roles.remove(id),
                };
            }
            _ => {}
        }
    }

    /// A user has another id now: what was kept under the old one leads astray.
    fn renamed(&self, old: &UserId) {
        self.users.remove(old);
        self.memberships.clear();
        self.rooms.clear();
        self.bans.clear();
        self.keen.renamed();
        self.heads.clear();
    }

    fn take_in_setting(&self, id: &str, value: &Value, at: Time) {
        let mut all = self.settings.write();
        if id.starts_with(crate::oauth_settings::PREFIX) {
            crate::oauth_services::take_in(Arc::make_mut(&mut all), id, value);
        }
        let Some(def) = all.get(id).map(|s| s.def) else { return };
        let setting = Setting { def, value: value.clone(), updated_at: at };
        Arc::make_mut(&mut all).by_id.insert(def.id, Arc::new(setting));
    }
}
