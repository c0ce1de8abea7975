//! Who is there. Known from live connections and from what each user chose; told to those who watch, in batches
//! once a second; never written, except the choice itself.
//!
//! A login by REST opens no connection, so it leaves a user offline; setting a status shows at once all the same,
//! until the user's connections next change.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::{
    accounts::put_user,
    chat::Chat,
    error::{Refusal, Result, What},
    event::Event,
    id::UserId,
    nodes::{Shared, Whereabouts},
    session::Actor,
    store::Lane,
    user::{Status, User},
};

/// How long a user without connections still counts as there: a reconnecting client shall not flicker.
pub const GRACE: Duration = Duration::from_secs(5);
/// Longest status text, in characters.
pub const MAX_STATUS_TEXT: usize = 120;
/// Connections remembered for one user; further ones don't count.
const CONNECTIONS: usize = 200;
/// Marks the connection that stands for all of a user's connections to another node.
const ELSEWHERE: u64 = 1 << 63;

/// Another node, as long as its process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The connection that stands for this node.
    fn connection(self) -> u64 {
        self.0 | ELSEWHERE
    }

    /// A number for a connection there, which no connection here has.
    pub(crate) fn origin(self, connection: u64) -> u64 {
        self.0.rotate_left(17).wrapping_add(connection) | ELSEWHERE
    }
}

fn is_own(connection: u64) -> bool {
    connection & ELSEWHERE == 0
}

/// Whether somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// At one device at least (or it went a moment ago and may come back).
    Active,
    /// Devices are connected, and nobody sits there.
    Idle,
    /// Nothing is connected.
    Gone,
}

#[derive(Default)]
struct Person {
    /// Each live connection, and whether its client said that nobody sits there.
    connections: SmallVec<[(u64, bool); 2]>,
    /// What the user chose, as far as it is known here.
    chosen: Status,
    /// Shown although nothing is connected, since the user said so.
    declared: Option<Status>,
    /// When the last connection went.
    left: Option<Duration>,
    /// What the watchers were told last.
    told: Status,
    /// The text beside it changed since.
    retold: bool,
    /// In the list of those whose status may have to be told.
    listed: bool,
}

impl Person {
    fn status(&self) -> Status {
        if let Some(declared) = self.declared {
            return declared;
        }
        let away = self.connections.iter().all(|(_, away)| *away);
        match self.chosen {
            _ if self.connections.is_empty() && self.left.is_none() => Status::Offline,
            // In the grace the last connection's word still counts as "online".
            Status::Online if !self.connections.is_empty() && away => Status::Away,
            chosen => chosen,
        }
    }

    /// How many connections are this node's own.
    fn own(&self) -> usize {
        self.connections.iter().filter(|(connection, _)| is_own(*connection)).count()
    }

    /// As other nodes are told.
    fn whereabouts(&self) -> Whereabouts {
        match self.declared {
            _ if self.own() > 0 => {
                let away = self.connections.iter().all(|(connection, away)| *away || !is_own(*connection));
                Whereabouts::There { away }
            }
            Some(status) => Whereabouts::Declared(status),
            None => Whereabouts::Gone,
        }
    }

    fn shared(&self, user: &UserId) -> Shared {
        Shared { user: user.clone(), chosen: self.chosen, whereabouts: self.whereabouts() }
    }

    fn is_forgettable(&self) -> bool {
        self.connections.is_empty() && self.left.is_none() && self.declared.is_none()
    }
}

#[derive(Default)]
struct People {
    all: FxHashMap<UserId, Person>,
    /// Those who may have to be told or forgotten.
    listed: Vec<UserId>,
    connections: usize,
    /// Other nodes are to be told of changes.
    sharing: bool,
    /// Those of whom they are to be told.
    moved: FxHashSet<UserId>,
}

/// Everybody's presence: a state machine over connections, choices and a given clock.
#[derive(Default)]
pub struct Presence(Mutex<People>);

impl Presence {
    fn change(&self, user: &UserId, change: impl FnOnce(&mut Person)) {
        let mut people = self.0.lock();
        let People { all, listed, connections, sharing, moved } = &mut *people;
        let person = all.entry(user.clone()).or_default();
        let before = (person.own(), person.whereabouts());
        change(person);
        *connections = *connections + person.own() - before.0;
        if *sharing && person.whereabouts() != before.1 {
            moved.insert(user.clone());
        }
        if !std::mem::replace(&mut person.listed, true) {
            listed.push(user.clone());
        }
    }

    /// A connection of a user who chose this status has logged in. Coming twice is coming once.
    pub fn connected(&self, user: &UserId, connection: u64, chosen: Status) {
        self.change(user, |person| {
            person.chosen = chosen;
            person.declared = None;
            person.left = None;
            let known = person.connections.iter().any(|(c, _)| *c == connection);
            if !known && person.connections.len() < CONNECTIONS {
                person.connections.push((connection, false));
            }
        });
    }

