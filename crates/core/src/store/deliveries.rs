//! Rows of what goes out (calls, mail, pushes): waiting, done and failed ones; and of links sent by mail.

use super::{Page, Paged};
use crate::{clock::Time, error::Result, id::UserId, json::Json};

/// By which way something goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A call of an integration.
    Call,
    /// By mail.
    Mail,
    /// To a device.
    Push,
}

impl Way {
    /// How many ended ones of one source stay for the log.
    pub fn kept(self) -> u64 {
        match self {
            Self::Call | Self::Mail => 1_000,
            Self::Push => 20,
        }
    }
}

/// What a link or code that was sent by mail is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Choosing a new password.
    Reset,
    /// Proving an address.
    Verify,
    /// A second factor.
    Code,
}

/// A link or code that was sent by mail. What was sent is kept as its hash alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLink {
    /// The hash, as lower-case hex.
    pub hash: String,
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// For whom; no user when a link was made for an unknown address.
    pub user: UserId,
    /// Where it was sent.
    pub address: String,
    /// When it ends.
    pub expires_at: Time,
}

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

/// Something on its way out: a call of an outgoing integration, a letter, a push.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Opaque; sent along, so that the other side can tell a repetition.
    pub id: String,
    /// By which way.
    pub way: Way,
    /// Which integration; for other ways the source, of which so many wait and so many are kept.
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
    fn due_deliveries(&mut self, way: Way, now: Time, limit: u64) -> Result<Vec<Delivery>>;
    /// When the next waiting one is due.
    fn next_delivery(&mut self, way: Way) -> Result<Option<Time>>;
    /// The waiting one of a source that was put there first.
    fn waiting_delivery_of(&mut self, source: &str) -> Result<Option<Delivery>>;
    /// A link by its hash.
    fn mail_link(&mut self, hash: &str, purpose: LinkPurpose) -> Result<Option<MailLink>>;
    /// A user's links, ended ones among them; at most 100.
    fn mail_links(&mut self, user: &UserId, purpose: LinkPurpose) -> Result<Vec<MailLink>>;
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
    /// The waiting ones of an integration are due no earlier than this.
    fn put_off_deliveries(&mut self, integration: &str, until: Time) -> Result<()>;
    /// Forgets all of an integration: the ended ones, or the waiting ones too.
    fn remove_deliveries(&mut self, integration: &str, waiting_too: bool) -> Result<()>;
    /// A reader of the journal has come so far.
    fn move_cursor(&mut self, name: &'static str, g: i64) -> Result<()>;
    /// Stores a link; one with the same hash is replaced.
    fn put_mail_link(&mut self, link: &MailLink) -> Result<()>;
    /// Removes a link by its hash, and gives it to one taker alone.
    fn take_mail_link(&mut self, hash: &str, purpose: LinkPurpose) -> Result<Option<MailLink>>;
    /// Removes a user's links.
    fn remove_mail_links(&mut self, user: &UserId, purpose: LinkPurpose) -> Result<()>;
    /// Removes links that have ended, at most 1,000; how many.
    fn remove_expired_links(&mut self, before: Time) -> Result<u64>;
}
