//! Reading what clients send, field by field: each fault is noted with its field, and all are told together.

use std::ops::RangeInclusive;

use parlor_core::json::Json;
use serde_json::{Map, Value};

use crate::problem::{Fault, Problem};

/// Deepest nesting of a body.
pub const MAX_DEPTH: usize = 64;

/// Bounds of a text, in Unicode code points.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// At least so many.
    pub least: usize,
    /// At most so many.
    pub most: usize,
}

impl Text {
    /// An id: whether it is one is told by looking it up, so that a wrong one is answered like an unknown one.
    pub const ID: Self = Self { least: 0, most: 1000 };
    /// Any text up to the size of a body; the core knows the bounds of messages.
    pub const MESSAGE: Self = Self { least: 0, most: usize::MAX };
    /// From `least` to `most`.
    pub const fn new(least: usize, most: usize) -> Self {
        Self { least, most }
    }
}

/// The fields of an object, or of a frame whose fields stand in `data` or beside it.
pub struct Fields<'a> {
    first: &'a Map<String, Value>,
    second: Option<&'a Map<String, Value>>,
    place: &'static str,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// The fields of a body.
    pub fn new(object: &'a Map<String, Value>) -> Self {
        Self { first: object, second: None, place: "body", faults: Vec::new() }
    }

    /// A field is looked for in `first`, then in `second`.
    pub fn of_two(first: &'a Map<String, Value>, second: &'a Map<String, Value>) -> Self {
        Self { second: Some(second), ..Self::new(first) }
    }

    /// The value of a field; `null` counts as absent.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        let found = self.first.get(name).or_else(|| self.second?.get(name));
        found.filter(|value| !value.is_null())
    }

    /// Whether the field is there, `null` or not.
    pub fn has(&self, name: &str) -> bool {
        self.first.contains_key(name) || self.second.is_some_and(|second| second.contains_key(name))
    }

    /// Notes a fault of one's own.
    pub fn fault(&mut self, field: &str, problem: impl Into<String>) {
        self.faults.push(Fault { place: self.place, ..Fault::body(field, problem) });
    }

    /// Notes that a field is not there.
    pub fn missing(&mut self, field: &str) {
        let fault = Fault { place: self.place, missing: true, ..Fault::body(field, "is required") };
        self.faults.push(fault);
    }

    /// A text.
    pub fn text(&mut self, name: &str, bounds: Text) -> Option<String> {
        let Some(text) = self.value(name)?.as_str() else {
            self.fault(name, "must be a string");
            return None;
        };
        let long = text.len() > bounds.most && text.chars().count() > bounds.most;
        if long {
            self.fault(name, format!("must have at most {} characters", bounds.most));
        } else if text.len() < bounds.least || (bounds.least > 0 && text.trim().is_empty()) {
            self.fault(name, "must not be empty");
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// A text that must be there; empty when it is not, which [`Fields::done`] tells.
    pub fn need_text(&mut self, name: &str, bounds: Text) -> String {
        if self.value(name).is_none() {
            self.missing(name);
        }
        self.text(name, bounds).unwrap_or_default()
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        let flag = self.value(name)?.as_bool();
        if flag.is_none() {
            self.fault(name, "must be true or false");
        }
        flag
    }

    /// `true` or `false`, which must be there.
    pub fn need_flag(&mut self, name: &str) -> bool {
        if self.value(name).is_none() {
            self.missing(name);
        }
        self.flag(name).unwrap_or_default()
    }

    /// A whole number within bounds.
    pub fn integer(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(name)?;
        match value.as_i64() {
            Some(number) if bounds.contains(&number) => Some(number),
            Some(_) => {
                self.fault(name, format!("must be from {} to {}", bounds.start(), bounds.end()));
                None
            }
            None => {
                self.fault(name, "must be an integer");
                None
            }
        }
    }

    /// A list of texts, at most `most`.
    pub fn texts(&mut self, name: &str, most: usize) -> Option<Vec<String>> {
        let list = self.list(name, most)?;
        let texts: Option<Vec<String>> = list.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        if texts.is_none() {
            self.fault(name, "must be a list of strings");
        }
        texts
    }

    /// A list of anything, at most `most` items.
    pub fn list(&mut self, name: &str, most: usize) -> Option<&'a [Value]> {
        match self.value(name)?.as_array() {
            Some(list) if list.len() <= most => Some(list),
            Some(_) => {
                self.fault(name, format!("must have at most {most} items"));
                None
            }
            None => {
                self.fault(name, "must be a list");
                None
            }
        }
    }

    /// A JSON object, for what the core only carries.
    pub fn object(&mut self, name: &str) -> Option<Json> {
        let value = self.value(name)?;
        if value.is_object() {
            return Some(Json::new(value.to_string()));
        }
        self.fault(name, "must be an object");
        None
    }

    /// `client_id`, or its other spelling.
    pub fn client_id(&mut self, names: &[&str]) -> Option<String> {
        let name = names.iter().find(|name| self.value(name).is_some())?;
        let text = self.text(name, Text::MESSAGE)?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            return Some(text);
        }
        self.fault(name, "must be 1 to 64 of A-Z a-z 0-9 _ . : -");
        None
    }

    /// Refuses if anything was wrong.
    ///
    /// # Errors
    /// `validation_failed` with all faults.
    pub fn done(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::validation(self.faults)) }
    }
}

