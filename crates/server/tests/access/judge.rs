//! Who is to be let in, derived from what a row declares and from the permissions that the server has.

use std::collections::{HashMap, HashSet};

use parlor_rocketchat::Who;

use super::people::{Caller, People};

/// One line of a table.
pub struct Row {
    pub name: String,
    pub who: Who,
    pub sample: &'static str,
    pub answer: &'static str,
    /// Whether whoever is let in may leave the world changed.
    pub changes: bool,
}

/// The permissions and the roles that hold them.
pub struct Judge(HashMap<String, HashSet<String>>);

impl Judge {
    /// Asks the server.
    pub async fn learn(people: &People) -> Self {
        let all = people.rest(Caller::Administrator).get("permissions.listAll", &[]).await.ok();
        let all = all["update"].as_array().expect("a list of permissions").iter();
        let roles = |permission: &serde_json::Value| {
            let roles = permission["roles"].as_array().expect("a list of roles").iter();
            roles.filter_map(|role| role.as_str().map(str::to_owned)).collect()
        };
        Self(all.map(|p| (p["_id"].as_str().unwrap_or_default().to_owned(), roles(p))).collect())
    }

    fn holds(&self, permissions: &[&str], roles: &[&str]) -> bool {
        permissions.iter().any(|permission| {
            let holders = self.0.get(*permission).unwrap_or_else(|| panic!("{permission} is no permission"));
            roles.iter().any(|role| holders.contains(*role))
        })
    }

    /// Whether this caller is to be let in.
    pub fn lets_in(&self, caller: Caller, row: &Row) -> bool {
        if row.who == Who::Anyone {
            return true;
        }
        if !caller.is_active_user() {
            return false;
        }
        let public = row.sample.contains("$public");
        let inside = caller.is_in(row.sample);
        let in_room = |permissions: &[&str]| {
            let room = if inside { caller.room_role() } else { None };
            let roles: Vec<&str> = caller.roles().iter().copied().chain(room).collect();
            self.holds(permissions, &roles)
        };
        match row.who {
            Who::Anyone | Who::User => true,
            Who::May(permissions) => self.holds(permissions, caller.roles()),
            // Who sees all teams sees into each.
            Who::Reader if row.sample.contains("$team") => {
                inside || self.holds(&["view-all-teams"], caller.roles())
            }
            Who::Reader => inside || public,
            Who::Member => inside,
            Who::MayInRoom(permissions) => (inside || public) && in_room(permissions),
            Who::Holder(permissions) => in_room(permissions),
            Who::Author(permissions) => {
                (inside || public) && (caller == Caller::Member || in_room(permissions))
            }
        }
    }
}
