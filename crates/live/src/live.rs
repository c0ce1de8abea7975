//! All live connections of a server, and the doors they came through.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::TaskTracker;

use crate::caps::{CapLimits, Caps, Seat};
use crate::close::{Close, Closed};
use crate::connection::{Connection, Session};
use crate::metrics::LiveMetrics;
use crate::outbox::{Outbox, OutboxLimits};
use crate::serve::SocketHeld;
use crate::ws::WsLimits;

/// How a door's connections behave.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bounds of each outbox.
    pub outbox: OutboxLimits,
    /// Bounds of what a client may send.
    pub ws: WsLimits,
    /// Nothing heard for so long: [`crate::Session::idle`] is asked for a ping. Default 25 s.
    pub ping_every: Duration,
    /// A ping at each interval whatever was heard meanwhile, for clients that wait for ours. Default false.
    pub steady: bool,
    /// Nothing heard for so long after a ping: the connection is cut. Default 20 s.
    pub ping_timeout: Duration,
    /// A stream of events that says nothing for so long says a comment, which keeps proxies from cutting it. Default
    /// 15 s.
    pub keep_alive: Duration,
    /// The socket takes no byte for so long while frames wait: the client is too slow. Default 30 s.
    pub stall_timeout: Duration,
    /// How long a gentle end waits for answers in flight and queued frames. Default 5 s.
    pub finish_timeout: Duration,
    /// How long the client may take to close after our close frame. Default 2 s.
    pub close_timeout: Duration,
    /// Requests of one connection in flight; at the bound its socket is not read. Default 256.
    pub max_pending: usize,
    /// Bytes queued at which no further request of this connection is read or answered. Default 256 KiB.
    pub read_pause: usize,
    /// The least time between two renderings of the same dirty key. Default 500 ms.
    pub pace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            outbox: OutboxLimits::default(),
            ws: WsLimits::default(),
            ping_every: Duration::from_secs(25),
            steady: false,
            ping_timeout: Duration::from_secs(20),
            keep_alive: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            finish_timeout: Duration::from_secs(5),
            close_timeout: Duration::from_secs(2),
            max_pending: 256,
            read_pause: 256 * 1024,
            pace: Duration::from_millis(500),
        }
    }
}

/// One protocol's entrance: its name, its options and its counters.
#[derive(Debug)]
pub struct Door {
    /// For logs and metrics.
    pub name: &'static str,
    /// How its connections behave.
    pub options: Options,
    /// What happened on them.
    pub metrics: LiveMetrics,
    pub(crate) live: Arc<Live>,
}

impl Door {
    /// The connections of all doors.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Runs a connection over a stream that the door made itself, such as one of long polls; WebSocket frames
    /// go in and out of it. `seat` is its place under the caps.
    pub fn connect<IO, S>(self: &Arc<Self>, io: IO, seat: Seat, make: impl FnOnce(Arc<Outbox>) -> S)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Session,
    {
        let entered = Entered::new(self.clone(), Some(seat));
        let session = make(entered.outbox().clone());
        self.live.tasks.spawn(Connection::new(io, &[], session, entered).map(drop));
    }
}

/// All live connections of a server.
#[derive(Debug)]
pub struct Live {
    doors: Mutex<Vec<Arc<Door>>>,
    registry: Mutex<Registry>,
    pub(crate) tasks: TaskTracker,
    pub(crate) caps: Arc<Caps>,
}

#[derive(Debug, Default)]
struct Registry {
    open: HashMap<u64, Arc<Outbox>>,
    next: u64,
    ended: Option<Close>,
}

impl Live {
    /// A server's live connections, none yet.
    pub fn new(caps: CapLimits) -> Arc<Self> {
        Arc::new(Self {
            doors: Mutex::default(),
            registry: Mutex::default(),
            tasks: TaskTracker::new(),
            caps: Caps::new(caps),
        })
    }

    /// Opens a door. Each is opened once, at start.
    pub fn door(self: &Arc<Self>, name: &'static str, options: Options) -> Arc<Door> {
        let door = Arc::new(Door { name, options, metrics: LiveMetrics::default(), live: self.clone() });
        self.doors.lock().push(door.clone());
        door
    }

    /// The doors opened so far, with their counters.
    pub fn doors(&self) -> Vec<Arc<Door>> {
        self.doors.lock().clone()
    }

    /// Live connections open now.
    pub fn connections(&self) -> usize {
        self.registry.lock().open.len()
    }

    /// Bytes queued in all outboxes now; walks over all of them.
    pub fn queued_bytes(&self) -> usize {
        let all: Vec<_> = self.registry.lock().open.values().cloned().collect();
        all.iter().map(|outbox| outbox.bytes()).sum()
    }

    /// The caps on connections, shared with the accept loop.
    pub fn caps(&self) -> &Arc<Caps> {
        &self.caps
    }

    /// Ends all connections gently with this close, and every later one at its beginning.
    pub fn finish_all(&self, close: Close) {
        let all: Vec<_> = {
            let mut registry = self.registry.lock();
            registry.ended = Some(close.clone());
            registry.open.values().cloned().collect()
        };
        for outbox in all {
            outbox.finish(close.clone());
        }
    }

    /// Waits until no connection is left (after [`Live::finish_all`]).
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn enter(self: &Arc<Self>, outbox: &Arc<Outbox>) -> u64 {
        let mut registry = self.registry.lock();
        if let Some(close) = &registry.ended {
            outbox.finish(close.clone());
        }
        let id = registry.next;
        registry.next += 1;
        registry.open.insert(id, outbox.clone());
        id
    }

    fn leave(&self, id: u64) {
        let mut registry = self.registry.lock();
        registry.open.remove(&id);
        // A storm of connections leaves a large table behind.
        if registry.open.capacity() > 1024 && registry.open.len() * 8 < registry.open.capacity() {
            registry.open.shrink_to_fit();
        }
    }
}

/// A connection's place in the registry and the counters; leaving is by drop, so a panic leaves too.
#[derive(Debug)]
pub struct Entered {
    door: Arc<Door>,
    id: u64,
    outbox: Arc<Outbox>,
    _seat: Option<Seat>,
    _socket: Option<SocketHeld>,
}

impl Entered {
    /// Enters a new connection, with its seat under the caps if it has one.
    pub fn new(door: Arc<Door>, seat: Option<Seat>) -> Self {
        Self::with_socket(door, seat, None)
    }

    pub(crate) fn with_socket(door: Arc<Door>, seat: Option<Seat>, socket: Option<SocketHeld>) -> Self {
        let outbox = Outbox::new(door.options.outbox);
        let id = door.live.enter(&outbox);
        door.metrics.connections.add(1);
        door.metrics.opened.add(1);
        Self { door, id, outbox, _seat: seat, _socket: socket }
    }

    /// Its outbox.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Its door.
    pub fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// Counts why it ended.
    pub(crate) fn count(&self, why: &Closed) {
        let metrics = &self.door.metrics;
        match why {
            Closed::TooSlow => metrics.too_slow.add(1),
            Closed::Silent => metrics.silent.add(1),
            Closed::Broken(_) => metrics.broken.add(1),
            Closed::Kicked(_) => metrics.kicked.add(1),
            Closed::Finished(_) | Closed::ByPeer(_) | Closed::Gone => {}
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // Whoever still holds the outbox learns that nothing goes out any more.
        self.outbox.close(Closed::Gone);
        self.outbox.hang_up();
        self.door.metrics.volatile_dropped.add(u64::from(self.outbox.dropped()));
        self.door.metrics.connections.sub(1);
        self.door.live.leave(self.id);
    }
}
