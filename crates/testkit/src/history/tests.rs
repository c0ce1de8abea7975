//! The judge itself is judged: sound histories pass, and each way to break a promise is found.

use std::collections::BTreeMap;

use super::{Entry, Fault, Ledger, Stored, judge};

const ROOM: &str = "GENERAL";

fn stored(id: &str) -> Stored {
    Stored { room: ROOM.to_owned(), id: id.to_owned(), body: body(id) }
}

fn all_stored(ids: &[&str]) -> Vec<Stored> {
    ids.iter().map(|id| stored(id)).collect()
}

fn body(id: &str) -> String {
    format!("text of {id}")
}

trait Acts {
    fn sends(&self, line: u64, id: &str);
    fn stores(&self, id: &str);
    fn says(&self, id: &str);
    fn sees(&self, socket: u64, ids: &[&str]);
}

impl Acts for Ledger {
    fn sends(&self, line: u64, id: &str) {
        self.sent(line, ROOM, id, &body(id));
    }
    fn stores(&self, id: &str) {
        self.acked(id, id);
    }
    fn says(&self, id: &str) {
        self.sends(1, id);
        self.stores(id);
    }
    fn sees(&self, socket: u64, ids: &[&str]) {
        ids.iter().for_each(|id| self.saw(socket, ROOM, id, &body(id)));
    }
}

/// Judges what `script` writes against a final history of these ids.
fn faults(history: &[&str], script: impl FnOnce(&Ledger)) -> Vec<Fault> {
    faults_of(&all_stored(history), script)
}

fn faults_of(history: &[Stored], script: impl FnOnce(&Ledger)) -> Vec<Fault> {
    let ledger = Ledger::default();
    script(&ledger);
    judge(&ledger.entries(), history).faults
}

fn id(name: &str) -> String {
    name.to_owned()
}

#[test]
fn a_plain_history_is_sound() {
    let found = faults(&["a", "b", "c"], |ledger| {
        ledger.opened(7, ROOM);
        ledger.says("a");
        ledger.says("b");
        ledger.says("c");
        ledger.sees(7, &["a", "b", "c"]);
        ledger.closed(7, ROOM, true);
    });
    assert_eq!(found, []);
}

#[test]
fn a_message_without_an_answer_may_be_stored_or_not() {
    let script = |ledger: &Ledger| {
        ledger.says("a");
        ledger.sends(1, "unknown");
    };
    assert_eq!(faults(&["a", "unknown"], script), []);
    assert_eq!(faults(&["a"], script), []);
}

#[test]
fn an_acknowledged_message_that_is_not_stored_is_lost() {
    let found = faults(&["a"], |ledger| {
        ledger.says("a");
        ledger.says("b");
    });
    assert_eq!(found, [Fault::Lost { id: id("b") }]);
}

#[test]
fn a_retried_message_is_one_message() {
    let script = |ledger: &Ledger| {
        ledger.sends(1, "a");
        ledger.sends(2, "a");
        ledger.stores("a");
        ledger.stores("a");
    };
    assert_eq!(faults(&["a"], script), []);
    assert_eq!(faults(&["a", "a"], script), [Fault::Doubled { id: id("a") }]);
}

#[test]
fn a_copy_under_another_id_is_found_by_its_text() {
    let copy = Stored { id: id("other"), ..stored("a") };
    let found = faults_of(&[stored("a"), copy], |ledger| ledger.says("a"));
    assert_eq!(found, [Fault::Doubled { id: id("a") }]);
}

#[test]
fn an_id_that_the_server_chose_is_as_good() {
    let renamed = Stored { id: id("chosen"), ..stored("a") };
    let found = faults_of(&[renamed], |ledger| {
        ledger.sends(1, "a");
        ledger.acked("a", "chosen");
    });
    assert_eq!(found, []);
}

#[test]
fn a_retry_answered_with_another_message_is_found() {
    let found = faults(&["a", "b"], |ledger| {
        ledger.says("a");
        ledger.says("b");
        ledger.sends(1, "b");
        ledger.acked("b", "a");
    });
    assert_eq!(found, [Fault::AnsweredAnother { id: id("b"), stored: id("a") }]);
}

#[test]
fn a_changed_a_strayed_and_an_invented_message_are_found() {
    let changed = Stored { body: id("something else"), ..stored("a") };
    assert_eq!(faults_of(&[changed], |ledger| ledger.says("a")), [Fault::Changed { id: id("a") }]);
    let strayed = Stored { room: id("elsewhere"), ..stored("a") };
    let fault = Fault::Strayed { id: id("a"), room: id("elsewhere") };
    assert_eq!(faults_of(&[strayed], |ledger| ledger.says("a")), [fault]);
    let found = faults(&["a", "ghost"], |ledger| ledger.says("a"));
    assert_eq!(found, [Fault::Invented { id: id("ghost") }]);
}

