//! Teams: a main room whose members are the team, and rooms that belong to it.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::TeamId,
    session::Actor,
    store::Team,
};

impl Chat {
    /// A team without any judgement: for verbs, which judge afterwards.
    pub(crate) async fn team(&self, id: &TeamId) -> Result<Team> {
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.team(&wanted)).await?;
        found.ok_or(Refusal::NotFound(What::Team))
    }

    /// A team that the actor may know of: a public one, one of his own, any for holders of `view-all-teams`.
    pub async fn find_team(&self, actor: &Actor, id: &TeamId) -> Result<Team> {
        let team = self.team(id).await?;
        self.judge_knowing(actor, &team).await?;
        Ok(team)
    }

    /// As [`Chat::find_team`], by name.
    pub async fn find_team_named(&self, actor: &Actor, name: &str) -> Result<Team> {
        if name.contains('\0') {
            return Err(Refusal::NotFound(What::Team));
        }
        let wanted = name.to_owned();
        let found = self.store().reading(move |rows| rows.team_by_name(&wanted)).await?;
        let team = found.ok_or(Refusal::NotFound(What::Team))?;
        self.judge_knowing(actor, &team).await?;
        Ok(team)
    }

    async fn judge_knowing(&self, actor: &Actor, team: &Team) -> Result<()> {
        let user = self.active_user(actor).await?;
        let known = !team.private
            || self.membership(&team.room, &user.id).await?.is_some()
            || self.may(actor, "view-all-teams", None).await?;
        if known { Ok(()) } else { Err(Refusal::NotFound(What::Team)) }
    }
}
