//! Removing rooms for good.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    event::Event,
    permissions::{Action, Object},
    room::{Room, RoomKind},
    rooms::{GENERAL, RoomRef},
    session::Actor,
    store::{Lane, Tx},
};

impl Chat {
    /// Removes a room with everything in it. `GENERAL` and the main room of a team stay.
    pub async fn remove_room(&self, actor: &Actor, room: RoomRef<'_>) -> Result<()> {
        self.judged(|| self.try_remove_room(actor, room)).await
    }

    async fn try_remove_room(&self, actor: &Actor, wanted: RoomRef<'_>) -> Result<()> {
        let room = self.look_up(wanted).await?;
        let action = match room.kind {
            RoomKind::Channel => Action::DeleteChannel,
            RoomKind::Direct => Action::DeleteDirect,
            _ => Action::DeleteGroup,
        };
        let judgement = self.authorize(actor, action, Object::Room(&room)).await?;
        self.judge_removing_from_team(actor, &room).await?;
        if &*room.id == GENERAL {
            return Err(State::DefaultRoom.into());
        }
        if room.team_main {
            return Err(Refusal::invalid("room", "it is the main room of a team"));
        }
        let what = format!("{} {}", room.shown_name(), room.id);
        let entry = self.audit_entry(actor, "room.removed", what.trim()).await?;
        let user = actor.user.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                // Members who may remove their room do nothing beyond it.
                if tx.membership(&room.id, &user)?.is_none() {
                    crate::audit::keep(tx, &entry)?;
                }
                erase(tx, &room)
            })
            .await
    }

    /// A team's room is the team's as well: it takes the right there too.
    async fn judge_removing_from_team(&self, actor: &Actor, room: &Room) -> Result<()> {
        let Some(team) = room.team.as_ref().filter(|_| !room.team_main) else { return Ok(()) };
        let (action, permission) = match room.kind {
            RoomKind::Channel => (Action::DeleteTeamChannel, "delete-team-channel"),
            _ => (Action::DeleteTeamGroup, "delete-team-group"),
        };
        self.authorize_in_team(actor, &self.team(team).await?, action, permission).await.map(drop)
    }

    /// Sweeps what removed rooms left behind, a piece at a time, until there is nothing left. For the driver of
    /// background work.
    pub async fn sweep_removed_rooms(&self) -> Result<()> {
        while self.store().writing(Lane::Bulk, |tx| tx.sweep_rooms()).await? {}
        Ok(())
    }
}

/// Removes a room in this transaction and tells of it.
pub(crate) fn erase(tx: &mut dyn Tx, room: &Arc<Room>) -> Result<()> {
    let room = tx.lock_room(&room.id)?.ok_or(Refusal::NotFound(What::Room))?;
    tx.remove_room(&room.id)?;
    tx.record(None, Event::RoomRemoved { room: Arc::new(room) })
}
