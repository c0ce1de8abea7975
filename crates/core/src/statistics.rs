//! How much there is: counted when somebody asks who may.

use crate::{
    chat::Chat,
    error::Result,
    room::RoomKind,
    session::Actor,
    store::{Page, RoomFilter, UserFilter},
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
}

impl Chat {
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
        counted.online_users = self.online_users(100_000).len() as u64;
        counted.connections = self.live_connections() as u64;
        Ok(counted)
    }
}
