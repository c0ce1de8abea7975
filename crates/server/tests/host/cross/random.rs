//! Verbs and doors mixed at random by two people at once, while a third comes and goes: every listener tells the same story,
//! and it is the room's history. Each verb comes by each door that has a word for it, whatever the seed.

use std::collections::BTreeMap;

use parlor_testkit::{HostApp, HostPerson};
use serde_json::json;

use super::{
    doors::{DOORS, Door, Hands, rooms_socket, support_socket, ticket_socket},
    ears::{Ear, Seen, ears},
    members::{By, bring, doors, is_member, join, leave, put_out},
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

/// What somebody does through a door.
#[derive(Clone, Copy)]
enum Verb {
    Send,
    Edit,
    Delete,
    Read,
    Typing(bool),
}

/// Each verb by each door that has a word for it, more than once what makes messages, in an order of the dice.
fn deck(dice: &mut Dice, kind: Kind) -> Vec<(Verb, Door)> {
    let mut all = Vec::new();
    for door in Door::of(kind, |_| true) {
        let mut may = |has: bool, verbs: &[Verb]| {
            all.extend(verbs.iter().filter(|_| has).map(|verb| (*verb, door)));
        };
        may(true, &[Verb::Send; 3]);
        may(door.changes(), &[Verb::Edit, Verb::Edit, Verb::Delete]);
        may(door.reads(), &[Verb::Read]);
        may(door.types(), &[Verb::Typing(true), Verb::Typing(false)]);
    }
    for at in (1..all.len()).rev() {
        all.swap(at, dice.roll(at + 1));
    }
    all
}

/// One person's part of it; what stands of his messages is his own affair.
async fn act(mut hands: Hands, kind: Kind, name: &str, seed: u64) -> Hands {
    let mut dice = Dice::new(seed);
    let mut mine: Vec<String> = Vec::new();
    for (step, (verb, door)) in deck(&mut dice, kind).into_iter().enumerate() {
        if mine.is_empty() && matches!(verb, Verb::Edit | Verb::Delete) {
            let by = dice.door(kind, |_| true);
            mine.push(hands.send(by, &format!("{name} {step}, to be changed")).await);
        }
        let at = dice.roll(mine.len().max(1));
        match verb {
            Verb::Send => mine.push(hands.send(door, &format!("{name} {step}")).await),
            Verb::Edit => hands.edit(door, &mine[at], &format!("{name} {step}, changed")).await,
            Verb::Delete => hands.delete(door, &mine.swap_remove(at)).await,
            Verb::Read => hands.read(door).await,
            Verb::Typing(on) => hands.typing(door, on).await,
        }
    }
    hands
}

/// How often somebody comes and goes.
const ROUNDS: usize = 4;

/// Somebody comes by one door, opens the room by another, says something and goes, again and again.
async fn wander(stage: &Stage, dee: &HostPerson, seed: u64) {
    let mut dice = Dice::new(seed);
    let ways = doors(stage.kind);
    let mut way = || ways[dice.roll(ways.len())];
    let rounds = if ways.is_empty() { 0 } else { ROUNDS };
    for round in 0..rounds {
        let (come, go): (By, By) = (way(), way());
        match stage.kind {
            Kind::Channel => join(stage, come, dee).await,
            _ => bring(stage, come, dee).await,
        }
        match (round % 3, stage.kind) {
            (0, _) => drop(support_socket(&stage.server, dee, &stage.room).await),
            (1, Kind::Ticket) => drop(ticket_socket(&stage.server, dee).await),
            _ => drop(rooms_socket(&stage.server, dee, &stage.room).await),
        }
        let said = json!({"room_id": stage.room, "content": format!("dee {round}")});
        dee.rest.post("/api/chat/messages", said).await.expect(201);
        match stage.kind {
            Kind::Channel => leave(stage, go, dee).await,
            _ => put_out(stage, go, dee).await,
        }
    }
}

/// Everything about messages up to this one. Whoever comes and goes is told of in turn.
async fn story(ear: &mut Ear, last: &str) -> Vec<Seen> {
    let (mut all, mut dee) = (Vec::new(), false);
    loop {
        let seen = ear.next().await;
        if let Seen::Here { who, here } = &seen
            && who == "u-dee"
        {
            assert_ne!(*here, dee, "told twice by {}", ear.name());
            dee = *here;
        }
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
    let listener = listener(&stage).await;
    let dee = HostApp::person(&stage.server, "u-dee", &["USER"]).await;
    let mut ears = ears(&stage, &listener).await;
    let (ann, ben) = (Hands::of(&stage, &stage.ann).await, Hands::of(&stage, &stage.ben).await);
    let acting = tokio::join!(
        act(ann, kind, "ann", seed),
        act(ben, kind, "ben", seed + 1),
        wander(&stage, &dee, seed + 2)
    );
    let (mut ann, _ben, ()) = acting;
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
    for (door, mut list) in stage.lists(&listener).await {
        assert_eq!(list.pop().map(|(id, _)| id), Some(last.clone()));
        // A case begins with a message of its own.
        list.retain(|(id, _)| order.contains(id));
        // The inbox lists the newest fifty places of a room.
        let shown = wanted.len().min(list.len());
        assert!(shown == wanted.len() || door == "inbox", "listed by {door} (seed {seed})");
        assert_eq!(list, wanted[wanted.len() - shown..], "listed by {door} (seed {seed})");
    }
    one_number_of_unread(&stage, &listener, seed).await;
    if kind != Kind::Direct {
        let there = is_member(&stage).await;
        assert!(there.iter().all(|(_, there)| !there), "{there:?} (seed {seed})");
    }
}

/// Who hears all of it: somebody who does nothing, where there can be one.
async fn listener(stage: &Stage) -> HostPerson {
    let (cy, room) = (&stage.cy, &stage.room);
    match stage.kind {
        Kind::Direct => return stage.ben.clone(),
        Kind::Channel => drop(cy.rest.post("channels.join", json!({"roomId": room})).await.expect(200)),
        Kind::Case => {
            let path = format!("/api/conversations/{room}/participants");
            drop(stage.ben.rest.post(&path, json!({"user_id": cy.id})).await.expect(200));
        }
        Kind::Group | Kind::Ticket => {}
    }
    cy.clone()
}

/// There is something new, the last word at least, and each door counts the same.
async fn one_number_of_unread(stage: &Stage, who: &HostPerson, seed: u64) {
    let told = stage.unread(who).await;
    let numbers: Vec<u64> = told.iter().filter_map(|(_, number)| number.as_u64()).collect();
    let ([mark, rest @ ..], true) = (&numbers[..], numbers.len() == told.len()) else {
        panic!("no numbers: {told:?} (seed {seed})");
    };
    assert!(*mark == 1 && rest[0] >= 1 && rest.iter().all(|n| *n == rest[0]), "{told:?} (seed {seed})");
}

/// S0-68, S0-78, S2-5, S4-40: in a room in which six doors meet.
#[tokio::test]
async fn s0_68_s0_78_s2_5_s4_40_mixed_at_random_all_doors_tell_one_story_of_a_group() {
    mixed_at_random(Kind::Group).await;
}

/// S0-68, S0-80: in a channel, into which people come by themselves.
#[tokio::test]
async fn s0_68_s0_80_mixed_at_random_all_doors_tell_one_story_of_a_channel() {
    mixed_at_random(Kind::Channel).await;
}

/// S3-1, S3-2: between two.
#[tokio::test]
async fn s3_1_s3_2_mixed_at_random_all_doors_tell_one_story_of_a_direct_room() {
    mixed_at_random(Kind::Direct).await;
}

/// S2-1, S2-5: in a case.
#[tokio::test]
async fn s2_1_s2_5_mixed_at_random_all_doors_tell_one_story_of_a_case() {
    mixed_at_random(Kind::Case).await;
}

/// S4-5, S4-40, S4-50: in a ticket, where all eight meet.
#[tokio::test]
async fn s4_5_s4_40_s4_50_mixed_at_random_all_doors_tell_one_story_of_a_ticket() {
    mixed_at_random(Kind::Ticket).await;
}