    /// A connection is gone, or logged out.
    pub fn disconnected(&self, user: &UserId, connection: u64, now: Duration) {
        if !self.0.lock().all.contains_key(user) {
            return;
        }
        self.change(user, |person| {
            let before = person.connections.len();
            person.connections.retain(|(c, _)| *c != connection);
            if before > 0 && person.connections.is_empty() {
                person.left = Some(now);
            }
            if person.connections.len() < before {
                person.declared = None;
            }
        });
    }

    /// The client of a connection says that nobody sits there, or somebody again.
    pub fn away(&self, user: &UserId, connection: u64, away: bool) {
        if !self.0.lock().all.contains_key(user) {
            return;
        }
        self.change(user, |person| {
            for (_, is_away) in person.connections.iter_mut().filter(|(c, _)| *c == connection) {
                *is_away = away;
            }
        });
    }

    /// A user's choice is known to be this; shown if the user is there.
    pub fn chose(&self, user: &UserId, chosen: Status) {
        let stands = self.0.lock().all.get(user).is_none_or(|person| person.chosen == chosen);
        if !stands {
            self.change(user, |person| person.chosen = chosen);
        }
    }

    /// A user chose this just now: it is shown even if nothing is connected.
    pub fn declare(&self, user: &UserId, chosen: Status) {
        self.change(user, |person| {
            person.chosen = chosen;
            let there = !person.connections.is_empty();
            person.declared = (!there && chosen != Status::Offline).then_some(chosen);
            if !there {
                person.left = None;
            }
        });
    }

    /// The text beside a status changed: watchers are told although the status is the same.
    pub fn retell(&self, user: &UserId) {
        if self.0.lock().all.contains_key(user) {
            self.change(user, |person| person.retold = true);
        }
    }

    /// As others see the user now.
    pub fn status(&self, user: &UserId) -> Status {
        self.0.lock().all.get(user).map_or(Status::Offline, Person::status)
    }

    /// Whether somebody sits at one of the user's devices, whatever status the user chose to show.
    pub fn attention(&self, user: &UserId) -> Attention {
        let people = self.0.lock();
        match people.all.get(user) {
            Some(person) if person.connections.is_empty() && person.left.is_none() => Attention::Gone,
            Some(person)
                if !person.connections.is_empty() && person.connections.iter().all(|(_, away)| *away) =>
            {
                Attention::Idle
            }
            Some(_) => Attention::Active,
            None => Attention::Gone,
        }
    }

    /// As [`Presence::status`] for all who are not offline, at most `limit`.
    pub fn online(&self, limit: usize) -> Vec<(UserId, Status)> {
        let people = self.0.lock();
        let seen = people.all.iter().map(|(user, person)| (user.clone(), person.status()));
        seen.filter(|(_, status)| *status != Status::Offline).take(limit).collect()
    }

    /// Live connections that are logged in.
    pub fn connections(&self) -> usize {
        self.0.lock().connections
    }

    /// From now on it is noted what other nodes are to be told.
    pub fn share(&self) {
        self.0.lock().sharing = true;
    }

    /// Everybody of whom other nodes are to know.
    pub fn shared(&self) -> Vec<Shared> {
        let people = self.0.lock();
        let all = people.all.iter().map(|(user, person)| person.shared(user));
        all.filter(|one| one.whereabouts != Whereabouts::Gone).collect()
    }

    /// Those of whom other nodes were not told since they changed.
    pub fn moved(&self) -> Vec<Shared> {
        let mut people = self.0.lock();
        let moved = std::mem::take(&mut people.moved);
        let gone = |user: &UserId| Shared {
            user: user.clone(),
            chosen: Status::default(),
            whereabouts: Whereabouts::Gone,
        };
        moved.iter().map(|user| people.all.get(user).map_or_else(|| gone(user), |p| p.shared(user))).collect()
    }

    /// Another node tells of somebody.
    pub fn elsewhere(&self, node: NodeId, one: &Shared, now: Duration) {
        let connection = node.connection();
        match one.whereabouts {
            Whereabouts::There { away } => {
                self.connected(&one.user, connection, one.chosen);
                self.away(&one.user, connection, away);
            }
            Whereabouts::Declared(status) => {
                self.disconnected(&one.user, connection, now);
                self.declare(&one.user, status);
            }
            Whereabouts::Gone => self.disconnected(&one.user, connection, now),
        }
    }

