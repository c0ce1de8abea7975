//! Killing the server again and again while people talk, and judging what they saw.
//!
//! Senders retry under the same id until they are answered. Listeners come back, subscribe, and catch up from the last
//! change they know. At the end one judge looks at everything.

mod listener;
mod sender;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Notify;

use crate::cast::Person;
use crate::ddp::Ddp;
use crate::history::{self, Ledger, Verdict};
use crate::server::{ADMINISTRATOR, Server, Setup};
use crate::wait;

/// The text of the message that ends each room's run.
const LAST_WORD: &str = "the last word";

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Kills.
    pub cycles: usize,
    /// People who send.
    pub senders: usize,
    /// Messages each sender has in flight.
    pub in_flight: usize,
    /// Sockets that listen to every room.
    pub listeners: usize,
    /// Rooms.
    pub rooms: usize,
    /// The server comes up again after at most this many further kills while it starts.
    pub kills_while_starting: usize,
    /// Where the choices come from: the same seed makes the same choices.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// The judgement of all ledgers.
    pub verdict: Verdict,
    /// Kills, those while starting included.
    pub kills: usize,
    /// Times from the launch until the server was ready.
    pub starts: Vec<Duration>,
    /// Tokens that the server no longer knew.
    pub sessions_lost: usize,
    /// How long it all took.
    pub took: Duration,
}

impl Report {
    /// Whether nothing was lost, doubled, misordered or missed, and nobody had to sign in again.
    #[must_use]
    pub fn sound(&self) -> bool {
        self.verdict.sound() && self.sessions_lost == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut starts = self.starts.clone();
        starts.sort();
        let middle = starts.get(starts.len() / 2).copied().unwrap_or_default();
        let slowest = starts.last().copied().unwrap_or_default();
        write!(
            f,
            "{} kills in {:.1} s; ready again after {middle:.0?} (slowest {slowest:.0?}); sessions lost {}; {}",
            self.kills,
            self.took.as_secs_f64(),
            self.sessions_lost,
            self.verdict
        )
    }
}

/// What all people of a run share.
struct Stage {
    socket_url: String,
    rooms: Vec<String>,
    ledger: Ledger,
    lines: AtomicU64,
    acknowledged: AtomicUsize,
    progress: Notify,
    enough: AtomicBool,
    sessions_lost: AtomicUsize,
}

impl Stage {
    /// A socket signed in by token, as soon as the server takes one.
    ///
    /// A refused token is counted: nobody has signed out, so the server has forgotten a session.
    async fn enter(&self, token: &str) -> Option<Ddp> {
        wait::until("the server takes a socket", || async {
            let mut socket = Ddp::open_at(&self.socket_url).await.ok()?;
            socket.send(serde_json::json!({"msg": "connect", "version": "1", "support": ["1"]})).await;
            let call = socket.start("login", serde_json::json!([{"resume": token}])).await;
            match socket.result_if_any(&call).await? {
                Ok(_) => Some(Some(socket)),
                Err(_) => {
                    self.sessions_lost.fetch_add(1, Ordering::Relaxed);
                    Some(None)
                }
            }
        })
        .await
    }
}

/// A small source of choices that can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}

/// Runs the plan on a server of this set-up.
///
/// # Panics
/// When the server does not come up again, or somebody waits in vain.
pub async fn run(setup: Setup, plan: &Plan) -> Report {
    let began = Instant::now();
    let mut server = setup.start().await;
    let (administrator, password) = ADMINISTRATOR;
    let administrator = Person::sign_in(&server, administrator, password).await;
    let people = people(&server, &administrator, plan).await;
    let rooms = rooms(&administrator, &people, plan).await;
    let stage = Arc::new(Stage {
        socket_url: server.socket_url(),
        rooms,
        ledger: Ledger::default(),
        lines: AtomicU64::new(0),
        acknowledged: AtomicUsize::new(0),
        progress: Notify::new(),
        enough: AtomicBool::new(false),
        sessions_lost: AtomicUsize::new(0),
    });
    let (speaking, listening) = people.split_at(plan.senders);
    let mut listeners = Vec::new();
    for (number, person) in listening.iter().enumerate() {
        listeners.push(listener::start(Arc::clone(&stage), person.clone(), number as u64).await);
    }
    let senders: Vec<_> = speaking
        .iter()
        .enumerate()
        .map(|(number, person)| {
            tokio::spawn(sender::send(Arc::clone(&stage), person.clone(), number, plan.in_flight))
        })
        .collect();
    let (kills, starts) = kill_again_and_again(&mut server, &stage, plan).await;
    stage.enough.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.expect("a sender gets all its answers");
    }
    for room in &stage.rooms {
        let _ = administrator.say(room, LAST_WORD).await;
    }
    for listener in listeners {
        listener.await.expect("a listener hears the last word");
    }
    let verdict = judge(&stage, &administrator).await;
    let sessions_lost = stage.sessions_lost.load(Ordering::Relaxed);
    Report { verdict, kills, starts, sessions_lost, took: began.elapsed() }
}

/// Senders first, then listeners.
async fn people(server: &Server, administrator: &Person, plan: &Plan) -> Vec<Person> {
    let mut people = Vec::new();
    for number in 0..plan.senders + plan.listeners {
        let username = format!("person-{number}");
        people.push(administrator.make(server, &username, &username).await);
    }
    people
}

async fn rooms(administrator: &Person, people: &[Person], plan: &Plan) -> Vec<String> {
    let everybody: Vec<&Person> = people.iter().collect();
    let mut rooms = Vec::new();
    for number in 0..plan.rooms {
        rooms.push(administrator.group(&format!("room-{number}"), &everybody).await);
    }
    rooms
}

async fn kill_again_and_again(server: &mut Server, stage: &Stage, plan: &Plan) -> (usize, Vec<Duration>) {
    let mut dice = Dice(plan.seed | 1);
    let (mut kills, mut starts) = (0, Vec::new());
    for _ in 0..plan.cycles {
        let work = 20 + dice.below(200) as usize;
        acknowledged(stage, work).await;
        // Anywhere within a batch, not just behind an answer.
        tokio::time::sleep(Duration::from_micros(dice.below(3_000))).await;
        server.kill9();
        kills += 1;
        for _ in 0..dice.below(plan.kills_while_starting as u64 + 1) {
            server.launch();
            tokio::time::sleep(Duration::from_micros(dice.below(100_000))).await;
            server.kill9();
            kills += 1;
        }
        let launched = Instant::now();
        server.restart().await;
        starts.push(launched.elapsed());
    }
    acknowledged(stage, 1).await;
    (kills, starts)
}

/// Waits until so many more messages are acknowledged.
async fn acknowledged(stage: &Stage, more: usize) {
    let goal = stage.acknowledged.load(Ordering::Relaxed) + more;
    wait::within("messages are acknowledged", async {
        while stage.acknowledged.load(Ordering::Relaxed) < goal {
            stage.progress.notified().await;
        }
    })
    .await;
}

async fn judge(stage: &Stage, administrator: &Person) -> Verdict {
    let mut stored = Vec::new();
    for room in &stage.rooms {
        stored.extend(history::fetch(&administrator.rest, "groups", room).await);
    }
    stored.retain(|message| message.body != LAST_WORD);
    history::judge(&stage.ledger.entries(), &stored)
}

/// Whether an event or a stored message is one that somebody said, just now and unchanged.
fn is_fresh(message: &Value) -> bool {
    message["t"].is_null() && message["editedAt"].is_null()
}

/// The rooms whose last word has not been heard.
type Unheard = HashSet<String>;
