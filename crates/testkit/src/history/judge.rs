//! The judgement itself: a pure function.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{Entry, Fault, Stored, Tick, Verdict};

/// Judges a ledger against the final history, which lists each room's messages in their order.
#[must_use]
pub fn judge(entries: &[Entry], stored: &[Stored]) -> Verdict {
    let sends = sends(entries);
    let rooms = Rooms::new(stored, &sends);
    let mut faults = Vec::new();
    storage(&sends, &rooms, stored, &mut faults);
    for messages in rooms.rooms.values() {
        order(&sends, messages, &mut faults);
    }
    lines(&sends, &rooms, &mut faults);
    let listeners = listeners(entries);
    for ((socket, room), listened) in &listeners {
        Listener::new(*socket, rooms.of(room), &sends).follow(listened, &mut faults);
    }
    Verdict {
        faults,
        sent: sends.len(),
        acked: sends.values().filter(|send| send.acked.is_some()).count(),
        stored: stored.len(),
        seen: entries.iter().filter(|entry| matches!(entry, Entry::Saw { .. })).count(),
    }
}

/// All that is known of one message that was sent.
struct Sent<'a> {
    room: &'a str,
    body: &'a str,
    line: u64,
    first_sent: Tick,
    attempts: usize,
    acked: Option<Tick>,
    answers: Vec<&'a str>,
    refused: bool,
}

type Sends<'a> = HashMap<&'a str, Sent<'a>>;

fn sends(entries: &[Entry]) -> Sends<'_> {
    let mut sends: Sends<'_> = HashMap::new();
    for entry in entries {
        if let Entry::Sent { at, line, room, id, body } = entry {
            let first = Sent {
                room,
                body,
                line: *line,
                first_sent: *at,
                attempts: 0,
                acked: None,
                answers: Vec::new(),
                refused: false,
            };
            let send = sends.entry(id).or_insert(first);
            send.first_sent = send.first_sent.min(*at);
            send.attempts += 1;
        }
    }
    for entry in entries {
        match entry {
            Entry::Acked { at, id, stored } => {
                if let Some(send) = sends.get_mut(id.as_str()) {
                    send.acked = Some(send.acked.map_or(*at, |earlier| earlier.min(*at)));
                    send.answers.push(stored);
                }
            }
            Entry::Refused { id, .. } => {
                if let Some(send) = sends.get_mut(id.as_str()) {
                    send.refused = true;
                }
            }
            _ => {}
        }
    }
    sends
}

/// A stored message and the send it came from, if there was one.
struct Placed<'a> {
    stored: &'a Stored,
    sent: Option<&'a str>,
}

/// The final history, room by room, in order.
struct Rooms<'a> {
    rooms: HashMap<&'a str, Vec<Placed<'a>>>,
}

impl<'a> Rooms<'a> {
    fn new(stored: &'a [Stored], sends: &Sends<'a>) -> Self {
        let by_body: HashMap<&str, &'a str> = sends.iter().map(|(id, send)| (send.body, *id)).collect();
        let mut rooms: HashMap<&str, Vec<Placed<'_>>> = HashMap::new();
        for message in stored {
            let by_id = sends.get_key_value(message.id.as_str()).map(|(id, _)| *id);
            let sent = by_id.or_else(|| by_body.get(message.body.as_str()).copied());
            rooms.entry(&message.room).or_default().push(Placed { stored: message, sent });
        }
        Self { rooms }
    }

    fn of(&self, room: &str) -> &[Placed<'a>] {
        self.rooms.get(room).map_or(&[], Vec::as_slice)
    }

    fn all(&self) -> impl Iterator<Item = &Placed<'a>> {
        self.rooms.values().flatten()
    }
}

