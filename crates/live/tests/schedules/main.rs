//! Random schedules of everything between a commit and a client's screen: the writer's batches, the hub, outboxes,
//! catching up. Wake-ups come in any order, requests are cancelled, facts arrive in any order or never, slow clients
//! are cut and come back by position, members are thrown out in mid-stream. One judge of histories decides.
//!
//! A failure names its seed; `PARLOR_SEED=… cargo test -p parlor-live --test schedules` runs that schedule alone,
//! `PARLOR_SCHEDULES=…` sets how many are run, `PARLOR_FIRST=…` with which seed they begin.

mod client;
mod random;
mod store;
mod world;

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use parlor_core::hub::faults::{self, Fault};
use world::{Tally, World};

const SCHEDULES: u64 = 100_000;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn run(seed: u64) -> Result<Tally, String> {
    let ran = catch_unwind(|| World::new(seed).run());
    ran.unwrap_or_else(|_| Err("a panic".into())).map_err(|why| format!("PARLOR_SEED={seed}: {why}"))
}

/// Runs these schedules on all cores.
fn run_all(first: u64, count: u64) -> Result<Tally, String> {
    let (next, seeds) = (AtomicU64::new(first), first + count);
    let worker = || -> Result<Tally, String> {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return Ok(tally);
            }
            tally.add(&run(seed).inspect_err(|_| next.store(seeds, Ordering::Relaxed))?);
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let mut tally = Tally::default();
        for worker in workers {
            tally.add(&worker.join().expect("schedules catch their panics")?);
        }
        Ok(tally)
    })
}

#[test]
fn every_schedule_keeps_every_promise() {
    if let Some(seed) = setting("PARLOR_SEED") {
        run(seed).unwrap_or_else(|why| panic!("{why}"));
        return;
    }
    let schedules = setting("PARLOR_SCHEDULES").unwrap_or(SCHEDULES);
    let tally =
        run_all(setting("PARLOR_FIRST").unwrap_or(0), schedules).unwrap_or_else(|why| panic!("{why}"));
    println!("{schedules} schedules: {tally:#?}");
    let (figures, went) = (tally.figures, tally.went);
    let happened = [
        figures.holes,
        figures.judgements,
        figures.revoked,
        went.cut,
        went.resumed,
        went.refetched,
        went.revoked,
        went.cancelled,
        tally.retried,
        tally.seen as u64,
    ];
    let enough = schedules / 20;
    assert!(happened.iter().all(|count| *count > enough), "too little happened: {tally:#?}");
}

#[test]
fn a_broken_hub_is_found_out() {
    for (fault, name) in
        [(Fault::IgnoreHoles, "Missed"), (Fault::SkipJudgement, "Leaked"), (Fault::EmptyRepairs, "Missed")]
    {
        faults::set(fault);
        let found = (0..2_000).filter_map(|seed| run(seed).err()).find(|why| why.contains(name));
        faults::set(Fault::None);
        assert!(found.is_some(), "{fault:?} went unnoticed in 2,000 schedules");
    }
}
