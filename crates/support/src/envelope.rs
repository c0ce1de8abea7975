//! Frames: what comes in, flat or with its fields in `data`, and what goes out, always flat.

use bytes::Bytes;
use parlor_core::clock::Time;
use parlor_host::{Fields, Problem, fields::too_deep, iso};
use parlor_live::frame_text;
use serde_json::{Map, Value};

/// Deepest nesting of a frame.
const MAX_DEPTH: usize = 64;
/// Longest `request_id`, in characters.
const MAX_REQUEST_ID: usize = 64;

/// A request of a client.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Which.
    pub(crate) kind: String,
    /// Given back with the answer.
    pub(crate) id: Option<Value>,
    /// `data` is there and no object: the request is refused by its own name.
    pub(crate) bad_data: bool,
    data: Map<String, Value>,
    top: Map<String, Value>,
}

/// A frame that is no request.
#[derive(Debug)]
pub(crate) struct NoRequest {
    pub(crate) problem: Problem,
    pub(crate) id: Option<Value>,
}

impl Frame {
    /// Reads a frame.
    pub(crate) fn read(text: &str) -> Result<Self, Box<NoRequest>> {
        let bad = |problem| Err(Box::new(NoRequest { problem, id: None }));
        if too_deep(text.as_bytes(), MAX_DEPTH) {
            return bad(Problem::bad_json("The frame is nested too deeply"));
        }
        let mut top = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return bad(Problem::invalid("frame", "must be an object")),
            Err(_) => return bad(Problem::bad_json("The frame is no valid JSON")),
        };
        let id = request_id(top.remove("request_id"));
        let kind = match top.remove("type") {
            Some(Value::String(kind)) => kind,
            None | Some(Value::Null) => {
                return Err(Box::new(NoRequest { problem: Problem::invalid("type", "is required"), id }));
            }
            Some(_) => {
                return Err(Box::new(NoRequest {
                    problem: Problem::invalid("type", "must be a string"),
                    id,
                }));
            }
        };
        let (data, bad_data) = match top.remove("data") {
            None | Some(Value::Null) => (Map::new(), false),
            Some(Value::Object(data)) => (data, false),
            Some(_) => (Map::new(), true),
        };
        Ok(Self { kind, id, bad_data, data, top })
    }

    /// The fields: each is looked for in `data`, then beside it.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::of_two(&self.data, &self.top)
    }
}

/// A text or whole number that can be given back; anything else counts as none.
fn request_id(value: Option<Value>) -> Option<Value> {
    value.filter(|value| match value {
        Value::String(text) => text.chars().count() <= MAX_REQUEST_ID,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        _ => false,
    })
}

/// A frame of this type with these keys and the time.
pub(crate) fn frame(kind: &str, mut keys: Map<String, Value>, now: Time) -> Bytes {
    keys.insert("type".into(), kind.into());
    keys.entry("timestamp").or_insert_with(|| iso(now).into());
    frame_text(Value::Object(keys).to_string().as_bytes())
}

/// The answer to a request that was done.
pub(crate) fn success(kind: &str, id: Option<Value>, mut keys: Map<String, Value>, now: Time) -> Bytes {
    keys.extend(id.map(|id| ("request_id".to_owned(), id)));
    frame(&format!("{kind}_success"), keys, now)
}

/// The answer to a request that was refused.
pub(crate) fn refused(kind: &str, id: Option<Value>, problem: &Problem, now: Time) -> Bytes {
    let mut keys = told(problem);
    keys.extend(id.map(|id| ("request_id".to_owned(), id)));
    frame(&format!("{kind}_error"), keys, now)
}

/// What concerns the connection rather than a request.
pub(crate) fn error(id: Option<Value>, problem: &Problem, now: Time) -> Bytes {
    let mut keys = told(problem);
    keys.extend(id.map(|id| ("request_id".to_owned(), id)));
    frame("error", keys, now)
}

fn told(problem: &Problem) -> Map<String, Value> {
    let mut keys = Map::new();
    keys.insert("error".into(), problem.code.into());
    keys.insert("message".into(), problem.message.as_str().into());
    keys.extend(problem.plain_detail().map(|detail| ("detail".to_owned(), detail)));
    keys.extend(problem.retry_after.map(|seconds| ("retry_after".to_owned(), seconds.into())));
    keys
}

/// The keys of an object.
pub(crate) fn keys(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_host::Text;

    #[test]
    fn a_field_is_looked_for_in_data_and_then_beside_it() {
        let frame = Frame::read(r#"{"type":"x","data":{"a":"1"},"a":"2","b":"3","request_id":7}"#).unwrap();
        let mut fields = frame.fields();
        assert_eq!(fields.text("a", Text::ID).as_deref(), Some("1"));
        assert_eq!(fields.text("b", Text::ID).as_deref(), Some("3"));
        assert_eq!((frame.kind.as_str(), frame.id), ("x", Some(7.into())));
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        for (text, code) in [
            ("{", "bad_json"),
            ("[]", "validation_failed"),
            ("\"ping\"", "validation_failed"),
            ("{}", "validation_failed"),
            (r#"{"type":1}"#, "validation_failed"),
        ] {
            assert_eq!(Frame::read(text).unwrap_err().problem.code, code, "{text}");
        }
        assert!(Frame::read(r#"{"type":"x","data":[]}"#).unwrap().bad_data, "a request, if a wrong one");
        let deep = format!(r#"{{"type":"x","a":{}{}}}"#, "[".repeat(80), "]".repeat(80));
        assert_eq!(Frame::read(&deep).unwrap_err().problem.code, "bad_json");
    }

    #[test]
    fn a_request_id_is_given_back_as_it_came_or_not_at_all() {
        let id = |text: &str| Frame::read(&format!(r#"{{"type":"x","request_id":{text}}}"#)).unwrap().id;
        assert_eq!(id("\"r1\""), Some("r1".into()));
        assert_eq!(id("7"), Some(7.into()));
        for odd in ["1.5", "{}", "null", "true", &format!("\"{}\"", "x".repeat(65))] {
            assert_eq!(id(odd), None, "{odd}");
        }
    }
}