/// Durable, idempotent, honest.
fn storage(sends: &Sends<'_>, rooms: &Rooms<'_>, stored: &[Stored], faults: &mut Vec<Fault>) {
    let mut copies: HashMap<&str, Vec<&Stored>> = HashMap::new();
    for placed in rooms.all() {
        match placed.sent {
            Some(id) => copies.entry(id).or_default().push(placed.stored),
            None => faults.push(Fault::Invented { id: placed.stored.id.clone() }),
        }
    }
    for (id, send) in sends {
        let copies = copies.get(id).map_or(&[][..], Vec::as_slice);
        faults.extend(one_send(id, send, copies));
    }
    let mut ids = HashSet::new();
    for message in stored.iter().filter(|message| !ids.insert((&message.room, &message.id))) {
        let fault = Fault::Doubled { id: message.id.clone() };
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
}

fn one_send(id: &str, send: &Sent<'_>, copies: &[&Stored]) -> Vec<Fault> {
    let name = || id.to_owned();
    let mut faults = Vec::new();
    if copies.is_empty() && send.acked.is_some() {
        faults.push(Fault::Lost { id: name() });
    }
    if copies.len() > 1 {
        faults.push(Fault::Doubled { id: name() });
    }
    if send.refused && send.acked.is_none() && !copies.is_empty() {
        faults.push(Fault::StoredThoughRefused { id: name() });
    }
    if let Some(copy) = copies.iter().find(|copy| copy.body != send.body) {
        faults.push(Fault::Changed { id: copy.id.clone() });
    }
    if let Some(copy) = copies.iter().find(|copy| copy.room != send.room) {
        faults.push(Fault::Strayed { id: name(), room: copy.room.clone() });
    }
    let another = |answer: &&&str| !copies.is_empty() && copies.iter().all(|copy| copy.id != ***answer);
    if let Some(answer) = send.answers.iter().find(another) {
        faults.push(Fault::AnsweredAnother { id: name(), stored: (*answer).to_owned() });
    }
    faults
}

/// Whatever was acknowledged before something else was sent stands before it. Walked from the newest to the oldest:
/// the earliest acknowledgement among what stands behind a message must be later than its sending.
fn order(sends: &Sends<'_>, messages: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let mut earliest: Option<(Tick, &str)> = None;
    for id in messages.iter().rev().filter_map(|placed| placed.sent) {
        let send = &sends[id];
        if let Some((_, first)) = earliest.filter(|(acked, first)| *acked < send.first_sent && *first != id) {
            faults.push(Fault::Misordered { first: first.to_owned(), second: id.to_owned() });
        }
        let acked = send.acked.map(|acked| (acked, id));
        earliest = earliest.into_iter().chain(acked).min();
    }
}

/// Messages sent once on one connection stand in the order they left in. One that was sent again may have been
/// stored by either attempt.
fn lines(sends: &Sends<'_>, rooms: &Rooms<'_>, faults: &mut Vec<Fault>) {
    for messages in rooms.rooms.values() {
        let mut last: HashMap<u64, (Tick, &str)> = HashMap::new();
        for id in messages.iter().filter_map(|placed| placed.sent) {
            let send = &sends[id];
            if send.attempts > 1 {
                continue;
            }
            let later = last.get(&send.line).filter(|(sent, _)| *sent > send.first_sent);
            if let Some((_, second)) = later {
                faults.push(Fault::LineMisordered { first: id.to_owned(), second: (*second).to_owned() });
            } else {
                last.insert(send.line, (send.first_sent, id));
            }
        }
    }
}

type Listened<'a> = HashMap<(u64, &'a str), Vec<&'a Entry>>;

/// The entries of each listener and room, in the order they were written.
fn listeners(entries: &[Entry]) -> Listened<'_> {
    let mut listeners: Listened<'_> = HashMap::new();
    for entry in entries {
        let (Entry::Opened { socket, room, .. }
        | Entry::Saw { socket, room, .. }
        | Entry::Fetched { socket, room, .. }
        | Entry::Jumped { socket, room, .. }
        | Entry::Barred { socket, room, .. }
        | Entry::Closed { socket, room, .. }) = entry
        else {
            continue;
        };
        listeners.entry((*socket, room)).or_default().push(entry);
    }
    listeners
}

/// One listener in one room, followed through its entries.
struct Listener<'a> {
    socket: u64,
    room: &'a [Placed<'a>],
    sends: &'a Sends<'a>,
    place: HashMap<&'a str, usize>,
    opened: Option<Tick>,
    seen: HashSet<usize>,
    found: HashSet<usize>,
    /// Where the listener's live view begins and ends, as places in the room; the end is past the last.
    view: Option<Range<usize>>,
    jump: Option<Jump>,
    barred: Option<Tick>,
    excused: Vec<(Range<usize>, Jump)>,
}

/// A listener that may have missed something, until it listens again: what was sent before then is excused.
#[derive(Clone, Copy, Default)]
struct Jump {
    reopened: Option<Tick>,
}

