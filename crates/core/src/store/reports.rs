//! Rows of what people reported to the moderators.

use super::{Page, Paged, Report};
use crate::{
    clock::Time,
    error::Result,
    id::{MessageId, UserId},
};

/// Which reports; those that were dismissed are left out.
#[derive(Clone, Debug, Default)]
pub struct ReportFilter {
    /// Of this message.
    pub message: Option<MessageId>,
    /// Of this user or of this user's messages.
    pub reported: Option<UserId>,
    /// Of messages (`true`) or of users (`false`).
    pub of_messages: bool,
    /// Not before …
    pub from: Option<Time>,
    /// … and not after.
    pub to: Option<Time>,
}

/// All reports of one user, or of one user's messages.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportGroup {
    /// How many.
    pub count: u64,
    /// The newest.
    pub last: Report,
}

/// How much there is, counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Messages by kind of room.
    pub messages: Vec<(crate::room::RoomKind, u64)>,
    /// Files that messages show.
    pub uploads: u64,
    /// Their bytes.
    pub upload_bytes: u64,
    /// Bytes that are really stored: shared ones once, previews and the workspace's own too.
    pub stored_bytes: u64,
    /// Discussions.
    pub discussions: u64,
    /// Teams.
    pub teams: u64,
    /// Threads.
    pub threads: u64,
}

/// Reading reports.
pub trait ReadReports {
    /// How much there is; reads whole indexes, so only for whoever asks for statistics.
    fn figures(&mut self) -> Result<Figures>;
    /// One, also one that was dismissed.
    fn report(&mut self, id: &str) -> Result<Option<Report>>;
    /// Several, the newest first.
    fn reports(&mut self, filter: &ReportFilter, page: Page) -> Result<Paged<Report>>;
    /// By who is reported, the latest first.
    fn report_groups(&mut self, filter: &ReportFilter, page: Page) -> Result<Paged<ReportGroup>>;
}

/// Writing reports.
pub trait WriteReports: ReadReports {
    /// Dismisses what the filter finds; how many.
    fn dismiss_reports(&mut self, filter: &ReportFilter) -> Result<u64>;
}
