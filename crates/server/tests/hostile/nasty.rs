//! What no field expects, and putting it into the fields of a sample.

use std::sync::LazyLock;

use serde_json::Value;

/// Depth of a nesting bomb.
pub const DEEP: usize = 100_000;

/// What stands where something else belongs.
pub struct Nasty {
    pub name: &'static str,
    /// JSON text, or what only looks like it.
    pub json: String,
}

/// Lists in lists.
pub fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// Objects in objects, as EJSON's types are written.
pub fn nested_objects(key: &str, depth: usize) -> String {
    format!("{{\"{key}\":").repeat(depth) + "1" + &"}".repeat(depth)
}

/// What is tried in every field.
pub static VALUES: LazyLock<Vec<Nasty>> = LazyLock::new(|| {
    let plain = [
        ("null", "null"),
        ("false", "false"),
        ("a negative number", "-1"),
        ("a fraction", "0.5"),
        ("a number that no integer holds", "123456789012345678901234567890"),
        ("a number that nothing holds", "1e400"),
        ("an empty text", "\"\""),
        ("an empty list", "[]"),
        ("a list of everything", "[null,1,\"a\",{},[]]"),
        ("an empty object", "{}"),
        ("an operator", "{\"$ne\":\"\"}"),
        ("an object of EJSON", "{\"$date\":\"x\",\"$binary\":1,\"$type\":[]}"),
        ("a text with NUL", "\"a\\u0000b\""),
        ("half a character", "\"\\ud800\""),
        ("a quoting text", "\"' OR 1=1 --\\\"*%_NEAR(a:b)\\\\^$[\""),
        ("a text of odd letters", "\"\\u202e\\ufeff\\r\\n\\u001b[31m\\ufffd\""),
        ("a path", "\"../../etc/passwd\""),
        ("a word of objects", "\"__proto__\""),
    ];
    let mut all: Vec<Nasty> =
        plain.map(|(name, json)| Nasty { name, json: json.to_owned() }).into_iter().collect();
    all.push(Nasty { name: "bearable depth", json: nested(60) });
    all.push(Nasty { name: "just too deep", json: nested(120) });
    all.push(Nasty { name: "a nesting bomb", json: nested(DEEP) });
    all.push(Nasty { name: "a text of a megabyte", json: format!("\"{}\"", "x".repeat(1_000_000)) });
    all
});

/// What is tried in every parameter of a query and of a path, encoded for it.
pub static TEXTS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let plain = [
        ("nothing", ""),
        ("a list", "%5B%5D"),
        ("an operator", "%7B%22%24ne%22%3A%22%22%7D"),
        ("a negative number", "-1"),
        ("a number that nothing holds", "99999999999999999999999999"),
        ("NUL", "a%00b"),
        ("half a character", "%ED%A0%80"),
        ("no UTF-8", "%FF%FE"),
        ("a broken escape", "%zz%"),
        ("a path", "..%2F..%2F..%2Fetc%2Fpasswd"),
        ("a quoting text", "'%20OR%201=1%20--%22*%25_NEAR(a:b)%5C%5E$%5B"),
        ("a regular expression", "(a%2B)%2B$%7Ba,%7D%5B"),
    ];
    let mut all: Vec<(&str, String)> =
        plain.map(|(name, text)| (name, text.to_owned())).into_iter().collect();
    all.push(("a nesting bomb", "%5B".repeat(6_000)));
    all.push(("a long text", "x".repeat(20_000)));
    all
});

/// Of so many values each place gets one, and the next place the next ones: all of them are tried at every door, and
/// with `PARLOR_HOSTILE=all` at every place. A number there chooses others, always the same ones for the same number.
const SHARE: usize = 8;

/// Whether everything is tried everywhere, and else where the values begin.
static EFFORT: LazyLock<(bool, usize)> = LazyLock::new(|| {
    let wanted = std::env::var("PARLOR_HOSTILE").unwrap_or_default();
    (wanted == "all", wanted.parse().unwrap_or(0))
});

/// Whether everything is tried everywhere, which takes minutes.
pub fn thorough() -> bool {
    EFFORT.0
}

/// The values for the nth place.
pub fn some<T>(all: &'static [T], nth: usize) -> impl Iterator<Item = &'static T> {
    every(SHARE, all, nth)
}

/// One value for the nth place, where there are thousands of places.
pub fn one<T>(all: &'static [T], nth: usize) -> impl Iterator<Item = &'static T> {
    every(all.len(), all, nth)
}

fn every<T>(share: usize, all: &'static [T], nth: usize) -> impl Iterator<Item = &'static T> {
    let share = if thorough() { 1 } else { share };
    let nth = nth + EFFORT.1;
    all.iter().enumerate().filter(move |(at, _)| (at + nth).is_multiple_of(share)).map(|(_, one)| one)
}

/// One step into a value.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Place(usize),
}

/// Where something stands in a value; empty for the whole.
#[derive(Clone, Debug, Default)]
pub struct Place(Vec<Step>);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the whole");
        }
        self.0.iter().try_for_each(|step| match step {
            Step::Key(key) => write!(f, ".{key}"),
            Step::Place(place) => write!(f, "[{place}]"),
        })
    }
}

/// Every place of a sample, the whole first.
pub fn places(sample: &Value) -> Vec<Place> {
    let mut all = vec![Place::default()];
    let mut at = 0;
    while let Some(place) = all.get(at).cloned() {
        let steps: Vec<Step> = match find(sample, &place) {
            Value::Object(object) => object.keys().cloned().map(Step::Key).collect(),
            Value::Array(items) => (0..items.len()).map(Step::Place).collect(),
            _ => Vec::new(),
        };
        all.extend(steps.into_iter().map(|step| Place(place.0.iter().cloned().chain([step]).collect())));
        at += 1;
    }
    all
}

fn find<'a>(sample: &'a Value, place: &Place) -> &'a Value {
    place.0.iter().fold(sample, |value, step| match step {
        Step::Key(key) => &value[key],
        Step::Place(place) => &value[place],
    })
}

/// The sample as JSON text with something else at a place of it.
pub fn replaced(sample: &Value, place: &Place, json: &str) -> String {
    const HOLE: &str = "here is a hole in the sample";
    let mut sample = sample.clone();
    let mut value = &mut sample;
    for step in &place.0 {
        value = match step {
            Step::Key(key) => &mut value[key],
            Step::Place(place) => &mut value[place],
        };
    }
    *value = HOLE.into();
    sample.to_string().replace(&format!("\"{HOLE}\""), json)
}
