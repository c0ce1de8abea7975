//! Reading from a room of a million messages: pages of its history, what changed since a position, full text, and
//! opening the store again.
//!
//! `cargo bench -p parlor-store --bench history`; `PARLOR_BENCH_MESSAGES` sets another number of messages,
//! `PARLOR_SKIP_POSTGRES=1` leaves PostgreSQL out.

#![allow(clippy::unwrap_used, reason = "a bench that can't go on ends there")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::cast::{people, send};
use common::{Place, wait};
use criterion::{Criterion, criterion_group, criterion_main};
use parlor_core::store::{Page, ReadMessages, Search, Slice};
use parlor_store::Engine;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Words by which messages are found: in every message, in one of a hundred, in one of ten thousand.
fn text(n: u64) -> String {
    let mid = if n.is_multiple_of(100) { "sometimes" } else { "" };
    let rare = if n.is_multiple_of(10_000) { "seldom" } else { "" };
    format!("common words of a message as people write them, number {n} {mid} {rare}")
}

fn fill(engine: &Arc<Engine>, total: u64) {
    people(engine, 100, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for first in (0..total).step_by(2_000) {
            let sends: Vec<_> = (first..total.min(first + 2_000))
                .map(|n| {
                    engine.append(send(&format!("message-{n:012}"), "r0", &format!("u{}", n % 100), &text(n)))
                })
                .collect();
            for sent in sends {
                sent.await.unwrap();
            }
        }
    });
}

fn indexed(engine: &Engine) {
    let sql = "SELECT (SELECT MAX(g) FROM journal) - (SELECT g FROM journal_cursors WHERE name = 'search')";
    while wait(engine.read(move |tx| Ok(tx.one(sql, &[], |row| row.get::<i64>(0))?))).unwrap() != 0 {
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn slice(before: i64) -> Slice {
    Slice {
        before: Some(before),
        after: None,
        latest: None,
        oldest: None,
        inclusive: false,
        room_only: true,
        newest_first: true,
        page: Page { offset: 0, count: 50 },
    }
}

fn searched(words: &str, prefix: bool) -> Search {
    Search {
        words: words.split(' ').map(str::to_owned).collect(),
        prefix,
        rooms: vec!["r0".into()],
        ..Search::default()
    }
}

fn reads(c: &mut Criterion, name: &str, engine: &Engine, total: i64) {
    let mut group = c.benchmark_group(format!("history/{name}"));
    group.sample_size(20);
    for (what, before) in [("newest page", total + 1), ("page in the middle", total / 2)] {
        group.bench_function(what, |b| {
            b.iter(|| {
                let page = wait(engine.read(move |tx| tx.timeline(&"r0".into(), &slice(before)))).unwrap();
                assert_eq!(black_box(page).len(), 50);
            })
        });
    }
    group.bench_function("50 changes after a position", |b| {
        b.iter(|| {
            let from = total - 1_000;
            let page = wait(engine.read(move |tx| tx.changed_after(&"r0".into(), from, 50))).unwrap();
            assert_eq!(black_box(page).len(), 50);
        })
    });
    for words in ["common", "sometimes", "seldom", "common seldom", "nowhere"] {
        group.bench_function(format!("search {words}"), |b| {
            b.iter(|| {
                let page = Page { offset: 0, count: 50 };
                let search = searched(words, false);
                black_box(wait(engine.read(move |tx| tx.search(&search, page))).unwrap());
            })
        });
    }
    group.bench_function("search a prefix", |b| {
        b.iter(|| {
            let page = Page { offset: 0, count: 50 };
            let search = searched("somet", true);
            black_box(wait(engine.read(move |tx| tx.search(&search, page))).unwrap());
        })
    });
    group.finish();
}

fn history(c: &mut Criterion) {
    let total = std::env::var("PARLOR_BENCH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    for (name, place) in [("sqlite", Some(Place::sqlite())), ("postgres", Place::postgres())] {
        let Some(place) = place else { continue };
        let options = || {
            let mut options = place.options();
            options.sink = Arc::new(drop);
            options.clock = Arc::new(parlor_core::clock::System::new());
            options
        };
        let engine = Arc::new(place.open_with(options()));
        let began = Instant::now();
        fill(&engine, total);
        println!("{name}: {total} messages stored in {:?}", began.elapsed());
        indexed(&engine);
        println!("{name}: indexed after {:?}", began.elapsed());
        drop(engine);
        let began = Instant::now();
        let engine = place.open_with(options());
        println!("{name}: opened again in {:?}", began.elapsed());
        reads(c, name, &engine, total as i64);
    }
}

criterion_group!(benches, history);
criterion_main!(benches);
