//! A case that a connection opens is in its answer: only the requester's other connections are told of it.

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_core::id::RoomId;

/// Cases opened here that are remembered until they are heard of. One that was there already never is.
const MOST: usize = 16;

/// What a connection opens. It opens one at a time.
#[derive(Default)]
pub(super) struct Opening(Mutex<State>);

#[derive(Default)]
struct State {
    /// A request is under way: whose case it is that comes up is not known yet.
    open: bool,
    held: Vec<(RoomId, Bytes)>,
    /// Opened here, and not heard of yet.
    opened: Vec<RoomId>,
}

impl Opening {
    /// A request begins.
    pub(super) fn begin(&self) {
        self.0.lock().open = true;
    }

    /// It has opened this, or nothing; what came up meanwhile and is not this shall be told.
    pub(super) fn end(&self, opened: Option<&RoomId>) -> Vec<(RoomId, Bytes)> {
        let mut state = self.0.lock();
        state.open = false;
        let mut held = std::mem::take(&mut state.held);
        let Some(opened) = opened else { return held };
        let before = held.len();
        held.retain(|(room, _)| room != opened);
        if held.len() == before {
            if state.opened.len() >= MOST {
                state.opened.remove(0);
            }
            state.opened.push(opened.clone());
        }
        held
    }

    /// A new case came up; it is given back if it shall be told now.
    pub(super) fn came_up(&self, room: &RoomId, frame: Bytes) -> Option<Bytes> {
        let mut state = self.0.lock();
        if state.open {
            state.held.push((room.clone(), frame));
            return None;
        }
        let own = state.opened.iter().position(|opened| opened == room);
        match own {
            Some(at) => {
                state.opened.remove(at);
                None
            }
            None => Some(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_case_is_not_told_whether_it_comes_up_before_or_after_the_answer() {
        let (opening, own, other) = (Opening::default(), RoomId::from("own"), RoomId::from("other"));
        let frame = Bytes::from_static(b"told");
        opening.begin();
        assert_eq!(opening.came_up(&own, frame.clone()), None);
        assert_eq!(opening.came_up(&other, frame.clone()), None);
        assert_eq!(opening.end(Some(&own)), [(other.clone(), frame.clone())]);
        opening.begin();
        assert_eq!(opening.end(Some(&own)), []);
        assert_eq!(opening.came_up(&own, frame.clone()), None);
        assert_eq!(opening.came_up(&own, frame.clone()), Some(frame.clone()), "only once");
        opening.begin();
        assert_eq!(opening.came_up(&other, frame.clone()), None);
        assert_eq!(opening.end(None), [(other, frame)], "a refused request opens nothing");
    }
}
