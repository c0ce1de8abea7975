//! Roles and the permissions they carry: the live snapshot that `permissions.rs` judges by.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    clock::Time,
    id::{RoleId, RoomId},
};

/// In a room's own rule: as the workspace says.
pub const AS_WORKSPACE: &str = "*";

/// Where a role is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleScope {
    /// In the whole workspace.
    Workspace,
    /// In one room, by a membership.
    Room,
}

/// A role.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// For built-in roles the same as the name.
    pub id: RoleId,
    /// Unique without regard to case.
    pub name: String,
    /// Shown beside it.
    pub description: String,
    /// Where it is held.
    pub scope: RoleScope,
    /// Built in: can't be removed.
    pub protected: bool,
    /// Holders must use a second factor.
    pub mandatory_2fa: bool,
    /// Last change.
    pub updated_at: Time,
}

/// Which roles hold a permission.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Rocket.Chat's permission id.
    pub permission: Arc<str>,
    /// The roles that hold it.
    pub roles: Vec<RoleId>,
    /// Last change.
    pub updated_at: Time,
}

/// All roles and grants, as one snapshot.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// By id.
    pub roles: FxHashMap<RoleId, Role>,
    /// By permission.
    pub grants: FxHashMap<Arc<str>, Grant>,
    /// Rooms with rules of their own: who holds which permission there.
    pub overrides: FxHashMap<RoomId, FxHashMap<Arc<str>, Vec<RoleId>>>,
}

impl Roles {
    /// Whether any of these roles holds the permission; unknown permissions are held by nobody.
    pub fn holds<'a>(
        &self,
        mut held: impl Iterator<Item = &'a RoleId>,
        permission: &str,
    ) -> Option<&'a RoleId> {
        let grant = self.grants.get(permission)?;
        held.find(|role| grant.roles.contains(role))
    }

    /// As [`Roles::holds`], by the room's own rule where it has one.
    pub fn holds_in<'a>(
        &self,
        mut held: impl Iterator<Item = &'a RoleId>,
        permission: &str,
        room: Option<&RoomId>,
    ) -> Option<&'a RoleId> {
        match room.and_then(|room| self.own_rule(room, permission)) {
            Some(holders) => held.find(|role| holders.contains(role)),
            None => self.holds(held, permission),
        }
    }

    /// A room's own rule for a permission.
    pub fn own_rule(&self, room: &RoomId, permission: &str) -> Option<&[RoleId]> {
        if self.overrides.is_empty() {
            return None;
        }
        Some(self.overrides.get(room)?.get(permission)?)
    }

    /// Takes in a grant: the workspace's, or (`PERMISSION@ROOM`) a room's own.
    pub fn put(&mut self, grant: Grant) {
        let Some((permission, room)) = grant.permission.split_once('@') else {
            self.grants.insert(grant.permission.clone(), grant);
            return;
        };
        let room = RoomId::new(room);
        let own = self.overrides.entry(room.clone()).or_default();
        if grant.roles.iter().any(|role| &**role == AS_WORKSPACE) {
            own.remove(permission);
            if own.is_empty() {
                self.overrides.remove(&room);
            }
        } else {
            own.insert(permission.into(), grant.roles);
        }
    }
}
