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
    let first = time.millis().max(-62_135_596_800_000);
    let stamp = jiff::Timestamp::from_millisecond(first).unwrap_or(jiff::Timestamp::MAX);
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
    // The last day of the calendar is no timestamp in every zone, and the usual way to say "everything".
    if let Ok(date) = text.strip_suffix('Z').unwrap_or(text).parse::<jiff::civil::DateTime>() {
        let since = date.duration_since(jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        return i64::try_from(since.as_millis()).ok().map(Time);
    }
    read_worded(text).map(|stamp| Time(stamp.as_millisecond()))
}

/// Dates as JavaScript puts them into a text, as letters bear them, and with an offset whose plus sign nobody encoded:
/// in a query that is a blank.
fn read_worded(text: &str) -> Option<jiff::Timestamp> {
    let words = text.split(" (").next().unwrap_or(text).replacen("GMT ", "GMT+", 1);
    if let Ok(stamp) = jiff::Timestamp::strptime("%a %b %d %Y %H:%M:%S GMT%z", &words) {
        return Some(stamp);
    }
    if let Ok(date) = jiff::fmt::rfc2822::parse(&words) {
        return Some(date.timestamp());
    }
    let (date, offset) = text.rsplit_once(' ')?;
    format!("{date}+{offset}").parse().ok()
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

    #[test]
    fn a_date_is_read_however_clients_write_it() {
        for text in [
            "2020-01-01T00:00:00.000Z",
            "2020-01-01T00:00:00",
            "2020-01-01",
            "1577836800000",
            "Wed, 01 Jan 2020 00:00:00 GMT",
            "Wed Jan 01 2020 00:00:00 GMT+0000 (Coordinated Universal Time)",
            "Wed Jan 01 2020 01:00:00 GMT 0100 (Central European Standard Time)",
            "2020-01-01T01:00:00.000 01:00",
        ] {
            assert_eq!(read_text(text), Some(Time(1_577_836_800_000)), "{text}");
        }
        assert_eq!(read_text("9999-12-31T23:59:59.000Z"), Some(Time(253_402_300_799_000)));
        assert_eq!(read_text("0001-01-01T00:00:00.000Z"), Some(Time(-62_135_596_800_000)));
        assert!(iso(Time(i64::MAX)).starts_with("9999-12-30T"), "{}", iso(Time(i64::MAX)));
        for text in ["", " ", "GMT ", "(", "2020-13-01T00:00:00Z", "Wed Jan 41 2020 00:00:00 GMT+0000", "x y"]
        {
            assert_eq!(read_text(text), None, "{text}");
        }
    }
}
