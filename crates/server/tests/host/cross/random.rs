//! Verbs and doors mixed at random by two people at once: every listener tells the same story, and it is the room's history.

use std::collections::BTreeMap;

use parlor_testkit::HostApp;

use super::{
    doors::{DOORS, Door, Hands},
    ears::{Ear, Seen, ears},
    stage::{Kind, Stage},
};

/// A small generator of numbers, so that a run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap_or_default()
    }
    /// A door of those that meet here and have a word for it.
    fn door(&mut self, kind: Kind, has: impl Fn(Door) -> bool) -> Door {
        loop {
            let door = DOORS[self.roll(DOORS.len())];
            if door.meets(kind) && has(door) {
                return door;
            }
        }
    }
}

/// One person's part of it; what stands of his messages is his own affair.
async fn act(mut hands: Hands, kind: Kind, name: &str, seed: u64, steps: usize) -> Hands {
    let mut dice = Dice::new(seed);
    let mut mine: Vec<String> = Vec::new();
    for step in 0..steps {
        match dice.roll(10) {
            0 | 1 if !mine.is_empty() => {
                let at = dice.roll(mine.len());
                hands
                    .edit(dice.door(kind, Door::changes), &mine[at], &format!("{name} {step}, changed"))
                    .await;
            }
            2 if !mine.is_empty() => {
                let at = dice.roll(mine.len());
                let id = mine.swap_remove(at);
                hands.delete(dice.door(kind, Door::changes), &id).await;
            }
            3 => hands.read(dice.door(kind, Door::reads)).await,
            4 => hands.typing(dice.door(kind, Door::types), dice.roll(2) == 0).await,
            _ => mine.push(hands.send(dice.door(kind, |_| true), &format!("{name} {step}")).await),
        }
    }
    hands
}

/// Everything about messages up to this one.
async fn story(ear: &mut Ear, last: &str) -> Vec<Seen> {
    let mut all = Vec::new();
    loop {
        let seen = ear.next().await;
        if seen.id().is_none() {
            continue;
        }
        if seen.id() == Some(last) {
            return all;
        }
        all.push(seen);
    }
}

/// The order in which messages came, and what stands at the end.
fn outcome(story: &[Seen]) -> (Vec<String>, BTreeMap<String, String>) {
    let (mut order, mut standing) = (Vec::new(), BTreeMap::new());
    for seen in story {
        match seen {
            Seen::Sent { id, said } => {
                order.push(id.clone());
                standing.insert(id.clone(), said.clone());
            }
            Seen::Edited { id, said } => {
                assert!(
                    standing.insert(id.clone(), said.clone()).is_some(),
                    "changed before it was sent: {id}"
                );
            }
            Seen::Deleted { id } => drop(standing.remove(id)),
            _ => {}
        }
    }
    let sent = order.len();
    let mut once = order.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), sent, "each once");
    (order, standing)
}

/// `PARLOR_SEED` plays another case, `PARLOR_CASES` so many from that one on, `PARLOR_STORE=postgres` on PostgreSQL.
async fn mixed_at_random(kind: Kind) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("PARLOR_SEED").unwrap_or(17);
    for seed in first..first + number("PARLOR_CASES").unwrap_or(1) {
        one_case(kind, seed).await;
    }
}

async fn one_case(kind: Kind, seed: u64) {
    let mut setup = HostApp::setup();
    if std::env::var("PARLOR_STORE").is_ok_and(|store| store == "postgres") {
        // Its client waits in its own way.
        let database = || parlor_testkit::postgres::shared().expect("PostgreSQL is installed").database();
        let database = tokio::task::spawn_blocking(database).await.expect("a database of its own");
        setup = setup.database(&database);
    }
    let stage = Stage::on(setup.start().await, kind).await;
    let mut ears = ears(&stage, &stage.cy).await;
    let (ann, ben) = (Hands::of(&stage, &stage.ann).await, Hands::of(&stage, &stage.ben).await);
    let acting = tokio::join!(act(ann, kind, "ann", seed, 45), act(ben, kind, "ben", seed + 1, 45));
    let (mut ann, _ben) = acting;
    let last = ann.send(Door::RocketRest, "the last").await;

    let mut told: Option<Vec<Seen>> = None;
    let mut outcomes = Vec::new();
    for ear in &mut ears {
        let heard = story(ear, &last).await;
        outcomes.push((ear.name(), outcome(&heard)));
        // The inbox tells of a message as it is when it is told; the others tell each change.
        if matches!(ear, Ear::Inbox(..)) {
            continue;
        }
        match &told {
            None => told = Some(heard),
            Some(told) => assert_eq!(heard, *told, "by {} (seed {seed})", ear.name()),
        }
    }
    let (_, (order, standing)) = outcomes[0].clone();
    for (ear, (their_order, their_standing)) in &outcomes {
        // A message that was removed before the inbox came to it is told by nobody there.
        let told = |id: &&String| *ear != "inbox" || standing.contains_key(*id) || their_order.contains(id);
        let expected: Vec<String> = order.iter().filter(told).cloned().collect();
        assert_eq!((their_order, their_standing), (&expected, &standing), "by {ear} (seed {seed})");
    }
    let wanted: Vec<(String, String)> =
        order.iter().filter_map(|id| Some((id.clone(), standing.get(id)?.clone()))).collect();
    for (door, mut list) in stage.lists(&stage.cy).await {
        assert_eq!(list.pop().map(|(id, _)| id), Some(last.clone()));
        // The inbox lists the newest fifty places of a room.
        let shown = wanted.len().min(list.len());
        assert!(shown == wanted.len() || door == "inbox", "listed by {door} (seed {seed})");
        assert_eq!(list, wanted[wanted.len() - shown..], "listed by {door} (seed {seed})");
    }
}

/// S0-68, S0-78, S2-5, S4-40: in a room in which six doors meet.
#[tokio::test]
async fn s0_68_s0_78_s2_5_s4_40_mixed_at_random_all_doors_tell_one_story_of_a_group() {
    mixed_at_random(Kind::Group).await;
}

/// S4-5, S4-40, S4-50: in a ticket, where all eight meet.
#[tokio::test]
async fn s4_5_s4_40_s4_50_mixed_at_random_all_doors_tell_one_story_of_a_ticket() {
    mixed_at_random(Kind::Ticket).await;
}
