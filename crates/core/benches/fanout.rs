//! What a message costs in a room with many listeners: the hub's work, one rendering, and a push per listener.
//! `cargo bench -p parlor-core --features testing --bench fanout`

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parlor_core::{
    event::{Change, Event, Fact},
    hub::{Hub, Interest, Listener},
    published::{Published, Slot},
    samples,
    session::Actor,
};

const SLOT: Slot = Slot::number(0);

/// A listener with a queue of 16 frames, as small as an outbox can be.
#[derive(Default)]
struct Ear(Mutex<VecDeque<Bytes>>);

impl Listener for Ear {
    fn hear(&self, published: &Arc<Published>) {
        let frame = published.rendered(SLOT, |fact| match &fact.event {
            Event::Message { message, .. } => {
                Bytes::from(format!("{{\"_id\":\"{}\",\"msg\":\"{}\"}}", message.id, message.text))
            }
            _ => Bytes::new(),
        });
        let Ok(mut queue) = self.0.lock() else { return };
        if queue.len() >= 16 {
            queue.pop_front();
        }
        queue.push_back(frame.clone());
    }
    fn revoked(&self) {}
}

fn fact(position: i64) -> Fact {
    let message = Arc::new(samples::message("m", "r", "ann", position));
    let event = Event::Message { message, change: Change::Made, head: None };
    Fact { g: position, place: Some(("r".into(), position)), event }
}

fn fanout(c: &mut Criterion) {
    let mut group = c.benchmark_group("fanout");
    for listeners in [0_usize, 1, 1_000, 10_000] {
        let hub = Hub::new();
        for n in 0..listeners {
            let actor = Actor::user(format!("user{n}").into(), None);
            let subscription = hub.listen(Interest::Room("r".into()), &actor, Arc::new(Ear::default()));
            hub.activate(subscription, Some(0));
        }
        let mut position = 0;
        group.throughput(Throughput::Elements(listeners.max(1) as u64));
        group.bench_function(format!("{listeners} listeners"), |b| {
            b.iter(|| {
                position += 1;
                hub.publish(vec![fact(position)], Duration::ZERO)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fanout);
criterion_main!(benches);
