//! Durable sends a second at the store, with the shipped schema and its journal: 256 senders in 50 rooms, each
//! waiting for its answer before the next send; and one sender alone.
//!
//! `cargo bench -p parlor-store --bench append`. PostgreSQL is left out with `PARLOR_SKIP_POSTGRES=1`.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::Place;
use common::cast::{people, send};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parlor_store::Engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const ROOMS: u64 = 50;
const TEXT: &str =
    "A message as people write them: a sentence of about a hundred characters, sometimes with a link in it.";

/// Stores `total` messages by so many senders and tells how long it took.
fn sends(
    runtime: &tokio::runtime::Runtime,
    engine: &Arc<Engine>,
    ids: &Arc<AtomicU64>,
    senders: u64,
    total: u64,
) -> Duration {
    let began = Instant::now();
    let left = Arc::new(AtomicU64::new(total));
    let tasks: Vec<_> = (0..senders)
        .map(|n| {
            let (engine, ids, left) = (engine.clone(), ids.clone(), left.clone());
            runtime.spawn(async move {
                while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let id = uuid::Uuid::now_v7().to_string();
                    let room = format!("r{}", ids.fetch_add(1, Relaxed) % ROOMS);
                    engine.append(send(&id, &room, &format!("u{}", n % 100), TEXT)).await.unwrap();
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    began.elapsed()
}

fn append(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let places = [("sqlite", Some(Place::sqlite())), ("postgres", Place::postgres())];
    for (name, place) in places {
        let Some(place) = place else { continue };
        let mut options = place.options();
        options.clock = Arc::new(parlor_core::clock::System::new());
        options.sink = Arc::new(drop);
        let engine = Arc::new(place.open_with(options));
        people(&engine, 100, ROOMS as usize);
        let ids = Arc::new(AtomicU64::new(0));
        let mut group = c.benchmark_group(format!("append/{name}"));
        group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(5)).sample_size(10);
        for senders in [1, 16, 256] {
            group.bench_function(format!("{senders} senders"), |b| {
                b.iter_custom(|iters| sends(&runtime, &engine, &ids, senders, iters))
            });
        }
        group.finish();
        println!("{name}: {:?}", engine.figures());
    }
}

criterion_group!(benches, append);
criterion_main!(benches);
