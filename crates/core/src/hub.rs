//! Who listens. Facts come in as they were committed (perhaps out of order), and go out in the order of each
//! room's positions to whoever listens and still may. A state machine over inputs and a given clock: no task, no
//! thread, no lock held while somebody else's code waits.
//!
//! Its driver, in `server`, is one thread and a channel:
//!
//! 1. The store's sink calls `Chat::committed` (caches) and then sends the facts into a bounded channel of 256
//!    batches (at most 512 jobs each). When it is full the committing thread waits: sends become slower, then the
//!    store's queue fills and answers 503; nothing committed is ever dropped. Publishing never waits for the
//!    writer, so this can't lock up.
//! 2. The thread (`telling.rs`) holds the one `Publisher` and receives with a time limit of 50 ms. Facts go to `publish`; at
//!    least every 50 ms it calls `tick`. Both give back questions ([`Output`]), nearly always none.
//! 3. Questions are spawned as a task that runs `Publisher::execute(outputs)`: it reads holes from the store, judges
//!    subscriptions and tells the hub, until no question is left. The order of such tasks does not matter.
//! 4. The thread ends when the sink is dropped and the channel is empty, which is the last thing of a shutdown.
//!
//! Locks, in the order in which they may be held: a watch list, a room shard's gate (held while its listeners are
//! told), a user shard, a user, a room shard. `listen` takes the last three only, so it never waits for a fan-out
//! to a room.

mod access;
mod crowd;
mod desk;
#[cfg(feature = "testing")]
pub mod faults;
mod join;
mod release;
mod room;
mod table;
#[cfg(test)]
mod tests;
mod user;

use std::{
    hash::{BuildHasher, Hash},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;

pub use self::join::{FOLLOWED, WATCHED};
use self::{crowd::Crowd, room::Room, table::Table, user::Cell};
use crate::{
    id::{RoomId, UserId},
    published::Published,
};

/// Shards of a hub: more than there are threads that listen at once.
const SHARDS: usize = 64;

/// Hears events. Called in order for one room; must only queue (never wait, never call back into the hub).
pub trait Listener: Send + Sync {
    /// An event that it listens to. After `Hub::end` a fan-out that was under way may still bring one or two.
    fn hear(&self, published: &Arc<Published>);
    /// Whether an inbox is to hear of messages; the answer never changes. Who says no is passed over without a call.
    fn wants_messages(&self) -> bool {
        true
    }
    /// It may not listen any more: the hub has dropped it already. Frames still queued for it must go as well.
    /// Nothing is heard after this (but presence, which is public; and a desk's listener keeps its seat, and hears
    /// again when the right comes back).
    fn revoked(&self);
}

/// What somebody listens to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// One room's events: messages, changes of the room, read receipts, typing. Silent until activated.
    Room(RoomId),
    /// Events meant for the listening user: memberships, read marks, ended sessions, whispers, notifications.
    User,
    /// What is stored in the timelines of all rooms of the listening user, as news: "something changed there".
    /// Changes of the user's own memberships come by `User`.
    Inbox,
    /// The presence of the users on a watch list (`Hub::watch`).
    Presence,
    /// The presence of everybody, for clients that know no watch list.
    Statuses,
    /// What happens in all support cases, for the control centre. Silent until judged by `Hub::seat`, and as long as
    /// the user is not of the control centre.
    Desk,
    /// What concerns everybody who is logged in.
    LoggedIn,
    /// What concerns every connection, logged in or not.
    Everyone,
}

/// A subscription in the hub; dropping it does not end it, `Chat::end` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscription {
    kind: Kind,
    shard: u8,
    slot: u32,
    serial: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Room,
    User,
    Inbox,
    Presence,
    Statuses,
    Desk,
    LoggedIn,
    Everyone,
}

/// A question of the hub to its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Read what changed in the room after this position, then call `repaired` or `unrepaired`.
    ReadHole {
        /// Where.
        room: RoomId,
        /// The last position that was handed out.
        after: i64,
    },
    /// Find out who may still listen, then call `judged` or `unjudged`. The room stands still until then.
    Judge {
        /// Where.
        room: RoomId,
        /// To be given back; an answer to an overtaken question is ignored.
        round: u64,
        /// Who listens to the room: may they still read it?
        users: Vec<UserId>,
        /// Who follows it from an inbox: are they still members? Only after a hole.
        followers: Vec<UserId>,
    },
}

/// What the hub holds and has done, for metrics and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Rooms that somebody listens to or follows.
    pub rooms: usize,
    /// Users who are online or watched.
    pub users: usize,
    /// Facts that wait for an earlier position or a judgement.
    pub parked: usize,
    /// Facts taken in.
    pub published: u64,
    /// Calls of listeners for rooms, without inboxes.
    pub deliveries: u64,
    /// Holes that had to be read from the store.
    pub holes: u64,
    /// Questions about access.
    pub judgements: u64,
    /// Subscriptions taken away.
    pub revoked: u64,
}

