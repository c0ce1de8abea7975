//! Where a feed begins: now, or where its reader left off.

use std::{collections::VecDeque, sync::atomic::Ordering};

use rustc_hash::FxHashSet;

use super::{Feed, Gap, LONGEST_AWAY, Start};
use crate::{
    clock::Time,
    error::Result,
    id::RoomId,
    membership::Membership,
    store::{Entry, EntryKind, FeedPart, Read},
};

/// Rows of the journal that one reading looks at.
const STRETCH: u64 = 20_000;
/// Readings of one catch-up: two million rows of the journal.
const MOST_STRETCHES: usize = 100;

/// Rows behind the end of the journal that are remembered: with more, some news come that a reader knows already.
const MOST_UNSETTLED: u64 = 10_000;

impl Feed {
    pub(super) async fn begin(&mut self, after: Option<&str>) -> Result<Start> {
        // Read before the journal is: who comes or goes from here on is told by it.
        let rooms = if after.is_some() { self.rooms().await? } else { Vec::new() };
        let (end, older) = self.now().await?;
        let mut gap = None;
        if let Some(text) = after {
            match self.find(text, end, older.iter().max().copied()).await? {
                Ok((found, entries)) => {
                    self.known = self.rooms_known_at(found, rooms, &entries, older.is_empty()).await?;
                    (self.place, self.missed, self.missed_upto) = (found, entries, end);
                    return Ok(Start { place: found, gap });
                }
                Err(why) => gap = Some(why),
            }
        }
        (self.place, self.older) = (end, older);
        self.known = self.rooms().await?.into_iter().map(|m| m.room).collect();
        Ok(Start { place: end, gap })
    }

    /// Where the journal ends, and what is there behind that end: it can still be overtaken.
    async fn now(&self) -> Result<(i64, FxHashSet<i64>)> {
        let look = |rows: &mut dyn Read| {
            let end = rows.journal_end()?;
            Ok((end, rows.journal_unsettled(end, MOST_UNSETTLED)?.into_iter().collect()))
        };
        self.chat.store().reading(look).await
    }

    /// The place that a client names, and what it missed since. With `last`, the newest row behind the end, what is stored
    /// up to there counts as missed too: it is told when it is final.
    async fn find(
        &self,
        text: &str,
        end: i64,
        last: Option<i64>,
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
            Some(at) if at < self.oldest() => return Ok(Err(Gap::TooOld)),
            _ => {}
        }
        let Some(missed) = self.missed_since(place, end).await? else { return Ok(Err(Gap::TooOld)) };
        let waiting = match last {
            Some(last) => self.waiting(end, last).await?,
            None => 0,
        };
        let too_much = missed.len() + waiting > self.most_missed();
        Ok(if too_much { Err(Gap::TooOld) } else { Ok((place, missed)) })
    }

    /// What happened before is not caught up with.
    fn oldest(&self) -> Time {
        let longest = i64::try_from(LONGEST_AWAY.as_millis()).unwrap_or(i64::MAX);
        Time(self.chat.now().millis() - longest)
    }

    /// What concerns the user between two places; `None` when it is too much.
    async fn missed_since(&self, place: i64, end: i64) -> Result<Option<VecDeque<Entry>>> {
        let part = self.part();
        let (mut from, mut all) = (place, VecDeque::new());
        for _ in 0..MOST_STRETCHES {
            if from >= end {
                return Ok(Some(all));
            }
            let part = part.clone();
            let read = move |rows: &mut dyn Read| rows.journal_after(from, Some(&part), STRETCH);
            let stretch = self.chat.store().reading(read).await?;
            all.extend(stretch.entries.into_iter().filter(|entry| entry.g <= end && self.concerns(entry)));
            if all.len() > self.most_missed() {
                return Ok(None);
            }
            from = stretch.upto;
            if stretch.at_end {
                return Ok(Some(all));
            }
        }
        Ok(None)
    }

    /// How much of what is stored behind the end concerns the user.
    async fn waiting(&self, end: i64, last: i64) -> Result<usize> {
        let part = self.part();
        let read = move |rows: &mut dyn Read| rows.journal_between(end, last, &part);
        let entries = self.chat.store().reading(read).await?;
        Ok(entries.iter().filter(|entry| self.concerns(entry)).count())
    }

    fn part(&self) -> FeedPart {
        FeedPart { user: self.actor.user.clone(), cases: self.control }
    }

    fn most_missed(&self) -> usize {
        self.chat.most_missed.load(Ordering::Relaxed)
    }

    /// Whether a row of the user's part can be told at all: what others read is their own affair.
    fn concerns(&self, entry: &Entry) -> bool {
        match entry.kind {
            EntryKind::User | EntryKind::Other => false,
            EntryKind::Read => entry.object.is_none() && entry.whom.as_ref() == Some(&self.actor.user),
            _ => true,
        }
    }

    /// The user's memberships now.
    async fn rooms(&self) -> Result<Vec<Membership>> {
        let user = self.actor.user.clone();
        self.chat.store().reading(move |rows| rows.memberships_of(&user, None)).await
    }

    /// The rooms that the user had at a place: those of now but for the ones that he came into since, and those that he
    /// left since. The journal's order says what was since, as far as it can: nodes' clocks may differ.
    async fn rooms_known_at(
        &self,
        place: i64,
        now: Vec<Membership>,
        missed: &VecDeque<Entry>,
        settled: bool,
    ) -> Result<FxHashSet<RoomId>> {
        let user = self.actor.user.clone();
        let read = move |rows: &mut dyn Read| {
            let at = rows.journal_time(place)?.unwrap_or_default();
            Ok((rows.removed_memberships(&user, at)?, at))
        };
        let (gone, at) = self.chat.store().reading(read).await?;
        let me = Some(&self.actor.user);
        let mine = |kind| missed.iter().filter(move |entry| entry.kind == kind && entry.whom.as_ref() == me);
        let came: FxHashSet<_> = mine(EntryKind::Membership)
            .filter_map(|entry| Some((entry.object.as_deref()?, entry.at)))
            .collect();
        let left = mine(EntryKind::MembershipRemoved).filter_map(|entry| entry.room.clone());
        let there = now.into_iter().filter(|m| !came.contains(&(m.id.as_str(), m.joined_at)));
        // What can still be overtaken is not among what was missed: of that the times alone speak.
        let there = there.filter(|m| settled || m.joined_at <= at).map(|m| m.room);
        Ok(there.chain(gone.into_iter().map(|m| m.room)).chain(left).collect())
    }
}
