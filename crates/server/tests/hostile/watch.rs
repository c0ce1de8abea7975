//! What must stand whatever is thrown at a server: somebody goes on chatting undisturbed, memory is flat afterwards,
//! and the log tells of no panic and no fault of our own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parlor_testkit::host_app::APP_KEY;
use parlor_testkit::server::ADMINISTRATOR;
use parlor_testkit::{Ddp, HostApp, Person, Rest, Server, wait};
use serde_json::json;

use crate::sse::Stream;

/// How much more memory a server may hold after an attack than before it, in KiB: 64 MiB, which is what its allocator
/// keeps of what was given back. An attack that could grow without bound shows far above it.
const GROWTH: u64 = 64 * 1024;
/// A message and its way to two listeners should take less …
const QUICK: Duration = Duration::from_secs(2);
/// … in all but one of so many rounds: other tests keep the same machine busy.
const SLOW_ONE_OF: usize = 10;
/// Between two rounds: who chats, and does not flood.
const PACE: Duration = Duration::from_millis(50);

/// What stands in the log when a request met a fault of ours rather than of its sender.
const FAULTS: [&str; 5] =
    ["panicked", "a store job failed", "a batch was not stored", "can't be read", "cannot be opened"];

/// Keeps an eye on a server from `begin` to `end`.
pub struct Watch {
    bystander: JoinHandle<Vec<Duration>>,
    over: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    before: u64,
}

impl Watch {
    /// A server with all its doors open, and a watch over it.
    pub async fn server() -> (Server, Self) {
        let server = HostApp::setup().start().await;
        let watch = Self::begin(&server).await;
        (server, watch)
    }

    /// Begins when the bystander has made its first round.
    pub async fn begin(server: &Server) -> Self {
        let chatter = Chatter::gather(server).await;
        let over = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicUsize::new(0));
        let (stop, count) = (Arc::clone(&over), Arc::clone(&rounds));
        // On a thread of its own: what the attack computes is no delay of the server's.
        let bystander = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(chatter.chat(&stop, &count))
        });
        let this = Self { bystander, over, rounds, before: 0 };
        this.more_rounds().await;
        Self { before: resident(server), ..this }
    }

    /// Waits until the bystander has sent and heard again twice from now on.
    pub async fn more_rounds(&self) {
        let wanted = self.rounds.load(Ordering::Relaxed) + 2;
        wait::until("the bystander goes on chatting", || {
            let done = self.rounds.load(Ordering::Relaxed);
            let ended = self.bystander.is_finished();
            async move { (done >= wanted || ended).then_some(()) }
        })
        .await;
    }

    /// Nobody was disturbed, the memory is back, nothing panicked.
    pub async fn end(self, server: &Server) {
        self.more_rounds().await;
        self.over.store(true, Ordering::Relaxed);
        let rounds = self.bystander.join().expect("the bystander was not disturbed");
        let slow = rounds.iter().filter(|round| **round > QUICK).count();
        let slowest = rounds.iter().max().expect("there were rounds");
        assert!(
            slow <= 1 + rounds.len() / SLOW_ONE_OF,
            "{slow} of {} rounds of chatting took over {QUICK:?}, one of them {slowest:?}",
            rounds.len()
        );
        settled(server, self.before).await;
        let log = server.logs();
        for fault in FAULTS {
            let line = log.lines().find(|line| line.contains(fault));
            assert!(line.is_none(), "the log tells of a fault: {}", line.unwrap_or_default());
        }
    }
}

/// What an allocator keeps it gives back within seconds.
async fn settled(server: &Server, before: u64) {
    let most = before + GROWTH;
    wait::until(&format!("memory comes back from {} to {most} KiB", resident(server)), || {
        let now = resident(server);
        async move { (now <= most).then_some(()) }
    })
    .await;
}

/// The memory that a server holds, in KiB.
pub fn resident(server: &Server) -> u64 {
    let path = format!("/proc/{}/status", server.pid().expect("the server runs"));
    let status = std::fs::read_to_string(path).expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it holds memory");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

/// Two people in a room: what one says by one door after the other, the other hears by two.
struct Chatter {
    address: SocketAddr,
    talker: Person,
    listener: Person,
    room: String,
}

impl Chatter {
    async fn gather(server: &Server) -> Self {
        let administrator = Person::sign_in(server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
        let talker = administrator.make(server, "bystander.talking", "Theo Talker").await;
        let listener = administrator.make(server, "bystander.listening", "Lea Listener").await;
        let room = talker.group("bystanders", &[&listener]).await;
        Self { address: server.address(), talker, listener, room }
    }

    /// Goes on until it is told that it is over; how long each round took.
    async fn chat(self, over: &AtomicBool, rounds: &AtomicUsize) -> Vec<Duration> {
        let mut heard = Ddp::open_at(&format!("ws://{}/websocket", self.address)).await.expect("a socket");
        heard.shake_hands().await;
        heard.resume(self.listener.rest.token().expect("a token")).await.expect("let in");
        heard.stream("room-messages", &self.room).await.expect("a member may listen");
        let path = format!("/api/chat/stream?user={}", self.listener.username);
        let mut streamed = Stream::open_at(self.address, &path, &[("x-app-key", APP_KEY)]).await;
        let url = format!("http://{}", self.address);
        let app = Rest::new(&url).header("x-app-key", APP_KEY);
        let rest = Rest::new(&url).signed_in(&self.talker.id, self.talker.rest.token().expect("a token"));
        let mut took = Vec::new();
        let mut pace = tokio::time::interval(PACE);
        while !over.load(Ordering::Relaxed) {
            pace.tick().await;
            let text = format!("round {}", took.len());
            let began = Instant::now();
            if took.len() % 2 == 0 {
                let message = json!({"message": {"rid": self.room, "msg": text}});
                let _ = rest.post("chat.sendMessage", message).await.ok();
            } else {
                let message = json!({
                    "from_name": self.talker.username, "room_id": self.room, "message": text,
                });
                let _ = app.post("/api/chat/send", message).await.expect(201);
            }
            heard.event_where("room-messages", &self.room, |args| args[0]["msg"] == text.as_str()).await;
            while streamed.message().await.data["message"] != text.as_str() {}
            took.push(began.elapsed());
            rounds.fetch_add(1, Ordering::Relaxed);
        }
        took
    }
}
