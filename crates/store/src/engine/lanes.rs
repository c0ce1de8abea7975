//! The bounded queue before an engine: three lanes, no threads and no clock of its own.

use std::collections::VecDeque;
use std::time::Duration;

/// The queue that a job waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Messages: what people wait for.
    Message,
    /// Everything else that somebody asked for.
    Verb,
    /// Imports, sweeps, indexing: pieces of about 5 ms (see [`may_go_on`](crate::SqlTx::may_go_on)).
    Bulk,
}

/// The bounds of a queue. Jobs and bytes are hard bounds; a queue that stays over half of one for
/// `patience` refuses new jobs as well, so that a backlog can't become the normal state.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Jobs that may wait.
    pub jobs: usize,
    /// Bytes that may wait, as the jobs declare them.
    pub bytes: usize,
    /// How long the queue may stay over half full.
    pub patience: Duration,
    /// How long bulk work may be passed over.
    pub bulk_wait: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            jobs: 16_384,
            bytes: 64 << 20,
            patience: Duration::from_secs(1),
            bulk_wait: Duration::from_millis(250),
        }
    }
}

/// A verb gets every eighth place while messages keep coming.
const VERB_EVERY: usize = 8;

struct Entry<J> {
    job: J,
    bytes: usize,
    since: Duration,
}

/// The jobs that wait. Times are measured from any fixed moment.
pub(crate) struct Lanes<J> {
    bounds: Bounds,
    lanes: [VecDeque<Entry<J>>; 3],
    jobs: usize,
    bytes: usize,
    place: usize,
    crowded_since: Option<Duration>,
    closed: bool,
}

impl<J> Lanes<J> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Lanes {
            bounds,
            lanes: Default::default(),
            jobs: 0,
            bytes: 0,
            place: 0,
            crowded_since: None,
            closed: false,
        }
    }

    /// Queues a job that weighs `bytes`; gives it back if the queue is full or closed. A job heavier than the
    /// whole queue is taken when nothing else waits.
    pub(crate) fn push(&mut self, now: Duration, lane: Lane, bytes: usize, job: J) -> Result<(), J> {
        let full = self.jobs >= self.bounds.jobs || self.bytes + bytes > self.bounds.bytes;
        let long = self.crowded_since.is_some_and(|since| now.saturating_sub(since) >= self.bounds.patience);
        if self.closed || (self.jobs > 0 && (full || long)) {
            return Err(job);
        }
        self.jobs += 1;
        self.bytes += bytes;
        self.lanes[lane as usize].push_back(Entry { job, bytes, since: now });
        self.note_crowd(now);
        Ok(())
    }

    /// The next message or verb.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<J> {
        self.place += 1;
        let verb_first = self.place.is_multiple_of(VERB_EVERY);
        let (first, second) =
            if verb_first { (Lane::Verb, Lane::Message) } else { (Lane::Message, Lane::Verb) };
        self.take(now, first).or_else(|| self.take(now, second))
    }

    /// The next piece of bulk work.
    pub(crate) fn pop_bulk(&mut self, now: Duration) -> Option<J> {
        self.take(now, Lane::Bulk)
    }

    /// The next piece of bulk work, if it has been passed over for too long.
    pub(crate) fn pop_overdue(&mut self, now: Duration) -> Option<J> {
        let oldest = self.lanes[Lane::Bulk as usize].front()?;
        let overdue = now.saturating_sub(oldest.since) >= self.bounds.bulk_wait;
        if overdue { self.pop_bulk(now) } else { None }
    }

    fn take(&mut self, now: Duration, lane: Lane) -> Option<J> {
        let entry = self.lanes[lane as usize].pop_front()?;
        self.jobs -= 1;
        self.bytes -= entry.bytes;
        self.note_crowd(now);
        Some(entry.job)
    }

    fn note_crowd(&mut self, now: Duration) {
        let crowded = self.jobs > self.bounds.jobs / 2 || self.bytes > self.bounds.bytes / 2;
        self.crowded_since = if crowded { self.crowded_since.or(Some(now)) } else { None };
    }

    /// Takes no more jobs; what waits is still handed out.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes out everything that waits, to be refused.
    pub(crate) fn drain(&mut self) -> Vec<J> {
        self.jobs = 0;
        self.bytes = 0;
        self.crowded_since = None;
        self.lanes.iter_mut().flat_map(|lane| lane.drain(..)).map(|entry| entry.job).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn small() -> Lanes<&'static str> {
        Lanes::new(Bounds { jobs: 8, bytes: 100, ..Bounds::default() })
    }

    #[test]
    fn jobs_of_one_lane_keep_their_order() {
        let mut lanes = Lanes::new(Bounds::default());
        for n in 0..100 {
            lanes.push(MS, Lane::Message, 1, n).unwrap();
        }
        assert_eq!(std::iter::from_fn(|| lanes.pop(MS)).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn messages_go_before_verbs_which_still_get_every_eighth_place() {
        let mut lanes = Lanes::new(Bounds::default());
        for _ in 0..20 {
            lanes.push(MS, Lane::Verb, 1, 'v').unwrap();
        }
        for _ in 0..20 {
            lanes.push(MS, Lane::Message, 1, 'm').unwrap();
        }
        let order: String = std::iter::from_fn(|| lanes.pop(MS)).collect();
        assert!(order.starts_with("mmmmmmmvmmmmmmmv"), "{order}");
        assert_eq!(order.len(), 40);
    }

    #[test]
    fn a_full_queue_gives_the_job_back_by_count_and_by_bytes() {
        let mut lanes = small();
        for _ in 0..8 {
            lanes.push(MS, Lane::Message, 1, "m").unwrap();
        }
        assert_eq!(lanes.push(MS, Lane::Message, 1, "ninth"), Err("ninth"));
        let mut lanes = small();
        lanes.push(MS, Lane::Message, 60, "m").unwrap();
        assert_eq!(lanes.push(MS, Lane::Verb, 60, "heavy"), Err("heavy"));
        lanes.push(MS, Lane::Verb, 40, "fits").unwrap();
    }

    #[test]
    fn a_job_heavier_than_the_queue_is_taken_alone() {
        let mut lanes = small();
        lanes.push(MS, Lane::Message, 5_000, "alone").unwrap();
        assert_eq!(lanes.push(MS, Lane::Message, 1, "next"), Err("next"));
        assert_eq!(lanes.pop(MS), Some("alone"));
        lanes.push(MS, Lane::Message, 1, "next").unwrap();
    }

    #[test]
    fn a_queue_half_full_for_a_second_refuses_until_it_has_emptied() {
        let mut lanes = small();
        for _ in 0..5 {
            lanes.push(MS, Lane::Message, 1, "m").unwrap();
        }
        lanes.push(MS * 900, Lane::Message, 1, "in time").unwrap();
        assert_eq!(lanes.push(MS * 1_001, Lane::Message, 1, "late"), Err("late"));
        lanes.pop(MS * 1_002);
        lanes.pop(MS * 1_002);
        lanes.push(MS * 1_003, Lane::Message, 1, "again").unwrap();
    }

    #[test]
    fn a_closed_queue_hands_out_what_waits_and_takes_nothing() {
        let mut lanes = small();
        lanes.push(MS, Lane::Bulk, 1, "waits").unwrap();
        lanes.close();
        assert_eq!(lanes.push(MS, Lane::Verb, 1, "late"), Err("late"));
        assert_eq!(lanes.pop_bulk(MS), Some("waits"));
    }
}
