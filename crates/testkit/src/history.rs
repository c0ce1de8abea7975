//! The one judge of histories: what clients saw and were told, against what is stored in the end.
//!
//! Every run that kills, cuts or overloads the server, and every journey of real clients, keeps a ledger and hands
//! it to [`judge`]. Six promises are checked:
//!
//! - **durable**: acknowledged means stored, once, unchanged, in its room;
//! - **idempotent**: however often a message is sent under one id, it is one message, and every answer names it;
//! - **ordered**: what was acknowledged before something else was sent stands before it, for everybody;
//! - **gap-free**: a live listener sees each message once, in the stored order, without holes, unless it was told
//!   to fetch again;
//! - **private**: whoever was barred from a room sees nothing that was sent to it afterwards;
//! - **honest**: nothing is stored that nobody sent, and nothing is shown live that is not stored.
//!
//! Bodies must be unique in a run: a message that the server stored under another id is recognised by its body.

mod judge;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::rest::Rest;

pub use judge::judge;

/// One moment of the clock that all entries of a ledger share. Only its order matters.
pub type Tick = u64;

/// One line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A client sends a message; once more for every retry. Sends on one line (a connection that does not wait for
    /// answers) keep their order.
    Sent {
        /// When.
        at: Tick,
        /// The connection it left by.
        line: u64,
        /// The room.
        room: String,
        /// The id the client gave it.
        id: String,
        /// Its text, unique in the run.
        body: String,
    },
    /// The server said that it is stored.
    Acked {
        /// When the answer came.
        at: Tick,
        /// The id the client gave it.
        id: String,
        /// The id in the answer.
        stored: String,
    },
    /// The server refused it for good: it must not be stored. (No answer at all is no refusal.)
    Refused {
        /// When the answer came.
        at: Tick,
        /// The id the client gave it.
        id: String,
    },
    /// A listener's subscription to a room is confirmed: whatever is sent from now on must reach it.
    Opened {
        /// When.
        at: Tick,
        /// The listener.
        socket: u64,
        /// The room.
        room: String,
    },
    /// A listener sees a new message live.
    Saw {
        /// When.
        at: Tick,
        /// The listener.
        socket: u64,
        /// The room.
        room: String,
        /// The message's id.
        id: String,
        /// Its text.
        body: String,
    },
    /// A listener finds a message while it pages through the history: what it finds so, it did not miss.
    Fetched {
        /// The listener.
        socket: u64,
        /// The room.
        room: String,
        /// The message's id.
        id: String,
    },
    /// A listener knows that it may have missed something, by the server's word or because it had to begin anew.
    Jumped {
        /// When.
        at: Tick,
        /// The listener.
        socket: u64,
        /// The room.
        room: String,
    },
    /// The listener's user may not read the room any more, and whoever saw to that has been told: nothing that is
    /// sent from now on may reach it, until it opens again.
    Barred {
        /// When.
        at: Tick,
        /// The listener.
        socket: u64,
        /// The room.
        room: String,
    },
    /// A listener stops.
    Closed {
        /// When.
        at: Tick,
        /// The listener.
        socket: u64,
        /// The room.
        room: String,
        /// Whether it had waited for everything that was acknowledged by then.
        drained: bool,
    },
}

/// A message of the final history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The room.
    pub room: String,
    /// The id.
    pub id: String,
    /// The text.
    pub body: String,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are ids and listeners; each variant says what befell them.
pub enum Fault {
    /// Acknowledged and not stored.
    Lost { id: String },
    /// Stored more than once.
    Doubled { id: String },
    /// Stored with another text than was sent.
    Changed { id: String },
    /// Stored in another room than it was sent to.
    Strayed { id: String, room: String },
    /// Stored and never sent.
    Invented { id: String },
    /// Refused and yet stored.
    StoredThoughRefused { id: String },
    /// An answer named another message than the one stored.
    AnsweredAnother { id: String, stored: String },
    /// `first` was acknowledged before `second` was sent and stands behind it.
    Misordered { first: String, second: String },
    /// `first` was sent before `second` on one connection and stands behind it.
    LineMisordered { first: String, second: String },
    /// Shown live and not stored.
    Phantom { socket: u64, id: String },
    /// Shown live with another text than is stored.
    SeenChanged { socket: u64, id: String },
    /// Shown live twice on one socket.
    SeenTwice { socket: u64, id: String },
    /// Shown live after a message that stands behind it.
    SeenOutOfOrder { socket: u64, id: String },
    /// Shown to a listener that had been barred before it was sent.
    Leaked { socket: u64, id: String },
    /// Never shown to a listener that should have seen it.
    Missed { socket: u64, id: String },
}

