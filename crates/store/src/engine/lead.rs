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
/// Held together by all who serve, or alone by whoever changes something behind their backs.
const SERVING: i64 = 0x7061_726c_0003;
/// How often it is asked for, and made sure of.
const EVERY: Duration = Duration::from_millis(500);
/// How long the server may take for an answer. Whoever hears nothing for so long leads no more.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long others may take to start.
const TURN: Duration = Duration::from_secs(60);

/// The right to do what one process does for all. It changes hands when its holder ends or loses the database.
pub struct Lead {
    held: watch::Receiver<bool>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Lead {
    /// Asks for it from now on.
    ///
    /// # Errors
    /// When the URL can't be read.
    pub fn strive(url: &str) -> Result<Self, OpenError> {
        let target = Target::parse(url)?;
        let (sender, held) = watch::channel(false);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = spawn("store-lead", move || strive(&target, &sender, &stopped));
        Ok(Self { held, stop, thread: Some(thread) })
    }

    /// Whether it is held, and every change of that.
    pub fn held(&self) -> watch::Receiver<bool> {
        self.held.clone()
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The connection ends with it, and the lock with the connection.
            let _ = thread.join();
        }
    }
}

fn strive(target: &Target, held: &watch::Sender<bool>, stop: &AtomicBool) {
    let mut conn = None;
    while !stop.load(Relaxed) {
        let holds = is_held(target, &mut conn, *held.borrow());
        if holds.is_err() {
            conn = None;
        }
        let holds = holds.unwrap_or(false);
        held.send_if_modified(|held| std::mem::replace(held, holds) != holds);
        std::thread::park_timeout(EVERY);
    }
    let _ = held.send(false);
}

/// Asks for the lock, or makes sure that the connection that holds it is still there.
fn is_held(target: &Target, conn: &mut Option<PostgresConn>, held: bool) -> Result<bool, SqlError> {
    let held = held && conn.is_some();
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(connect(target, Some(PATIENCE))?),
    };
    conn.client.limit(PATIENCE);
    if held {
        conn.client.batch_execute("SELECT 1")?;
        return Ok(true);
    }
    try_lock(&mut conn.client, LEADING)
}

/// The mark of a process that serves and keeps what it read in memory: while there is one, nobody else may change the
/// database without telling it.
pub struct Serving {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Sets it, once nobody is [`Alone`] on the database; it is set anew whenever the connection was lost.
    ///
    /// # Errors
    /// The server's; or somebody is alone on it for more than a minute.
    pub fn begin(url: &str) -> Result<Self, OpenError> {
        let target = Target::parse(url)?;
        let mut conn = Some(connect(&target, Some(PATIENCE))?);
        let began = Instant::now();
        while !serves(&target, &mut conn, false)? {
            if began.elapsed() > TURN {
                return Err(SqlError::Unavailable("another process has been changing it for a minute").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = spawn("store-serving", move || {
            let mut marked = true;
            while !stopped.load(Relaxed) {
                let found = serves(&target, &mut conn, marked);
                if found.is_err() {
                    conn = None;
                }
                marked = found.unwrap_or(false);
                std::thread::park_timeout(EVERY);
            }
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Asks for the mark, or makes sure that the connection that holds it is still there.
fn serves(target: &Target, conn: &mut Option<PostgresConn>, marked: bool) -> Result<bool, SqlError> {
    let marked = marked && conn.is_some();
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(connect(target, Some(PATIENCE))?),
    };
    conn.client.limit(PATIENCE);
    if marked {
        conn.client.batch_execute("SELECT 1")?;
        return Ok(true);
    }
    let row = conn.client.query_one("SELECT pg_try_advisory_lock_shared($1)", &[&SERVING])?;
    Ok(row.try_get(0)?)
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
        Ok(try_lock(&mut conn.client, SERVING)?.then_some(Self(conn)))
    }
}

fn try_lock(client: &mut Client, lock: i64) -> Result<bool, SqlError> {
    let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&lock])?;
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
        while !try_lock(&mut conn.client, STARTING)? {
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
