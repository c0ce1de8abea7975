//! Who of several processes on one PostgreSQL database does what is to be done once. Both kinds of right are locks of a
//! connection's own, so that the server takes them back at once from a process that dies.

use super::readers::spawn;
use super::{OpenError, connect};
use crate::sql::{Client, PostgresConn, SqlError, Target};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The right to do what is done once.
const LEADING: i64 = 0x7061_726c_0001;
/// The right to make what every workspace has.
const STARTING: i64 = 0x7061_726c_0002;
/// Held together by all who serve and hear of each other, or alone: by whoever serves and hears of nobody, and by whoever
/// changes something behind their backs.
const SERVING: i64 = 0x7061_726c_0003;
/// How often it is asked for, and made sure of.
const EVERY: Duration = Duration::from_millis(500);
/// How long the server may take for an answer. Whoever hears nothing for so long leads no more.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long others may take to start.
const TURN: Duration = Duration::from_secs(60);
/// How long a predecessor may take to end.
const SUCCESSION: Duration = Duration::from_secs(20);

/// A lock that lasts as long as a connection does, and is asked for anew when that was lost.
struct Lock {
    target: Target,
    id: i64,
    /// As one of several.
    shared: bool,
    conn: Option<PostgresConn>,
    held: bool,
}

impl Lock {
    fn new(url: &str, id: i64, shared: bool) -> Result<Self, OpenError> {
        Ok(Self { target: Target::parse(url)?, id, shared, conn: None, held: false })
    }

    /// Asks for it, or makes sure that the connection that holds it is still there; whether it is held.
    fn look(&mut self) -> Result<bool, SqlError> {
        let found = self.ask();
        if found.is_err() {
            self.conn = None;
        }
        self.held = found.as_ref().is_ok_and(|held| *held);
        found
    }

    fn ask(&mut self) -> Result<bool, SqlError> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            none => none.insert(connect(&self.target, Some(PATIENCE))?),
        };
        conn.client.limit(PATIENCE);
        if self.held {
            conn.client.batch_execute("SELECT 1")?;
            return Ok(true);
        }
        try_lock(&mut conn.client, self.id, self.shared)
    }
}

/// Keeps looking after a lock, until it is dropped.
struct Keeper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// `tell` hears after each look whether the lock is held, and at last that it is not.
    fn of(name: &'static str, mut lock: Lock, mut tell: impl FnMut(bool) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = spawn(name, move || {
            while !stopped.load(Relaxed) {
                tell(lock.look().unwrap_or(false));
                std::thread::park_timeout(EVERY);
            }
            tell(false);
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The connection ends with it, and the lock with the connection.
            let _ = thread.join();
        }
    }
}

/// The right to do what one process does for all. It changes hands when its holder ends or loses the database.
pub struct Lead {
    held: watch::Receiver<bool>,
    _keeper: Keeper,
}

impl Lead {
    /// Asks for it from now on.
    ///
    /// # Errors
    /// When the URL can't be read.
    pub fn strive(url: &str) -> Result<Self, OpenError> {
        let lock = Lock::new(url, LEADING, false)?;
        let (sender, held) = watch::channel(false);
        let tell = move |holds| {
            sender.send_if_modified(|held| std::mem::replace(held, holds) != holds);
        };
        Ok(Self { held, _keeper: Keeper::of("store-lead", lock, tell) })
    }

    /// Whether it is held, and every change of that.
    pub fn held(&self) -> watch::Receiver<bool> {
        self.held.clone()
    }
}

/// The mark of a process that serves and keeps what it read in memory: while there is one, nobody else may change the
/// database without telling it.
pub struct Serving {
    _keeper: Keeper,
}

impl Serving {
    /// Sets it, once nobody is [`Alone`] on the database, as one of `several` that hear of each other or as the only one; it
    /// is set anew whenever the connection was lost. Lasts until this is dropped.
    ///
    /// # Errors
    /// The server's; or somebody is alone on it for more than a minute; or, as the only one, another serves for more than 20
    /// seconds.
    pub fn begin(url: &str, several: bool) -> Result<Self, OpenError> {
        let mut lock = Lock::new(url, SERVING, several)?;
        let (patience, why) = match several {
            true => (TURN, "another process has been changing it alone for a minute"),
            false => (
                SUCCESSION,
                "another process is on this database; several serve together with PARLOR_REDIS_URL set for each",
            ),
        };
        let began = Instant::now();
        let mut said = false;
        while !lock.look()? {
            if began.elapsed() > patience {
                return Err(SqlError::Unavailable(why).into());
            }
            if !std::mem::replace(&mut said, true) {
                tracing::warn!(
                    patience = patience.as_secs(),
                    "waiting for another process on this database to end"
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { _keeper: Keeper::of("store-serving", lock, |_| {}) })
    }
}

/// The right to change a database that no process serves, until this is dropped.
pub struct Alone(#[allow(dead_code, reason = "its connection holds the lock")] PostgresConn);

impl Alone {
    /// Takes it; `None` while a process serves.
    ///
    /// # Errors
    /// The server's.
    pub fn take(url: &str) -> Result<Option<Self>, OpenError> {
        let mut conn = connect(&Target::parse(url)?, Some(PATIENCE))?;
        conn.client.limit(PATIENCE);
        Ok(try_lock(&mut conn.client, SERVING, false)?.then_some(Self(conn)))
    }
}

fn try_lock(client: &mut Client, lock: i64, shared: bool) -> Result<bool, SqlError> {
    let kind = if shared { "_shared" } else { "" };
    let row = client.query_one(&format!("SELECT pg_try_advisory_lock{kind}($1)"), &[&lock])?;
    Ok(row.try_get(0)?)
}

/// A turn at making what every workspace has: one process at a time, until this is dropped.
pub struct Turn(Option<PostgresConn>);

impl Turn {
    /// Waits for it, at most a minute.
    ///
    /// # Errors
    /// The server's; or another process takes too long.
    pub fn take(url: &str) -> Result<Self, OpenError> {
        let mut conn = connect(&Target::parse(url)?, Some(PATIENCE))?;
        let began = Instant::now();
        while !try_lock(&mut conn.client, STARTING, false)? {
            if began.elapsed() > TURN {
                return Err(SqlError::Unavailable("another process has been starting for a minute").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self(Some(conn)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A connection has a runtime of its own, which may not end on a thread of another.
        let conn = self.0.take();
        spawn("store-turn", move || drop(conn));
    }
}
