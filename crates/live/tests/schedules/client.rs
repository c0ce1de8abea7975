//! A listener of one room as a door makes it: it listens, is judged, reads what it missed, and drains its outbox when
//! it gets to it. It is cut when it is too slow, and comes back by position.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_core::{
    catch_up::{CatchUp, resume},
    event::{Change, Event},
    hub::{Hub, Interest, Listener, Output, Subscription},
    published::Published,
    session::Actor,
};
use parlor_live::{Class, Lost, Outbox, OutboxLimits};
use parlor_testkit::history::Ledger;

use super::random::Random;
use super::store::{Store, session};

/// So small that a few undrained frames are too many.
const LIMITS: OutboxLimits = OutboxLimits { bytes: 420, volatile: 4, dirty: 4 };
/// More changes than this are read anew instead of resumed.
const RESUME: u64 = 5;
const TOPIC: u64 = 1;

/// What must never happen and no ledger can tell.
#[derive(Default)]
pub struct Wrongs(Mutex<Vec<String>>);

impl Wrongs {
    pub fn say(&self, what: String) {
        self.0.lock().push(what);
    }
    pub fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

/// The position after which a user is no member of a room, kept by the store's commits.
pub type Barrier = Arc<AtomicI64>;

/// The server's side of a client.
pub struct Ear {
    pub outbox: Arc<Outbox>,
    catch_up: Mutex<CatchUp>,
    barrier: Barrier,
    revoked: AtomicBool,
    wrongs: Arc<Wrongs>,
}

impl Ear {
    fn push(&self, published: &Published) {
        let Some((_, position)) = &published.fact.place else { return };
        let frame = match &published.fact.event {
            Event::Message { message, change, .. } => {
                let kind = if *change == Change::Made { 'M' } else { 'C' };
                format!("{kind}|{position}|{}|{}|{}", message.seq, message.id, message.text)
            }
            Event::MessageDeleted { message, .. } => format!("D|{position}|0|{message}|"),
            _ => format!("O|{position}|0||"),
        };
        self.outbox.push(Bytes::from(frame), Class::Event { topic: TOPIC });
    }
}

impl Listener for Ear {
    fn hear(&self, published: &Arc<Published>) {
        if self.revoked.load(Ordering::Relaxed) {
            self.wrongs.say(format!("heard after it was revoked: {:?}", published.fact.place));
        }
        let position = published.fact.place.as_ref().map_or(0, |(_, position)| *position);
        if position > self.barrier.load(Ordering::Relaxed) {
            self.wrongs.say(format!("heard position {position} after the membership had ended"));
        }
        if let Some(published) = self.catch_up.lock().hear(published) {
            self.push(&published);
        }
    }

    fn revoked(&self) {
        self.revoked.store(true, Ordering::Relaxed);
        self.outbox.purge(Lost::Topic(TOPIC));
    }
}

/// How far listening has come.
#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Away,
    Registered,
    Judged { position: Option<i64> },
    Listening,
    Read { position: i64, found: Vec<String> },
    Live,
}

struct Line {
    ear: Arc<Ear>,
    subscription: Subscription,
}

/// What clients went through, to know that the schedules were worth something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Went {
    pub cut: u64,
    pub resumed: u64,
    pub refetched: u64,
    pub revoked: u64,
    pub cancelled: u64,
}

pub struct Client {
    socket: u64,
    pub user: usize,
    pub room: usize,
    pub session: u64,
    phase: Phase,
    line: Option<Line>,
    /// The last position that the client knows of.
    position: Option<i64>,
    read_upto: i64,
    barrier: Barrier,
    /// It never reads what it missed, as the clients of some protocols.
    pub live_only: bool,
    pub went: Went,
}

/// What a client can see and do.
pub struct Scene<'a> {
    pub hub: &'a Hub,
    pub store: &'a Store,
    pub ledger: &'a Ledger,
    pub wrongs: &'a Arc<Wrongs>,
    pub now: Duration,
    /// Sessions that have ended, by user and number.
    pub ended: &'a std::collections::HashSet<(usize, u64)>,
}

impl Client {
    pub fn new(socket: u64, user: usize, room: usize, live_only: bool, barrier: Barrier) -> Self {
        let (phase, went) = (Phase::Away, Went::default());
        Self {
            socket,
            user,
            room,
            session: socket,
            phase,
            line: None,
            position: None,
            read_upto: -1,
            barrier,
            live_only,
            went,
        }
    }

    pub fn socket(&self) -> u64 {
        self.socket
    }

