//! Socket.IO packets (protocol 5): pure functions between text and what they mean, bounded, without a socket.

use std::io::Write as _;

use bytes::Bytes;
use parlor_host::fields::too_deep;
use parlor_live::{FrameWriter, frame_text};
use serde::Serialize;
use serde_json::Value;

/// Binary attachments of one packet at most.
pub const MAX_ATTACHMENTS: usize = 16;
/// Deepest nesting of a payload.
pub const MAX_DEPTH: usize = 64;
/// Longest namespace, in bytes.
const MAX_NAMESPACE: usize = 256;
/// Digits of an ack id, and of a count of attachments, at most: what clients can count exactly.
const MAX_DIGITS: usize = 15;

/// The kinds of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Enter a namespace.
    Connect,
    /// Leave it.
    Disconnect,
    /// Something happened.
    Event,
    /// The answer to an event.
    Ack,
    /// The namespace can't be entered.
    ConnectError,
}

/// A packet as it came; its binary attachments follow as messages of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is.
    pub kind: Kind,
    /// How many binary attachments follow.
    pub attachments: usize,
    /// `/` unless it says so.
    pub namespace: &'a str,
    /// An ack is wanted under this id, or given.
    pub id: Option<u64>,
    /// JSON text, perhaps empty.
    pub data: &'a str,
}

/// Reads a packet: the text of an Engine.IO message. `None` when it is malformed.
pub fn read(text: &str) -> Option<Packet<'_>> {
    let (kind, binary) = match text.as_bytes().first()? {
        b'0' => (Kind::Connect, false),
        b'1' => (Kind::Disconnect, false),
        b'2' => (Kind::Event, false),
        b'3' => (Kind::Ack, false),
        b'4' => (Kind::ConnectError, false),
        b'5' => (Kind::Event, true),
        b'6' => (Kind::Ack, true),
        _ => return None,
    };
    let mut rest = &text[1..];
    let mut attachments = 0;
    if binary {
        let (count, after) = number(rest)?;
        rest = after.strip_prefix('-')?;
        attachments = usize::try_from(count?).ok().filter(|count| *count <= MAX_ATTACHMENTS)?;
    }
    let mut namespace = "/";
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        if namespace.len() > MAX_NAMESPACE {
            return None;
        }
        // A query behind the namespace belongs to protocol 4.
        namespace = namespace.split('?').next().unwrap_or("/");
    }
    let (id, data) = number(rest)?;
    Some(Packet { kind, attachments, namespace, id, data })
}

/// The digits at the beginning, as a number, and what follows; `None` when there are too many.
fn number(text: &str) -> Option<(Option<u64>, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > MAX_DIGITS {
        return None;
    }
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok(), rest))
}

/// An event's name and its first argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// Its name.
    pub name: String,
    /// The first argument; the others are ignored.
    pub payload: Option<Value>,
}

/// Reads the data of an event: a list that begins with a name. `None` when it is malformed. Binary arguments stay as
/// the placeholders that they came as; a packet whose placeholders don't agree with its attachments is malformed.
pub fn called(packet: &Packet<'_>) -> Option<Called> {
    if packet.kind != Kind::Event || too_deep(packet.data.as_bytes(), MAX_DEPTH) {
        return None;
    }
    let Value::Array(arguments) = serde_json::from_str(packet.data).ok()? else { return None };
    if packet.attachments > 0 {
        let mut seen = 0;
        let good = arguments.iter().all(|argument| placeholders(argument, packet.attachments, &mut seen));
        if !good || seen < packet.attachments {
            return None;
        }
    }
    let mut arguments = arguments.into_iter();
    let Value::String(name) = arguments.next()? else { return None };
    Some(Called { name, payload: arguments.next() })
}

/// Counts placeholders; `false` when one names an attachment that does not follow.
fn placeholders(value: &Value, attachments: usize, seen: &mut usize) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| placeholders(item, attachments, seen)),
        Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
            *seen += 1;
            object.get("num").and_then(Value::as_u64).is_some_and(|num| num < attachments as u64)
        }
        Value::Object(object) => object.values().all(|item| placeholders(item, attachments, seen)),
        _ => true,
    }
}

/// Reads everything that can be read of one message: what a fuzzer calls.
pub fn fuzz(text: &str) {
    if let Some(packet) = read(text) {
        assert!(packet.attachments <= MAX_ATTACHMENTS && packet.data.len() < text.len());
        if let Some(called) = called(&packet) {
            let again = event_text(&called.name, &called.payload);
            let again = read(&again[1..]).and_then(|packet| self::called(&packet));
            let payload = Some(called.payload.unwrap_or(Value::Null));
            assert_eq!(again, Some(Called { name: called.name, payload }), "{text:?}");
        }
    }
    if let Some(frames) = crate::engine::payload::frames_of(text) {
        assert!(frames.len() <= text.len() * 7 + 14);
    }
}