/// What the judge found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Broken promises, in no special order.
    pub faults: Vec<Fault>,
    /// Messages sent, retries not counted.
    pub sent: usize,
    /// Messages acknowledged.
    pub acked: usize,
    /// Messages stored.
    pub stored: usize,
    /// Live sights.
    pub seen: usize,
}

impl Verdict {
    /// Whether every promise was kept.
    #[must_use]
    pub fn sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Passes a sound history on.
    ///
    /// # Panics
    /// When a promise was broken; says which.
    #[track_caller]
    pub fn assert_sound(&self) {
        assert!(self.sound(), "{self}");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        let Self { faults, sent, acked, stored, seen } = self;
        write!(
            f,
            "sent {sent}, acknowledged {acked}, stored {stored}, seen live {seen}, faults {}",
            faults.len()
        )?;
        for fault in faults.iter().take(SHOWN) {
            write!(f, "\n  {fault:?}")?;
        }
        if faults.len() > SHOWN {
            write!(f, "\n  and {} more", faults.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// A ledger that many clients of one run write at once.
///
/// Its clock is a counter: an entry's tick is taken when the call is made, so call `sent` just before sending and the
/// others just after receiving.
#[derive(Debug, Default)]
pub struct Ledger {
    clock: AtomicU64,
    entries: Mutex<Vec<Entry>>,
}

impl Ledger {
    fn tick(&self) -> Tick {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn write(&self, entry: Entry) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// A message is about to be sent, for the first time or again.
    pub fn sent(&self, line: u64, room: &str, id: &str, body: &str) {
        let (room, id, body) = (room.to_owned(), id.to_owned(), body.to_owned());
        self.write(Entry::Sent { at: self.tick(), line, room, id, body });
    }

    /// The server acknowledged it as stored under the id `stored`.
    pub fn acked(&self, id: &str, stored: &str) {
        self.write(Entry::Acked { at: self.tick(), id: id.to_owned(), stored: stored.to_owned() });
    }

    /// The server refused it for good.
    pub fn refused(&self, id: &str) {
        self.write(Entry::Refused { at: self.tick(), id: id.to_owned() });
    }

    /// A listener's user may not read the room any more, by the answer to whoever saw to that.
    pub fn barred(&self, socket: u64, room: &str) {
        self.write(Entry::Barred { at: self.tick(), socket, room: room.to_owned() });
    }

    /// A listener's subscription was confirmed.
    pub fn opened(&self, socket: u64, room: &str) {
        self.write(Entry::Opened { at: self.tick(), socket, room: room.to_owned() });
    }

    /// A listener saw a new message live.
    pub fn saw(&self, socket: u64, room: &str, id: &str, body: &str) {
        let (room, id, body) = (room.to_owned(), id.to_owned(), body.to_owned());
        self.write(Entry::Saw { at: self.tick(), socket, room, id, body });
    }

    /// A listener found a message in the history.
    pub fn fetched(&self, socket: u64, room: &str, id: &str) {
        self.write(Entry::Fetched { socket, room: room.to_owned(), id: id.to_owned() });
    }

    /// A listener knows that it may have missed something.
    pub fn jumped(&self, socket: u64, room: &str) {
        self.write(Entry::Jumped { at: self.tick(), socket, room: room.to_owned() });
    }

    /// A listener stopped; `drained` if it had waited for everything that was acknowledged by then.
    pub fn closed(&self, socket: u64, room: &str, drained: bool) {
        self.write(Entry::Closed { at: self.tick(), socket, room: room.to_owned(), drained });
    }

    /// Everything written so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads a room's whole history over REST, oldest first, system lines left out.
///
/// `family` is `channels`, `groups` or `im`. The room must be at rest meanwhile.
///
/// # Panics
/// When the server refuses a page or a page does not follow on the one before.
pub async fn fetch(rest: &Rest, family: &str, room: &str) -> Vec<Stored> {
    const PAGE: usize = 100;
    let mut newest_first: Vec<Stored> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut offset = 0;
    loop {
        let (count, from) = (PAGE.to_string(), offset.to_string());
        let query = [("roomId", room), ("count", &count), ("offset", &from), ("sort", r#"{"ts":-1}"#)];
        let page = rest.get(&format!("{family}.messages"), &query).await.ok();
        let messages = page["messages"].as_array().expect("a page of messages");
        for message in messages {
            let id = text(&message["_id"]);
            let repeated = seen.insert(id.clone(), offset);
            assert!(repeated.is_none(), "{id} is on the pages at {repeated:?} and {offset}");
            if message["t"].is_null() {
                newest_first.push(Stored { room: room.to_owned(), id, body: text(&message["msg"]) });
            }
        }
        offset += messages.len();
        if messages.len() < PAGE {
            newest_first.reverse();
            return newest_first;
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
