//! Lists of members.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::UserId,
    membership::Membership,
    permissions::{Action, Object},
    room::Room,
    session::Actor,
    store::{MemberFilter, Page, Paged},
    user::{Status, User},
};

/// Connected users that are looked for in a room at most.
const MOST_ONLINE: usize = 1_000;
/// Members who are looked at to find those, the first who came, where more users than that are connected.
const MOST_LOOKED_AT: u64 = 10_000;

/// A member with the account.
#[derive(Clone, Debug)]
pub struct Member {
    /// The place in the room.
    pub membership: Membership,
    /// The account.
    pub user: Arc<User>,
    /// Presence as others see it.
    pub status: Status,
}

impl Chat {
    /// A page of a room's members. Those of a broadcast room are for holders of `view-broadcast-member-list`.
    /// `status`: only members with one of these; empty for all.
    pub async fn members(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        mut filter: MemberFilter,
        status: &[Status],
        page: Page,
    ) -> Result<Paged<Member>> {
        if self.authorize(actor, Action::ReadRoom, Object::Room(room)).await.is_err() {
            self.authorize(actor, Action::ListAnyMembers, Object::Room(room)).await?;
        }
        if room.broadcast {
            self.authorize(actor, Action::ListBroadcastMembers, Object::Room(room)).await?;
        }
        if !status.is_empty() && !status.contains(&Status::Offline) {
            filter.only = Some(self.connected_members(room, status).await?);
        }
        let id = room.id.clone();
        let found = self.store().reading(move |rows| rows.members(&id, &filter, page)).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for membership in found.items {
            let status_of = self.status_of(&membership.user);
            if !status.is_empty() && !status.contains(&status_of) {
                continue;
            }
            if let Some(user) = self.user(&membership.user).await? {
                items.push(Member { membership, user, status: status_of });
            }
        }
        Ok(Paged { items, total: found.total })
    }

    /// Connected users with one of these statuses, among whom all are who may be members of the room: at most
    /// [`MOST_ONLINE`].
    async fn connected_members(&self, room: &Room, status: &[Status]) -> Result<Vec<UserId>> {
        let online = self.online_users(MOST_ONLINE);
        if online.len() < MOST_ONLINE {
            return Ok(online.into_iter().filter(|(_, s)| status.contains(s)).map(|(id, _)| id).collect());
        }
        // More are there than can be asked for by name: whoever is a member is looked at instead.
        let id = room.id.clone();
        let members = self.store().reading(move |rows| rows.participants(&id, MOST_LOOKED_AT)).await?;
        let there = members.into_iter().filter(|id| status.contains(&self.status_of(id)));
        Ok(there.take(MOST_ONLINE).collect())
    }

    /// Members of a room that hold a role there, by user name.
    pub async fn members_with_roles(&self, actor: &Actor, room: &Arc<Room>) -> Result<Vec<Member>> {
        self.authorize(actor, Action::ReadRoom, Object::Room(room)).await?;
        let id = room.id.clone();
        let found = self.store().reading(move |rows| rows.members_with_roles(&id)).await?;
        let mut all = Vec::with_capacity(found.len());
        for membership in found {
            if let Some(user) = self.user(&membership.user).await? {
                let status = self.status_of(&user.id);
                all.push(Member { membership, user, status });
            }
        }
        Ok(all)
    }

    /// Connected members of a room, at most 1,000.
    pub async fn online_members(&self, actor: &Actor, room: &Arc<Room>) -> Result<Vec<Member>> {
        let page = Page { offset: 0, count: MOST_ONLINE as u64 };
        let status = [Status::Online, Status::Away, Status::Busy];
        Ok(self.members(actor, room, MemberFilter::default(), &status, page).await?.items)
    }

    /// A user by name, letter case and a leading `@` aside.
    pub async fn user_named(&self, name: &str) -> Result<Arc<User>> {
        let wanted = [name.to_owned()];
        let found = self.users_named(&wanted).await?.pop();
        found.ok_or(Refusal::NotFound(What::User))
    }

    /// A user by id, or a refusal.
    pub async fn known_user(&self, id: &UserId) -> Result<Arc<User>> {
        self.user(id).await?.ok_or(Refusal::NotFound(What::User))
    }
}