impl<'a> Listener<'a> {
    fn new(socket: u64, room: &'a [Placed<'a>], sends: &'a Sends<'a>) -> Self {
        let place = room.iter().enumerate().map(|(at, placed)| (placed.stored.id.as_str(), at)).collect();
        Self {
            socket,
            room,
            sends,
            place,
            opened: None,
            seen: HashSet::new(),
            found: HashSet::new(),
            view: None,
            jump: None,
            barred: None,
            excused: Vec::new(),
        }
    }

    fn follow(mut self, entries: &[&Entry], faults: &mut Vec<Fault>) {
        for entry in entries {
            match entry {
                Entry::Opened { at, .. } => self.open(*at),
                Entry::Saw { id, body, .. } => {
                    faults.extend(self.leaked(id));
                    faults.extend(self.saw(id, body));
                }
                Entry::Fetched { id, .. } => {
                    faults.extend(self.leaked(id));
                    self.found.extend(self.place.get(id.as_str()));
                }
                Entry::Barred { at, .. } => self.barred = Some(*at),
                Entry::Jumped { .. } => self.jump = Some(Jump::default()),
                Entry::Closed { at, drained: true, .. } => self.drained(*at),
                _ => {}
            }
        }
        faults.extend(self.missed());
    }

    fn leaked(&self, id: &str) -> Option<Fault> {
        let sent = self.sent(self.room.get(*self.place.get(id)?)?)?.first_sent;
        let late = self.barred.is_some_and(|barred| sent > barred);
        late.then(|| Fault::Leaked { socket: self.socket, id: id.to_owned() })
    }

    fn open(&mut self, at: Tick) {
        self.barred = None;
        self.opened.get_or_insert(at);
        if let Some(jump) = &mut self.jump {
            jump.reopened.get_or_insert(at);
        }
    }

    fn saw(&mut self, id: &str, body: &str) -> Option<Fault> {
        let (socket, name) = (self.socket, || id.to_owned());
        let Some(&place) = self.place.get(id) else {
            return Some(Fault::Phantom { socket, id: name() });
        };
        if !self.seen.insert(place) {
            return Some(Fault::SeenTwice { socket, id: name() });
        }
        let end = self.view.as_ref().map_or_else(|| self.start(place), |view| view.end);
        if place < end && self.view.is_some() {
            return Some(Fault::SeenOutOfOrder { socket, id: name() });
        }
        if let Some(jump) = self.jump.take() {
            self.excused.push((end.min(place)..place, jump));
        }
        let start = self.view.as_ref().map_or_else(|| self.start(place), |view| view.start);
        self.view = Some(start..place + 1);
        let changed = self.room[place].stored.body != body;
        changed.then(|| Fault::SeenChanged { socket, id: name() })
    }

    /// The first place that the listener must see: the oldest message sent after it opened, or its first sight.
    fn start(&self, sight: usize) -> usize {
        let due =
            |placed: &Placed<'_>| self.sent(placed).is_some_and(|send| Some(send.first_sent) > self.opened);
        let oldest = self.room.iter().position(due).filter(|_| self.opened.is_some());
        oldest.map_or(sight, |oldest| oldest.min(sight))
    }

    /// Everything acknowledged by now must have come, also behind the last sight.
    fn drained(&mut self, now: Tick) {
        let due = |placed: &Placed<'_>| {
            let send = self.sent(placed);
            send.is_some_and(|send| {
                send.acked.is_some_and(|acked| acked < now) && Some(send.first_sent) > self.opened
            })
        };
        let Some(last) = self.room.iter().rposition(due) else { return };
        let (start, end) = match &self.view {
            Some(view) => (view.start, view.end),
            None => (self.start(last), self.start(last)),
        };
        if let Some(jump) = self.jump.take() {
            self.excused.push((end..last + 1, jump));
        }
        self.view = Some(start..end.max(last + 1));
    }

    fn missed(self) -> Vec<Fault> {
        let excused = |place: &usize| {
            let sent = self.sent(&self.room[*place]).map(|send| send.first_sent);
            let before = |jump: &Jump| jump.reopened.is_none_or(|reopened| sent < Some(reopened));
            self.excused.iter().any(|(range, jump)| range.contains(place) && before(jump))
        };
        let view = self.view.clone().unwrap_or_default();
        let missed =
            view.filter(|place| !self.seen.contains(place) && !self.found.contains(place) && !excused(place));
        // What nobody sent is a fault of its own, and no listener's.
        let missed = missed.filter(|place| self.room[*place].sent.is_some());
        missed
            .map(|place| Fault::Missed { socket: self.socket, id: self.room[place].stored.id.clone() })
            .collect()
    }

    fn sent(&self, placed: &Placed<'_>) -> Option<&'a Sent<'a>> {
        placed.sent.and_then(|id| self.sends.get(id))
    }
}
