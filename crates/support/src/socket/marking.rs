//! What a connection marks as read itself: it is answered, and told of it only where it has joined the conversation.

use parking_lot::Mutex;
use parlor_core::id::MessageId;

/// Marks that are remembered until they are heard of. One that changed nothing never is.
const MOST: usize = 16;

/// What a connection marks.
#[derive(Default)]
pub(super) struct Marking(Mutex<State>);

#[derive(Default)]
struct State {
    next: u64,
    /// Each with its number; `None` where the messages are not known yet.
    under_way: Vec<(u64, Option<Vec<MessageId>>)>,
}

impl Marking {
    /// A request begins that names these messages, or (`None`) all; its number.
    pub(super) fn begin(&self, named: Option<Vec<MessageId>>) -> u64 {
        let mut state = self.0.lock();
        state.next += 1;
        if state.under_way.len() >= MOST {
            state.under_way.remove(0);
        }
        let number = state.next;
        state.under_way.push((number, named));
        number
    }

    /// It has marked these; none when it was refused.
    pub(super) fn end(&self, number: u64, named: Vec<MessageId>) {
        let mut state = self.0.lock();
        let Some(at) = state.under_way.iter().position(|(known, _)| *known == number) else { return };
        match named.is_empty() {
            true => drop(state.under_way.remove(at)),
            false => state.under_way[at].1 = Some(named),
        }
    }

    /// Whether a mark of the user was made here.
    pub(super) fn is_own(&self, named: &[MessageId]) -> bool {
        let mut state = self.0.lock();
        let own = state.under_way.iter().position(|(_, ids)| ids.as_deref().is_none_or(|ids| ids == named));
        own.map(|at| state.under_way.remove(at)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_mark_is_known_whether_it_is_heard_before_or_after_the_answer() {
        let (marking, ids) = (Marking::default(), vec![MessageId::from("a"), MessageId::from("b")]);
        let number = marking.begin(Some(ids.clone()));
        assert!(!marking.is_own(&ids[..1]), "another's");
        assert!(marking.is_own(&ids));
        marking.end(number, ids.clone());
        assert!(!marking.is_own(&ids), "only once");
        let number = marking.begin(None);
        marking.end(number, ids.clone());
        assert!(marking.is_own(&ids));
        let number = marking.begin(None);
        marking.end(number, Vec::new());
        assert!(!marking.is_own(&ids), "a refused request marks nothing");
    }
}
