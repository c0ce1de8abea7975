//! What a permission check costs when everything it asks for is in the caches: the price that each verb pays before it
//! does anything. `cargo bench -p parlor-server --bench authorize`

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use parlor_core::{
    chat::Chat,
    permissions::{Action, Object},
    room::Room,
    samples,
    session::Actor,
    store::{Lane, Store},
};
use parlor_server::{cli::ServeFlags, config::Config, wiring};

/// Rooms and members: more than one line of a cache.
const ROOMS: usize = 1_000;

fn authorize(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let env = [("PARLOR_DATA".to_owned(), folder.path().display().to_string())].into();
    let config = Config::load(&ServeFlags::default(), &env).expect("a configuration");
    let core = runtime.block_on(wiring::open(&config)).expect("the store opens");
    let store: Arc<dyn Store> = core.engine.clone();
    let rooms: Vec<_> = (0..ROOMS).map(|n| Arc::new(samples::room(&format!("room-{n}")))).collect();
    runtime.block_on(fill(&*store, rooms.clone()));
    let member = Actor::user("member".into(), None);
    let outsider = Actor::user("outsider".into(), None);
    let mut group = c.benchmark_group("authorize");
    for (name, actor, action) in [
        ("a member reads", &member, Action::ReadRoom),
        ("a member posts", &member, Action::PostMessage),
        ("an outsider is refused", &outsider, Action::ReadRoom),
    ] {
        let mut number = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                number = (number + 1) % ROOMS;
                runtime.block_on(check(&core.chat, &rooms[number], actor, action))
            });
        });
    }
    group.finish();
}

async fn fill(store: &(dyn Store + 'static), rooms: Vec<Arc<Room>>) {
    let filled = store.writing(Lane::Verbs, move |tx| {
        for name in ["ann", "member", "outsider"] {
            let mut user = samples::user(name);
            user.roles = vec!["user".into()];
            tx.insert_user(&user)?;
        }
        for room in &rooms {
            tx.insert_room(room)?;
            tx.insert_membership(&samples::membership(&room.id, "member"))?;
        }
        Ok(())
    });
    filled.await.expect("people and rooms are made");
}

async fn check(chat: &Chat, room: &Arc<Room>, actor: &Actor, action: Action) {
    let judged = chat.authorize(actor, action, Object::Room(room)).await;
    assert_eq!(black_box(judged).is_ok(), &*actor.user == "member");
}

criterion_group!(benches, authorize);
criterion_main!(benches);
