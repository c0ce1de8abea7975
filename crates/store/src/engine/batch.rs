//! What the SQLite writer does next: a state machine without threads, clock or database.
//!
//! A batch takes messages and verbs as the lanes give them and ends with at most one piece of bulk work, taken
//! when nothing else waits or when that piece has been passed over for long. It ends when nothing is queued, at
//! its limit of jobs, or when its time is over, and is then committed as a whole.

use super::lanes::{Bounds, Lane, Lanes};
use std::time::Duration;

/// The bounds of one batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Jobs in one batch.
    pub jobs: usize,
    /// How long a batch may go on taking jobs.
    pub time: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        BatchLimits { jobs: 512, time: Duration::from_millis(5) }
    }
}

/// What the driver has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<J> {
    /// Nothing is queued and no batch is open: sleep until a job is pushed.
    Wait,
    /// Run this job in the open batch; the first one opens it.
    Run(J),
    /// Commit the open batch and answer its jobs.
    Commit,
    /// Closed, and all work is done.
    End,
}

struct Open {
    began: Duration,
    jobs: usize,
    bulk: bool,
}

/// The queue and the open batch. Times are measured from any fixed moment. Public for the simulation that drives it
/// together with what comes after a commit.
pub struct Batcher<J> {
    pub(crate) lanes: Lanes<J>,
    limits: BatchLimits,
    open: Option<Open>,
}

impl<J> Batcher<J> {
    /// An empty queue.
    pub fn new(bounds: Bounds, limits: BatchLimits) -> Self {
        Batcher { lanes: Lanes::new(bounds), limits, open: None }
    }

    /// Queues a job that weighs `bytes`; gives it back when the queue is full.
    pub fn push(&mut self, now: Duration, lane: Lane, bytes: usize, job: J) -> Result<(), J> {
        self.lanes.push(now, lane, bytes, job)
    }

    /// Says what to do now.
    pub fn next(&mut self, now: Duration) -> Step<J> {
        if self.open.is_none() && self.lanes.len() == 0 {
            return if self.lanes.is_closed() { Step::End } else { Step::Wait };
        }
        let open = self.open.get_or_insert(Open { began: now, jobs: 0, bulk: false });
        if let Some((job, bulk)) = choose(&mut self.lanes, open, &self.limits, now) {
            open.jobs += 1;
            open.bulk = bulk;
            return Step::Run(job);
        }
        self.open = None;
        Step::Commit
    }

    /// Ends the open batch without a commit, after it was rolled back.
    pub fn abandon(&mut self) {
        self.open = None;
    }
}

/// The next job of the batch, and whether it is bulk work.
fn choose<J>(lanes: &mut Lanes<J>, open: &Open, limits: &BatchLimits, now: Duration) -> Option<(J, bool)> {
    if open.bulk {
        return None;
    }
    let over = open.jobs >= limits.jobs || (open.jobs > 0 && now.saturating_sub(open.began) >= limits.time);
    if over {
        return lanes.pop_overdue(now).map(|job| (job, true));
    }
    lanes.pop(now).map(|job| (job, false)).or_else(|| lanes.pop_bulk(now).map(|job| (job, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn small() -> Batcher<char> {
        Batcher::new(Bounds::default(), BatchLimits { jobs: 4, ..BatchLimits::default() })
    }

    fn batch(b: &mut Batcher<char>, now: Duration) -> String {
        let mut ran = String::new();
        while let Step::Run(job) = b.next(now) {
            ran.push(job);
        }
        ran
    }

    fn push(b: &mut Batcher<char>, lane: Lane, jobs: &str) {
        for job in jobs.chars() {
            b.push(MS, lane, 1, job).unwrap();
        }
    }

    #[test]
    fn an_idle_queue_waits_and_a_closed_one_ends_after_its_work() {
        let mut b = small();
        assert_eq!(b.next(MS), Step::Wait);
        push(&mut b, Lane::Verb, "a");
        b.lanes.close();
        assert_eq!(b.next(MS), Step::Run('a'));
        assert_eq!(b.next(MS), Step::Commit);
        assert_eq!(b.next(MS), Step::End);
    }

    #[test]
    fn a_batch_ends_when_nothing_is_queued() {
        let mut b = small();
        push(&mut b, Lane::Message, "ab");
        assert_eq!(batch(&mut b, MS), "ab");
        assert_eq!(b.next(MS), Step::Wait);
    }

    #[test]
    fn a_batch_ends_at_its_limit_of_jobs_and_of_time() {
        let mut b = small();
        push(&mut b, Lane::Message, "abcdefg");
        assert_eq!(batch(&mut b, MS), "abcd");
        assert_eq!(b.next(MS), Step::Run('e'));
        assert_eq!(b.next(MS * 7), Step::Commit);
        assert_eq!(b.next(MS * 7), Step::Run('f'));
    }

    #[test]
    fn a_batch_holds_at_most_one_piece_of_bulk_work_and_it_comes_last() {
        let mut b = small();
        push(&mut b, Lane::Bulk, "xy");
        push(&mut b, Lane::Message, "m");
        assert_eq!(batch(&mut b, MS), "mx");
        assert_eq!(batch(&mut b, MS), "y");
    }

    #[test]
    fn bulk_work_is_passed_over_under_load_but_not_for_ever() {
        let mut b = small();
        push(&mut b, Lane::Bulk, "x");
        push(&mut b, Lane::Message, "abcdefghij");
        assert_eq!(batch(&mut b, MS * 2), "abcd");
        assert_eq!(batch(&mut b, MS * 300), "efghx");
        assert_eq!(batch(&mut b, MS * 300), "ij");
    }

    #[test]
    fn an_abandoned_batch_leaves_the_rest_for_the_next() {
        let mut b = small();
        push(&mut b, Lane::Message, "ab");
        assert_eq!(b.next(MS), Step::Run('a'));
        b.abandon();
        assert_eq!(batch(&mut b, MS), "b");
    }
}