    pub fn state(&self) -> String {
        format!("{:?} after {:?}", self.phase, self.position)
    }

    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Nothing is left to do: it hears everything, or may not.
    pub fn is_settled(&self, store: &Store) -> bool {
        match self.phase {
            Phase::Live => self.line.as_ref().is_some_and(|line| {
                let outbox = &line.ear.outbox;
                let over = line.ear.revoked.load(Ordering::Relaxed) || outbox.closed().is_some();
                !over && outbox.bytes() == 0
            }),
            Phase::Away => !store.rooms[self.room].members.contains(&self.user),
            _ => false,
        }
    }

    fn leave(&mut self, scene: &Scene<'_>) {
        if let Some(line) = self.line.take() {
            scene.hub.end(line.subscription);
        }
        if self.live_only {
            scene.ledger.jumped(self.socket, &scene.store.rooms[self.room].id);
        }
        self.phase = Phase::Away;
    }

    /// Goes on by one step; `chance` decides whether something comes in between.
    pub fn step(&mut self, scene: &Scene<'_>, chance: &mut Random) {
        if self.line.as_ref().is_some_and(|line| line.ear.revoked.load(Ordering::Relaxed)) {
            self.went.revoked += 1;
            self.session += 1_000;
            return self.leave(scene);
        }
        if self.line.as_ref().is_some_and(|line| line.ear.outbox.closed().is_some()) {
            self.went.cut += 1;
            return self.leave(scene);
        }
        if self.phase != Phase::Away && chance.percent(3) {
            self.went.cancelled += 1;
            return self.leave(scene);
        }
        self.proceed(scene, chance.below(3) + 1);
    }

    /// Goes on by one step, undisturbed.
    pub fn proceed(&mut self, scene: &Scene<'_>, frames: usize) {
        match std::mem::replace(&mut self.phase, Phase::Away) {
            Phase::Away => self.register(scene),
            Phase::Registered => self.be_judged(scene),
            Phase::Judged { position } => self.activate(scene, position),
            Phase::Listening => self.read(scene),
            Phase::Read { position, found } => self.join(scene, position, found),
            Phase::Live => {
                self.phase = Phase::Live;
                self.drain(scene, frames);
            }
        }
    }

    fn register(&mut self, scene: &Scene<'_>) {
        let ear = Arc::new(Ear {
            outbox: Outbox::new(LIMITS),
            catch_up: Mutex::new(CatchUp::new()),
            barrier: self.barrier.clone(),
            revoked: AtomicBool::new(false),
            wrongs: scene.wrongs.clone(),
        });
        let user = scene.store.users[self.user].clone();
        let actor = Actor::user(user, Some(session(self.user, self.session)));
        let room = scene.store.rooms[self.room].id.clone();
        let subscription = scene.hub.listen(Interest::Room(room), &actor, ear.clone());
        self.line = Some(Line { ear, subscription });
        self.phase = Phase::Registered;
    }

    fn be_judged(&mut self, scene: &Scene<'_>) {
        let Some(line) = &self.line else { return };
        if scene.ended.contains(&(self.user, self.session)) {
            self.session += 1_000;
            return self.leave(scene);
        }
        if !scene.store.rooms[self.room].members.contains(&self.user) {
            return self.leave(scene);
        }
        let wanted = scene.hub.wants_position(line.subscription);
        let position = wanted.then(|| scene.store.position(self.room));
        self.phase = Phase::Judged { position };
    }

    fn activate(&mut self, scene: &Scene<'_>, position: Option<i64>) {
        let Some(line) = &self.line else { return };
        if !scene.hub.activate(line.subscription, position) {
            return self.leave(scene);
        }
        scene.ledger.opened(self.socket, &scene.store.rooms[self.room].id);
        self.phase = Phase::Listening;
        if self.live_only {
            self.join(scene, -1, Vec::new());
        }
    }

    fn read(&mut self, scene: &Scene<'_>) {
        if !scene.store.rooms[self.room].members.contains(&self.user) {
            return self.leave(scene);
        }
        let room = &scene.store.rooms[self.room].id;
        let missed = self.position.map(|after| resume(&mut &*scene.store, room, after, RESUME));
        let (position, found) = match missed {
            Some(Ok(resumed)) if !resumed.refetch => {
                self.went.resumed += 1;
                let changed = resumed.changed.iter().map(|message| message.id.to_string());
                let deleted = resumed.deleted.iter().map(|tombstone| tombstone.id.to_string());
                (resumed.position, changed.chain(deleted).collect())
            }
            missed => {
                self.went.refetched += u64::from(missed.is_some());
                (scene.store.position(self.room), scene.store.page(self.room))
            }
        };
        self.phase = Phase::Read { position, found };
    }