#[test]
fn a_refused_message_must_not_be_stored() {
    let script = |ledger: &Ledger| {
        ledger.sends(1, "a");
        ledger.refused("a");
    };
    assert_eq!(faults(&[], script), []);
    assert_eq!(faults(&["a"], script), [Fault::StoredThoughRefused { id: id("a") }]);
}

#[test]
fn what_was_acknowledged_before_something_was_sent_stands_before_it() {
    let one_after_the_other = |ledger: &Ledger| {
        ledger.sends(1, "a");
        ledger.stores("a");
        ledger.sends(2, "b");
        ledger.stores("b");
    };
    assert_eq!(faults(&["a", "b"], one_after_the_other), []);
    let fault = Fault::Misordered { first: id("a"), second: id("b") };
    assert_eq!(faults(&["b", "a"], one_after_the_other), [fault]);
}

#[test]
fn messages_in_flight_together_may_stand_either_way() {
    let together = |ledger: &Ledger| {
        ledger.sends(1, "a");
        ledger.sends(2, "b");
        ledger.stores("a");
        ledger.stores("b");
    };
    assert_eq!(faults(&["a", "b"], together), []);
    assert_eq!(faults(&["b", "a"], together), []);
}

#[test]
fn messages_of_one_connection_keep_their_order_even_in_flight() {
    let pipelined = |ledger: &Ledger| {
        ledger.sends(1, "a");
        ledger.sends(1, "b");
        ledger.stores("a");
        ledger.stores("b");
    };
    assert_eq!(faults(&["a", "b"], pipelined), []);
    let fault = Fault::LineMisordered { first: id("a"), second: id("b") };
    assert_eq!(faults(&["b", "a"], pipelined), [fault]);
    let retried = faults(&["b", "a"], |ledger| {
        pipelined(ledger);
        ledger.sends(2, "a");
    });
    assert_eq!(retried, [], "the second attempt may be the one that counted");
}

#[test]
fn a_hole_in_a_live_view_is_found_and_paging_fills_it() {
    let with_a_hole = |ledger: &Ledger| {
        ledger.opened(7, ROOM);
        ["a", "b", "c"].iter().for_each(|id| ledger.says(id));
        ledger.sees(7, &["a", "c"]);
    };
    let fault = Fault::Missed { socket: 7, id: id("b") };
    assert_eq!(faults(&["a", "b", "c"], with_a_hole), [fault]);
    let filled = faults(&["a", "b", "c"], |ledger| {
        with_a_hole(ledger);
        ledger.fetched(7, ROOM, "b");
    });
    assert_eq!(filled, []);
}

#[test]
fn what_was_sent_after_listening_began_must_come_even_as_the_first() {
    let found = faults(&["old", "a", "b"], |ledger| {
        ledger.says("old");
        ledger.opened(7, ROOM);
        ledger.says("a");
        ledger.says("b");
        ledger.sees(7, &["b"]);
    });
    assert_eq!(found, [Fault::Missed { socket: 7, id: id("a") }]);
}

#[test]
fn a_drained_listener_must_have_everything_to_the_last() {
    let deaf = |drained: bool| {
        faults(&["a", "b"], |ledger| {
            ledger.opened(7, ROOM);
            ledger.says("a");
            ledger.says("b");
            ledger.sees(7, &["a"]);
            ledger.closed(7, ROOM, drained);
        })
    };
    assert_eq!(deaf(true), [Fault::Missed { socket: 7, id: id("b") }]);
    assert_eq!(deaf(false), [], "one that hung up owes nothing");
}

#[test]
fn a_listener_that_was_told_to_fetch_again_is_excused_until_it_listens_again() {
    let jumped = |again: bool| {
        faults(&["a", "b", "c", "d"], |ledger| {
            ledger.opened(7, ROOM);
            ledger.says("a");
            ledger.sees(7, &["a"]);
            ledger.jumped(7, ROOM);
            ledger.says("b");
            if again {
                ledger.opened(7, ROOM);
            }
            ledger.says("c");
            ledger.says("d");
            ledger.sees(7, &["d"]);
        })
    };
    assert_eq!(jumped(false), []);
    assert_eq!(jumped(true), [Fault::Missed { socket: 7, id: id("c") }]);
}

#[test]
fn a_sight_that_is_double_late_changed_or_of_nothing_is_found() {
    let after_all = |sights: &dyn Fn(&Ledger)| {
        faults(&["a", "b"], |ledger| {
            ledger.says("a");
            ledger.says("b");
            ledger.opened(7, ROOM);
            sights(ledger);
        })
    };
    let socket = 7;
    let twice = after_all(&|ledger| ledger.sees(7, &["a", "a"]));
    assert_eq!(twice, [Fault::SeenTwice { socket, id: id("a") }]);
    let late = after_all(&|ledger| ledger.sees(7, &["b", "a"]));
    assert_eq!(late, [Fault::SeenOutOfOrder { socket, id: id("a") }]);
    let phantom = after_all(&|ledger| ledger.sees(7, &["ghost"]));
    assert_eq!(phantom, [Fault::Phantom { socket, id: id("ghost") }]);
    let changed = after_all(&|ledger| ledger.saw(7, ROOM, "a", "something else"));
    assert_eq!(changed, [Fault::SeenChanged { socket, id: id("a") }]);
}

