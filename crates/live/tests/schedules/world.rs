//! One schedule: people, the writer's batches, the hub and its questions, clients, all in whatever order chance says.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parlor_core::catch_up::{Piece, read_piece};
use parlor_core::event::{Event, Fact};
use parlor_core::hub::{Figures, Hub, Output};
use parlor_core::id::{RoomId, UserId};
use parlor_store::{BatchLimits, Batcher, Bounds, Lane, Step};
use parlor_testkit::history::{Ledger, judge};

use super::client::{Barrier, Client, Inbox, Scene, Went, Wrongs};
use super::random::Random;
use super::store::{Answer, Job, Store};

const USERS: usize = 3;
const ROOMS: usize = 2;
const STEPS: usize = 130;
/// A hole is read in pieces of so many changes.
const PIECE: u64 = 2;

/// A question that has been looked up and not yet answered.
enum Found {
    Read { room: RoomId, piece: Piece },
    Verdict { room: RoomId, round: u64, denied: Vec<UserId>, left: Vec<UserId> },
}

/// A message that its sender has no answer for.
#[derive(Clone)]
struct Pending {
    room: usize,
    id: String,
    body: String,
}

/// Somebody who sends, over one connection at a time.
#[derive(Default)]
struct Line {
    attempt: u64,
    sent: u64,
    pending: Vec<Pending>,
}

/// What a schedule went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub figures: Figures,
    pub went: Went,
    pub seen: usize,
    pub retried: u64,
}

pub struct World {
    chance: Random,
    now: Duration,
    /// Facts reach the hub in the order of commits (one writer), or not (many connections).
    ordered: bool,
    /// Some facts never reach the hub (another node's hints).
    lossy: bool,
    was_lossy: bool,
    hub: Hub,
    store: Store,
    ledger: Ledger,
    wrongs: Arc<Wrongs>,
    batcher: Batcher<Job>,
    batch: Vec<Job>,
    in_flight: VecDeque<Vec<Fact>>,
    answers: Vec<Answer>,
    questions: Vec<Output>,
    found: Vec<Found>,
    lines: Vec<Line>,
    clients: Vec<Client>,
    inboxes: Vec<Inbox>,
    barriers: Vec<Vec<Barrier>>,
    ended: HashSet<(usize, u64)>,
    retried: u64,
}

