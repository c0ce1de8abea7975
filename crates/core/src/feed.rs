//! A user's feed: what happens in all of that user's rooms, in one order (the journal's), from a place on that
//! stays good over restarts. The hub only says that there is something; what there is comes from the journal, so
//! that whoever comes back misses nothing and hears nothing twice.

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
    store::{Entry, EntryKind, FeedPart, Read},
};

/// Whoever missed more reads the rooms anew, unless the operator says otherwise.
pub const MOST_MISSED: usize = 10_000;
/// Whoever was away for longer reads the rooms anew.
pub const LONGEST_AWAY: Duration = Duration::from_secs(30 * 24 * 3600);
/// Rows of the journal that one reading looks at.
const STRETCH: u64 = 20_000;
/// Readings of one catch-up: two million rows of the journal.
const MOST_STRETCHES: usize = 100;
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
    async fn begin(&mut self, after: Option<&str>) -> Result<Start> {
        let (end, oldest) = self.now_and_oldest().await?;
        let (mut place, mut gap) = (end, None);
        if let Some(text) = after {
            match self.find(text, end, oldest).await? {
                Ok((found, entries)) => {
                    (place, self.missed, self.missed_upto) = (found, entries, end);
                }
                Err(why) => gap = Some(why),
            }
        }
        self.place = place;
        self.known = self.rooms_known_at(place).await?;
        Ok(Start { place, gap })
    }

    async fn now_and_oldest(&self) -> Result<(i64, Time)> {
        let end = self.chat.store().reading(|rows| rows.journal_end()).await?;
        let longest = i64::try_from(LONGEST_AWAY.as_millis()).unwrap_or(i64::MAX);
        Ok((end, Time(self.chat.now().millis() - longest)))
    }

    /// The place that a client names, and what it missed since.
    async fn find(
        &self,
        text: &str,
        end: i64,
        oldest: Time,
    ) -> Result<std::result::Result<(i64, VecDeque<Entry>), Gap>> {
        let digits = !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit());
        let Some(place) = text.parse::<i64>().ok().filter(|place| digits && (0..=end).contains(place)) else {
            return Ok(Err(Gap::Unknown));
        };
        let look = move |rows: &mut dyn Read| {
            let first = rows.journal_after(0, None, 1)?.entries.first().map_or(i64::MAX, |entry| entry.g);
            Ok((rows.journal_time(place)?, first))
        };
        let (at, first) = self.chat.store().reading(look).await?;
        match at {
            None if place < first && end > 0 => return Ok(Err(Gap::TooOld)),
            None if end > 0 => return Ok(Err(Gap::Unknown)),
            Some(at) if at < oldest => return Ok(Err(Gap::TooOld)),
            _ => {}
        }
        let missed = self.missed_since(place, end).await?;
        Ok(missed.map(|entries| (place, entries)).ok_or(Gap::TooOld))
    }

    /// What concerns the user between two places; `None` when it is too much.
    async fn missed_since(&self, place: i64, end: i64) -> Result<Option<VecDeque<Entry>>> {
        let part = FeedPart { user: self.actor.user.clone(), cases: self.control };
        let (mut from, mut all) = (place, VecDeque::new());
        for _ in 0..MOST_STRETCHES {
            if from >= end {
                return Ok(Some(all));
            }
            let part = part.clone();
            let read = move |rows: &mut dyn Read| rows.journal_after(from, Some(&part), STRETCH);
            let stretch = self.chat.store().reading(read).await?;
            let told =
                |entry: &Entry| entry.g <= end && !matches!(entry.kind, EntryKind::User | EntryKind::Other);
            all.extend(stretch.entries.into_iter().filter(told));
            if all.len() > self.chat.most_missed.load(Ordering::Relaxed) {
                return Ok(None);
            }
            from = stretch.upto;
            if stretch.at_end {
                return Ok(Some(all));
            }
        }
        Ok(None)
    }

    /// The rooms that the user had at a place, as far as it can be known now.
    async fn rooms_known_at(&self, place: i64) -> Result<FxHashSet<RoomId>> {
        let user = self.actor.user.clone();
        let read = move |rows: &mut dyn Read| {
            let at = rows.journal_time(place)?.unwrap_or_default();
            let now = rows.memberships_of(&user, None)?;
            let gone = rows.removed_memberships(&user, at)?;
            let there = now.into_iter().filter(|m| m.joined_at <= at).map(|m| m.room);
            Ok(there.chain(gone.into_iter().map(|m| m.room)).collect())
        };
        self.chat.store().reading(read).await
    }

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
        for happening in happened {
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
                // The control centre still sees the case.
                if self.chat.follows(&self.actor, room).await?.is_some() {
                    return Ok(Some(News::Room(room.clone(), RoomFate::Updated)));
                }
                return Ok(known.forget(room).then(|| News::Room(room.clone(), RoomFate::Removed)));
            }
            What::Read if !mine => return Ok(None),
            _ => {}
        }
        let Some(since) = self.chat.follows(&self.actor, room).await? else { return Ok(None) };
        if happening.at < since {
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
