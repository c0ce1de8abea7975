//! How much there is: counted when somebody asks who may.

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    id::UserId,
    room::RoomKind,
    session::Actor,
    store::{Page, RoomFilter, UserFilter},
    user::Status,
};

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Accounts.
    pub users: u64,
    /// Accounts that are active.
    pub active_users: u64,
    /// Users who are not offline now.
    pub online_users: u64,
    /// Rooms of all kinds.
    pub rooms: u64,
    /// Public channels.
    pub channels: u64,
    /// Private groups.
    pub groups: u64,
    /// Direct rooms.
    pub directs: u64,
    /// Live connections that are logged in.
    pub connections: u64,
    /// Of those who are not offline: away.
    pub away_users: u64,
    /// Of those who are not offline: busy.
    pub busy_users: u64,
    /// Messages, notices included.
    pub messages: u64,
    /// In public channels.
    pub channel_messages: u64,
    /// In private groups.
    pub group_messages: u64,
    /// In direct rooms.
    pub direct_messages: u64,
    /// Files that messages show.
    pub uploads: u64,
    /// Their bytes.
    pub upload_bytes: u64,
    /// Bytes that are really stored: shared ones once, previews and the workspace's own too.
    pub stored_bytes: u64,
    /// Bytes that the quota of the workspace counts, and its bound.
    pub quota: (u64, Option<u64>),
    /// Discussions.
    pub discussions: u64,
    /// Teams.
    pub teams: u64,
    /// Threads.
    pub threads: u64,
    /// What the store is built on.
    pub engine: &'static str,
    /// Jobs that wait for the store.
    pub queued: u64,
}

impl Chat {
    /// When the workspace was set up: when its bot was made.
    pub async fn installed_at(&self) -> Result<Time> {
        let bot = self.user(&UserId::new(crate::bootstrap::ROCKET_CAT)).await?;
        Ok(bot.map_or(Time(0), |bot| bot.created_at))
    }

    /// Counts. Needs `view-statistics`.
    pub async fn statistics(&self, actor: &Actor) -> Result<Statistics> {
        self.require(actor, "view-statistics", None).await?;
        let mut counted = self
            .store()
            .reading(|rows| {
                let mut rooms = |kinds: Vec<RoomKind>| {
                    let filter = RoomFilter { kinds, ..RoomFilter::default() };
                    rows.rooms(&filter, Page { offset: 0, count: 1 }).map(|found| found.total)
                };
                let (all, channels) = (rooms(Vec::new())?, rooms(vec![RoomKind::Channel])?);
                let (groups, directs) = (rooms(vec![RoomKind::Group])?, rooms(vec![RoomKind::Direct])?);
                Ok(Statistics {
                    users: rows.count_users(&UserFilter::default())?,
                    active_users: rows
                        .count_users(&UserFilter { active: Some(true), ..UserFilter::default() })?,
                    rooms: all,
                    channels,
                    groups,
                    directs,
                    ..Statistics::default()
                })
            })
            .await?;
        let figures = self.store().reading(|rows| rows.figures()).await?;
        for (kind, messages) in &figures.messages {
            counted.messages += messages;
            match kind {
                RoomKind::Channel => counted.channel_messages = *messages,
                RoomKind::Group => counted.group_messages = *messages,
                RoomKind::Direct => counted.direct_messages = *messages,
                RoomKind::Case | RoomKind::Ticket => {}
            }
        }
        (counted.uploads, counted.upload_bytes) = (figures.uploads, figures.upload_bytes);
        counted.stored_bytes = figures.stored_bytes;
        let used = self.store().reading(|rows| rows.bytes_of(None)).await?;
        counted.quota = (used, self.quota().workspace);
        (counted.discussions, counted.teams) = (figures.discussions, figures.teams);
        counted.threads = figures.threads;
        let there = self.online_users(100_000);
        let with = |status| there.iter().filter(|(_, s)| *s == status).count() as u64;
        counted.online_users = there.len() as u64;
        (counted.away_users, counted.busy_users) = (with(Status::Away), with(Status::Busy));
        counted.connections = self.live_connections() as u64;
        (counted.engine, counted.queued) = (self.store().engine(), self.store().counters().queued);
        Ok(counted)
    }
}
