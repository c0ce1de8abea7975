//! Roles and the permissions they carry: the live snapshot that `permissions.rs` judges by.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{clock::Time, id::RoleId};

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
}
