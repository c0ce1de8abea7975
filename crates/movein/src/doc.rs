//! A document of another chat, read with care: what is not there or of another type is absent.

use parlor_core::{clock::Time, json::Json};
use serde_json::{Map, Value};

/// Longest JSON that is carried along, in bytes.
const MOST_CARRIED: usize = 64 * 1024;

/// An object with Rocket.Chat's keys, from a database dump or from its REST API. Dates are `{"$date": …}` or ISO texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Doc(pub(crate) Map<String, Value>);

impl Doc {
    pub(crate) fn of(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            _ => Self::default(),
        }
    }
    /// A value by its path, such as `u._id`.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        let mut keys = path.split('.');
        let mut found = self.0.get(keys.next()?)?;
        for key in keys {
            found = found.as_object()?.get(key)?;
        }
        Some(found)
    }
    /// A text without NUL characters, as long as it says something.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let text = self.at(path)?.as_str()?;
        if text.is_empty() { None } else { Some(text.replace('\0', "")) }
    }
    /// A text; empty when there is none.
    pub(crate) fn words(&self, path: &str) -> String {
        self.text(path).unwrap_or_default()
    }
    /// The document's own id.
    pub(crate) fn id(&self) -> String {
        self.words("_id")
    }
    pub(crate) fn flag(&self, path: &str) -> Option<bool> {
        self.at(path)?.as_bool()
    }
    pub(crate) fn is(&self, path: &str) -> bool {
        self.flag(path).unwrap_or_default()
    }
    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        self.at(path)?.as_f64()
    }
    pub(crate) fn time(&self, path: &str) -> Option<Time> {
        time(self.at(path)?)
    }
    /// The texts of a list.
    pub(crate) fn texts(&self, path: &str) -> Vec<String> {
        let items = self.at(path).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| item.as_str().map(|text| text.replace('\0', ""))).collect()
    }
    /// The objects of a list.
    pub(crate) fn docs(&self, path: &str) -> Vec<Doc> {
        let items = self.at(path).and_then(Value::as_array).into_iter().flatten();
        items.filter(|item| item.is_object()).cloned().map(Doc::of).collect()
    }
    /// An object that is carried along as it is; `None` when it is none, or too large.
    pub(crate) fn carried(&self, path: &str) -> Option<Json> {
        let value = self.at(path)?;
        if value.as_object()?.is_empty() { None } else { carried(value) }
    }
}

/// JSON with dates as ISO texts and without NUL characters; `None` when it is too large.
pub(crate) fn carried(value: &Value) -> Option<Json> {
    let text = plain(value).to_string();
    (text.len() <= MOST_CARRIED && !text.contains("\\u0000")).then(|| Json::new(text))
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => match time(value).and_then(iso) {
            Some(text) => Value::String(text),
            None => Value::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        },
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        other => other.clone(),
    }
}

fn iso(at: Time) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at.millis()).ok()?;
    Some(format!("{at:.3}"))
}

/// The last moment of the year 9999: later ones can't be written.
const LAST: i64 = 253_402_300_799_999;

/// A time that can be one: what lies before 1970 or behind the year 9999 is the nearest that can.
fn within(millis: i64) -> Time {
    Time(millis.clamp(0, LAST))
}

/// A moment, in any of the ways in which Rocket.Chat writes one.
pub(crate) fn time(value: &Value) -> Option<Time> {
    match value {
        Value::Object(map) if map.len() == 1 => match map.get("$date")? {
            Value::Number(millis) => millis.as_i64().map(within),
            other => time(other),
        },
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(|at| within(at.as_millisecond())),
        Value::Number(millis) => millis.as_i64().map(within),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_read_in_each_of_their_forms() {
        let doc = Doc::of(json!({
            "a": {"$date": 5}, "b": "1970-01-01T00:00:00.005Z", "c": {"$date": "1970-01-01T00:00:00.005Z"}, "d": true,
        }));
        for key in ["a", "b", "c"] {
            assert_eq!(doc.time(key), Some(Time(5)), "{key}");
        }
        assert_eq!(doc.time("d"), None);
    }

    #[test]
    fn what_is_carried_has_plain_dates_and_a_bound() {
        let value = json!({"ts": {"$date": 5}, "list": [{"$date": 0}]});
        let kept = carried(&value).map(|json| json.as_str().to_owned());
        let wanted = r#"{"list":["1970-01-01T00:00:00.000Z"],"ts":"1970-01-01T00:00:00.005Z"}"#;
        assert_eq!(kept.as_deref(), Some(wanted));
        assert!(carried(&json!({"x": "y".repeat(MOST_CARRIED)})).is_none());
    }

    #[test]
    fn paths_lead_through_objects_only() {
        let doc = Doc::of(json!({"u": {"_id": "x", "n": ""}, "l": ["a", 1, "b"]}));
        assert_eq!(doc.text("u._id").as_deref(), Some("x"));
        assert_eq!(doc.text("u.n"), None);
        assert_eq!(doc.text("u._id.more"), None);
        assert_eq!(doc.texts("l"), ["a", "b"]);
    }
}
