//! DDP frames: pure functions between text and what they mean.

use std::borrow::Cow;

use bytes::Bytes;
use parlor_live::frame_text;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// What a client sends. Unknown keys are ignored, as Meteor does.
#[derive(Debug, Deserialize)]
pub(crate) struct ClientFrame<'a> {
    #[serde(borrow, default)]
    pub(crate) msg: Option<Cow<'a, str>>,
    /// A text, or a number from some clients: echoed as it came.
    #[serde(borrow, default)]
    pub(crate) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) version: Option<Cow<'a, str>>,
}

/// Longest id of a method call or subscription, as JSON text.
pub(crate) const LONGEST_ID: usize = 256;

impl<'a> ClientFrame<'a> {
    /// Reads a frame; `None` when it is not a JSON object of the right types.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        // A list would be read as the fields in their order.
        if !text.trim_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// The id as JSON text, when it is a text or number of bearable length.
    pub(crate) fn id(&self) -> Option<&'a str> {
        let id = self.id?.get();
        let good =
            id.len() <= LONGEST_ID && id.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit());
        good.then_some(id)
    }

    /// The parameters; absent ones are none, anything but a list is refused.
    pub(crate) fn params(&self) -> Option<Vec<Value>> {
        match self.params {
            None => Some(Vec::new()),
            Some(raw) if raw.get() == "null" => Some(Vec::new()),
            Some(raw) => serde_json::from_str(raw.get()).ok(),
        }
    }
}

fn frame(text: &str) -> Bytes {
    frame_text(text.as_bytes())
}

/// Anything that is rarely sent.
pub(crate) fn value(value: &Value) -> Bytes {
    frame(&value.to_string())
}

/// The first frame of a connection; clients ignore it.
pub(crate) fn greeting() -> Bytes {
    frame(r#"{"server_id":"0"}"#)
}

/// The handshake's answer.
pub(crate) fn connected(session: &str) -> Bytes {
    value(&json!({ "msg": "connected", "session": session }))
}

/// The handshake's answer to a version that is not spoken.
pub(crate) fn failed() -> Bytes {
    frame(r#"{"msg":"failed","version":"1"}"#)
}

/// A ping of ours.
pub(crate) fn ping() -> Bytes {
    frame(r#"{"msg":"ping"}"#)
}

/// The answer to a ping, with its id when it had one.
pub(crate) fn pong(id: Option<&str>) -> Bytes {
    match id {
        Some(id) => frame(&format!(r#"{{"msg":"pong","id":{id}}}"#)),
        None => frame(r#"{"msg":"pong"}"#),
    }
}

/// A method's result (`result` is JSON text, empty for nothing).
pub(crate) fn result(id: &str, result: &str) -> Bytes {
    if result.is_empty() || result == "null" {
        return frame(&format!(r#"{{"msg":"result","id":{id}}}"#));
    }
    frame(&format!(r#"{{"msg":"result","id":{id},"result":{result}}}"#))
}

/// A method's refusal.
pub(crate) fn refused(id: &str, error: &Value) -> Bytes {
    frame(&format!(r#"{{"msg":"result","id":{id},"error":{error}}}"#))
}

/// A method's effects are visible.
pub(crate) fn updated(id: &str) -> Bytes {
    frame(&format!(r#"{{"msg":"updated","methods":[{id}]}}"#))
}

/// A subscription stands. Always one frame for each: clients read only the first id.
pub(crate) fn ready(id: &str) -> Bytes {
    frame(&format!(r#"{{"msg":"ready","subs":[{id}]}}"#))
}

/// A subscription is over, or was refused.
pub(crate) fn nosub(id: &str, error: Option<&Value>) -> Bytes {
    match error {
        Some(error) => frame(&format!(r#"{{"msg":"nosub","id":{id},"error":{error}}}"#)),
        None => frame(&format!(r#"{{"msg":"nosub","id":{id}}}"#)),
    }
}

/// A frame that makes no sense. What offended is not echoed beyond 200 characters.
pub(crate) fn error(reason: &str, offending: &str) -> Bytes {
    let offending: String = offending.chars().take(200).collect();
    value(&json!({ "msg": "error", "reason": reason, "offendingMessage": offending }))
}

/// The document that old clients need before they see events of a stream.
pub(crate) fn added(stream: &str, key: &str) -> Bytes {
    value(
        &json!({ "msg": "added", "collection": format!("stream-{stream}"), "id": "id", "fields": { "eventName": key } }),
    )
}

/// An event of a stream.
pub(crate) fn event(stream: &str, key: &str, args: &Value) -> Bytes {
    value(&json!({
        "msg": "changed", "collection": format!("stream-{stream}"), "id": "id",
        "fields": { "eventName": key, "args": args },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_wrong_types_is_none() {
        for bad in ["", "[]", "1", r#"{"msg":1}"#, r#"{"msg":{"$ne":""}}"#, "{", "o", "\u{0}"] {
            assert!(ClientFrame::read(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn ids_are_echoed_as_they_came() {
        let read = |text| ClientFrame::read(text).and_then(|f| f.id().map(str::to_owned));
        assert_eq!(read(r#"{"msg":"ping","id":"a\"b"}"#).as_deref(), Some(r#""a\"b""#));
        assert_eq!(read(r#"{"msg":"ping","id":7}"#).as_deref(), Some("7"));
        assert_eq!(read(r#"{"msg":"ping","id":{"a":1}}"#), None);
    }

    #[test]
    fn params_must_be_a_list() {
        let read = |text| ClientFrame::read(text).and_then(|f| f.params());
        assert_eq!(read(r#"{"msg":"method","params":[1,"a"]}"#), Some(vec![json!(1), json!("a")]));
        assert_eq!(read(r#"{"msg":"method"}"#), Some(vec![]));
        assert_eq!(read(r#"{"msg":"method","params":{"a":1}}"#), None);
    }
}