#[derive(Default)]
struct Counts {
    published: AtomicU64,
    deliveries: AtomicU64,
    holes: AtomicU64,
    judgements: AtomicU64,
    revoked: AtomicU64,
}

fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(more as u64, Ordering::Relaxed);
}

/// Tells whether a room is a support case; asked only while somebody listens to them all, and must be quick.
pub type IsCase = Box<dyn Fn(&RoomId) -> bool + Send + Sync>;

type Users = Table<UserId, Arc<Cell>>;

struct Rooms {
    table: Table<RoomId, Box<Room>>,
    /// Rooms that `tick` has to look at.
    uneasy: Vec<RoomId>,
}

struct Shard {
    /// Held while listeners are told, so that each room's events stay in order and a revoked listener hears no
    /// more.
    gate: Mutex<()>,
    rooms: Mutex<Rooms>,
}

#[derive(Default)]
struct Global {
    gate: Mutex<()>,
    crowd: Mutex<Crowd>,
}

/// Who listens to what.
pub struct Hub {
    shards: Box<[Shard]>,
    users: Box<[Mutex<Users>]>,
    statuses: Global,
    desk: desk::Desk,
    /// Which rooms are support cases.
    cases: std::sync::OnceLock<IsCase>,
    logged_in: Global,
    everyone: Global,
    /// Numbers for subscriptions, calls and questions; starts at 1.
    numbers: AtomicU64,
    counts: Counts,
}

impl Default for Hub {
    fn default() -> Self {
        Self::with_shards(SHARDS)
    }
}

impl Hub {
    /// A hub that nobody listens to.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Hub::new`], with this many shards (rounded up to a power of two, at most 256).
    pub fn with_shards(count: usize) -> Self {
        let count = count.clamp(1, 256).next_power_of_two();
        let shard = || Shard {
            gate: Mutex::default(),
            rooms: Mutex::new(Rooms { table: Table::new(), uneasy: Vec::new() }),
        };
        Self {
            shards: (0..count).map(|_| shard()).collect(),
            users: (0..count).map(|_| Mutex::new(Table::new())).collect(),
            statuses: Global::default(),
            desk: desk::Desk::default(),
            cases: std::sync::OnceLock::new(),
            logged_in: Global::default(),
            everyone: Global::default(),
            numbers: AtomicU64::new(1),
            counts: Counts::default(),
        }
    }

    /// Says how support cases are known; only the first word counts.
    pub fn know_cases(&self, is_case: IsCase) {
        let _ = self.cases.set(is_case);
    }

    fn shard_of(&self, key: &impl Hash) -> usize {
        // The upper bits: the tables use the lower ones.
        (FxBuildHasher.hash_one(key) >> 40) as usize & (self.shards.len() - 1)
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn shard(&self, room: &RoomId) -> &Shard {
        &self.shards[self.shard_of(room)]
    }

    /// A user who is online or watched.
    fn cell(&self, user: &UserId) -> Option<Arc<Cell>> {
        self.users[self.shard_of(user)].lock().get(user).cloned()
    }

    /// Whether anybody may hear of what happens in the room.
    pub fn is_heard(&self, room: &RoomId) -> bool {
        self.shard(room).rooms.lock().table.get(room).is_some() || !self.desk.heard.crowd.lock().is_empty()
    }

    /// Users who are online and whose inbox follows the room.
    pub fn followers(&self, room: &RoomId) -> Vec<UserId> {
        let followers = self.shard(room).rooms.lock().table.get(room).map(|room| room.followers.clone());
        followers.iter().flat_map(|all| all.iter()).map(|follower| follower.cell.user.clone()).collect()
    }

    /// What the hub holds and has done.
    pub fn figures(&self) -> Figures {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut figures = Figures {
            published: count(&self.counts.published),
            deliveries: count(&self.counts.deliveries),
            holes: count(&self.counts.holes),
            judgements: count(&self.counts.judgements),
            revoked: count(&self.counts.revoked),
            ..Figures::default()
        };
        for shard in &self.shards {
            let mut rooms = shard.rooms.lock();
            figures.rooms += rooms.table.len();
            figures.parked += rooms.table.values_mut().map(|room| room.parked()).sum::<usize>();
        }
        figures.users = self.users.iter().map(|shard| shard.lock().len()).sum();
        figures
    }
}

impl Rooms {
    /// Forgets the room if nothing hangs on it.
    fn tidy(&mut self, id: &RoomId) {
        let Some(room) = self.table.get_mut(id) else { return };
        if room.is_idle() {
            self.table.remove(id);
        } else if room.is_uneasy() && !std::mem::replace(&mut room.listed, true) {
            self.uneasy.push(id.clone());
        }
    }
}
