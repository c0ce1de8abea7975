//! Rows of calls that go out: waiting, done and failed ones.

use super::{Page, Paged};
use crate::{clock::Time, error::Result, json::Json};

/// How a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is due at its time.
    Waiting,
    /// The other side said 2xx.
    Done,
    /// It was tried as often as it may be, or could not be kept waiting.
    Failed,
}

/// A call of an outgoing integration.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Opaque; sent along, so that the other side can tell a repetition.
    pub id: String,
    /// Which integration.
    pub integration: String,
    /// Rocket.Chat's word for what happened.
    pub event: String,
    /// The room in which an answer may be posted.
    pub room: Option<String>,
    /// Whom.
    pub url: String,
    /// What is sent, without the integration's token: a JSON object.
    pub body: Json,
    /// How it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// Not before this.
    pub due_at: Time,
    /// When it was made.
    pub created_at: Time,
    /// Last change.
    pub updated_at: Time,
    /// HTTP status of the last attempt.
    pub status: Option<u16>,
    /// What went wrong with it.
    pub problem: String,
    /// What came back, at most 4 KiB.
    pub answer: String,
}

/// Reading deliveries.
pub trait ReadDeliveries {
    /// Those whose time has come, oldest first.
    fn due_deliveries(&mut self, now: Time, limit: u64) -> Result<Vec<Delivery>>;
    /// When the next waiting one is due.
    fn next_delivery(&mut self) -> Result<Option<Time>>;
    /// One of them.
    fn delivery(&mut self, id: &str) -> Result<Option<Delivery>>;
    /// An integration's, newest first.
    fn deliveries(&mut self, integration: &str, page: Page) -> Result<Paged<Delivery>>;
    /// How many of an integration's are waiting.
    fn waiting_deliveries(&mut self, integration: &str) -> Result<u64>;
    /// Up to where a reader of the journal has come; 0 for a new one.
    fn cursor(&mut self, name: &'static str) -> Result<i64>;
}

/// Writing deliveries.
pub trait WriteDeliveries: ReadDeliveries {
    /// Stores one, new or changed.
    fn put_delivery(&mut self, delivery: &Delivery) -> Result<()>;
    /// Forgets the oldest ended ones of an integration beyond so many.
    fn prune_deliveries(&mut self, integration: &str, keep: u64) -> Result<()>;
    /// Forgets all of an integration: the ended ones, or the waiting ones too.
    fn remove_deliveries(&mut self, integration: &str, waiting_too: bool) -> Result<()>;
    /// A reader of the journal has come so far.
    fn move_cursor(&mut self, name: &'static str, g: i64) -> Result<()>;
}
