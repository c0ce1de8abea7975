//! A [`Batcher`] between those who push and the one thread that drives it.

use super::batch::{BatchLimits, Batcher, Step};
use super::lanes::{Bounds, Lane};
use parking_lot::{Condvar, Mutex};
use std::time::Instant;

pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    wake: Condvar,
    start: Instant,
}

struct State<J> {
    batcher: Batcher<J>,
    asleep: bool,
}

impl<J> Queue<J> {
    pub(super) fn new(bounds: Bounds, limits: BatchLimits) -> Self {
        let batcher = Batcher::new(bounds, limits);
        Queue {
            state: Mutex::new(State { batcher, asleep: false }),
            wake: Condvar::new(),
            start: Instant::now(),
        }
    }

    pub(super) fn push(&self, lane: Lane, bytes: usize, job: J) -> Result<(), J> {
        let mut state = self.state.lock();
        state.batcher.lanes.push(self.start.elapsed(), lane, bytes, job)?;
        if std::mem::take(&mut state.asleep) {
            drop(state);
            self.wake.notify_one();
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.state.lock().batcher.lanes.len()
    }

    /// Takes no more jobs; what waits is still handed out.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.batcher.lanes.close();
        state.asleep = false;
        drop(state);
        self.wake.notify_one();
    }

    /// Takes no more jobs and gives up those that wait.
    pub(super) fn stop(&self) -> Vec<J> {
        let mut state = self.state.lock();
        state.batcher.lanes.close();
        state.batcher.lanes.drain()
    }

    /// Ends the open batch after it was rolled back.
    pub(super) fn abandon(&self) {
        self.state.lock().batcher.abandon();
    }

    /// What to do now; sleeps while there is nothing.
    pub(super) fn next(&self) -> Step<J> {
        let mut state = self.state.lock();
        loop {
            match state.batcher.next(self.start.elapsed()) {
                Step::Wait => {
                    state.asleep = true;
                    self.wake.wait(&mut state);
                }
                step => return step,
            }
        }
    }
}
