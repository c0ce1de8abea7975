//! Roles within a room: owners, moderators, leaders.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    event::Event,
    id::{RoleId, RoomId, UserId},
    json::Json,
    permissions::{Action, Object},
    role::RoleScope,
    room::Room,
    rooms::RoomRef,
    rooms_notices::change_roles,
    session::Actor,
    store::Lane,
};

impl Chat {
    /// Gives a member a role of room scope, or takes it away. A room keeps its last owner.
    pub async fn set_room_role(
        &self,
        actor: &Actor,
        room: &RoomId,
        user: &UserId,
        role: &str,
        given: bool,
    ) -> Result<Arc<Room>> {
        self.judged(|| self.try_set_room_role(actor, room, user, role, given)).await
    }

    async fn try_set_room_role(
        &self,
        actor: &Actor,
        id: &RoomId,
        user: &UserId,
        role: &str,
        given: bool,
    ) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(id)).await?;
        let action = match role {
            "moderator" => Action::SetModerator,
            "leader" => Action::SetLeader,
            // Whoever may make owners may give the custom roles as well.
            _ => Action::SetOwner,
        };
        let judgement = self.authorize(actor, action, Object::Room(&room)).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        let known = self.roles().roles.get(role).is_some_and(|r| r.scope == RoleScope::Room);
        if !known {
            return Err(Refusal::NotFound(What::Role));
        }
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        let kind = if given { "subscription-role-added" } else { "subscription-role-removed" };
        let mut notice = self.notice(&room.id, &me, kind, &user.username);
        // Role ids are words without quotes or backslashes, so this is JSON as it stands.
        notice.extras = Json::new(format!(r#"{{"role":"{role}"}}"#));
        let (id, role) = (room.id.clone(), RoleId::from(role));
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                let membership = tx.membership(&id, &user.id)?.ok_or(Refusal::NotFound(What::Membership))?;
                match (membership.has_role(&role), given) {
                    (true, true) => return Err(State::HasRole.into()),
                    (false, false) => return Err(State::LacksRole.into()),
                    (true, false) if &*role == "owner" => super::members::keep_an_owner(tx, &membership)?,
                    _ => {}
                }
                change_roles(tx, &id, &user.id, |m| {
                    m.roles.retain(|held| *held != role);
                    if given {
                        m.roles.push(role.clone());
                    }
                })?;
                let event = Event::RoleGiven {
                    user: user.id.clone(),
                    username: user.username.clone(),
                    role: role.clone(),
                    room: Some(id.clone()),
                    given,
                };
                tx.record(None, event)?;
                tx.append_message(notice.clone())?;
                tx.room(&id)?.map(Arc::new).ok_or(Refusal::NotFound(What::Room))
            })
            .await
    }
}