/// Whether a JSON text nests deeper than [`MAX_DEPTH`]; looks at brackets outside strings only.
pub fn too_deep(text: &[u8], most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Reads a JSON object.
///
/// # Errors
/// `bad_json` for no JSON, too deep JSON, and `validation_failed` for JSON that is no object.
pub fn read_object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    if too_deep(bytes, MAX_DEPTH) {
        return Err(Problem::bad_json("The body is nested too deeply"));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::invalid("body", "must be an object")),
        Err(_) => Err(Problem::bad_json("The body is no valid JSON")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn every_wrong_field_is_told_and_null_is_absent() {
        let body = map(json!({"a": 1, "b": "x", "c": null, "d": ["y", 2], "e": "  ", "f": {"$ne": 1}}));
        let mut fields = Fields::new(&body);
        assert_eq!(fields.text("a", Text::ID), None);
        assert_eq!(fields.text("b", Text::ID).as_deref(), Some("x"));
        assert_eq!(fields.text("c", Text::ID), None);
        assert_eq!(fields.texts("d", 5), None);
        assert_eq!(fields.need_text("e", Text::new(1, 10)), "");
        assert_eq!(fields.text("f", Text::ID), None);
        assert_eq!(fields.need_text("g", Text::ID), "");
        let told: Vec<String> = fields.done().unwrap_err().faults.into_iter().map(|f| f.field).collect();
        assert_eq!(told, ["a", "d", "e", "f", "g"]);
    }

    #[test]
    fn the_first_object_wins_over_the_second() {
        let (data, top) = (map(json!({"a": "in data"})), map(json!({"a": "top", "b": "top"})));
        let mut fields = Fields::of_two(&data, &top);
        assert_eq!(fields.text("a", Text::ID).as_deref(), Some("in data"));
        assert_eq!(fields.text("b", Text::ID).as_deref(), Some("top"));
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_texts_do_not_count() {
        assert!(read_object(format!("{{\"a\":{}{}}}", "[".repeat(63), "]".repeat(63)).as_bytes()).is_ok());
        assert!(read_object(format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64)).as_bytes()).is_err());
        assert!(!too_deep(br#"{"a":"[[[[\"[[["}"#, 2));
        assert_eq!(read_object(b"[]").unwrap_err().code, "validation_failed");
        assert_eq!(read_object(b"{").unwrap_err().code, "bad_json");
    }

    #[test]
    fn a_client_id_has_its_pattern_and_two_spellings() {
        let body = map(json!({"clientId": "c-1", "client_id": "a b"}));
        assert_eq!(Fields::new(&body).client_id(&["clientId", "client_id"]).as_deref(), Some("c-1"));
        let mut fields = Fields::new(&body);
        assert_eq!(fields.client_id(&["client_id"]), None);
        assert!(fields.done().is_err());
    }
}
