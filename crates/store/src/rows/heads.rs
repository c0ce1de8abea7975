//! How far a room got, and what storing a message does to it. Pure, for both engines.

use parlor_core::{clock::Time, id::MessageId, message::Message, room::Head};
use std::sync::Arc;

/// Bits of a message's key that hold its place in its room.
pub(crate) const SEQ_BITS: u32 = 36;
/// How far a room's time may run ahead of the clock, in milliseconds, before messages share a time.
pub(crate) const AHEAD: i64 = 1_000;

/// A message's key: its room's key and its place.
pub(crate) fn message_key(room: i64, seq: i64) -> i64 {
    (room << SEQ_BITS) | seq
}

/// A room as an append needs it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The room's key.
    pub(crate) key: i64,
    /// Its access version.
    pub(crate) access: i64,
    /// How far it got.
    pub(crate) head: Head,
    /// The time of its last change.
    pub(crate) changed_at: i64,
    /// The key of `head.last_message`.
    pub(crate) last_key: Option<i64>,
    /// The key of `head.last_author`.
    pub(crate) last_author: Option<i64>,
}

impl Place {
    /// Gives a message its place: everything that the commit decides. Returns its key.
    pub(crate) fn take(&mut self, message: &mut Message, author: i64, now: Time) -> i64 {
        let head = &mut self.head;
        head.position += 1;
        head.messages += 1;
        let at = later(now.millis(), self.changed_at);
        self.changed_at = at;
        head.changed_at = Time(at);
        message.seq = head.position;
        message.rev = head.position;
        message.at = Time(at);
        message.updated_at = Time(at);
        let key = message_key(self.key, head.position);
        if message.counts() {
            head.counted += 1;
            head.last_at = Some(Time(at));
            head.last_message = Some(MessageId::clone(&message.id));
            self.last_key = Some(key);
            if self.last_author != Some(author) {
                head.last_seq_by_another = head.last_seq;
                head.last_author = Some(message.author.clone());
                self.last_author = Some(author);
            }
            head.last_seq = head.position;
        }
        message.counted = head.counted;
        key
    }

    /// The head as it is now, to be handed out.
    pub(crate) fn shared(&self) -> Arc<Head> {
        Arc::new(self.head.clone())
    }
}

/// A room's next time: the clock's, but after the last one. A burst runs ahead of the clock by at most a second;
/// a clock that was set back waits.
pub(crate) fn later(now: i64, last: i64) -> i64 {
    if now > last {
        now
    } else if last - now < AHEAD {
        last + 1
    } else {
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rooms_time_grows_but_never_goes_back() {
        assert_eq!(later(10, 5), 10);
        assert_eq!(later(10, 10), 11);
        assert_eq!(later(10, 500), 501);
        assert_eq!(later(10, 5_000), 5_000);
    }

    #[test]
    fn keys_sort_by_room_and_place() {
        assert!(message_key(1, (1 << SEQ_BITS) - 1) < message_key(2, 0));
        assert_eq!(message_key(3, 7) >> SEQ_BITS, 3);
    }
}
