//! Those who listen to one thing.

use std::sync::Arc;

use super::Listener;
use crate::{
    id::{SessionId, UserId},
    published::Published,
    session::Actor,
};

/// Who stands behind a subscription.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) user: UserId,
    pub(super) session: Option<SessionId>,
    /// The server itself: judged by nobody.
    pub(super) system: bool,
}

impl Who {
    pub(super) fn new(actor: &Actor) -> Self {
        Self { user: actor.user.clone(), session: actor.session.clone(), system: actor.is_system() }
    }
}

/// One subscription.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) serial: u64,
    /// `None` before login.
    pub(super) who: Option<Arc<Who>>,
    pub(super) listener: Arc<dyn Listener>,
}

impl Entry {
    /// Whether it is this user's, and subject to judgement.
    pub(super) fn is_of(&self, user: &UserId) -> bool {
        self.who.as_ref().is_some_and(|who| !who.system && who.user == *user)
    }
}

/// Subscriptions that can be handed out as they are while others come and go: a change copies them only when a
/// fan-out is using them just then.
#[derive(Clone, Default)]
pub(super) struct Crowd(Arc<Vec<Entry>>);

impl Crowd {
    pub(super) fn add(&mut self, entry: Entry) {
        Arc::make_mut(&mut self.0).push(entry);
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<Entry> {
        let at = self.0.iter().position(|e| e.serial == serial)?;
        let entries = Arc::make_mut(&mut self.0);
        let entry = entries.swap_remove(at);
        if entries.capacity() > 32 && entries.capacity() > 4 * entries.len() {
            entries.shrink_to(2 * entries.len());
        }
        Some(entry)
    }

    /// Takes out all that are doomed.
    pub(super) fn remove_where(&mut self, doomed: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        if !self.0.iter().any(&doomed) {
            return Vec::new();
        }
        Arc::make_mut(&mut self.0).extract_if(.., |entry| doomed(entry)).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells everybody.
    pub(super) fn tell(&self, published: &Arc<Published>) {
        for entry in self.0.iter() {
            entry.listener.hear(published);
        }
    }
}
