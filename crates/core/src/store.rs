//! The port to the store. Verbs hand it jobs: synchronous closures over a transaction in the terms of the nouns.
//! A job may run twice (an unknown outcome is run again), so it must have no side effect but through its `Tx`.

mod accounts;
mod arrivals;
mod deliveries;
mod desk;
mod feed;
mod messages;
mod reports;
mod rooms;
mod workspace;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

pub use self::{
    accounts::*, arrivals::*, deliveries::*, desk::*, feed::*, messages::*, reports::*, rooms::*,
    workspace::*,
};
use crate::{
    clock::Time,
    error::{Refusal, Result},
    event::{Event, Fact},
    id::{RoomId, UserId},
    message::Message,
    permissions::Judgement,
    room::Head,
};

/// In which order waiting jobs are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Sends.
    Messages,
    /// Everything else that somebody waits for.
    Verbs,
    /// Bulk work, in chunks of at most 5 ms.
    Bulk,
}

/// A job that writes.
pub type WriteJob = Box<dyn FnMut(&mut dyn Tx) -> Result<()> + Send>;
/// A job that only reads, from one snapshot.
pub type ReadJob = Box<dyn FnOnce(&mut dyn Read) -> Result<()> + Send>;
/// Hears of committed facts, in commit order, before the job's caller gets its answer. Must be quick.
pub type Sink = Arc<dyn Fn(Vec<Fact>) + Send + Sync>;

/// The store. Jobs are queued when the method is called (so calls from one task keep their order) and done later.
/// The queue is bounded; when it stays full for a second the answer is `Unavailable`.
pub trait Store: Send + Sync {
    /// Runs a writing job in a transaction of its own; the answer comes after commit and fsync.
    fn write(&self, lane: Lane, job: WriteJob) -> Answer<()>;
    /// Runs a reading job on one snapshot; ended after about a second.
    fn read(&self, job: ReadJob) -> Answer<()>;
    /// Appends a message: the hot path, batched with others.
    fn append(&self, append: Append) -> Answer<Appended>;
    /// Statements run and rows written since the start, for tests and metrics.
    fn counters(&self) -> Counters;
    /// Whether the sink hears of all commits in their order, and not only of those that change the same room.
    fn tells_in_order(&self) -> bool {
        true
    }
    /// What it is built on, as administrators know it.
    fn engine(&self) -> &'static str {
        "SQLite"
    }
}

/// What the store did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// SQL statements.
    pub statements: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Jobs waiting now.
    pub queued: u64,
}

/// The answer of the store, when it comes.
pub struct Answer<T>(Inner<T>);

enum Inner<T> {
    Ready(Option<Result<T>>),
    Waiting(oneshot::Receiver<Result<T>>),
}

impl<T> Answer<T> {
    /// An answer that will come through `sender`; when that is dropped the answer is `Unavailable`.
    pub fn channel() -> (oneshot::Sender<Result<T>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(Inner::Waiting(receiver)))
    }
    /// An answer that is there already.
    pub fn ready(result: Result<T>) -> Self {
        Self(Inner::Ready(Some(result)))
    }
}

impl<T> Unpin for Answer<T> {}

impl<T> Future for Answer<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Ready(result) => Poll::Ready(result.take().unwrap_or(Err(Refusal::Unavailable))),
            Inner::Waiting(receiver) => {
                Pin::new(receiver).poll(cx).map(|got| got.unwrap_or(Err(Refusal::Unavailable)))
            }
        }
    }
}

/// A reading snapshot.
pub trait Read:
    ReadAccounts + ReadRooms + ReadMessages + ReadReports + ReadDesk + ReadFeed + ReadDeliveries + ReadWorkspace
{
}
impl<
    T: ReadAccounts
        + ReadRooms
        + ReadMessages
        + ReadReports
        + ReadDesk
        + ReadFeed
        + ReadDeliveries
        + ReadWorkspace,
> Read for T
{
}

/// A transaction.
pub trait Tx:
    Read
    + Journal
    + WriteAccounts
    + WriteRooms
    + WriteMessages
    + WriteReports
    + WriteDesk
    + WriteDeliveries
    + WriteWorkspace
    + Arrivals
{
}
impl<T> Tx for T where
    T: Read
        + Journal
        + WriteAccounts
        + WriteRooms
        + WriteMessages
        + WriteReports
        + WriteDesk
        + WriteDeliveries
        + WriteWorkspace
        + Arrivals
{
}

/// What every transaction can do besides touching nouns.
pub trait Journal {
    /// The moment that this transaction stamps on what it changes.
    fn now(&self) -> Time;
    /// Takes the room's next position and moves its clock: for every change of its timeline. Keep the answer's
    /// `position` as the changed object's `rev` and its `at` as its `updated_at`.
    fn advance(&mut self, room: &RoomId) -> Result<Advance>;
    /// Records what happened: appended to the journal and published after the commit, in order. `place` is the
    /// room and the position taken for it, when it belongs to a room's timeline.
    fn record(&mut self, place: Option<(RoomId, i64)>, event: Event) -> Result<()>;
    /// Records that a position was taken by a change that has no event of its own (the hub must not wait for it).
    fn skip(&mut self, room: &RoomId, position: i64) -> Result<()>;
    /// Checks that the judgement still stands; `Stale` makes the verb judge anew.
    fn check(&mut self, judgement: &Judgement) -> Result<()>;
}

/// A position taken.
#[derive(Clone, Debug)]
pub struct Advance {
    /// The position.
    pub position: i64,
    /// The room's time for it: not before anything earlier.
    pub at: Time,
}

/// A message to be stored. Everything that the commit decides (`seq`, `rev`, `counted`, times) is filled in by it.
pub struct Append {
    /// The message; `seq`, `rev`, `counted`, `at`, `updated_at` are ignored.
    pub message: Message,
    /// On what the send was judged.
    pub judgement: Judgement,
    /// The client chose the id: a stored message of the same id, author and room is the answer, not an error.
    pub client_id: bool,
    /// Users who get a mention row each (`@all` and `@here` are one row for all).
    pub mentioned: Vec<UserId>,
}

/// A stored message.
#[derive(Clone, Debug)]
pub struct Appended {
    /// As stored.
    pub message: Arc<Message>,
    /// It was there already: nothing was stored or published.
    pub duplicate: bool,
    /// The room's head after it.
    pub head: Arc<Head>,
}

impl dyn Store {
    /// Runs a writing job and gives back what it made.
    pub fn writing<T, F>(&self, lane: Lane, mut job: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        let answer = self.write(
            lane,
            Box::new(move |tx| {
                let made = job(tx)?;
                *filled.lock() = Some(made);
                Ok(())
            }),
        );
        async move {
            answer.await?;
            let made = slot.lock().take();
            made.ok_or(Refusal::Unavailable)
        }
    }

    /// Runs a reading job and gives back what it found.
    pub fn reading<T, F>(&self, job: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Read) -> Result<T> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        let answer = self.read(Box::new(move |rows| {
            let found = job(rows)?;
            *filled.lock() = Some(found);
            Ok(())
        }));
        async move {
            answer.await?;
            let found = slot.lock().take();
            found.ok_or(Refusal::Unavailable)
        }
    }
}
