//! Many who are told the same from another thread while they speak themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parlor_live::{Outbox, Pushed, frame_text, gather};

use crate::common::{EVENT, Got, Raw, TestServer};

const PEOPLE: usize = 40;
const MESSAGES: usize = 600;
/// Changes that are told together.
const TOGETHER: usize = 4;
/// Queued for somebody at which the teller waits.
const MOST: usize = 300_000;

fn tell_all(everybody: &[Arc<Outbox>], over: &AtomicBool) {
    let padding = "n".repeat(16 * 1024);
    for first in (0..MESSAGES).step_by(TOGETHER) {
        while everybody.iter().any(|outbox| outbox.bytes() > MOST) {
            std::thread::yield_now();
        }
        gather(|| {
            for number in first..first + TOGETHER {
                let frame = frame_text(format!("{number} {padding}").as_bytes());
                for outbox in everybody {
                    assert_eq!(outbox.push(frame.clone(), EVENT), Pushed::Queued);
                }
            }
        });
    }
    over.store(true, Ordering::Release);
}

/// Hears all messages in their order, and is answered in the order of what it says meanwhile. Says whether its socket
/// was ever full.
async fn take_part(mut client: Raw, who: usize, outbox: Arc<Outbox>, over: Arc<AtomicBool>) -> bool {
    let (mut next, mut said, mut answered, mut full) = (0, 0, 0, false);
    while next < MESSAGES || answered < said {
        // One in eight reads only when the socket takes no more.
        while who.is_multiple_of(8) && next < MESSAGES && outbox.bytes() == 0 && !over.load(Ordering::Acquire)
        {
            tokio::task::yield_now().await;
        }
        full |= outbox.bytes() > MOST / 2;
        let Got::Text(text) = client.hear().await else { panic!("person {who} was cut off at {next}") };
        match text.split_once(' ') {
            Some(("said", number)) => {
                assert_eq!(number, answered.to_string());
                answered += 1;
            }
            Some((number, _)) => {
                assert_eq!(number, next.to_string());
                next += 1;
                if (next + who).is_multiple_of(7) {
                    client.say(&format!("said {said}")).await;
                    said += 1;
                }
            }
            None => panic!("nobody said {text}"),
        }
    }
    full
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn everybody_hears_everything_once_and_in_order_while_they_talk_and_some_read_slowly() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for _ in 0..PEOPLE {
        let mut client = server.connect().await;
        client.say("ready").await;
        client.expect("ready").await;
        clients.push(client);
    }
    let everybody: Vec<_> = (0..PEOPLE).map(|at| server.stage.outbox(at)).collect();
    let over = Arc::<AtomicBool>::default();
    let parts: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(who, client)| tokio::spawn(take_part(client, who, everybody[who].clone(), over.clone())))
        .collect();
    let teller = std::thread::spawn(move || tell_all(&everybody, &over));
    let mut full = 0;
    for part in parts {
        full += usize::from(part.await.unwrap());
    }
    assert!(full > 0, "no socket was ever full");
    teller.join().unwrap();
    assert_eq!(server.live.queued_bytes(), 0);
    assert!(server.door.metrics.frames_out.get() >= (PEOPLE * MESSAGES) as u64);
    assert_eq!(server.door.metrics.too_slow.get(), 0);
}
