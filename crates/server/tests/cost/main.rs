//! What things cost, as `/metrics` counts it: a message costs the same in a room of ten and of ten thousand.

use std::path::Path;
use std::sync::Arc;

use parlor_core::{clock::System, id::RoomId, samples, store::Lane};
use parlor_store::{Engine, Location, Options};
use parlor_testkit::{Cast, Ddp, Person, Server};

/// Members of the large room.
const CROWD: usize = 10_000;
/// Members of the small one, who listen in both.
const LISTENERS: usize = 10;
/// Messages that are looked at. Indexing and presence go on beside them: the least is what a message itself takes.
const LOOKS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_costs_the_same_however_many_members_do_not_listen() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut server = Server::setup().data(folder.path()).start().await;
    let cast = Cast::assemble(&server).await;
    let mut people = Vec::new();
    for number in 0..LISTENERS - 1 {
        people.push(cast.administrator.make(&server, &format!("listener-{number}"), "Listener").await);
    }
    let members: Vec<&Person> = people.iter().collect();
    let small = cast.owner.group("small", &members).await;
    let large = cast.owner.group("large", &members).await;
    assert!(server.stop().await.success());
    let crowd = large.clone();
    let data = folder.path().to_owned();
    tokio::task::spawn_blocking(move || fill(&data, &crowd)).await.expect("the room is filled");
    server.restart().await;

    let mut sockets = Vec::new();
    for person in &people {
        let mut socket = person.socket(&server).await;
        for room in [&small, &large] {
            socket.stream("room-messages", room).await.expect("a member may listen");
        }
        sockets.push(socket);
    }
    let members = cast.owner.rest.get("groups.members", &[("roomId", &large), ("count", "1")]).await.ok();
    assert_eq!(members["total"].as_u64(), Some(CROWD as u64));
    let (in_small, in_large) = (
        cost(&server, &cast.owner, &small, &mut sockets).await,
        cost(&server, &cast.owner, &large, &mut sockets).await,
    );
    assert_eq!(in_small, in_large, "statements and rows written for a message");
    assert!(in_large.1 < 10, "{in_large:?}");
    times_are_counted(&server).await;
}

/// Adds members to a room up to [`CROWD`], while the server is down: each account over REST would take a password hash.
fn fill(data: &Path, room: &str) {
    let location = Location::Sqlite(data.join("parlor.sqlite"));
    let engine = Engine::open(&location, Options::new(Arc::new(System::new()), Arc::new(drop)));
    let store: Arc<dyn parlor_core::store::Store> = Arc::new(engine.expect("the database opens"));
    let room = room.to_owned();
    let filled = store.writing(Lane::Verbs, move |tx| {
        for number in LISTENERS..CROWD {
            let id = format!("quiet-{number}");
            tx.insert_user(&samples::user(&id))?;
            tx.insert_membership(&samples::membership(&room, &id))?;
        }
        tx.bump_access(&RoomId::new(room.clone()))
    });
    tokio::runtime::Runtime::new().expect("a runtime").block_on(filled).expect("people are added");
}

/// Statements and rows written for one message that ten people hear.
async fn cost(server: &Server, sender: &Person, room: &str, sockets: &mut [Ddp]) -> (u64, u64) {
    let mut least = (u64::MAX, u64::MAX);
    for number in 0..LOOKS {
        let before = counted(server).await;
        let text = format!("message {number}");
        let _ = sender.say(room, &text).await;
        for socket in sockets.iter_mut() {
            let heard = socket.event("room-messages", room).await;
            assert_eq!(heard[0]["msg"], text.as_str());
        }
        let after = counted(server).await;
        least = (least.0.min(after.0 - before.0), least.1.min(after.1 - before.1));
    }
    least
}

async fn counted(server: &Server) -> (u64, u64) {
    let text = metrics(server).await;
    (figure(&text, "parlor_store_statements_total"), figure(&text, "parlor_store_rows_written_total"))
}

async fn metrics(server: &Server) -> String {
    server.rest().get("/metrics", &[]).await.text()
}

fn figure(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = line.unwrap_or_else(|| panic!("no {name} in:\n{text}"));
    value.parse::<f64>().expect("a number") as u64
}

async fn times_are_counted(server: &Server) {
    let text = metrics(server).await;
    assert!(figure(&text, "parlor_send_seconds_count") >= 2 * LOOKS as u64);
    assert!(figure(&text, "parlor_publish_seconds_count") >= 2 * LOOKS as u64);
    let delivered = figure(&text, "parlor_outbox_seconds_count{door=\"ddp\"}");
    assert!(delivered >= (2 * LOOKS * (LISTENERS - 1)) as u64, "{delivered}");
    assert_eq!(figure(&text, "parlor_connections{door=\"ddp\"}"), LISTENERS as u64 - 1);
}
