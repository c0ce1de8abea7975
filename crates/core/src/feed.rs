//! A user's feed: what happens in all of that user's rooms, in one order (the journal's), from a place on that
//! stays good over restarts. The hub only says that there is something; what there is comes from the journal, so
//! that whoever comes back misses nothing and hears nothing twice.

mod start;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use rustc_hash::FxHashSet;
use tokio::sync::Notify;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    event::Event,
    feed_tail::{Happening, What, happenings},
    hub::{Listener, Subscription},
    id::{RoomId, UserId},
    message::Message,
    permissions::{Action, Object},
    published::Published,
    room::RoomKind,
    session::Actor,
    store::Entry,
};

/// Whoever missed more reads the rooms anew, unless the operator says otherwise.
pub const MOST_MISSED: usize = 10_000;
/// Whoever was away for longer reads the rooms anew.
pub const LONGEST_AWAY: Duration = Duration::from_secs(30 * 24 * 3600);
/// Missed events that are read at once.
const AT_ONCE: usize = 100;
/// How often the journal is looked at without a reason.
const NOW_AND_THEN: Duration = Duration::from_secs(5);
/// How soon a row that is not final yet is looked for again.
const SOON: Duration = Duration::from_millis(10);

/// Why a feed can't go on from a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Too much, or too long ago.
    TooOld,
    /// Not a place of this journal.
    Unknown,
}

impl Gap {
    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::Unknown => "unknown",
        }
    }
}

/// What happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Made,
    /// Its text was changed.
    Edited,
    /// Something else of it was: reactions, pins, answers.
    Touched,
    /// It was removed.
    Removed,
}

/// What happened to a room, as the user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomFate {
    /// It is among the user's rooms now.
    Added,
    /// It or its members changed.
    Updated,
    /// It is no more among the user's rooms.
    Removed,
}

/// One thing that a feed tells.
#[derive(Clone, Debug)]
pub enum News {
    /// A message, as it is now.
    Message(Arc<Message>, Fate),
    /// A room.
    Room(RoomId, RoomFate),
    /// The user's own mark moved in this room.
    Read(RoomId),
    /// Messages went in bulk: read the rooms anew.
    Reset,
}

/// News, and the place behind it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Go on from here.
    pub place: i64,
    /// What there is.
    pub news: News,
}

/// How a feed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Where it begins; with a gap: now.
    pub place: i64,
    /// It does not begin where it was wanted.
    pub gap: Option<Gap>,
}

/// Hears from the hub that there is something.
pub(crate) struct Ears {
    something: Notify,
    /// The highest number heard of.
    wanted: AtomicI64,
    over: AtomicBool,
    left: Box<dyn Fn(&RoomId) + Send + Sync>,
    user: UserId,
}

impl Listener for Ears {
    fn hear(&self, published: &Arc<Published>) {
        let fact = &published.fact;
        if let Event::MembershipRemoved { room, user, .. } = &fact.event
            && *user == self.user
        {
            (self.left)(room);
        }
        // What was read again to fill a hole has lost its number, and is news all the same.
        let passing = matches!(
            fact.event,
            Event::Activity { .. }
                | Event::Presence { .. }
                | Event::Whisper { .. }
                | Event::Notify { .. }
                | Event::Signal { .. }
        );
        if !passing {
            self.wanted.fetch_max(fact.g, Ordering::AcqRel);
            self.something.notify_one();
        }
    }
    fn revoked(&self) {
        self.over.store(true, Ordering::Release);
        self.something.notify_one();
    }
}

/// A user's feed. Dropping it ends it.
pub struct Feed {
    chat: Arc<Chat>,
    actor: Actor,
    control: bool,
    place: i64,
    /// Rooms that the user was told of.
    known: FxHashSet<RoomId>,
    /// Rows behind the place that were there when the feed began, so that whoever reads the rooms knows of them.
    older: FxHashSet<i64>,
    /// What was missed and is still to be read, up to a place.
    missed: VecDeque<Entry>,
    missed_upto: i64,
    ears: Arc<Ears>,
    subscriptions: Vec<Subscription>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.subscriptions.iter().for_each(|subscription| self.chat.end(*subscription));
    }
}

