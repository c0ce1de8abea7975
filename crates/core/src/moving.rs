//! Moving in with everything: roles, settings and integrations of another chat keep their ids. Nothing of it is news to
//! anybody, what is here stays as it is, and doing it again changes nothing. For the server's own actors alone; accounts,
//! rooms, messages and files follow in the modules beside this one.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    id::RoleId,
    integration::{Direction, Integration},
    integrations_out::CURSOR,
    role::{AS_WORKSPACE, Grant, Role},
    session::Actor,
    setting::Value,
    store::{Lane, Tx},
};

/// Names that are tried before a taken one is given up.
const MOST_TRIES: u32 = 1_000;

/// Things that one transaction takes in at most.
pub const AT_ONCE: usize = 200;
/// Messages that one transaction takes in at most.
pub const MESSAGES_AT_ONCE: usize = 1_000;

/// What became of something that moves in.
#[derive(Clone, Debug, PartialEq)]
pub enum Moved<T> {
    /// It is stored now.
    New(T),
    /// It was here already.
    Known(T),
    /// It can't be taken, for this reason.
    Left(String),
}

pub(crate) fn only_system(actor: &Actor) -> Result<()> {
    if actor.is_system() { Ok(()) } else { Err(Refusal::NotAllowed("import")) }
}

/// A reason for leaving something, unless the store itself is in trouble.
pub(crate) fn reason<T>(done: Result<Moved<T>>) -> Result<Moved<T>> {
    match done {
        Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => Err(refusal),
        Err(refusal) => Ok(Moved::Left(refusal.to_string())),
        done => done,
    }
}

impl Chat {
    /// Ends a move: nothing of it makes outgoing integrations call.
    pub async fn moved_in(&self, actor: &Actor) -> Result<()> {
        only_system(actor)?;
        self.store().writing(Lane::Bulk, quiet).await
    }

    /// Takes things in together within one transaction, at most `most`; when one of them can't be taken, each by itself
    /// shows which.
    pub(crate) async fn move_together<T: Send + Sync + 'static, R: Send + 'static>(
        &self,
        actor: &Actor,
        items: Vec<T>,
        most: usize,
        dry: bool,
        take: impl Fn(&mut dyn Tx, &[T]) -> Result<Vec<Moved<R>>> + Clone + Send + 'static,
    ) -> Result<Vec<Moved<R>>> {
        only_system(actor)?;
        if items.len() > most {
            return Err(Refusal::TooLarge { what: "things at once", limit: most as u64 });
        }
        let items: Arc<[T]> = items.into();
        let (all, taking) = (items.clone(), take.clone());
        let together = move |tx: &mut dyn Tx| {
            let done = taking(tx, &all)?;
            if !dry {
                quiet(tx)?;
            }
            Ok(done)
        };
        match self.store().writing(Lane::Bulk, together).await {
            Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => return Err(refusal),
            Err(_) => {}
            Ok(done) => return Ok(done),
        }
        let mut done = Vec::with_capacity(items.len());
        for place in 0..items.len() {
            let (items, taking) = (items.clone(), take.clone());
            let alone = move |tx: &mut dyn Tx| {
                let one = items.get(place..=place).unwrap_or_default();
                taking(tx, one)?.pop().ok_or(Refusal::Unavailable)
            };
            done.push(reason(self.store().writing(Lane::Bulk, alone).await)?);
        }
        Ok(done)
    }

    /// Brings in a role that is not here.
    pub async fn move_role(&self, actor: &Actor, role: Role, dry: bool) -> Result<Moved<RoleId>> {
        only_system(actor)?;
        let id = role.id.clone();
        let all = self.roles();
        if all.roles.contains_key(&id) {
            return Ok(Moved::Known(id));
        }
        if all.roles.values().any(|known| known.name.eq_ignore_ascii_case(&role.name)) {
            return Ok(Moved::Left("another role has its name".into()));
        }
        if dry {
            return Ok(Moved::New(id));
        }
        let store = move |tx: &mut dyn Tx| {
            crate::roles_admin::store_role(tx, &role)?;
            Ok(Moved::New(role.id.clone()))
        };
        reason(self.store().writing(Lane::Bulk, store).await)
    }

    /// Brings in who holds a permission, where that differs and nobody changed it here.
    pub async fn move_grant(
        &self,
        actor: &Actor,
        permission: &str,
        holders: Vec<RoleId>,
        dry: bool,
    ) -> Result<Moved<()>> {
        only_system(actor)?;
        let all = self.roles();
        let Some(known) = all.grants.get(permission) else {
            return Ok(Moved::Left("no such permission here".into()));
        };
        let same =
            known.roles.len() == holders.len() && holders.iter().all(|role| known.roles.contains(role));
        if same || known.updated_at != Time(0) || holders.iter().any(|role| &**role == AS_WORKSPACE) {
            return Ok(Moved::Known(()));
        }
        if let Some(unknown) = holders.iter().find(|role| !dry && !all.roles.contains_key(*role)) {
            return Ok(Moved::Left(format!("no role {unknown} here")));
        }
        if dry {
            return Ok(Moved::New(()));
        }
        let permission = known.permission.clone();
        let store = move |tx: &mut dyn Tx| {
            let grant =
                Grant { permission: permission.clone(), roles: holders.clone(), updated_at: tx.now() };
            crate::roles_admin::store_grant(tx, &grant)?;
            Ok(Moved::New(()))
        };
        reason(self.store().writing(Lane::Bulk, store).await)
    }

