//! Times on the wire.

use std::time::Duration;

use parlor_core::clock::Time;

/// `2026-11-20T09:15:00.120Z`; moments outside the calendar are clamped.
pub fn iso(time: Time) -> String {
    let stamp = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or(match time.millis() {
        past if past < 0 => jiff::Timestamp::UNIX_EPOCH,
        _ => jiff::Timestamp::MAX,
    });
    format!("{stamp:.3}")
}

/// As [`iso`], `null` for no time.
pub fn iso_or_null(time: Option<Time>) -> serde_json::Value {
    time.map(iso).into()
}

/// How long from `now` until `end`; nothing when it is over.
pub fn until(now: Time, end: Time) -> Duration {
    Duration::from_millis(u64::try_from(end.millis().saturating_sub(now.millis())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_milliseconds_and_a_z() {
        assert_eq!(iso(Time(1_795_166_100_120)), "2026-11-20T09:15:00.120Z");
        assert_eq!(iso(Time(0)), "1970-01-01T00:00:00.000Z");
        assert!(iso(Time(i64::MAX)).starts_with("9999-12-30"));
    }
}
