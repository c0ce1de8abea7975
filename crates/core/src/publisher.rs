//! The driver's side of listening: committed facts in, the hub's questions answered from store and caches.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::{
    catch_up::read_piece,
    chat::Chat,
    error::{Refusal, Result},
    event::{Change, Event, Fact},
    gathering::Gathering,
    hub::{Figures, Hub, Output},
    id::{RoomId, UserId},
    nodes::{Relay, travels},
    permissions::{Action, Object},
    presence::Presence,
    session::Actor,
    typing::Typing,
};

/// Changes read at once when a hole is filled; the rest follows in further steps.
const PIECE: u64 = 500;
/// What the chat keeps for those who listen.
#[derive(Default)]
pub(crate) struct Listening {
    pub(crate) hub: Hub,
    pub(crate) presence: Presence,
    pub(crate) typing: Typing,
    pub(crate) gathering: Gathering,
    /// Numbers given to live connections.
    pub(crate) connections: AtomicU64,
    publisher_given: AtomicBool,
    /// Tells other nodes, where there are any.
    pub(crate) relay: OnceLock<Arc<dyn Relay>>,
}

/// The right to publish: there is one, and `server` takes it for its driver (see `hub.rs`).
pub struct Publisher(Arc<Chat>);

impl Chat {
    /// The right to publish; `None` when somebody has it already.
    pub fn publisher(self: &Arc<Self>) -> Option<Publisher> {
        let given = self.listening.publisher_given.swap(true, Ordering::SeqCst);
        let chat = Arc::downgrade(self);
        let is_case =
            move |room: &RoomId| chat.upgrade().is_some_and(|chat| chat.case_at_hand(room).is_some());
        self.listening.hub.know_cases(Box::new(is_case));
        (!given).then(|| Publisher(self.clone()))
    }

    /// What the hub holds and has done.
    pub fn hub_figures(&self) -> Figures {
        self.listening.hub.figures()
    }

    fn publish(&self, facts: Vec<Fact>) -> Vec<Output> {
        self.listening.hub.publish(facts, self.ports.clock.monotonic())
    }

    /// Sent messages end what their authors were doing.
    fn activities_over(&self, facts: &[Fact]) -> Vec<Event> {
        let ended = |fact: &Fact| match &fact.event {
            Event::Message { message, change: Change::Made, .. } => {
                self.listening.typing.sent(&message.room, &message.author, message.thread.as_ref())
            }
            _ => Vec::new(),
        };
        facts.iter().flat_map(ended).collect()
    }

    /// Tells a passing event, which is never stored.
    pub(crate) fn pass(&self, event: Event) {
        if let Some(relay) = self.listening.relay.get().filter(|_| travels(&event)) {
            relay.passed(&event);
        }
        self.pass_here(event);
    }

    /// Tells a passing event to those who are connected here.
    pub(crate) fn pass_here(&self, event: Event) {
        let questions = self.publish(vec![Fact { g: 0, place: None, event }]);
        debug_assert!(questions.is_empty(), "passing events change no access");
    }

    pub(crate) async fn execute(&self, outputs: Vec<Output>) {
        let mut questions = VecDeque::from(outputs);
        while let Some(question) = questions.pop_front() {
            let more = match question {
                Output::ReadHole { room, after } => self.fill(&room, after).await,
                Output::Judge { room, round, users, followers } => {
                    self.judge_listeners(&room, round, &users, &followers).await
                }
            };
            questions.extend(more);
        }
    }

    async fn judge_listeners(
        &self,
        room: &RoomId,
        round: u64,
        users: &[UserId],
        followers: &[UserId],
    ) -> Vec<Output> {
        match self.verdict(room, users, followers).await {
            Ok((denied, left)) => {
                let now = self.ports.clock.monotonic();
                self.listening.hub.judged(room, round, &denied, &left, now)
            }
            Err(_) => {
                self.listening.hub.unjudged(room, round);
                Vec::new()
            }
        }
    }

    /// Who of the users may not read the room, and who of the followers is no member; an error when it is not known.
    async fn verdict(
        &self,
        room: &RoomId,
        users: &[UserId],
        followers: &[UserId],
    ) -> Result<(Vec<UserId>, Vec<UserId>)> {
        let found = match self.room(room).await {
            Ok(found) => found,
            Err(Refusal::NotFound(_)) => return Ok((users.to_vec(), followers.to_vec())),
            Err(refusal) => return Err(refusal),
        };
        let (mut denied, mut left) = (Vec::new(), Vec::new());
        for user in users {
            let actor = Actor::user(user.clone(), None);
            match self.authorize(&actor, Action::ReadRoom, Object::Room(&found)).await {
                Ok(_) => {}
                Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => return Err(refusal),
                Err(_) => denied.push(user.clone()),
            }
        }
        for user in followers {
            if self.membership(room, user).await?.is_none() {
                left.push(user.clone());
            }
        }
        Ok((denied, left))
    }

    async fn fill(&self, room: &RoomId, after: i64) -> Vec<Output> {
        let wanted = room.clone();
        let piece = self.store().reading(move |mut rows| read_piece(&mut rows, &wanted, after, PIECE)).await;
        let now = self.ports.clock.monotonic();
        match piece {
            Ok(piece) => self.listening.hub.repaired(room, piece, now),
            Err(_) => {
                self.listening.hub.unrepaired(room, now);
                Vec::new()
            }
        }
    }
}

impl Publisher {
    /// Facts, in the order of their commits; what it gives back goes to [`Publisher::execute`].
    pub fn publish(&self, mut facts: Vec<Fact>) -> Vec<Output> {
        facts.retain(|fact| !self.0.latest.is_overtaken(&fact.event));
        let over = self.0.activities_over(&facts);
        over.into_iter().for_each(|event| self.0.pass(event));
        self.0.publish(facts)
    }

    /// Called once a second: tells whose presence changed and whose typing ended.
    pub async fn every_second(&self) {
        for event in self.0.listening.typing.tick(self.0.ports.clock.monotonic()) {
            self.0.pass(event);
        }
        self.0.tell_presence().await;
    }

    /// Called at least every 50 ms; what it gives back goes to [`Publisher::execute`].
    pub fn tick(&self) -> Vec<Output> {
        self.0.listening.hub.tick(self.0.ports.clock.monotonic())
    }

    /// Answers the hub's questions until there are none. May run several times at once.
    pub async fn execute(&self, outputs: Vec<Output>) {
        self.0.execute(outputs).await;
    }
}
