//! Dates on the wire: ISO 8601 with milliseconds and `Z` in REST, `{"$date": ms}` in DDP.

use parlor_core::clock::Time;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// In which form dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dates {
    /// REST.
    Iso,
    /// DDP and the strings within `method.call`.
    Ejson,
}

/// A time in its form.
pub(crate) struct Date(pub(crate) Time, pub(crate) Dates);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            Dates::Iso => serializer.serialize_str(&iso(self.0)),
            Dates::Ejson => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$date", &self.0.millis())?;
                map.end()
            }
        }
    }
}

impl Dates {
    /// As a JSON value.
    pub(crate) fn value(self, time: Time) -> serde_json::Value {
        match self {
            Self::Iso => iso(time).into(),
            Self::Ejson => serde_json::json!({ "$date": time.millis() }),
        }
    }
}

/// `2026-11-20T09:15:00.120Z`; moments outside the calendar are clamped.
pub(crate) fn iso(time: Time) -> String {
    let clamped = time.millis().clamp(-62_135_596_800_000, 253_402_300_799_999);
    let stamp = jiff::Timestamp::from_millisecond(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{stamp:.3}")
}

/// Reads what clients send: ISO text, milliseconds as number or digits, or `{"$date": ms}`.
pub(crate) fn read(value: &serde_json::Value) -> Option<Time> {
    match value {
        serde_json::Value::String(text) => read_text(text),
        serde_json::Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)).map(Time),
        serde_json::Value::Object(map) => map.get("$date").and_then(read),
        _ => None,
    }
}

/// Whether something that changed then is new to whoever knows everything up to `since`. What never changed bears the
/// first moment: whoever asks for what is new since then wants all.
pub(crate) fn is_newer(changed: Time, since: Option<Time>) -> bool {
    since.is_none_or(|since| since <= Time(0) || changed > since)
}

/// Reads a date in a query string.
pub(crate) fn read_text(text: &str) -> Option<Time> {
    if let Ok(millis) = text.parse::<i64>() {
        return Some(Time(millis));
    }
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some(Time(stamp.as_millisecond()));
    }
    let date: jiff::civil::DateTime = text.parse().ok()?;
    Some(Time(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_back_as_it_was_written() {
        let time = Time(1_795_000_000_120);
        assert_eq!(read_text(&iso(time)), Some(time));
        assert!(iso(time).ends_with(".120Z"), "{}", iso(time));
        assert_eq!(read(&Dates::Ejson.value(time)), Some(time));
        assert_eq!(read_text("yesterday"), None);
    }
}