impl Chat {
    /// The actor's feed from a place on (as an item told it), or from now on. `left` is called at once when a room is
    /// left, to drop what is queued of it; it must be quick.
    ///
    /// # Errors
    /// `NotLoggedIn`, `Deactivated`.
    pub async fn feed(
        self: &Arc<Self>,
        actor: &Actor,
        after: Option<&str>,
        left: Box<dyn Fn(&RoomId) + Send + Sync>,
    ) -> Result<(Feed, Start)> {
        let user = self.active_user(actor).await?;
        let ears = Arc::new(Ears {
            something: Notify::new(),
            wanted: AtomicI64::new(0),
            over: AtomicBool::new(false),
            left,
            user: user.id.clone(),
        });
        let control = user.class() == crate::classes::Class::Control;
        let mut feed = Feed {
            chat: self.clone(),
            actor: actor.clone(),
            control,
            place: 0,
            known: FxHashSet::default(),
            older: FxHashSet::default(),
            missed: VecDeque::new(),
            missed_upto: 0,
            ears: ears.clone(),
            subscriptions: Vec::new(),
        };
        feed.subscriptions.push(self.listen_user(actor, ears.clone()).await?);
        feed.subscriptions.push(self.listen_inbox(actor, ears.clone()).await?);
        if control {
            feed.subscriptions.push(self.listen_desk(actor, ears).await?);
        }
        let start = feed.begin(after).await?;
        Ok((feed, start))
    }

    /// The place that a feed which begins now begins at.
    pub async fn feed_place(&self) -> Result<i64> {
        self.store().reading(|rows| rows.journal_end()).await
    }

