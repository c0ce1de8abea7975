//! Why somebody may do something, or not; rules of single rooms; and roles that a workspace makes for itself.

use crate::{
    audit,
    chat::Chat,
    error::{Refusal, Result, What},
    id::{RoleId, RoomId, UserId},
    permissions::{Action, Object},
    role::{AS_WORKSPACE, Grant, Role, RoleScope},
    rooms::RoomRef,
    rooms_notices::later,
    session::Actor,
    store::Lane,
};

/// Characters of a role's name and description.
const LONGEST: usize = 100;
/// Roles of a workspace at most.
const MOST: usize = 500;

/// A judgement, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The permission.
    pub permission: String,
    /// Whether the user holds it.
    pub allowed: bool,
    /// Whether the account is active; one that is not may do nothing.
    pub active: bool,
    /// The role that gave it.
    pub by: Option<RoleId>,
    /// The user's roles in the workspace.
    pub roles: Vec<RoleId>,
    /// The user's roles in the room.
    pub room_roles: Vec<RoleId>,
    /// The roles that hold the permission (there).
    pub holders: Vec<RoleId>,
    /// The room has a rule of its own for it.
    pub own_rule: bool,
    /// Whether the user is in the room.
    pub member: Option<bool>,
    /// Whether the user may read the room; `None` without a room.
    pub reads: Option<bool>,
}

/// A role as somebody wants it; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// Its name.
    pub name: Option<String>,
    /// Said beside it.
    pub description: Option<String>,
    /// Held in a room or in the workspace; only for new ones.
    pub scope: Option<RoleScope>,
    /// Holders must use a second factor.
    pub mandatory_2fa: Option<bool>,
}

impl Chat {
    /// Says why a user holds a permission (in a room), or why not. About oneself everybody may ask, about others
    /// holders of `access-permissions`.
    pub async fn explain(
        &self,
        actor: &Actor,
        user: &UserId,
        permission: &str,
        room: Option<&RoomId>,
    ) -> Result<Explanation> {
        if *user != actor.user {
            self.require(actor, "access-permissions", None).await?;
        }
        let user = self.known_user(user).await?;
        let roles = self.roles();
        let global = roles.grants.get(permission).ok_or(Refusal::NotFound(What::Permission))?;
        let mut told = Explanation {
            permission: permission.to_owned(),
            allowed: false,
            active: user.active,
            by: None,
            roles: user.roles.clone(),
            room_roles: Vec::new(),
            holders: global.roles.clone(),
            own_rule: false,
            member: None,
            reads: None,
        };
        if let Some(room) = room {
            let found = if actor.is_system() || *user.id != *actor.user {
                self.look_up(RoomRef::Id(room)).await?
            } else {
                self.find_room(actor, RoomRef::Id(room)).await?
            };
            let membership = self.membership(&found.id, &user.id).await?;
            told.member = Some(membership.is_some());
            told.room_roles = membership.map(|m| m.roles.clone()).unwrap_or_default();
            if let Some(own) = roles.own_rule(&found.id, permission) {
                (told.own_rule, told.holders) = (true, own.to_vec());
            }
            let them = Actor::user(user.id.clone(), None);
            told.reads = Some(self.authorize(&them, Action::ReadRoom, Object::Room(&found)).await.is_ok());
        }
        told.by = told.roles.iter().chain(&told.room_roles).find(|role| told.holders.contains(role)).cloned();
        told.allowed = told.active && told.by.is_some();
        Ok(told)
    }

    /// Rules that a room has of its own: permissions with the roles that hold them there. Needs
    /// `access-permissions`.
    pub async fn room_grants(&self, actor: &Actor, room: &RoomId) -> Result<Vec<(String, Vec<RoleId>)>> {
        self.require(actor, "access-permissions", None).await?;
        let room = self.look_up(RoomRef::Id(room)).await?;
        let roles = self.roles();
        let own = roles.overrides.get(&room.id).into_iter().flatten();
        let mut all: Vec<_> = own.map(|(permission, held)| (permission.to_string(), held.clone())).collect();
        all.sort();
        Ok(all)
    }

