//! Documents one after the other, as `mongodump` writes them: each begins with its length.

use std::io::{ErrorKind, Read};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use bson::raw::{RawArray, RawBson, RawBsonRef, RawDocument, RawElement};
use serde_json::{Map, Value, json};

/// Largest document, in bytes: MongoDB's own bound and some room.
const LARGEST: usize = 17 * 1024 * 1024;
/// Deepest document; MongoDB allows 100 levels.
const DEEPEST: usize = 110;
/// Binary values up to this many bytes become text; larger ones are left out (chunks of files are read apart).
const SMALL_BINARY: usize = 1024;

/// What comes next in a stream of documents.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A document is in the buffer.
    Document,
    /// The mark that ends a part of an archive.
    Terminator,
    /// Nothing any more.
    End,
}

/// Reads the next document into the buffer.
pub(crate) fn read_next(reader: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Next> {
    let mut length = [0; 4];
    let mut have = 0;
    while have < 4 {
        match reader.read(&mut length[have..]) {
            Ok(0) if have == 0 => return Ok(Next::End),
            Ok(0) => bail!("the file is cut off"),
            Ok(more) => have += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("the file can't be read"),
        }
    }
    let number = i32::from_le_bytes(length);
    if number == -1 {
        return Ok(Next::Terminator);
    }
    let size = usize::try_from(number).unwrap_or_default();
    ensure!((5..=LARGEST).contains(&size), "a document of {number} bytes: this is no dump, or a damaged one");
    buffer.clear();
    buffer.extend_from_slice(&length);
    let more = reader.take(size as u64 - 4).read_to_end(buffer).context("the file can't be read")?;
    ensure!(more == size - 4, "the file is cut off");
    Ok(Next::Document)
}

/// A document as JSON: dates become `{"$date": ms}`, ids hexadecimal text.
pub(crate) fn json(bytes: &[u8]) -> Result<Map<String, Value>> {
    object(RawDocument::from_bytes(bytes).context("a damaged document")?, 0)
}

fn object(document: &RawDocument, depth: usize) -> Result<Map<String, Value>> {
    ensure!(depth < DEEPEST, "a document is nested too deeply");
    let mut map = Map::new();
    for element in document.iter_elements() {
        let element = element.context("a damaged document")?;
        map.insert(element.key().as_str().to_owned(), self::element(&element, depth)?);
    }
    Ok(map)
}

fn list(items: &RawArray, depth: usize) -> Result<Value> {
    ensure!(depth < DEEPEST, "a document is nested too deeply");
    let items = RawDocument::from_bytes(items.as_bytes()).context("a damaged document")?;
    let all: Result<Vec<Value>> =
        items.iter_elements().map(|item| element(&item.context("a damaged document")?, depth)).collect();
    all.map(Value::Array)
}

/// A value. What is no UTF-8 in a text, as old clients left some, is replaced.
fn element(element: &RawElement<'_>, depth: usize) -> Result<Value> {
    match element.value() {
        Ok(found) => value(found, depth),
        Err(why) => match element.value_utf8_lossy() {
            Ok(RawBson::String(text)) => Ok(Value::String(text)),
            _ => Err(why).context("a damaged document"),
        },
    }
}

fn value(value: RawBsonRef<'_>, depth: usize) -> Result<Value> {
    Ok(match value {
        RawBsonRef::Double(number) => json!(number),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Value::String(text.to_owned()),
        RawBsonRef::Array(items) => list(items, depth + 1)?,
        RawBsonRef::Document(inner) => Value::Object(object(inner, depth + 1)?),
        RawBsonRef::Boolean(on) => Value::Bool(on),
        RawBsonRef::Int32(number) => json!(number),
        RawBsonRef::Int64(number) => json!(number),
        RawBsonRef::ObjectId(id) => Value::String(id.to_hex()),
        RawBsonRef::DateTime(at) => json!({ "$date": at.timestamp_millis() }),
        RawBsonRef::Binary(binary) if binary.bytes.len() <= SMALL_BINARY => {
            json!({ "$binary": STANDARD.encode(binary.bytes) })
        }
        RawBsonRef::Decimal128(number) => number.to_string().parse::<f64>().map_or(Value::Null, |n| json!(n)),
        _ => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{DateTime, doc};

    fn all(mut bytes: &[u8]) -> Result<Vec<Value>> {
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        loop {
            match read_next(&mut bytes, &mut buffer)? {
                Next::Document => found.push(Value::Object(json(&buffer)?)),
                Next::Terminator => found.push("end".into()),
                Next::End => return Ok(found),
            }
        }
    }

    fn bytes(document: &bson::Document) -> Vec<u8> {
        document.to_vec().expect("a document is written")
    }

    #[test]
    fn documents_become_json() {
        let id = bson::oid::ObjectId::new();
        let document =
            doc! {"_id": id, "n": 1_i64, "f": 0.5, "ts": DateTime::from_millis(7), "l": [true, {"a": null}]};
        let wanted =
            json!({"_id": id.to_hex(), "n": 1, "f": 0.5, "ts": {"$date": 7}, "l": [true, {"a": null}]});
        let stream = [bytes(&document), vec![0xff; 4], bytes(&doc! {})].concat();
        assert_eq!(all(&stream).expect("it is read"), [wanted, "end".into(), json!({})]);
    }

    #[test]
    fn what_is_no_utf8_in_a_text_costs_nothing_but_itself() {
        let mut document = bytes(&doc! {"a": "sea?weed", "l": ["x?"], "z": 1});
        document.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xff);
        let wanted = json!({"a": "sea\u{fffd}weed", "l": ["x\u{fffd}"], "z": 1});
        assert_eq!(all(&document).expect("it is read"), [wanted]);
    }

    #[test]
    fn what_is_no_dump_is_refused_without_taking_memory() {
        let huge = i32::MAX.to_le_bytes();
        for bad in [&huge[..], &[4, 0, 0, 0], &[0, 0], &(-2_i32).to_le_bytes(), &[6, 0, 0, 0, 0]] {
            assert!(all(bad).is_err(), "{bad:?}");
        }
        let good = bytes(&doc! {"a": "text"});
        for cut in 1..good.len() {
            assert!(all(&good[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_document_that_is_nested_too_deeply_is_refused() {
        let mut deep = doc! {};
        for _ in 0..DEEPEST + 5 {
            deep = doc! {"a": deep};
        }
        assert!(all(&bytes(&deep)).is_err());
    }
}
