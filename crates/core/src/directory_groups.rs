//! What the directory's groups give: roles, and places in rooms.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    chat::Chat,
    directory::{Entry, Group, Place},
    error::{Refusal, Result, State, What},
    id::{RoleId, UserId},
    members::leaving_notice,
    permissions::Judgement,
    room::{Room, RoomKind},
    rooms::RoomRef,
    rooms_create::NewRoom,
    session::Actor,
    user::User,
};

/// Groups that are asked about for each of the two maps.
const MAX_GROUPS: usize = 100;
/// Rooms of one group.
const MAX_ROOMS: usize = 50;

impl Chat {
    /// Roles that the groups of the map give or take; others stay as they are.
    pub(crate) async fn roles_of_entry(&self, place: &Place, entry: &Entry) -> Result<Vec<(RoleId, bool)>> {
        let settings = self.settings();
        if !settings.is_on("LDAP_Sync_User_Data_Roles") {
            return Ok(Vec::new());
        }
        let takes = settings.is_on("LDAP_Sync_User_Data_Roles_AutoRemove");
        let mut all: Vec<(RoleId, bool)> = Vec::new();
        for (group, role) in map(settings.text("LDAP_Sync_User_Data_RolesMap")).iter().take(MAX_GROUPS) {
            let Some(role) = role.as_str().map(RoleId::new) else { continue };
            if self.check_roles(std::slice::from_ref(&role)).is_err() {
                continue;
            }
            let inside = self.is_in_group(place, "LDAP_Sync_User_Data_Roles", group, entry).await?;
            merge(&mut all, role, inside);
        }
        all.retain(|(_, given)| *given || takes);
        Ok(all)
    }

    /// Brings a person into the rooms of the groups that the map names, and out of the rooms of other groups where the
    /// settings say so. A room that refuses (archived, banned from, the last owner) is told to the log.
    pub(crate) async fn follow_groups(&self, place: &Place, entry: &Entry, user: &UserId) -> Result<()> {
        let settings = self.settings();
        if !settings.is_on("LDAP_Sync_User_Data_Channels") {
            return Ok(());
        }
        let takes = settings.is_on("LDAP_Sync_User_Data_Channels_Enforce_AutoChannels");
        let mut all: Vec<(String, bool)> = Vec::new();
        for (group, rooms) in map(settings.text("LDAP_Sync_User_Data_ChannelsMap")).iter().take(MAX_GROUPS) {
            let rooms = names(rooms);
            if rooms.is_empty() {
                continue;
            }
            let inside = self.is_in_group(place, "LDAP_Sync_User_Data_Channels", group, entry).await?;
            rooms.into_iter().for_each(|room| merge(&mut all, room, inside));
        }
        let Some(user) = self.user(user).await?.filter(|user| user.active) else { return Ok(()) };
        for (name, inside) in all.iter().filter(|(_, inside)| *inside || takes) {
            let done =
                if *inside { self.bring_in(name, &user).await } else { self.bring_out(name, &user).await };
            match done {
                Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => return Err(refusal),
                Err(refusal) => {
                    tracing::warn!(room = %name, user = %user.username, %refusal, "a room does not follow the directory");
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Whether somebody is in a group; `what` begins the names of the settings that say how that is asked.
    async fn is_in_group(&self, place: &Place, what: &str, group: &str, entry: &Entry) -> Result<bool> {
        let settings = self.settings();
        let group = Group {
            name: group.to_owned(),
            base: settings.text(&format!("{what}_BaseDN")).trim().to_owned(),
            filter: settings.text(&format!("{what}_Filter")).trim().to_owned(),
        };
        self.ports.directory.is_in(place, &group, entry).await
    }

    async fn bring_in(&self, name: &str, user: &Arc<User>) -> Result<()> {
        let room = match self.room_that_follows(name).await? {
            Some(room) => room,
            None => self.make_room_that_follows(name).await?,
        };
        if self.membership(&room.id, &user.id).await?.is_some() {
            return Ok(());
        }
        if room.archived {
            return Err(State::Archived.into());
        }
        self.enter_with_notice(&room, user, Judgement::default()).await.map(drop)
    }

    async fn bring_out(&self, name: &str, user: &User) -> Result<()> {
        let Some(room) = self.room_that_follows(name).await? else { return Ok(()) };
        if self.membership(&room.id, &user.id).await?.is_none() {
            return Ok(());
        }
        let notice = self.notice(&room.id, user, leaving_notice(&room), &user.username);
        self.remove_from(&room, user.id.clone(), Judgement::default(), notice).await.map(drop)
    }

    /// A room that a directory may fill: a channel or private room. Who is in a team is the team's own business, and
    /// tickets, cases and direct rooms have their people by other rules.
    async fn room_that_follows(&self, name: &str) -> Result<Option<Arc<Room>>> {
        match self.look_up(RoomRef::Name(name)).await {
            Err(Refusal::NotFound(_)) => Ok(None),
            Ok(room) if room.team_main || !matches!(room.kind, RoomKind::Channel | RoomKind::Group) => {
                Err(Refusal::invalid("room", "a directory can't fill this room"))
            }
            found => found.map(Some),
        }
    }

    async fn make_room_that_follows(&self, name: &str) -> Result<Arc<Room>> {
        let settings = self.settings();
        let admin = settings.text("LDAP_Sync_User_Data_Channels_Admin").trim().to_owned();
        let owner = self.users_named(std::slice::from_ref(&admin)).await?;
        let owner = owner.first().ok_or(Refusal::NotFound(What::User))?;
        let wanted = NewRoom::new(RoomKind::Channel, name);
        self.create_room(&Actor::system(owner.id.clone()), wanted).await
    }
}

/// Whoever is in one group of several that give the same has it.
fn merge<T: PartialEq>(all: &mut Vec<(T, bool)>, what: T, inside: bool) {
    match all.iter_mut().find(|(known, _)| *known == what) {
        Some((_, given)) => *given |= inside,
        None => all.push((what, inside)),
    }
}

fn map(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The rooms of a group: one name, or a list of them.
fn names(rooms: &Value) -> Vec<String> {
    let all: Vec<&str> = match rooms {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).take(MAX_ROOMS).collect(),
        _ => Vec::new(),
    };
    let all = all.into_iter().map(|name| name.trim().trim_start_matches('#').to_owned());
    all.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_rooms_of_a_group_are_a_name_or_a_list_of_names() {
        assert_eq!(names(&json!("#helpdesk")), ["helpdesk"]);
        assert_eq!(names(&json!([" helpdesk ", 7, "", "support"])), ["helpdesk", "support"]);
        assert!(names(&json!({"a": 1})).is_empty() && names(&json!(null)).is_empty());
        assert!(map("no JSON").is_empty() && map("[1]").is_empty());
    }

    #[test]
    fn one_group_of_several_is_enough() {
        let mut all = Vec::new();
        for (room, inside) in [("a", false), ("b", true), ("a", true), ("b", false)] {
            merge(&mut all, room, inside);
        }
        assert_eq!(all, [("a", true), ("b", true)]);
    }
}