    /// Brings in a setting's value, unless somebody chose one here.
    pub async fn move_setting(&self, actor: &Actor, id: &str, value: Value, dry: bool) -> Result<Moved<()>> {
        only_system(actor)?;
        let settings = self.settings();
        let Some(setting) = settings.get(id) else {
            return Ok(Moved::Left("no such setting here".into()));
        };
        let value = crate::settings_admin::as_wanted(setting.def, value);
        if let Err(refusal) = crate::settings_admin::check(setting.def, &value) {
            return Ok(Moved::Left(refusal.to_string()));
        }
        if setting.value == value || setting.value != setting.def.default.value() {
            return Ok(Moved::Known(()));
        }
        if dry {
            return Ok(Moved::New(()));
        }
        reason(self.set_setting(actor, id, value).await.map(|_| Moved::New(())))
    }

    /// Brings in an integration under its own id, with the token that its callers know. What moved in before does not
    /// make it call.
    pub async fn move_integration(
        &self,
        actor: &Actor,
        wanted: Integration,
        token: &str,
        dry: bool,
    ) -> Result<Moved<()>> {
        only_system(actor)?;
        if self.integration(&wanted.id).await?.is_some() {
            return Ok(Moved::Known(()));
        }
        if let Err(refusal) = wanted.check() {
            return Ok(Moved::Left(refusal.to_string()));
        }
        if dry {
            return Ok(Moved::New(()));
        }
        let wanted = Integration { token: self.kept_token(wanted.direction, token)?, ..wanted };
        let store = move |tx: &mut dyn Tx| {
            let end = tx.journal_end()?;
            let mut wanted = wanted.clone();
            if let Some(calls) = &mut wanted.calls {
                calls.since = end;
            }
            let outgoing = Some(Direction::Outgoing.as_str());
            let first = crate::store::Page { offset: 0, count: 1 };
            if tx.documents(crate::integration::COLLECTION, outgoing, first)?.total == 0 {
                tx.move_cursor(CURSOR, end)?;
            }
            tx.put_document(crate::integration::COLLECTION, &wanted.document())?;
            Ok(Moved::New(()))
        };
        reason(self.store().writing(Lane::Bulk, store).await)
    }
}

/// What moved in makes no outgoing integration call, and nobody is told of it by mail or on a phone.
fn quiet(tx: &mut dyn Tx) -> Result<()> {
    let end = tx.journal_end()?;
    tx.move_cursor(CURSOR, end)?;
    tx.move_cursor(crate::notices::CURSOR, end)
}

/// The name itself, or with `-2`, `-3` … behind it, whichever is free first.
pub(crate) fn free_name(name: &str, mut free: impl FnMut(&str) -> Result<bool>) -> Result<String> {
    if free(name)? {
        return Ok(name.to_owned());
    }
    for number in 2..MOST_TRIES {
        let other = format!("{name}-{number}");
        if free(&other)? {
            return Ok(other);
        }
    }
    Err(Refusal::Unavailable)
}

/// Names or addresses that are taken: some are known from the start, others are asked for once, and what one of a batch
/// takes is no other's.
pub(crate) struct Taken {
    known: FxHashMap<String, bool>,
}

impl Taken {
    pub(crate) fn of(names: &[&str], taken: Vec<bool>) -> Self {
        Self { known: names.iter().map(|name| name.to_lowercase()).zip(taken).collect() }
    }

    /// Whether it is taken; `ask` is asked where that is not known.
    pub(crate) fn has(&mut self, name: &str, ask: impl FnOnce(&str) -> Result<bool>) -> Result<bool> {
        let key = name.to_lowercase();
        match self.known.get(&key) {
            Some(taken) => Ok(*taken),
            None => {
                let taken = ask(name)?;
                self.known.insert(key, taken);
                Ok(taken)
            }
        }
    }

    pub(crate) fn take(&mut self, name: &str) {
        self.known.insert(name.to_lowercase(), true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_the_first_free_number() {
        let taken = ["ann", "ann-2"];
        assert_eq!(free_name("ann", |name| Ok(!taken.contains(&name))), Ok("ann-3".to_owned()));
        assert_eq!(free_name("bob", |name| Ok(!taken.contains(&name))), Ok("bob".to_owned()));
    }
}