macro_rules! scene {
    ($world:ident) => {
        Scene {
            hub: &$world.hub,
            store: &$world.store,
            ledger: &$world.ledger,
            wrongs: &$world.wrongs,
            now: $world.now,
            ended: &$world.ended,
        }
    };
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut chance = Random::new(seed);
        let store = Store::new(ROOMS, USERS);
        let wrongs = Arc::new(Wrongs::default());
        let barrier = |_| Arc::new(AtomicI64::new(i64::MAX));
        let barriers: Vec<Vec<Barrier>> = (0..ROOMS).map(|_| (0..USERS).map(barrier).collect()).collect();
        let count = 2 + chance.below(4);
        let client = |n: usize, chance: &mut Random| {
            let (user, room) = (chance.below(USERS), chance.below(ROOMS));
            Client::new(n as u64 + 1, user, room, chance.percent(30), barriers[room][user].clone())
        };
        let clients = (0..count).map(|n| client(n, &mut chance)).collect();
        let of = |user: usize| barriers.iter().map(|room| room[user].clone()).collect();
        let inboxes = (0..USERS).map(|user| Inbox::new(user, &store, of(user), &wrongs)).collect();
        let lossy = chance.percent(30);
        let limits = BatchLimits { jobs: 1 + chance.below(6), ..BatchLimits::default() };
        Self {
            now: Duration::from_secs(1),
            ordered: chance.percent(30),
            lossy,
            was_lossy: lossy,
            hub: Hub::with_shards(2),
            store,
            ledger: Ledger::default(),
            wrongs,
            batcher: Batcher::new(Bounds { jobs: 24, ..Bounds::default() }, limits),
            batch: Vec::new(),
            in_flight: VecDeque::new(),
            answers: Vec::new(),
            questions: Vec::new(),
            found: Vec::new(),
            lines: (0..USERS).map(|_| Line::default()).collect(),
            clients,
            inboxes,
            barriers,
            ended: HashSet::new(),
            retried: 0,
            chance,
        }
    }

    /// Runs the schedule to its end; what broke, if anything did.
    pub fn run(mut self) -> Result<Tally, String> {
        for _ in 0..STEPS {
            self.now += Duration::from_millis(self.chance.below(40) as u64);
            self.step();
        }
        self.settle()?;
        self.judge()
    }

    fn step(&mut self) {
        match self.chance.below(150) {
            0..20 => self.send(),
            20..23 => self.retry(),
            23..33 => self.other_job(),
            33..60 => self.write(),
            60..82 => self.publish(),
            82..90 => self.answer(),
            90..94 => self.tick(),
            94..102 => self.look_up(true),
            102..110 => self.tell_hub(),
            110..114 => {
                let at = self.chance.below(self.inboxes.len());
                let scene = scene!(self);
                let asked = self.inboxes[at].step(&scene, Some(&mut self.chance));
                self.questions.extend(asked);
            }
            _ => {
                let at = self.chance.below(self.clients.len());
                let scene = scene!(self);
                self.clients[at].step(&scene, &mut self.chance);
            }
        }
    }

    fn send(&mut self) {
        let at = self.chance.below(USERS);
        let line = &mut self.lines[at];
        line.sent += 1;
        let id = format!("m{at}-{}", line.sent);
        let pending = Pending { room: self.chance.below(ROOMS), body: format!("text of {id}"), id };
        line.pending.push(pending.clone());
        self.enqueue(at, &pending);
    }

    /// The connection is lost with all answers on their way; what has none is sent again over a new one.
    fn retry(&mut self) {
        let at = self.chance.below(USERS);
        self.lines[at].attempt += 1;
        for pending in self.lines[at].pending.clone() {
            self.retried += 1;
            self.enqueue(at, &pending);
        }
    }

    fn enqueue(&mut self, at: usize, pending: &Pending) {
        let Pending { room, id, body } = pending.clone();
        let attempt = self.lines[at].attempt;
        self.ledger.sent(at as u64 * 1_000 + attempt, &self.store.rooms[room].id, &id, &body);
        let job = Job::Send { line: at, attempt, room, id, body };
        // A full queue says "not now": the sender may come again.
        let _ = self.batcher.push(self.now, Lane::Message, 100, job);
    }

    fn other_job(&mut self) {
        let (room, user) = (self.chance.below(ROOMS), self.chance.below(USERS));
        let nth = self.chance.below(64);
        let job = match self.chance.below(20) {
            0..3 => Job::Edit { room, nth },
            3 => Job::Grant,
            4..6 => Job::Delete { room, nth },
            6..9 => Job::Skip { room },
            9..12 => Job::Kick { room, user },
            12..15 => Job::Invite { room, user },
            15..17 => Job::Touch { room, access: self.chance.percent(50) },
            17 => {
                let client = &self.clients[self.chance.below(self.clients.len())];
                Job::EndSession { user: client.user, session: client.session }
            }
            _ => Job::Edit { room, nth: nth + 1 },
        };
        let _ = self.batcher.push(self.now, Lane::Verb, 100, job);
    }

    /// One step of the writer.
    fn write(&mut self) {
        match self.batcher.next(self.now) {
            Step::Run(job) if self.chance.percent(2) => {
                // The disk is full, say: nothing of the batch is stored, and its callers don't learn what became
                // of it.
                drop(job);
                self.batch.clear();
                self.batcher.abandon();
            }
            Step::Run(job) => self.batch.push(job),
            Step::Commit => self.commit(),
            Step::Wait | Step::End => {}
        }
    }

    fn commit(&mut self) {
        let mut facts = Vec::new();
        for job in std::mem::take(&mut self.batch) {
            let (made, answer) = self.store.apply(&job);
            match (&job, &answer) {
                (Job::EndSession { user, session }, _) => {
                    self.ended.insert((*user, *session));
                }
                (_, Some(Answer::Kicked { room, user, position })) => {
                    self.barriers[*room][*user].store(*position, Ordering::Relaxed);
                }
                (_, Some(Answer::Invited { room, user })) => self.unbar(*room, *user),
                (Job::Delete { room, .. }, _) => made.iter().for_each(|fact| self.excuse(*room, fact)),
                _ => {}
            }
            self.answers.extend(answer);
            facts.push(made);
        }
        if self.ordered {
            self.in_flight.push_back(facts.into_iter().flatten().collect());
        } else {
            self.in_flight.extend(facts.into_iter().filter(|facts| !facts.is_empty()));
        }
    }

    /// A message is gone: whoever has not seen it by now misses nothing.
    fn excuse(&self, room: usize, fact: &Fact) {
        let Event::MessageDeleted { message, .. } = &fact.event else { return };
        let is_member = |client: &Client| self.store.rooms[room].members.contains(&client.user);
        let here = self.clients.iter().filter(|client| client.room == room);
        for client in here.filter(|client| client.live_only || is_member(client)) {
            self.ledger.fetched(client.socket(), &self.store.rooms[room].id, message);
        }
    }

    /// A member again: from now on nothing of the room is secret.
    fn unbar(&mut self, room: usize, user: usize) {
        self.barriers[room][user].store(i64::MAX, Ordering::Relaxed);
        for client in self.clients.iter().filter(|c| (c.room, c.user, c.live_only) == (room, user, false)) {
            self.ledger.opened(client.socket(), &self.store.rooms[room].id);
        }
    }

    fn publish(&mut self) {
        if self.in_flight.is_empty() {
            return;
        }
        let at = if self.ordered { 0 } else { self.chance.below(self.in_flight.len()) };
        let facts = self.in_flight.remove(at).expect("it is one of them");
        let can_be_lost = facts.iter().all(|fact| fact.place.is_some());
        if self.lossy && can_be_lost && self.chance.percent(15) {
            return;
        }
        let asked = self.hub.publish(facts, self.now);
        self.questions.extend(asked);
    }

    fn answer(&mut self) {
        match self.chance.take(&mut self.answers) {
            Some(Answer::Stored { line, attempt, id }) if self.lines[line].attempt == attempt => {
                self.ledger.acked(&id, &id);
                self.lines[line].pending.retain(|pending| pending.id != id);
            }
            Some(Answer::Refused { line, attempt, id }) if self.lines[line].attempt == attempt => {
                self.ledger.refused(&id);
                self.lines[line].pending.retain(|pending| pending.id != id);
            }
            Some(Answer::Kicked { room, user, .. }) if !self.store.rooms[room].members.contains(&user) => {
                for client in
                    self.clients.iter().filter(|c| (c.room, c.user, c.live_only) == (room, user, false))
                {
                    self.ledger.barred(client.socket(), &self.store.rooms[room].id);
                }
            }
            _ => {}
        }
    }

    fn tick(&mut self) {
        let asked = self.hub.tick(self.now);
        self.questions.extend(asked);
    }

    /// Looks up the answer to a question, from what is committed now.
    fn look_up(&mut self, may_fail: bool) {
        let fails = may_fail && self.chance.percent(10);
        match self.chance.take(&mut self.questions) {
            Some(Output::ReadHole { room, .. }) if fails => self.hub.unrepaired(&room, self.now),
            Some(Output::ReadHole { room, after }) => {
                let piece = read_piece(&mut &self.store, &room, after, PIECE).expect("nothing fails here");
                self.found.push(Found::Read { room, piece });
            }
            Some(Output::Judge { room, round, .. }) if fails => self.hub.unjudged(&room, round),
            Some(Output::Judge { room, round, users, followers }) => {
                let members = &self.store.rooms[self.store.number_of(&room)].members;
                let is_out = |user: &UserId| !members.contains(&self.store.user_number(user));
                let denied = users.into_iter().filter(is_out).collect();
                let left = followers.into_iter().filter(is_out).collect();
                self.found.push(Found::Verdict { room, round, denied, left });
            }
            None => {}
        }
    }

    /// Gives the hub an answer, perhaps long after it was looked up.
    fn tell_hub(&mut self) {
        let asked = match self.chance.take(&mut self.found) {
            Some(Found::Read { room, piece }) => self.hub.repaired(&room, piece, self.now),
            Some(Found::Verdict { room, round, denied, left }) => {
                self.hub.judged(&room, round, &denied, &left, self.now)
            }
            None => Vec::new(),
        };
        self.questions.extend(asked);
    }

    /// Lets everything that is on its way arrive.
    fn settle(&mut self) -> Result<(), String> {
        self.lossy = false;
        self.flush();
        // What got lost is noticed by what comes after it.
        for room in 0..ROOMS {
            let _ = self.batcher.push(self.now, Lane::Bulk, 0, Job::Touch { room, access: false });
        }
        for _ in 0..400 {
            self.now += Duration::from_millis(120);
            self.flush();
            if self.is_settled() {
                return Ok(());
            }
        }
        let clients: Vec<_> = self.clients.iter().map(Client::state).collect();
        let inboxes: Vec<_> = self.inboxes.iter().map(Inbox::is_settled).collect();
        Err(format!("did not come to rest: {:?} {clients:?} {inboxes:?}", self.hub.figures()))
    }

    fn flush(&mut self) {
        loop {
            match self.batcher.next(self.now) {
                Step::Run(job) => self.batch.push(job),
                Step::Commit => self.commit(),
                Step::Wait | Step::End => break,
            }
        }
        while !self.in_flight.is_empty() {
            self.publish();
        }
        while !self.answers.is_empty() {
            self.answer();
        }
        self.tick();
        self.answer_hub();
        let scene = scene!(self);
        for inbox in self.inboxes.iter_mut().filter(|inbox| !inbox.is_settled()) {
            self.questions.extend(inbox.step(&scene, None));
        }
        for client in self.clients.iter_mut().filter(|client| !client.is_settled(&self.store)) {
            client.step(&scene, &mut self.chance);
            if !client.is_settled(&self.store) {
                client.proceed(&scene, 100);
            }
        }
    }

    fn answer_hub(&mut self) {
        while !self.questions.is_empty() || !self.found.is_empty() {
            self.look_up(false);
            self.tell_hub();
        }
    }

    fn is_settled(&self) -> bool {
        self.hub.figures().parked == 0
            && self.questions.is_empty()
            && self.clients.iter().all(|client| client.is_settled(&self.store))
            && self.inboxes.iter().all(Inbox::is_settled)
    }

    fn judge(mut self) -> Result<Tally, String> {
        for client in &self.clients {
            self.ledger.closed(client.socket(), &self.store.rooms[client.room].id, client.is_live());
        }
        self.check_inboxes();
        let verdict = judge(&self.ledger.entries(), &self.store.history());
        let wrongs = self.wrongs.all();
        if !verdict.sound() || !wrongs.is_empty() {
            if std::env::var_os("PARLOR_SEED").is_some() {
                self.ledger.entries().iter().for_each(|entry| println!("{entry:?}"));
                self.store.history().iter().for_each(|stored| println!("{stored:?}"));
            }
            return Err(format!("{verdict}\n{}", wrongs.join("\n")));
        }
        let mut tally = Tally {
            figures: self.hub.figures(),
            seen: verdict.seen,
            retried: self.retried,
            ..Tally::default()
        };
        self.clients.iter().for_each(|client| tally.went.add(&client.went));
        Ok(tally)
    }

    /// In the end an inbox hears of exactly the rooms of its user. (A lost invitation is found by the next login.)
    fn check_inboxes(&mut self) {
        for room in 0..ROOMS {
            let (facts, _) = self.store.apply(&Job::Touch { room, access: false });
            let asked = self.hub.publish(facts, self.now);
            self.questions.extend(asked);
            for _ in 0..8 {
                self.now += Duration::from_millis(120);
                self.tick();
                self.answer_hub();
            }
            let position = self.store.position(room);
            for inbox in &self.inboxes {
                let heard = inbox.ear.rooms[room].0.load(Ordering::Relaxed) == position;
                let member = self.store.rooms[room].members.contains(&inbox.user);
                if heard != member && (heard || !self.was_lossy) {
                    let user = inbox.user;
                    let figures = self.hub.figures();
                    self.wrongs.say(format!(
                        "inbox of {user}, room {room}: heard {heard}, member {member}, {figures:?}"
                    ));
                }
            }
        }
    }
}

impl Went {
    pub fn add(&mut self, more: &Went) {
        self.cut += more.cut;
        self.resumed += more.resumed;
        self.refetched += more.refetched;
        self.revoked += more.revoked;
        self.cancelled += more.cancelled;
    }
}

impl Tally {
    pub fn add(&mut self, more: &Tally) {
        self.went.add(&more.went);
        self.seen += more.seen;
        self.retried += more.retried;
        self.figures.holes += more.figures.holes;
        self.figures.judgements += more.figures.judgements;
        self.figures.revoked += more.figures.revoked;
        self.figures.deliveries += more.figures.deliveries;
        self.figures.published += more.figures.published;
    }
}