    /// Another node tells of all its people.
    pub fn all_elsewhere(&self, node: NodeId, people: &[Shared], now: Duration) {
        let there: FxHashSet<&UserId> = people.iter().map(|one| &one.user).collect();
        let is_there = |person: &Person| person.connections.iter().any(|(c, _)| *c == node.connection());
        let gone: Vec<UserId> = {
            let known = self.0.lock();
            let gone = known.all.iter().filter(|(user, person)| is_there(person) && !there.contains(user));
            gone.map(|(user, _)| user.clone()).collect()
        };
        gone.iter().for_each(|user| self.disconnected(user, node.connection(), now));
        people.iter().for_each(|one| self.elsewhere(node, one, now));
    }

    /// Whose status changed since the last time, and to what. Once a second: what changed back in between is not
    /// told at all.
    pub fn tick(&self, now: Duration) -> Vec<(UserId, Status)> {
        let mut people = self.0.lock();
        let People { all, listed, .. } = &mut *people;
        let mut news = Vec::new();
        listed.retain(|user| {
            let Some(person) = all.get_mut(user) else { return false };
            if person.left.is_some_and(|left| now.saturating_sub(left) >= GRACE) {
                person.left = None;
            }
            let status = person.status();
            // Nobody is told of an absence twice.
            let retold = std::mem::take(&mut person.retold) && status != Status::Offline;
            if std::mem::replace(&mut person.told, status) != status || retold {
                news.push((user.clone(), status));
            }
            person.listed = person.left.is_some();
            let keep = person.listed;
            if person.is_forgettable() {
                all.remove(user);
            }
            keep
        });
        news
    }
}

/// What a user wants to show; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct NewStatus {
    /// The chosen status.
    pub status: Option<Status>,
    /// The text beside it.
    pub text: Option<String>,
}

impl Chat {
    /// A connection of this user has logged in.
    pub fn connected(&self, user: &User, connection: u64) {
        self.listening.presence.connected(&user.id, connection, user.status_default);
    }

    /// A connection of this user has ended or logged out. Also ends what it showed as typing.
    pub fn disconnected(&self, user: &UserId, connection: u64) {
        self.listening.presence.disconnected(user, connection, self.ports.clock.monotonic());
        for event in self.listening.typing.gone(connection) {
            self.pass(event);
        }
    }

    /// The client of this connection says that nobody sits there, or somebody again.
    pub fn set_away(&self, user: &UserId, connection: u64, away: bool) {
        self.listening.presence.away(user, connection, away);
    }

    /// The status that others see of this user.
    pub fn status_of(&self, user: &UserId) -> Status {
        self.listening.presence.status(user)
    }

    /// All who are not offline, at most `limit`.
    pub fn online_users(&self, limit: usize) -> Vec<(UserId, Status)> {
        self.listening.presence.online(limit)
    }

    /// Live connections that are logged in.
    pub fn live_connections(&self) -> usize {
        self.listening.presence.connections()
    }

    /// Chooses a status and its text, for oneself or (with `edit-other-user-info`) for somebody else. It is stored,
    /// shown at once and told to watchers within a second.
    pub async fn set_status(&self, actor: &Actor, of: Option<&UserId>, new: NewStatus) -> Result<Arc<User>> {
        self.active_user(actor).await?;
        let id = of.unwrap_or(&actor.user).clone();
        if id != actor.user {
            self.require(actor, "edit-other-user-info", None).await?;
        }
        let settings = self.settings();
        if !settings.is_on("Accounts_AllowUserStatusMessageChange") {
            return Err(Refusal::Disabled("Accounts_AllowUserStatusMessageChange"));
        }
        if new.status == Some(Status::Offline) && !settings.is_on("Accounts_AllowInvisibleStatusOption") {
            return Err(Refusal::Disabled("Accounts_AllowInvisibleStatusOption"));
        }
        if new.text.as_ref().is_some_and(|text| text.chars().count() > MAX_STATUS_TEXT) {
            return Err(Refusal::TooLarge { what: "status text", limit: MAX_STATUS_TEXT as u64 });
        }
        let (wanted, change) = (id.clone(), new.clone());
        let user = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let mut user = tx.user(&wanted)?.ok_or(Refusal::NotFound(What::User))?;
                user.status_default = change.status.unwrap_or(user.status_default);
                user.status_text = change.text.clone().unwrap_or(user.status_text);
                put_user(tx, user)
            })
            .await?;
        if let Some(status) = new.status {
            self.listening.presence.declare(&id, status);
        }
        if new.text.is_some() {
            self.listening.presence.retell(&id);
        }
        Ok(user)
    }

    /// Tells the watchers whose status changed. Once a second.
    pub(crate) async fn tell_presence(&self) {
        let now = self.now();
        for (id, status) in self.listening.presence.tick(self.ports.clock.monotonic()) {
            self.moved.note(id.clone(), now);
            if !self.listening.hub.is_watched(&id) {
                continue;
            }
            if let Ok(Some(user)) = self.user(&id).await {
                self.pass(Event::Presence { user, status });
            }
        }
    }
}

#[cfg(test)]
mod tests;
