//! Structured logs. `PARLOR_LOG` says how much, as `tracing` filters do: `info`, `parlor_store=debug`, … The last lines
//! stay in memory too, for administrators who can't reach the machine.

use std::{collections::VecDeque, fmt::Write as _, io::IsTerminal as _};

use parking_lot::Mutex;
use parlor_core::{
    clock::Time,
    machine::{Level, LogFilter, LogLine},
};
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::Context, prelude::*};

use crate::config::LogFormat;

/// Lines that stay in memory, and characters of each: 4 MB at most, usually a tenth of that.
const LINES: usize = 2_000;
const LONGEST: usize = 2_000;

#[derive(Default)]
struct Ring {
    last: u64,
    lines: VecDeque<LogLine>,
}

static RING: Mutex<Ring> = Mutex::new(Ring { last: 0, lines: VecDeque::new() });

/// Starts logging to standard error; a second start changes nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("PARLOR_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let all = tracing_subscriber::registry().with(filter).with(Keeper);
    // Colours are for whoever sits at a terminal; in files and journals they would be noise between the words.
    let coloured =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let logs = fmt::layer().with_writer(std::io::stderr).with_ansi(coloured);
    let _ = match format {
        LogFormat::Text => all.with(logs.with_target(false)).try_init(),
        LogFormat::Json => all.with(logs.json()).try_init(),
    };
}

/// What was logged lately, the oldest first.
pub fn lately(wanted: LogFilter) -> Vec<LogLine> {
    let ring = RING.lock();
    let fits = |line: &&LogLine| line.id > wanted.after && line.level >= wanted.least;
    let mut found: Vec<_> = ring.lines.iter().rev().filter(fits).take(wanted.most).cloned().collect();
    found.reverse();
    found
}

/// Keeps each line in memory for a while.
struct Keeper;

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        // What libraries say in detail (statements, bytes of requests) is for who is at the machine.
        if *about.level() > tracing::Level::INFO && !about.target().starts_with("parlor") {
            return;
        }
        let level = match *about.level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        };
        let mut words = Words::default();
        event.record(&mut words);
        let text: String = format!("{}{}", words.message, words.fields).chars().take(LONGEST).collect();
        let at = Time(jiff::Timestamp::now().as_millisecond());
        let mut ring = RING.lock();
        ring.last += 1;
        let line = LogLine { id: ring.last, at, level, target: about.target().to_owned(), text };
        ring.lines.push_back(line);
        if ring.lines.len() > LINES {
            ring.lines.pop_front();
        }
    }
}

/// A line's message, and its fields behind it.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        // Writing into memory can't fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_stay_and_are_found_by_gravity_and_place() {
        let all = tracing_subscriber::registry().with(Keeper);
        tracing::subscriber::with_default(all, || {
            tracing::info!(room = "general", "somebody came");
            tracing::warn!("the disk is nearly full");
            for number in 0..LINES {
                tracing::debug!(number, "a detail");
            }
            tracing::debug!(target: "elsewhere", "the bytes of a request");
            tracing::error!("{}", "x".repeat(3 * LONGEST));
        });
        let wanted = |after, least, most| lately(LogFilter { after, least, most });
        assert!(wanted(0, Level::Debug, usize::MAX).len() <= LINES, "old lines go");
        let grave = wanted(0, Level::Error, 10);
        let last = grave.last().expect("it was logged");
        assert_eq!((last.level, last.text.len()), (Level::Error, LONGEST));
        assert_eq!(wanted(0, Level::Debug, 2).len(), 2);
        assert!(wanted(last.id, Level::Debug, 10).iter().all(|line| line.id > last.id));
        let details = wanted(0, Level::Debug, LINES);
        assert!(details.iter().all(|line| line.target != "elsewhere"), "details of libraries are not kept");
        assert!(details.iter().any(|line| line.text == "a detail number=1999"), "fields follow the message");
    }
}
