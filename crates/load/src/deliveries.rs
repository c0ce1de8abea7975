//! Deliveries: one who sends, and everybody who listens.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;

use crate::entering::{Entry, enter};
use crate::figures::Times;
use crate::pool::{Hears, Pool};
use crate::process;
use crate::sends::{WORDS, random_id};
use crate::stage::Stage;
use crate::wire;

/// The sender's socket.
const SENDER: usize = 0;

/// How messages follow each other.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// So many at once, and the next ones when all of them have reached everybody.
    Bursts(usize),
    /// One at a time, so many a second, whatever has arrived.
    Steady(u32),
}

/// What came of it.
pub struct Delivered {
    pub count: usize,
    pub took: Duration,
    pub cpu: Duration,
    pub acks: Times,
    pub deliveries: Times,
}

/// A room full of listeners and the socket that sends to it.
pub struct Hall {
    pool: Pool,
    listeners: Listeners,
}

struct Listeners {
    room: String,
    /// When each message left.
    sent: Vec<Instant>,
    acked: usize,
    /// The next message for each socket.
    next: Vec<usize>,
    /// Where the number of a message stands in its frame.
    place: usize,
    count: usize,
    acks: Times,
    times: Times,
}

/// What stands before a message's number.
const MARK: &[u8] = br#""msg":"no "#;
/// Digits of the number.
const DIGITS: usize = 8;

impl Hall {
    /// Lets in the sender, then so many listeners.
    pub fn open(stage: &Stage, listeners: usize) -> Result<Self> {
        let mut pool = Pool::new(stage.server.address())?;
        let people = stage.people.iter().cycle();
        let entry = |(number, player): (usize, &crate::stage::Player)| Entry {
            player: player.clone(),
            room: (number != SENDER).then(|| stage.hall.clone()),
            history: 0,
            own: &[],
        };
        let entries: Vec<Entry> = people.take(listeners + 1).enumerate().map(entry).collect();
        enter(&mut pool, 0, &entries)?;
        let listeners = Listeners {
            room: stage.hall.clone(),
            sent: Vec::new(),
            acked: 0,
            next: vec![0; entries.len()],
            place: 0,
            count: 0,
            acks: Times::default(),
            times: Times::default(),
        };
        Ok(Self { pool, listeners })
    }

    /// Sends at this pace for so long and waits until everybody has heard everything, once and in order.
    pub fn deliver(&mut self, pid: u32, pace: Pace, lasting: Duration) -> Result<Delivered> {
        self.run(pace, lasting / 10)?;
        (self.listeners.acks, self.listeners.times) = Default::default();
        let (began, before, already) = (Instant::now(), process::cpu(pid)?, self.listeners.count);
        self.run(pace, lasting)?;
        let (took, cpu) = (began.elapsed(), process::cpu(pid)? - before);
        let count = self.listeners.count - already;
        let (acks, deliveries) =
            (std::mem::take(&mut self.listeners.acks), std::mem::take(&mut self.listeners.times));
        ensure!(deliveries.len() == count, "each delivery has its time");
        Ok(Delivered { count, took, cpu, acks, deliveries })
    }

    fn run(&mut self, pace: Pace, lasting: Duration) -> Result<()> {
        let began = Instant::now();
        let mut sent = 0;
        while began.elapsed() < lasting {
            match pace {
                Pace::Bursts(size) => {
                    self.say(size)?;
                    self.settle()?;
                }
                Pace::Steady(rate) => {
                    let due = (began.elapsed().as_secs_f64() * f64::from(rate)) as usize;
                    if due > sent {
                        self.say(due - sent)?;
                        sent = due;
                    }
                    self.pool.turn(Duration::from_millis(1), &mut self.listeners)?;
                }
            }
        }
        self.settle()
    }

    fn say(&mut self, count: usize) -> Result<()> {
        let mut out = Vec::new();
        for _ in 0..count {
            let number = self.listeners.sent.len();
            let (id, room) = (random_id(u64::MAX >> 30, number as u64), &self.listeners.room);
            let frame = format!(
                r#"{{"msg":"method","id":"{number}","method":"sendMessage","params":[{{"_id":"{id}","rid":"{room}","msg":"no {number:0DIGITS$} {WORDS}"}}]}}"#
            );
            wire::text(&mut out, frame.as_bytes());
            self.listeners.sent.push(Instant::now());
        }
        self.pool.send(SENDER, &out)
    }

    /// Until everything has reached everybody.
    fn settle(&mut self) -> Result<()> {
        self.pool.turn_until(&mut self.listeners, Listeners::is_done)
    }
}

impl Listeners {
    fn is_done(&self) -> bool {
        self.count == self.sent.len() * (self.next.len() - 1) && self.acked == self.sent.len()
    }

    /// The number of the message that a frame brings.
    fn number(&mut self, text: &[u8]) -> Option<usize> {
        let stands = |place: usize| text.get(place..place + MARK.len()) == Some(MARK);
        if !stands(self.place) {
            self.place = memmem::find(text, MARK)?;
        }
        let digits = text.get(self.place + MARK.len()..)?.get(..DIGITS)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

impl Hears for Listeners {
    fn opened(&mut self, _: usize, _: &mut Vec<u8>) {}

    fn heard(&mut self, line: usize, text: &[u8], _: &mut Vec<u8>) -> Result<()> {
        if line == SENDER {
            if let Some((number, good)) = wire::result(text) {
                ensure!(good, "a message was refused: {}", String::from_utf8_lossy(text));
                let since = self.sent.get(number as usize).context("an answer to nothing")?;
                self.acks.add(since.elapsed());
                self.acked += 1;
            }
            return Ok(());
        }
        if !text.starts_with(br#"{"msg":"changed""#) {
            return Ok(());
        }
        let Some(number) = self.number(text) else { bail!("an event without its number") };
        let expected = self.next[line];
        ensure!(number == expected, "socket {line} heard {number} where {expected} was next");
        self.next[line] += 1;
        self.count += 1;
        self.times.add(self.sent[number].elapsed());
        Ok(())
    }
}
