//! Teams as Rocket.Chat writes them.

use parlor_core::store::Team;
use serde_json::{Value, json};

use super::room::People;
use crate::date::Dates;

/// A team; `people` must hold its maker.
pub(crate) fn team(team: &Team, people: &People, dates: Dates) -> Value {
    json!({
        "_id": team.id.as_str(), "name": team.name, "type": i32::from(team.private), "roomId": team.room.as_str(),
        "createdAt": dates.value(team.created_at), "createdBy": people.brief(&team.creator),
        "_updatedAt": dates.value(team.updated_at),
    })
}

/// A team as its rooms refer to it.
pub(crate) fn brief(team: &Team) -> Value {
    json!({
        "_id": team.id.as_str(), "name": team.name, "type": i32::from(team.private), "roomId": team.room.as_str(),
    })
}