    /// Says which roles hold a permission in one room, whatever the workspace says; `None` goes back to that. In
    /// force when this answers. Needs `access-permissions`.
    pub async fn set_room_grant(
        &self,
        actor: &Actor,
        room: &RoomId,
        permission: &str,
        held_by: Option<Vec<RoleId>>,
    ) -> Result<()> {
        self.require(actor, "access-permissions", None).await?;
        let room = self.look_up(RoomRef::Id(room)).await?;
        let known = self.roles();
        if !known.grants.contains_key(permission) {
            return Err(Refusal::NotFound(What::Permission));
        }
        let roles = held_by.unwrap_or_else(|| vec![RoleId::new(AS_WORKSPACE)]);
        if roles.iter().any(|role| &**role != AS_WORKSPACE && !known.roles.contains_key(role)) {
            return Err(Refusal::NotFound(What::Role));
        }
        let id = format!("{permission}@{}", room.id);
        let entry = self.audit_entry(actor, "permission.changed-in-room", &id).await?;
        let grant = Grant { permission: id.into(), roles, updated_at: self.now() };
        self.store()
            .writing(Lane::Verbs, move |tx| {
                audit::keep(tx, &entry)?;
                crate::roles_admin::store_grant(tx, &grant)
            })
            .await
    }

    /// Makes a role. It holds no permission yet. Needs `access-permissions`.
    pub async fn create_role(&self, actor: &Actor, wanted: RoleChange) -> Result<Role> {
        self.require(actor, "access-permissions", None).await?;
        let name = wanted.name.clone().unwrap_or_default();
        self.check_role_name(&name, None)?;
        if self.roles().roles.len() >= MOST {
            return Err(Refusal::TooLarge { what: "roles", limit: MOST as u64 });
        }
        let role = Role {
            id: RoleId::new(self.new_id()),
            name: name.trim().to_owned(),
            description: short(wanted.description)?.unwrap_or_default(),
            scope: wanted.scope.unwrap_or(RoleScope::Workspace),
            protected: false,
            mandatory_2fa: wanted.mandatory_2fa.unwrap_or_default(),
            updated_at: self.now(),
        };
        self.put_role(actor, role, "role.made").await
    }

    /// Changes a role; of built-in ones the description and the second factor. Needs `access-permissions`.
    pub async fn change_role(&self, actor: &Actor, role: &str, wanted: RoleChange) -> Result<Role> {
        self.require(actor, "access-permissions", None).await?;
        let mut role = self.role(role)?;
        if let Some(name) = wanted.name.as_deref().map(str::trim).filter(|name| *name != role.name) {
            if role.protected {
                return Err(crate::error::State::Protected.into());
            }
            self.check_role_name(name, Some(&role.id))?;
            role.name = name.to_owned();
        }
        if wanted.scope.is_some_and(|scope| scope != role.scope) {
            return Err(Refusal::invalid("role-properties", "A role's scope stays as it is"));
        }
        if let Some(description) = short(wanted.description)? {
            role.description = description;
        }
        role.mandatory_2fa = wanted.mandatory_2fa.unwrap_or(role.mandatory_2fa);
        role.updated_at = later(self.now(), role.updated_at);
        self.put_role(actor, role, "role.changed").await
    }

    fn check_role_name(&self, name: &str, own: Option<&RoleId>) -> Result<()> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
            return Err(Refusal::invalid("role-properties", "The role properties are invalid."));
        }
        match self.role(name) {
            Ok(other) if Some(&other.id) != own => {
                Err(Refusal::Taken { what: What::Role, value: name.to_owned() })
            }
            _ => Ok(()),
        }
    }

    async fn put_role(&self, actor: &Actor, role: Role, act: &str) -> Result<Role> {
        let entry = self.audit_entry(actor, act, &role.name).await?;
        let stored = role.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                audit::keep(tx, &entry)?;
                crate::roles_admin::store_role(tx, &stored)
            })
            .await?;
        Ok(role)
    }
}

fn short(text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if text.chars().count() > LONGEST * 5 => {
            Err(Refusal::TooLarge { what: "description", limit: (LONGEST * 5) as u64 })
        }
        text => Ok(text),
    }
}
