//! Opening sockets: greeted, signed in, listening, with a page of history.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::pool::{Hears, Pool};
use crate::stage::Player;
use crate::wire;

/// Sockets that are being opened at the same time.
const AT_ONCE: usize = 32;
/// The id of the last request of an entry.
const LAST: u64 = 2;

/// Who comes in, and what they listen to.
#[derive(Clone)]
pub struct Entry {
    pub player: Player,
    /// The room whose messages are listened to, if any.
    pub room: Option<String>,
    /// Messages of its history that are asked for.
    pub history: usize,
    /// Further streams of one's own.
    pub own: &'static [&'static str],
}

/// What a client of a person listens to besides its rooms.
pub const OWN: &[&str] = &["notification", "subscriptions-changed", "rooms-changed"];

#[derive(Default)]
struct Entering<'a> {
    entries: &'a [Entry],
    /// The number of the first socket.
    first: usize,
    ready: Vec<usize>,
    done: usize,
}

/// Opens a socket for each entry; how long it took. The first gets the pool's next number, and so on.
pub fn enter(pool: &mut Pool, first: usize, entries: &[Entry]) -> Result<Duration> {
    let began = Instant::now();
    let mut state = Entering { entries, first, ready: vec![0; entries.len()], done: 0 };
    for opened in 0..entries.len() {
        pool.turn_until(&mut state, |state| opened - state.done < AT_ONCE)?;
        ensure!(pool.open()? == first + opened, "sockets are numbered in their order");
    }
    pool.turn_until(&mut state, |state| state.done == entries.len())?;
    for (entry, ready) in entries.iter().zip(&state.ready) {
        ensure!(*ready == entry.subscriptions(), "a subscription was refused");
    }
    Ok(began.elapsed())
}

impl Entry {
    fn subscriptions(&self) -> usize {
        usize::from(self.room.is_some()) + self.own.len()
    }

    /// Everything at once: requests are answered in their order, and nobody needs to wait in between.
    fn say(&self, out: &mut Vec<u8>) {
        let mut say = |frame: String| wire::text(out, frame.as_bytes());
        say(r#"{"msg":"connect","version":"1","support":["1"]}"#.to_owned());
        let token = &self.player.token;
        say(format!(r#"{{"msg":"method","id":"1","method":"login","params":[{{"resume":"{token}"}}]}}"#));
        if let Some(room) = &self.room {
            say(format!(
                r#"{{"msg":"sub","id":"room","name":"stream-room-messages","params":["{room}",false]}}"#
            ));
        }
        for stream in self.own {
            let id = &self.player.id;
            say(format!(
                r#"{{"msg":"sub","id":"{stream}","name":"stream-notify-user","params":["{id}/{stream}",false]}}"#
            ));
        }
        match &self.room {
            Some(room) if self.history > 0 => say(format!(
                r#"{{"msg":"method","id":"2","method":"loadHistory","params":["{room}",null,{}]}}"#,
                self.history
            )),
            _ => say(r#"{"msg":"method","id":"2","method":"public-settings/get","params":[{"$date":9999999999999}]}"#
                .to_owned()),
        }
    }
}

impl Hears for Entering<'_> {
    fn opened(&mut self, line: usize, out: &mut Vec<u8>) {
        if let Some(entry) = self.entries.get(line - self.first) {
            entry.say(out);
        }
    }

    fn heard(&mut self, line: usize, text: &[u8], _: &mut Vec<u8>) -> Result<()> {
        if text.starts_with(br#"{"msg":"ready""#) && line >= self.first {
            self.ready[line - self.first] += 1;
        }
        match wire::result(text) {
            Some((_, false)) => bail!("refused: {}", String::from_utf8_lossy(text)),
            Some((LAST, true)) => self.done += 1,
            _ => {}
        }
        Ok(())
    }
}
