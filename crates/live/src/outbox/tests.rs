use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use super::*;

pub(super) const EVENT: Class = Class::Event { topic: 7 };
pub(super) const ALL: WakeOn = WakeOn { frames: true, dirty: true };

pub(super) fn small(bytes: u32) -> Arc<Outbox> {
    Outbox::new(OutboxLimits { bytes, volatile: 4, dirty: 3 })
}

pub(super) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn typing(topic: Topic, key: u64) -> Class {
    Class::Volatile { topic, key }
}

/// Takes everything, as text.
pub(super) fn drained(outbox: &Outbox) -> Vec<String> {
    let mut batch = Vec::new();
    outbox.take(&mut batch, usize::MAX);
    batch.iter().map(|e| String::from_utf8_lossy(&e.frame).into_owned()).collect()
}

fn dirty(kind: u8, room: &str) -> Dirty {
    Dirty { kind, room: room.into() }
}

#[derive(Default)]
pub(super) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn events_and_replies_keep_their_order_and_volatile_frames_come_last() {
    let outbox = small(10_000);
    outbox.push(bytes("typing"), typing(7, 1));
    outbox.push(bytes("one"), EVENT);
    outbox.push(bytes("answer"), Class::Reply);
    outbox.push(bytes("two"), EVENT);
    assert_eq!(drained(&outbox), ["one", "answer", "two", "typing"]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn the_last_volatile_frame_of_a_key_wins() {
    let outbox = small(10_000);
    outbox.push(bytes("ann types"), typing(7, 1));
    outbox.push(bytes("bob types"), typing(7, 2));
    outbox.push(bytes("ann stops"), typing(7, 1));
    assert_eq!(drained(&outbox), ["bob types", "ann stops"]);
    assert_eq!(outbox.dropped(), 0);
}

#[test]
fn too_many_volatile_keys_drop_the_oldest() {
    let outbox = small(10_000);
    for key in 0..6 {
        outbox.push(bytes(&key.to_string()), typing(7, key));
    }
    assert_eq!(drained(&outbox), ["2", "3", "4", "5"]);
    assert_eq!(outbox.dropped(), 2);
}

#[test]
fn over_the_bound_volatile_frames_go_first_then_the_connection() {
    let outbox = small(3 * (FRAME_COST as u32 + 1));
    outbox.push(bytes("v"), typing(7, 1));
    outbox.push(bytes("1"), EVENT);
    outbox.push(bytes("2"), EVENT);
    assert_eq!(outbox.push(bytes("w"), typing(7, 2)), Pushed::Dropped);
    assert_eq!(outbox.push(bytes("3"), EVENT), Pushed::Queued);
    assert_eq!(outbox.dropped(), 2);
    assert_eq!(outbox.closed(), None);
    assert_eq!(outbox.push(bytes("4"), EVENT), Pushed::Closed);
    assert_eq!(outbox.closed(), Some(Closed::TooSlow));
    assert_eq!(outbox.bytes(), 0, "nothing is kept for a connection that is cut");
    assert_eq!(outbox.push(bytes("5"), Class::Reply), Pushed::Closed);
}

#[test]
fn one_large_reply_is_taken_with_what_follows_but_not_a_third_behind_a_second() {
    let outbox = small(1_000);
    let large = || Bytes::from(vec![0; 5_000]);
    assert_eq!(outbox.push(large(), Class::Reply), Pushed::Queued);
    assert_eq!(outbox.push(bytes("updated"), Class::Reply), Pushed::Queued);
    assert_eq!(outbox.push(bytes("news"), EVENT), Pushed::Queued);
    assert_eq!(outbox.push(large(), Class::Reply), Pushed::Queued);
    assert_eq!(outbox.push(bytes("small"), Class::Reply), Pushed::Closed);
    assert_eq!(outbox.closed(), Some(Closed::TooSlow));
}

#[test]
fn a_large_reply_that_a_slow_line_has_taken_half_of_condemns_nobody() {
    let outbox = small(1_000);
    outbox.push(Bytes::from(vec![0; 5_000]), Class::Reply);
    let mut batch = Vec::new();
    outbox.take(&mut batch, 9);
    outbox.put_back(batch.drain(..), 2_000);
    assert_eq!(outbox.push(bytes("news"), EVENT), Pushed::Queued);
    // Once it is out, nothing is spared any more.
    outbox.take(&mut batch, 1);
    assert_eq!(outbox.push(Bytes::from(vec![0; 2_000]), EVENT), Pushed::Closed);
}

#[test]
fn what_the_socket_did_not_take_comes_first_again() {
    let outbox = small(10_000);
    for text in ["first", "second", "third"] {
        outbox.push(bytes(text), EVENT);
    }
    let before = outbox.bytes();
    let mut batch = Vec::new();
    outbox.take(&mut batch, 2);
    outbox.push(bytes("fourth"), EVENT);
    outbox.put_back(batch.drain(..), 3);
    assert_eq!(outbox.bytes(), before + "fourth".len() + FRAME_COST - 3);
    assert_eq!(drained(&outbox), ["st", "second", "third", "fourth"]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_purge_drops_what_was_lost_but_no_reply_and_no_half_sent_frame() {
    let outbox = small(10_000);
    outbox.push(bytes("half"), Class::Event { topic: 1 });
    outbox.push(bytes("lost"), Class::Event { topic: 1 });
    outbox.push(bytes("kept"), Class::Event { topic: 2 });
    outbox.push(bytes("answer"), Class::Reply);
    outbox.push(bytes("types"), typing(1, 9));
    let mut batch = Vec::new();
    outbox.take(&mut batch, 1);
    outbox.put_back(batch.drain(..), 2);
    assert_eq!(outbox.purge(Lost::Topic(1)), 2);
    assert_eq!(drained(&outbox), ["lf", "kept", "answer"]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_purge_between_take_and_put_back_drops_what_was_not_begun() {
    let outbox = small(10_000);
    for (text, topic) in [("half", 1), ("lost", 1), ("kept", 2), ("lost too", 1)] {
        outbox.push(bytes(text), Class::Event { topic });
    }
    let mut batch = Vec::new();
    outbox.take(&mut batch, 3);
    assert_eq!(outbox.purge(Lost::Topic(1)), 1);
    outbox.push(bytes("allowed again"), Class::Event { topic: 1 });
    outbox.put_back(batch.drain(..), 2);
    assert_eq!(drained(&outbox), ["lf", "kept", "allowed again"]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn the_end_of_a_session_takes_the_frames_in_hand_and_leaves_replies() {
    let outbox = small(10_000);
    outbox.push(bytes("lost"), Class::Event { topic: 1 });
    outbox.push(bytes("answer"), Class::Reply);
    let mut batch = Vec::new();
    outbox.take(&mut batch, 2);
    outbox.push(bytes("lost too"), Class::Volatile { topic: 2, key: 1 });
    assert_eq!(outbox.purge(Lost::All), 1);
    outbox.put_back(batch.drain(..), 0);
    assert_eq!(drained(&outbox), ["answer"]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_kick_drops_what_is_queued_except_the_half_sent_frame() {
    let outbox = small(10_000);
    outbox.push(bytes("half"), EVENT);
    outbox.push(bytes("never"), EVENT);
    let mut batch = Vec::new();
    outbox.take(&mut batch, 1);
    outbox.put_back(batch.drain(..), 2);
    outbox.kick(Close::policy("logged out"));
    assert_eq!(outbox.push(bytes("late"), EVENT), Pushed::Closed);
    outbox.last_words([bytes("bye")]);
    assert_eq!(drained(&outbox), ["lf", "bye"]);
}

#[test]
fn a_kick_between_take_and_put_back_drops_what_was_not_begun() {
    let outbox = small(10_000);
    outbox.push(bytes("secret"), EVENT);
    let mut batch = Vec::new();
    outbox.take(&mut batch, 9);
    outbox.kick(Close::policy("logged out"));
    outbox.put_back(batch.drain(..), 0);
    assert!(drained(&outbox).is_empty());
}

#[test]
fn a_gentle_end_keeps_the_queue_and_takes_replies_but_no_events() {
    let outbox = small(10_000);
    outbox.push(bytes("event"), EVENT);
    outbox.finish(Close::restart());
    assert_eq!(outbox.push(bytes("late event"), EVENT), Pushed::Closed);
    assert_eq!(outbox.push(bytes("answer"), Class::Reply), Pushed::Queued);
    outbox.finish(Close::normal());
    assert_eq!(outbox.closed(), Some(Closed::Finished(Close::restart())));
    assert_eq!(drained(&outbox), ["event", "answer"]);
    outbox.kick(Close::policy("revoked"));
    assert_eq!(outbox.closed(), Some(Closed::Kicked(Close::policy("revoked"))));
}

#[test]
fn the_drainer_is_woken_once_when_something_comes_and_not_for_more() {
    let (outbox, count) = (small(10_000), Arc::new(Count::default()));
    assert!(outbox.arm(&count.waker(), ALL, None));
    outbox.push(bytes("1"), EVENT);
    outbox.push(bytes("2"), EVENT);
    assert_eq!(count.get(), 1);
    assert!(!outbox.arm(&count.waker(), ALL, None), "there is something to do");
    drained(&outbox);
    assert!(outbox.arm(&count.waker(), ALL, None));
    outbox.push(bytes("3"), EVENT);
    assert_eq!(count.get(), 2);
}

#[test]
fn a_blocked_drainer_is_woken_by_the_end_only() {
    let (outbox, count) = (small(10_000), Arc::new(Count::default()));
    outbox.push(bytes("1"), EVENT);
    assert!(outbox.arm(&count.waker(), WakeOn::default(), None));
    outbox.push(bytes("2"), EVENT);
    outbox.mark(dirty(1, "a"));
    assert_eq!(count.get(), 0);
    outbox.kick_handle().kick(Close::policy("revoked"));
    assert_eq!(count.get(), 1);
    assert!(!outbox.arm(&count.waker(), WakeOn::default(), None), "an end not seen yet");
    assert!(outbox.arm(&count.waker(), WakeOn::default(), outbox.closed().as_ref()));
}

#[test]
fn dirty_state_is_marked_once_and_paced_by_key() {
    let outbox = small(10_000);
    let (now, gap) = (Instant::now(), Duration::from_millis(500));
    assert!(outbox.mark(dirty(1, "b")));
    assert!(outbox.mark(dirty(1, "a")));
    assert!(outbox.mark(dirty(1, "b")));
    assert_eq!(outbox.take_dirty(now, gap), (vec![dirty(1, "b"), dirty(1, "a")], None));
    outbox.mark(dirty(1, "b"));
    outbox.mark(dirty(2, "b"));
    assert_eq!(outbox.take_dirty(now, gap), (vec![dirty(2, "b")], Some(now + gap)));
    assert_eq!(outbox.take_dirty(now + gap, gap), (vec![dirty(1, "b")], None));
    assert_eq!(outbox.take_dirty(now + gap * 2, gap), (vec![], None));
    assert!(outbox.inner.lock().dirty.is_none(), "an idle outbox remembers nothing");
}

#[test]
fn too_many_dirty_keys_end_the_connection() {
    let outbox = small(10_000);
    for room in ["a", "b", "c", "a"] {
        assert!(outbox.mark(dirty(1, room)));
    }
    assert!(!outbox.mark(dirty(1, "d")));
    assert_eq!(outbox.closed(), Some(Closed::TooSlow));
}

#[test]
fn a_mark_between_taking_and_arming_is_not_lost() {
    let (outbox, count) = (small(10_000), Arc::new(Count::default()));
    outbox.take_dirty(Instant::now(), Duration::ZERO);
    outbox.mark(dirty(1, "a"));
    assert!(!outbox.arm(&count.waker(), ALL, None));
    assert!(outbox.arm(&count.waker(), WakeOn { frames: true, dirty: false }, None));
}

#[test]
fn an_idle_outbox_is_small() {
    assert!(size_of::<Inner>() <= 280, "{}", size_of::<Inner>());
    let outbox = small(10_000);
    for _ in 0..1_000 {
        outbox.push(bytes("x"), Class::Reply);
        drained(&outbox);
    }
    outbox.trim();
    assert_eq!(outbox.inner.lock().queue.capacity(), 0);
}

#[test]
fn what_comes_back_has_not_waited_since_before_it_was_pushed() {
    let outbox = small(10_000);
    outbox.push(bytes("one"), EVENT);
    assert_eq!(drained(&outbox), ["one"]);
    let between = Instant::now();
    for text in ["two", "three"] {
        outbox.push(bytes(text), EVENT);
    }
    let mut batch = Vec::new();
    assert!(outbox.take(&mut batch, 1).more);
    outbox.put_back(batch.drain(..), 0);
    let since = outbox.take(&mut batch, usize::MAX).waited_since;
    assert!(since.is_some_and(|since| since >= between));
}
