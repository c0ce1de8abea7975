//! Times on the wire.

use std::time::Duration;

use parlor_core::clock::Time;

/// A time as `2026-11-20T09:15:00.120Z`; moments outside the calendar are clamped.
#[derive(Clone, Copy, Debug)]
pub struct Iso(pub Time);

impl std::fmt::Display for Iso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.millis();
        let stamp = jiff::Timestamp::from_millisecond(millis).unwrap_or(match millis {
            past if past < 0 => jiff::Timestamp::UNIX_EPOCH,
            _ => jiff::Timestamp::MAX,
        });
        write!(f, "{stamp:.3}")
    }
}

impl serde::Serialize for Iso {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// As [`Iso`], as a text.
pub fn iso(time: Time) -> String {
    Iso(time).to_string()
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