    fn join(&mut self, scene: &Scene<'_>, position: i64, found: Vec<String>) {
        let Some(line) = &self.line else { return };
        let room = &scene.store.rooms[self.room].id;
        found.iter().for_each(|id| scene.ledger.fetched(self.socket, room, id));
        let waited = line.ear.catch_up.lock().read(position).expect("few events wait in a short schedule");
        waited.iter().for_each(|published| line.ear.push(published));
        self.position = Some(position);
        self.read_upto = position;
        self.phase = Phase::Live;
    }

    fn drain(&mut self, scene: &Scene<'_>, frames: usize) {
        let Some(line) = &self.line else { return };
        let mut batch = Vec::new();
        line.ear.outbox.take(&mut batch, frames);
        for entry in batch {
            let text = String::from_utf8_lossy(&entry.frame);
            let parts: Vec<&str> = text.splitn(5, '|').collect();
            let [kind, position, seq, id, body] = parts[..] else { panic!("a frame of our own") };
            let number = |text: &str| text.parse::<i64>().expect("a frame of our own");
            let room = &scene.store.rooms[self.room].id;
            match kind {
                "M" if number(seq) > self.read_upto => scene.ledger.saw(self.socket, room, id, body),
                "D" => scene.ledger.fetched(self.socket, room, id),
                _ => {}
            }
            self.position = self.position.max(Some(number(position)));
        }
    }
}

/// The news of all rooms of one user.
pub struct Inbox {
    pub user: usize,
    pub ear: Arc<InboxEar>,
    subscription: Option<Subscription>,
    loaded: Option<Vec<(usize, i64)>>,
}

pub struct InboxEar {
    /// For each room: the last position heard, and the barrier.
    pub rooms: Vec<(AtomicI64, Barrier)>,
    names: Vec<String>,
    pub revoked: AtomicBool,
    wrongs: Arc<Wrongs>,
}

impl Listener for InboxEar {
    fn hear(&self, published: &Arc<Published>) {
        let Some((room, position)) = &published.fact.place else { return };
        let at = self.names.iter().position(|name| **name == **room).expect("only these rooms exist");
        let (last, barrier) = &self.rooms[at];
        if *position > barrier.load(Ordering::Relaxed) {
            self.wrongs.say(format!("an inbox heard position {position} after the membership had ended"));
        }
        last.fetch_max(*position, Ordering::Relaxed);
    }

    fn revoked(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }
}

impl Inbox {
    pub fn new(user: usize, store: &Store, barriers: Vec<Barrier>, wrongs: &Arc<Wrongs>) -> Self {
        let ear = Arc::new(InboxEar {
            rooms: barriers.into_iter().map(|barrier| (AtomicI64::new(-1), barrier)).collect(),
            names: store.rooms.iter().map(|room| room.id.to_string()).collect(),
            revoked: AtomicBool::new(false),
            wrongs: wrongs.clone(),
        });
        Self { user, ear, subscription: None, loaded: None }
    }

    pub fn is_settled(&self) -> bool {
        self.subscription.is_some() && self.loaded.is_none() && !self.ear.revoked.load(Ordering::Relaxed)
    }

    /// Listens, loads the memberships, follows them; begins anew when it was revoked.
    pub fn step(&mut self, scene: &Scene<'_>, chance: Option<&mut Random>) -> Vec<Output> {
        if self.ear.revoked.swap(false, Ordering::Relaxed) || chance.is_some_and(|c| c.percent(5)) {
            if let Some(subscription) = self.subscription.take() {
                scene.hub.end(subscription);
            }
            self.loaded = None;
            return Vec::new();
        }
        let Some(subscription) = self.subscription else {
            let actor = Actor::user(scene.store.users[self.user].clone(), None);
            self.subscription = Some(scene.hub.listen(Interest::Inbox, &actor, self.ear.clone()));
            self.loaded = Some(Vec::new());
            return Vec::new();
        };
        match self.loaded.take() {
            Some(rooms) if rooms.is_empty() => {
                let known = scene.hub.knows_rooms(subscription);
                if !known {
                    let is_member = |at: &usize| scene.store.rooms[*at].members.contains(&self.user);
                    let of = (0..scene.store.rooms.len()).filter(is_member);
                    let mut rooms: Vec<_> = of.map(|at| (at, scene.store.position(at))).collect();
                    rooms.push((usize::MAX, 0));
                    self.loaded = Some(rooms);
                }
            }
            Some(rooms) => {
                let known =
                    |(at, position): &(usize, i64)| Some((scene.store.rooms.get(*at)?.id.clone(), *position));
                let rooms: Vec<_> = rooms.iter().filter_map(known).collect();
                return scene.hub.follow_rooms(subscription, &rooms, true, scene.now);
            }
            None => {}
        }
        Vec::new()
    }
}
