//! Durable sends: people who keep some messages in flight, each until it is acknowledged.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::entering::{Entry, enter};
use crate::figures::Times;
use crate::pool::{Hears, Pool};
use crate::process;
use crate::stage::{ROOMS, Stage};
use crate::wire;

/// About what people write.
pub const WORDS: &str =
    "as people write them: a sentence of about a hundred characters, now and then with more to say";

/// What came of it.
pub struct Sent {
    /// Acknowledged sends, those that were made to warm up left out.
    pub count: usize,
    pub took: Duration,
    pub cpu: Duration,
    pub acks: Times,
    /// All that was acknowledged, room by room.
    pub by_room: Vec<u64>,
}

struct Senders<'a> {
    stage: &'a Stage,
    in_flight: usize,
    /// No more is sent from here on.
    until: Instant,
    run: u64,
    next: u64,
    flying: HashMap<u64, (Instant, usize)>,
    acks: Times,
    by_room: Vec<u64>,
    acked: usize,
}

/// Sends from one socket for each room for so long; `run` keeps the ids of several runs apart.
pub fn sends(stage: &Stage, in_flight: usize, lasting: Duration, run: u64) -> Result<Sent> {
    let mut pool = Pool::new(stage.server.address())?;
    let entry = |room| Entry { player: stage.member(room, 0).clone(), room: None, history: 0, own: &[] };
    let entries: Vec<Entry> = (0..ROOMS).map(entry).collect();
    enter(&mut pool, 0, &entries)?;
    let warm = Instant::now() + lasting / 10;
    let mut senders = Senders {
        stage,
        in_flight,
        until: warm + lasting,
        run,
        next: 0,
        flying: HashMap::new(),
        acks: Times::default(),
        by_room: vec![0; ROOMS],
        acked: 0,
    };
    for line in 0..ROOMS {
        let mut out = Vec::new();
        (0..senders.in_flight).for_each(|_| senders.say(line, &mut out));
        pool.send(line, &out)?;
    }
    pool.turn_until(&mut senders, |_| Instant::now() >= warm)?;
    let (began, before, already) = (Instant::now(), process::cpu(stage.pid())?, senders.acked);
    senders.acks = Times::default();
    pool.turn_until(&mut senders, |senders| Instant::now() >= senders.until)?;
    let (took, cpu, count) = (began.elapsed(), process::cpu(stage.pid())? - before, senders.acked - already);
    let acks = std::mem::take(&mut senders.acks);
    pool.turn_until(&mut senders, |senders| senders.flying.is_empty())?;
    Ok(Sent { count, took, cpu, acks, by_room: senders.by_room })
}

/// Each acknowledged message is stored, once.
pub async fn check(stage: &Stage, before: &[u64], read_before: usize, runs: &[Sent]) -> Result<()> {
    for (number, room) in stage.rooms.iter().enumerate() {
        let said: u64 = runs.iter().map(|run| run.by_room[number]).sum();
        let stored = stage.count(room).await? - before[number];
        ensure!(said == stored, "{said} acknowledged in {room}, {stored} stored");
    }
    // One room is read as a whole: each text once.
    let mut bodies: Vec<String> = stage.stored(&stage.rooms[0]).await.into_iter().map(|m| m.body).collect();
    let read = bodies.len() as u64;
    bodies.sort_unstable();
    bodies.dedup();
    ensure!(bodies.len() as u64 == read, "{} of {read} messages are different", bodies.len());
    let said: u64 = runs.iter().map(|run| run.by_room[0]).sum();
    let read = read - read_before as u64;
    ensure!(read == said, "{said} acknowledged in a room, {read} read from it");
    Ok(())
}

impl Senders<'_> {
    fn say(&mut self, line: usize, out: &mut Vec<u8>) {
        if Instant::now() >= self.until {
            return;
        }
        let (number, run) = (self.next, self.run);
        self.next += 1;
        let (id, room) = (random_id(run, number), &self.stage.rooms[line]);
        let frame = format!(
            r#"{{"msg":"method","id":"{number}","method":"sendMessage","params":[{{"_id":"{id}","rid":"{room}","msg":"{run}-{number} {WORDS}"}}]}}"#
        );
        wire::text(out, frame.as_bytes());
        self.flying.insert(number, (Instant::now(), line));
    }
}

/// 17 characters as clients make them: spread all over, so that the index of ids is hit as in earnest.
pub fn random_id(run: u64, number: u64) -> String {
    const LETTERS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz";
    let mut state = (run << 40 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(LETTERS[(state >> 32) as usize % LETTERS.len()])
    };
    (0..17).map(letter).collect()
}

impl Hears for Senders<'_> {
    fn opened(&mut self, _: usize, _: &mut Vec<u8>) {}

    fn heard(&mut self, line: usize, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let Some((number, good)) = wire::result(text) else { return Ok(()) };
        if !good {
            bail!("a message was refused: {}", String::from_utf8_lossy(text));
        }
        let Some((since, room)) = self.flying.remove(&number) else { bail!("{number} was answered twice") };
        self.acks.add(since.elapsed());
        self.acked += 1;
        self.by_room[room] += 1;
        self.say(line, out);
        Ok(())
    }
}