    /// Whether the user's feed and inbox show this room: as a member, or as the control centre sees all cases.
    pub(crate) async fn follows(&self, actor: &Actor, room: &RoomId) -> Result<Option<Time>> {
        let found = match self.room(room).await {
            Ok(found) => found,
            Err(Refusal::NotFound(_)) => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let membership = self.membership(room, &actor.user).await?;
        if membership.is_none() && found.kind != RoomKind::Case {
            return Ok(None);
        }
        match self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await {
            Ok(_) => Ok(Some(membership.map_or(Time(0), |m| m.joined_at))),
            Err(Refusal::NotFound(_) | Refusal::NotAllowed(_) | Refusal::NotMember) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

impl Feed {
    /// The next news, at least one; waits for them. Cancelling it loses nothing.
    ///
    /// # Errors
    /// `NotLoggedIn` when the session has ended, `Deactivated`; the feed is over then.
    pub async fn next(&mut self) -> Result<Vec<Item>> {
        loop {
            if self.ears.over.load(Ordering::Acquire) {
                self.chat.active_user(&self.actor).await?;
                return Err(Refusal::NotLoggedIn);
            }
            let (happened, upto) = self.take().await?;
            let caught_up = happened.is_empty() && upto == self.place;
            let news = self.tell(&happened).await?;
            // From here on nothing waits: what was taken is told.
            self.place = upto;
            self.older.retain(|g| *g > upto);
            self.missed.drain(..happened.len().min(self.missed.len()));
            if self.missed.is_empty() {
                self.place = self.place.max(self.missed_upto);
            }
            self.learn(&news);
            if !news.is_empty() {
                return Ok(news);
            }
            if caught_up {
                self.wait().await;
            }
        }
    }

    /// Whether there is more that was missed.
    pub fn is_catching_up(&self) -> bool {
        !self.missed.is_empty()
    }

    async fn wait(&self) {
        if self.ears.wanted.load(Ordering::Acquire) > self.place {
            tokio::time::sleep(SOON).await;
        } else {
            // Looked at all the same now and then: another node's changes are in the journal too.
            let _ = tokio::time::timeout(NOW_AND_THEN, self.ears.something.notified()).await;
        }
    }

    async fn take(&self) -> Result<(Vec<Arc<Happening>>, i64)> {
        if self.missed.is_empty() {
            return self.chat.tail_after(self.place).await;
        }
        let next: Vec<Entry> = self.missed.iter().take(AT_ONCE).cloned().collect();
        let upto = next.last().map_or(self.place, |entry| entry.g);
        let found = self.chat.store().reading(move |rows| happenings(rows, next)).await?;
        Ok((found, upto))
    }

    /// What of all this the user may hear, and how.
    async fn tell(&self, happened: &[Arc<Happening>]) -> Result<Vec<Item>> {
        let mut items: Vec<Item> = Vec::new();
        let mut known = Known { before: &self.known, added: Vec::new(), removed: Vec::new() };
        for happening in happened.iter().filter(|happening| !self.older.contains(&happening.g)) {
            let Some(news) = self.news(happening, &mut known).await? else { continue };
            // Of several same changes the last one tells all.
            match &news {
                News::Room(room, RoomFate::Updated) => items.retain(
                    |item| !matches!(&item.news, News::Room(other, RoomFate::Updated) if other == room),
                ),
                News::Read(room) => {
                    items.retain(|item| !matches!(&item.news, News::Read(other) if other == room))
                }
                _ => {}
            }
            items.push(Item { place: happening.g, news });
        }
        Ok(items)
    }

    async fn news(&self, happening: &Happening, known: &mut Known<'_>) -> Result<Option<News>> {
        let me = &self.actor.user;
        let Some(room) = &happening.room else { return Ok(None) };
        let mine = happening.whom.as_ref() == Some(me);
        match &happening.what {
            What::Nothing => return Ok(None),
            What::RoomRemoved => {
                return Ok(known.forget(room).then(|| News::Room(room.clone(), RoomFate::Removed)));
            }
            What::Left if mine => {
                // The control centre still sees the case; others are back by now, and come in their own place.
                if let Some(since) = self.chat.follows(&self.actor, room).await? {
                    if since > Time(0) {
                        known.forget(room);
                    }
                    return Ok(Some(News::Room(room.clone(), RoomFate::Updated)));
                }
                return Ok(known.forget(room).then(|| News::Room(room.clone(), RoomFate::Removed)));
            }
            What::Read if !mine => return Ok(None),
            _ => {}
        }
        let Some(since) = self.chat.follows(&self.actor, room).await? else { return Ok(None) };
        // What was said before one came is history. Once one is there the order decides: nodes' clocks may differ.
        if !known.has(room) && happening.at < since {
            return Ok(None);
        }
        Ok(match &happening.what {
            What::Message(message, fate) => Some(News::Message(message.clone(), *fate)),
            What::Purged => Some(News::Reset),
            What::Read => Some(News::Read(room.clone())),
            What::Changed | What::Joined | What::Left => match known.learn(room) {
                true => Some(News::Room(room.clone(), RoomFate::Added)),
                false => Some(News::Room(room.clone(), RoomFate::Updated)),
            },
            What::RoomRemoved | What::Nothing => None,
        })
    }

    /// Keeps in mind which rooms the user was told of.
    fn learn(&mut self, news: &[Item]) {
        for item in news {
            match &item.news {
                News::Room(room, RoomFate::Added) => drop(self.known.insert(room.clone())),
                News::Room(room, RoomFate::Removed) => drop(self.known.remove(room)),
                _ => {}
            }
        }
    }
}

/// The rooms told of, with what a batch adds to them before it is told.
struct Known<'a> {
    before: &'a FxHashSet<RoomId>,
    added: Vec<RoomId>,
    removed: Vec<RoomId>,
}

impl Known<'_> {
    fn has(&self, room: &RoomId) -> bool {
        self.added.contains(room) || (self.before.contains(room) && !self.removed.contains(room))
    }
    /// Whether it is new.
    fn learn(&mut self, room: &RoomId) -> bool {
        if self.has(room) {
            return false;
        }
        self.removed.retain(|other| other != room);
        self.added.push(room.clone());
        true
    }
    /// Whether it was known.
    fn forget(&mut self, room: &RoomId) -> bool {
        if !self.has(room) {
            return false;
        }
        self.added.retain(|other| other != room);
        self.removed.push(room.clone());
        true
    }
}
