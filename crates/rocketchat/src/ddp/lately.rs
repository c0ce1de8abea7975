//! The messages that were written out a moment ago: who sent one gets it in an answer, who listens gets it in an event,
//! and both are the same text.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_core::message::Message;

/// Places. A message that hashes to a taken one takes it over; then it is perhaps written out twice.
const PLACES: usize = 512;
/// Longest text that is kept, in bytes: with all places taken it is 2 MiB together.
const LONGEST: usize = 4 * 1024;

type Place = Mutex<Option<(Arc<Message>, Arc<OnceLock<Bytes>>)>>;

/// Known by where they are in memory: a message that is shared does not change, and is held here so that no other can
/// come to lie there.
pub(crate) struct Lately(Box<[Place]>);

impl Default for Lately {
    fn default() -> Self {
        Self((0..PLACES).map(|_| Mutex::default()).collect())
    }
}

impl Lately {
    /// The text of a message; `write` makes it if nobody has yet.
    pub(crate) fn text(&self, message: &Arc<Message>, write: impl FnOnce() -> Bytes) -> Bytes {
        if message.text.len() > LONGEST / 2 || !message.attachments.is_empty() {
            return write();
        }
        let address = Arc::as_ptr(message) as usize;
        // Allocations of one size lie at multiples of it; the high bits spread them.
        let place = (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        let place = &self.0[place % PLACES];
        let text = match &mut *place.lock() {
            Some((kept, text)) if Arc::ptr_eq(kept, message) => text.clone(),
            taken => {
                let text = Arc::<OnceLock<Bytes>>::default();
                *taken = Some((message.clone(), text.clone()));
                text
            }
        };
        let text = text.get_or_init(write).clone();
        if text.len() > LONGEST {
            place.lock().take();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_core::samples;

    #[test]
    fn a_message_is_written_once_and_a_changed_copy_of_it_anew() {
        let lately = Lately::default();
        let message = Arc::new(samples::message("m1", "r1", "u1", 1));
        assert_eq!(lately.text(&message, || Bytes::from_static(b"one")), "one");
        assert_eq!(lately.text(&message, || panic!("it is known")), "one");
        let edited = Arc::new(Message { text: "two".into(), ..Message::clone(&message) });
        assert_eq!(lately.text(&edited, || Bytes::from_static(b"two")), "two");
    }

    #[test]
    fn what_is_long_is_not_kept() {
        let lately = Lately::default();
        let message = Arc::new(samples::message("m1", "r1", "u1", 1));
        let long = Bytes::from(vec![b'x'; LONGEST + 1]);
        assert_eq!(lately.text(&message, || long.clone()), long);
        assert_eq!(lately.text(&message, || Bytes::from_static(b"again")), "again");
    }
}
