//! People who share a small room with somebody: whose presence is told without being asked for.

use crate::{
    chat::Chat,
    error::Result,
    id::{RoomId, UserId},
    room::Room,
    store::{ActiveFilter, MemberFilter, Page, Read},
};

/// Members of a room beyond which it is too large to know everybody in it.
pub const SMALL: i64 = 50;
/// Rooms that are looked into at most.
const ROOMS: u64 = 50;

impl Chat {
    /// Who shares a room of at most [`SMALL`] members with this user, by the rooms' last activity; at most `most`.
    pub async fn peers(&self, user: &UserId, most: usize) -> Result<Vec<UserId>> {
        let user = user.clone();
        let filter = ActiveFilter {
            user: user.clone(),
            cases: false,
            groups: false,
            older_than: None,
            newer_than: None,
            limit: ROOMS,
        };
        let read = move |rows: &mut dyn Read| {
            let mut peers = Vec::new();
            for active in rows.active_rooms(&filter)? {
                for peer in members(rows, &active.view.room)? {
                    if peer != user && !peers.contains(&peer) {
                        peers.push(peer);
                    }
                }
                if peers.len() >= most {
                    break;
                }
            }
            peers.truncate(most);
            Ok(peers)
        };
        self.store().reading(read).await
    }

    /// The other members of one room, if it is small and this user is one of them.
    pub async fn peers_in(&self, user: &UserId, room: &RoomId) -> Result<Vec<UserId>> {
        if self.membership(room, user).await?.is_none() {
            return Ok(Vec::new());
        }
        let (room, user) = (self.room(room).await?, user.clone());
        let found = self.store().reading(move |rows| members(rows, &room)).await?;
        Ok(found.into_iter().filter(|peer| *peer != user).collect())
    }
}

/// All members of a small room; nobody of a large one.
fn members(rows: &mut dyn Read, room: &Room) -> Result<Vec<UserId>> {
    if room.is_direct() {
        return Ok(room.direct.clone());
    }
    if room.members > SMALL {
        return Ok(Vec::new());
    }
    let page = Page { offset: 0, count: SMALL as u64 };
    let found = rows.members(&room.id, &MemberFilter::default(), page)?;
    Ok(found.items.into_iter().map(|membership| membership.user).collect())
}
