//! Who holds which role in the workspace, and which roles hold a permission.

use std::sync::Arc;

use crate::{
    accounts::{another_admin, later, put_user},
    chat::Chat,
    error::{Refusal, Result, State, What},
    event::Event,
    id::{RoleId, UserId},
    role::{Grant, Role, RoleScope},
    session::Actor,
    store::{Lane, Page, Paged, Tx, UserFilter},
    user::User,
};

impl Chat {
    /// A role by id, or by name without regard to case.
    pub fn role(&self, id_or_name: &str) -> Result<Role> {
        let all = self.roles();
        let named = || all.roles.values().find(|r| r.name.eq_ignore_ascii_case(id_or_name));
        all.roles.get(id_or_name).or_else(named).cloned().ok_or(Refusal::NotFound(What::Role))
    }

    /// All roles by id.
    pub fn all_roles(&self) -> Vec<Role> {
        let mut all: Vec<Role> = self.roles().roles.values().cloned().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// Gives a user a workspace-wide role, or takes it away. Needs `access-permissions`, for `admin` also
    /// `assign-admin-role`. The last active administrator stays one.
    pub async fn set_user_role(
        &self,
        actor: &Actor,
        user: &UserId,
        role: &RoleId,
        given: bool,
    ) -> Result<Arc<User>> {
        self.require(actor, "access-permissions", None).await?;
        if role.as_str() == "admin" {
            self.require(actor, "assign-admin-role", None).await?;
        }
        let known = self.role(role)?;
        if known.scope == RoleScope::Room {
            return Err(Refusal::invalid("scope", "This role is held in a room"));
        }
        let (user, role) = (user.clone(), known.id);
        let act = if given { "role.given" } else { "role.taken" };
        let entry = self.audit_entry(actor, act, &format!("{role} {user}")).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                let mut user = tx.user(&user)?.ok_or(Refusal::NotFound(What::User))?;
                match (user.has_role(&role), given) {
                    (true, true) => return Err(State::HasRole.into()),
                    (false, false) => return Err(State::LacksRole.into()),
                    (true, false) if role.as_str() == "admin" && user.active => another_admin(tx, &user.id)?,
                    _ => {}
                }
                user.roles.retain(|held| *held != role);
                if given {
                    user.roles.push(role.clone());
                }
                let told = Event::RoleGiven {
                    user: user.id.clone(),
                    username: user.username.clone(),
                    role: role.clone(),
                    room: None,
                    given,
                };
                let user = put_user(tx, user)?;
                tx.record(None, told)?;
                Ok(user)
            })
            .await
    }

    /// Removes a role that nobody holds; built-in ones stay. Needs `access-permissions`.
    pub async fn remove_role(&self, actor: &Actor, role: &str) -> Result<()> {
        self.require(actor, "access-permissions", None).await?;
        let role = self.role(role)?;
        if role.protected {
            return Err(State::Protected.into());
        }
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let holders = UserFilter { roles: vec![role.id.to_string()], ..UserFilter::default() };
                if tx.count_users(&holders)? > 0 {
                    return Err(State::InUse.into());
                }
                let at = tx.remove_role(&role.id)?;
                tx.record(None, Event::Role { id: role.id.clone(), role: None, at })
            })
            .await
    }

    /// Says which roles hold which permissions. Needs `access-permissions`; all or nothing.
    pub async fn set_grants(&self, actor: &Actor, wanted: Vec<(String, Vec<RoleId>)>) -> Result<Vec<Grant>> {
        self.require(actor, "access-permissions", None).await?;
        let known = self.roles();
        let mut grants = Vec::with_capacity(wanted.len());
        for (permission, mut roles) in wanted {
            let before = known.grants.get(permission.as_str()).ok_or(Refusal::NotFound(What::Permission))?;
            if let Some(unknown) = roles.iter().find(|role| !known.roles.contains_key(*role)) {
                tracing::debug!(%unknown, "a permission was to be given to a role that does not exist");
                return Err(Refusal::NotFound(What::Role));
            }
            roles.sort();
            roles.dedup();
            let updated_at = later(self.now(), before.updated_at);
            grants.push(Grant { permission: before.permission.clone(), roles, updated_at });
        }
        let stored = grants.clone();
        let ids: Vec<&str> = grants.iter().map(|g| &*g.permission).collect();
        let entry = self.audit_entry(actor, "permission.changed", &ids.join(" ")).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                stored.iter().try_for_each(|grant| store_grant(tx, grant))
            })
            .await?;
        Ok(grants)
    }

    /// Gives one role a permission, or takes it away, whatever the other roles' are. Needs `access-permissions`.
    pub async fn change_grant(
        &self,
        actor: &Actor,
        permission: &str,
        role: &RoleId,
        given: bool,
    ) -> Result<()> {
        self.require(actor, "access-permissions", None).await?;
        let known = self.roles();
        let before = known.grants.get(permission).ok_or(Refusal::NotFound(What::Permission))?.clone();
        if !known.roles.contains_key(role) {
            return Err(Refusal::NotFound(What::Role));
        }
        let (role, now) = (role.clone(), self.now());
        let entry = self.audit_entry(actor, "permission.changed", permission).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                let stored = tx.grants()?.into_iter().find(|g| g.permission == before.permission);
                let mut grant = stored.unwrap_or_else(|| before.clone());
                grant.roles.retain(|held| *held != role);
                if given {
                    grant.roles.push(role.clone());
                }
                grant.roles.sort();
                grant.updated_at = later(now, grant.updated_at);
                store_grant(tx, &grant)
            })
            .await
    }

    /// Users that hold a workspace-wide role, by user name. Needs `access-permissions`.
    pub async fn users_in_role(&self, actor: &Actor, role: &RoleId, page: Page) -> Result<Paged<User>> {
        self.require(actor, "access-permissions", None).await?;
        let filter = UserFilter { roles: vec![role.to_string()], ..UserFilter::default() };
        self.store().reading(move |rows| rows.users(&filter, page)).await
    }

    /// Holders of roles that everybody may see beside a name: those with a description, held in the workspace.
    /// At most 1,000.
    pub async fn users_in_public_roles(&self, actor: &Actor) -> Result<Vec<User>> {
        self.active_user(actor).await?;
        let shown = |r: &&Role| r.scope == RoleScope::Workspace && !r.description.is_empty();
        let roles: Vec<String> =
            self.roles().roles.values().filter(shown).map(|r| r.id.to_string()).collect();
        if roles.is_empty() {
            return Ok(Vec::new());
        }
        let filter = UserFilter { roles, ..UserFilter::default() };
        let page = Page { offset: 0, count: 1_000 };
        Ok(self.store().reading(move |rows| rows.users(&filter, page)).await?.items)
    }
}

/// Stores who holds a permission and tells it.
pub(crate) fn store_grant(tx: &mut dyn Tx, grant: &Grant) -> Result<()> {
    let at = tx.put_grant(grant)?;
    let (id, roles) = (grant.permission.clone(), grant.roles.clone().into());
    tx.record(None, Event::Permission { id, roles, at })
}

/// Stores a role and tells it.
pub(crate) fn store_role(tx: &mut dyn Tx, role: &Role) -> Result<()> {
    let at = tx.put_role(role)?;
    let stored = Role { updated_at: at, ..role.clone() };
    tx.record(None, Event::Role { id: role.id.clone(), role: Some(stored.into()), at })
}
