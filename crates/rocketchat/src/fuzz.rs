//! What fuzzers call: everything that reads what a client sent, without a server.

use serde_json::Value;

use crate::{
    date::{Dates, read},
    ddp::{
        frame::{self, ClientFrame, LONGEST_ID},
        streams,
    },
};

/// Reads a DDP frame; what is echoed of it is JSON again.
pub fn ddp(text: &str) {
    let Some(client) = ClientFrame::read(text) else {
        return json(&frame::error("Parse error", text));
    };
    let params = client.params();
    if let (Some(name), Some(params)) = (client.name.as_deref(), &params) {
        let key = params.first().and_then(Value::as_str).unwrap_or_default();
        // There is such a stream, or there is none.
        let _ = streams::topic(name, key);
    }
    params.iter().flatten().for_each(date);
    let Some(id) = client.id() else { return };
    assert!(id.len() <= LONGEST_ID);
    let error = Value::from("error");
    let echoes = [
        frame::pong(Some(id)),
        frame::result(id, "1"),
        frame::refused(id, &error),
        frame::updated(id),
        frame::ready(id),
        frame::nosub(id, Some(&error)),
    ];
    echoes.iter().for_each(|echo| json(echo));
}

/// Reads a value with EJSON in it; a date that is read is the same when it was written.
pub fn ejson(text: &str) {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        date(&value);
    }
}

/// Reads a query or a form of HTTP; no more of it is kept than came.
pub fn query(text: &str) {
    let all = crate::call::read_query(text);
    let size: usize =
        all.iter().map(|(key, values)| key.len() + values.iter().map(String::len).sum::<usize>()).sum();
    // A byte that is no UTF-8 becomes a character of three.
    assert!(size <= 3 * text.len());
}

fn date(value: &Value) {
    if let Some(time) = read(value) {
        assert_eq!(read(&Dates::Ejson.value(time)), Some(time));
        assert!(Dates::Iso.value(time).is_string());
    }
    match value {
        Value::Array(items) => items.iter().for_each(date),
        Value::Object(object) => object.values().for_each(date),
        _ => {}
    }
}

/// Whether a server's frame holds JSON, half characters of the client's aside: those are echoed as they came.
fn json(frame: &[u8]) {
    let start = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let read = serde_json::from_slice::<&serde_json::value::RawValue>(&frame[start..]);
    assert!(read.is_ok(), "{:?}", String::from_utf8_lossy(&frame[start..]));
}

#[cfg(test)]
mod tests {
    #[test]
    fn anything_may_be_thrown_at_it() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{}",
            "\u{0}",
            r#"{"msg":"ping","id":"\ud800"}"#,
            r#"{"msg":"ping","id":-}"#,
            r#"{"msg":"ping","id":1e999}"#,
            r#"{"msg":"sub","id":"1","name":"stream-notify-room","params":["/"]}"#,
            r#"{"msg":"method","id":"1","method":"x","params":[{"$date":1e300},{"$date":{"$date":-1}}]}"#,
            r#"{"$date":9223372036854775807}"#,
            r#"{"$date":-9223372036854775808}"#,
            deep.as_str(),
        ] {
            super::ddp(text);
            super::ejson(text);
            super::query(text);
        }
    }
}
