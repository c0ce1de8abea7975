//! What a connection does by time, in paused time over a pipe in memory.
#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{EVENT, Puppet, Stage, frame};
use parlor_live::connection::Connection;
use parlor_live::live::Entered;
use parlor_live::{CapLimits, Close, Closed, Dirty, Live, Options, frame_text};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

struct Scene {
    pipe: DuplexStream,
    stage: Arc<Stage>,
    end: JoinHandle<Closed>,
}

/// A connection over a pipe that holds `size` bytes each way.
fn connected(size: usize) -> Scene {
    let (pipe, ours) = tokio::io::duplex(size);
    let live = Live::new(CapLimits::default());
    let door = live.door("pipe", Options::default());
    let stage = Arc::<Stage>::default();
    let entered = Entered::new(door, None);
    let session = Puppet::new(entered.outbox().clone(), stage.clone());
    let end = tokio::spawn(Connection::new(ours, &[], session, entered));
    Scene { pipe, stage, end }
}

impl Scene {
    async fn reads(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        self.pipe.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, expected);
    }
}

fn dirty(room: &str) -> Dirty {
    Dirty { kind: 1, room: room.into() }
}

#[tokio::test(start_paused = true)]
async fn s2_60_s4_45_a_silent_client_is_pinged_and_then_cut() {
    let mut scene = connected(1024);
    let begin = Instant::now();
    scene.reads(b"\x89\x00").await;
    assert_eq!(begin.elapsed().as_secs(), 25);
    scene.reads(b"\x88\x13\x03\xe9no answer to ping").await;
    assert_eq!(begin.elapsed().as_secs(), 45);
    assert_eq!(scene.end.await.unwrap(), Closed::Silent);
}

#[tokio::test(start_paused = true)]
async fn any_sign_of_life_counts() {
    let mut scene = connected(1024);
    let begin = Instant::now();
    for _ in 0..10 {
        scene.reads(b"\x89\x00").await;
        scene.pipe.write_all(&frame(0x8a, b"")).await.unwrap();
    }
    assert_eq!(begin.elapsed().as_secs(), 250);
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(20)).await;
        scene.pipe.write_all(&frame(0x81, b"x")).await.unwrap();
        scene.reads(b"\x81\x01x").await;
    }
    drop(scene.pipe);
    assert_eq!(scene.end.await.unwrap(), Closed::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_request_is_in_flight_is_not_taken_for_dead() {
    let mut scene = connected(1024);
    scene.pipe.write_all(&frame(0x81, b"wait long")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    scene.stage.release("long");
    scene.reads(b"\x81\x0danswered long").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut_after_the_stall_timeout() {
    let scene = connected(16);
    let begin = Instant::now();
    scene.stage.outbox(0).push(frame_text(&[b'x'; 100]), EVENT);
    assert_eq!(scene.end.await.unwrap(), Closed::TooSlow);
    // 30 s of stall, 2 s for a close that cannot be sent either.
    assert_eq!(begin.elapsed().as_secs(), 32);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_close_is_left_after_the_close_timeout() {
    let scene = connected(1024);
    let begin = Instant::now();
    scene.stage.outbox(0).kick(Close::policy("out"));
    assert_eq!(scene.end.await.unwrap(), Closed::Kicked(Close::policy("out")));
    assert_eq!(begin.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn answers_that_never_come_hold_a_gentle_end_for_its_timeout_only() {
    let mut scene = connected(1024);
    scene.pipe.write_all(&frame(0x81, b"answer never")).await.unwrap();
    scene.pipe.write_all(&frame(0x81, b"x")).await.unwrap();
    scene.reads(b"\x81\x01x").await;
    let begin = Instant::now();
    scene.stage.outbox(0).finish(Close::restart());
    assert_eq!(scene.end.await.unwrap(), Closed::Finished(Close::restart()));
    assert_eq!(begin.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn changed_state_is_rendered_at_once_and_then_twice_a_second() {
    let mut scene = connected(1024);
    let outbox = scene.stage.outbox(0);
    let begin = Instant::now();
    outbox.mark(dirty("b"));
    outbox.mark(dirty("a"));
    scene.reads(b"\x81\x0bchanged b,a").await;
    assert_eq!(begin.elapsed().as_millis(), 0);
    for _ in 0..100 {
        outbox.mark(dirty("a"));
    }
    outbox.mark(dirty("c"));
    scene.reads(b"\x81\x09changed c").await;
    assert_eq!(begin.elapsed().as_millis(), 0);
    scene.reads(b"\x81\x09changed a").await;
    assert_eq!(begin.elapsed().as_millis(), 500);
    outbox.mark(dirty("a"));
    scene.reads(b"\x81\x09changed a").await;
    assert_eq!(begin.elapsed().as_millis(), 1000);
}