fn event_text(name: &str, payload: &impl Serialize) -> String {
    // Texts and values always are JSON.
    let text = |value: serde_json::Result<String>| value.unwrap_or_default();
    format!("42[{},{}]", text(serde_json::to_string(name)), text(serde_json::to_string(payload)))
}

/// A frame that tells of an event; the name is a plain word.
pub fn event(name: &'static str, payload: &impl Serialize) -> Bytes {
    let mut frame = FrameWriter::text(512);
    // Writing into memory can't fail, and all maps have texts as keys.
    let _ = write!(frame, "42[\"{name}\",");
    let _ = serde_json::to_writer(&mut frame, payload);
    let _ = frame.write_all(b"]");
    frame.finish()
}

/// A frame that answers an event.
pub fn ack(id: u64, payload: &impl Serialize) -> Bytes {
    let mut frame = FrameWriter::text(256);
    let _ = write!(frame, "43{id}[");
    let _ = serde_json::to_writer(&mut frame, payload);
    let _ = frame.write_all(b"]");
    frame.finish()
}

/// The namespace is entered, under this public id.
pub fn connected(sid: &str) -> Bytes {
    frame_text(format!(r#"40{{"sid":"{sid}"}}"#).as_bytes())
}

/// The namespace can't be entered; a namespace of the client's own choosing is told as it came.
pub fn refused(namespace: &str, body: &Value) -> Bytes {
    let place = if namespace == "/" { String::new() } else { format!("{namespace},") };
    frame_text(format!("44{place}{body}").as_bytes())
}

/// The server ends the conversation; clients don't come back by themselves.
pub fn disconnect() -> Bytes {
    frame_text(b"41")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packet(text: &str) -> Option<(Kind, usize, &str, Option<u64>, &str)> {
        read(text).map(|p| (p.kind, p.attachments, p.namespace, p.id, p.data))
    }

    #[test]
    fn packets_of_each_kind_are_read() {
        assert_eq!(packet("0"), Some((Kind::Connect, 0, "/", None, "")));
        assert_eq!(
            packet("0/admin,{\"token\":\"x\"}"),
            Some((Kind::Connect, 0, "/admin", None, "{\"token\":\"x\"}"))
        );
        assert_eq!(packet("0/admin"), Some((Kind::Connect, 0, "/admin", None, "")));
        assert_eq!(packet("1"), Some((Kind::Disconnect, 0, "/", None, "")));
        assert_eq!(packet("213[\"x\",{}]"), Some((Kind::Event, 0, "/", Some(13), "[\"x\",{}]")));
        assert_eq!(packet("2/a?b=c,7[\"x\"]"), Some((Kind::Event, 0, "/a", Some(7), "[\"x\"]")));
        assert_eq!(packet("52-1[\"x\"]"), Some((Kind::Event, 2, "/", Some(1), "[\"x\"]")));
        assert_eq!(packet("61-/a,9[]"), Some((Kind::Ack, 1, "/a", Some(9), "[]")));
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        let long = format!("0/{},", "n".repeat(300));
        for bad in ["", "7", "x", "5[\"x\"]", "517-[]", "5-[]", "29999999999999999[]", &long, "é"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_event_has_a_name_and_perhaps_a_payload() {
        let read = |text: &str| read(text).and_then(|packet| called(&packet));
        assert_eq!(read("2[\"x\"]"), Some(Called { name: "x".into(), payload: None }));
        let payload = Some(json!({"a": 1}));
        assert_eq!(read("2[\"x\",{\"a\":1},2]"), Some(Called { name: "x".into(), payload }));
        let deep = format!("2[\"x\",{}{}]", "[".repeat(70), "]".repeat(70));
        for bad in ["2", "2[]", "2{}", "2[1]", "2[\"x\"", "3[\"x\"]", "2\"x\"", &deep] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn placeholders_agree_with_their_attachments() {
        let read = |text: &str| read(text).and_then(|packet| called(&packet)).is_some();
        assert!(read(r#"51-["x",{"a":{"_placeholder":true,"num":0}}]"#));
        assert!(!read(r#"51-["x",{"a":{"_placeholder":true,"num":1}}]"#));
        assert!(!read(r#"52-["x",{"a":{"_placeholder":true,"num":0}}]"#));
        assert!(!read(r#"51-["x",{"a":{"_placeholder":true,"num":"0"}}]"#));
        assert!(!read(r#"51-["x",{}]"#));
    }

    #[test]
    fn anything_may_be_thrown_at_it() {
        for text in ["", "2[\"\\u0000\",\"\u{1e}\"]", "5", "51-", "2[\"x\",1e400]", "0{", "b", "4\u{1e}b="] {
            fuzz(text);
        }
    }
}