#[test]
fn a_verdict_counts_and_shows_what_it_found() {
    let ledger = Ledger::default();
    ledger.says("a");
    ledger.says("b");
    let verdict = judge(&ledger.entries(), &all_stored(&["b"]));
    assert!(!verdict.sound());
    assert!(verdict.to_string().contains("sent 2, acknowledged 2, stored 1"), "{verdict}");
    assert!(verdict.to_string().contains("Lost"), "{verdict}");
}

/// A small seeded source of choices: runs are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A server that keeps every promise: senders and listeners interleaved at random, each with its own delay.
fn honest_run(dice: &mut Dice) -> (Vec<Entry>, Vec<Stored>) {
    const LISTENERS: usize = 3;
    let ledger = Ledger::default();
    let (mut history, mut in_flight): (Vec<Stored>, Vec<String>) = (Vec::new(), Vec::new());
    let mut unanswered: Vec<String> = Vec::new();
    let mut shown: BTreeMap<usize, usize> = BTreeMap::new();
    for step in 0..200 {
        match dice.below(5) {
            0 => {
                let name = format!("m{step}");
                ledger.sends(1000 + step, &name);
                in_flight.push(name);
            }
            1 if !in_flight.is_empty() => {
                let name = in_flight.swap_remove(dice.below(in_flight.len()));
                history.push(stored(&name));
                unanswered.push(name);
            }
            2 if !unanswered.is_empty() => {
                ledger.stores(&unanswered.swap_remove(dice.below(unanswered.len())));
            }
            3 => {
                let socket = dice.below(LISTENERS);
                shown.entry(socket).or_insert_with(|| {
                    ledger.opened(socket as u64, ROOM);
                    history.len()
                });
            }
            _ => {
                let socket = dice.below(LISTENERS);
                if let Some(next) = shown.get_mut(&socket).filter(|next| **next < history.len()) {
                    ledger.sees(socket as u64, &[&history[*next].id]);
                    *next += 1;
                }
            }
        }
    }
    for (socket, next) in shown {
        history[next..].iter().for_each(|message| ledger.sees(socket as u64, &[&message.id]));
        ledger.closed(socket as u64, ROOM, true);
    }
    (ledger.entries(), history)
}

/// Sights with one before and one after them on the same socket: those at the ends may not be owed.
fn inner_sights(entries: &[Entry]) -> Vec<usize> {
    let socket = |entry: &Entry| match entry {
        Entry::Saw { socket, .. } => Some(*socket),
        _ => None,
    };
    let inner = |at: &usize| {
        let wanted = socket(&entries[*at]);
        let same = |entry: &Entry| socket(entry) == wanted;
        wanted.is_some() && entries[..*at].iter().any(same) && entries[at + 1..].iter().any(same)
    };
    (0..entries.len()).filter(inner).collect()
}

#[test]
fn random_honest_runs_are_sound_and_any_tampering_is_found() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut tampered = 0;
    for _ in 0..300 {
        let (entries, history) = honest_run(&mut dice);
        judge(&entries, &history).assert_sound();
        let inner = inner_sights(&entries);
        if history.len() < 2 || inner.is_empty() {
            continue;
        }
        let mut fewer = entries.clone();
        fewer.remove(inner[dice.below(inner.len())]);
        let mut more = history.clone();
        more.push(history[dice.below(history.len())].clone());
        let mut changed = history.clone();
        changed[dice.below(history.len())].body.push('!');
        assert!(!judge(&fewer, &history).sound(), "a sight taken away");
        assert!(!judge(&entries, &more).sound(), "a message stored twice");
        assert!(!judge(&entries, &changed).sound(), "a message changed");
        tampered += 1;
    }
    assert!(tampered > 200, "{tampered}");
}

#[test]
fn whoever_was_barred_sees_what_was_sent_before_and_nothing_later() {
    let script = |ledger: &Ledger| {
        ledger.opened(7, ROOM);
        ledger.says("a");
        ledger.sends(1, "b");
        ledger.barred(7, ROOM);
        ledger.stores("b");
        ledger.says("c");
        ledger.sees(7, &["a", "b", "c"]);
    };
    assert_eq!(faults(&["a", "b", "c"], script), [Fault::Leaked { socket: 7, id: id("c") }]);
}

#[test]
fn whoever_was_barred_may_come_back() {
    let script = |ledger: &Ledger| {
        ledger.opened(7, ROOM);
        ledger.says("a");
        ledger.sees(7, &["a"]);
        ledger.barred(7, ROOM);
        ledger.says("b");
        ledger.opened(7, ROOM);
        ledger.fetched(7, ROOM, "b");
        ledger.says("c");
        ledger.sees(7, &["c"]);
    };
    assert_eq!(faults(&["a", "b", "c"], script), []);
}
