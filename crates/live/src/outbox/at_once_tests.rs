//! Frames that are written past the connection's task, to real sockets.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::tests::{ALL, Count, EVENT, bytes, drained, small};
use super::*;
use crate::caps::CapLimits;
use crate::live::{Live, Options};

/// An outbox with a socket, and the client at its other end.
async fn connected() -> (Arc<Outbox>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let outbox = small(1 << 20);
    let door = Live::new(CapLimits::default()).door("test", Options::default());
    OutboxStream::by(&outbox, stream, &door);
    (outbox, client)
}

async fn read(client: &mut TcpStream, length: usize) -> String {
    let mut text = vec![0; length];
    client.read_exact(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// The client hears this next and nothing before it.
async fn hears(client: &mut TcpStream, text: &str) {
    assert_eq!(read(client, text.len()).await, text);
}

fn always() -> Alone {
    Arc::new(|| true)
}

#[tokio::test]
async fn the_socket_of_a_connection_at_rest_is_written_without_waking_its_task() {
    let ((outbox, mut client), count) = (connected().await, Arc::<Count>::default());
    assert!(outbox.arm(&count.waker(), ALL, None));
    for text in ["one ", "two "] {
        tell(&always(), || assert_eq!(outbox.push(bytes(text), EVENT), Pushed::Queued));
    }
    hears(&mut client, "one two ").await;
    assert_eq!((count.get(), outbox.bytes(), drained(&outbox)), (0, 0, vec![]));
}

#[tokio::test]
async fn a_task_at_work_sees_by_itself_what_comes_and_is_not_overtaken() {
    let ((outbox, mut client), count) = (connected().await, Arc::<Count>::default());
    tell(&always(), || outbox.push(bytes("one"), EVENT));
    assert!(!outbox.arm(&count.waker(), ALL, None), "there is something to do");
    tell(&always(), || outbox.push(bytes("two"), EVENT));
    assert_eq!(drained(&outbox), ["one", "two"]);
    assert!(outbox.arm(&count.waker(), WakeOn { frames: false, dirty: true }, None), "its socket is full");
    tell(&always(), || outbox.push(bytes("three"), EVENT));
    assert_eq!((count.get(), drained(&outbox)), (0, vec!["three".to_owned()]));
    assert!(outbox.arm(&count.waker(), ALL, None));
    tell(&always(), || outbox.push(bytes("four"), EVENT));
    hears(&mut client, "four").await;
}

#[tokio::test]
async fn what_the_socket_does_not_take_is_left_to_the_task_in_its_order() {
    let ((outbox, mut client), count) = (connected().await, Arc::<Count>::default());
    assert!(outbox.arm(&count.waker(), ALL, None));
    let mut pushed = String::new();
    // A loopback socket takes a few megabytes before its reader reads.
    for n in 0..1_000 {
        let text = format!("{n:08}").repeat(8_192);
        pushed.push_str(&text);
        tell(&always(), || assert_eq!(outbox.push(bytes(&text), EVENT), Pushed::Queued));
        if count.get() > 0 {
            break;
        }
    }
    assert_eq!(count.get(), 1, "the task was woken, once");
    tell(&always(), || outbox.push(bytes("the last"), EVENT));
    assert_eq!(outbox.purge(Lost::Topic(7)), 1, "what has begun is finished, what has not is not told");
    let rest = drained(&outbox).concat();
    assert!(!rest.is_empty() && pushed.ends_with(&rest), "the rest is the end of what was said");
    assert_eq!(read(&mut client, pushed.len() - rest.len()).await, pushed[..pushed.len() - rest.len()]);
}

#[tokio::test]
async fn what_is_told_together_with_more_waits_for_it() {
    let ((outbox, mut client), count) = (connected().await, Arc::<Count>::default());
    assert!(outbox.arm(&count.waker(), ALL, None));
    let is_alone = Arc::new(AtomicBool::new(false));
    let asked = is_alone.clone();
    let alone: Alone = Arc::new(move || asked.load(Ordering::Relaxed));
    tell(&alone, || {
        outbox.push(bytes("one"), EVENT);
        is_alone.store(true, Ordering::Relaxed);
        outbox.push(bytes("two"), EVENT);
        assert_eq!(count.get(), 0);
    });
    assert_eq!((count.get(), drained(&outbox)), (1, vec!["one".to_owned(), "two".to_owned()]));
    assert!(outbox.arm(&count.waker(), ALL, None));
    gather(|| outbox.push(bytes("three"), EVENT));
    outbox.push(bytes("four"), EVENT);
    assert_eq!((count.get(), drained(&outbox)), (2, vec!["three".to_owned(), "four".to_owned()]));
    assert!(outbox.arm(&count.waker(), ALL, None));
    tell(&alone, || outbox.push(bytes("five"), EVENT));
    hears(&mut client, "five").await;
}

#[tokio::test]
async fn each_socket_is_asked_for_anew_so_that_the_rest_can_wait_for_what_came_meanwhile() {
    let mut all = Vec::new();
    for _ in 0..3 {
        let (connected, count) = (connected().await, Arc::<Count>::default());
        assert!(connected.0.arm(&count.waker(), ALL, None));
        all.push((connected, count));
    }
    let asked = AtomicUsize::new(0);
    let alone: Alone = Arc::new(move || asked.fetch_add(1, Ordering::Relaxed) < 2);
    tell(&alone, || {
        for ((outbox, _), _) in &all {
            outbox.push(bytes("one"), EVENT);
        }
    });
    let woken: Vec<usize> = all.iter().map(|(_, count)| count.get()).collect();
    assert_eq!(woken, [0, 0, 1]);
}

#[tokio::test]
async fn an_end_is_told_by_the_task_and_nothing_is_written_after_it() {
    let ((outbox, mut client), count) = (connected().await, Arc::<Count>::default());
    assert!(outbox.arm(&count.waker(), ALL, None));
    tell(&always(), || {
        outbox.push(bytes("before"), EVENT);
        outbox.kick(Close::new(4001, "out"));
        assert_eq!(outbox.push(bytes("after"), EVENT), Pushed::Closed);
    });
    assert_eq!(count.get(), 1);
    hears(&mut client, "before").await;
    outbox.hang_up();
    assert_eq!(
        client.read(&mut [0; 8]).await.unwrap(),
        0,
        "the client learns of the end although the outbox is held"
    );
}
