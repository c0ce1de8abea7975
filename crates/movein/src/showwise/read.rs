//! Reading the old files. What can't be understood is left out with a reason, never guessed.

use std::{collections::HashSet, path::Path};

use anyhow::{Context, Result, ensure};
use parlor_core::{
    clock::Time,
    inbox_places::{is_user_name, team_name},
};
use serde_json::{Map, Value};

use super::{Old, OldGroup, OldMessage, OldPlace};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 30;
/// Longest text of a message, in characters.
const LONGEST_TEXT: usize = 5_000;
/// What is kept of a time as it was written, in characters.
const LONGEST_TIME: usize = 100;

/// Reads `chat_messages.json` and `chat_groups.json` of a folder; one of them may be missing.
///
/// # Errors
/// When neither is there, or one is no JSON of the expected shape.
pub fn read(folder: &Path) -> Result<Old> {
    let messages = file(&folder.join("chat_messages.json"))?;
    let groups = file(&folder.join("chat_groups.json"))?;
    ensure!(
        messages.is_some() || groups.is_some(),
        "neither chat_messages.json nor chat_groups.json is in {}",
        folder.display()
    );
    let mut old = Old::default();
    if let Some(groups) = groups {
        read_groups(&mut old, groups)?;
    }
    if let Some(messages) = messages {
        read_messages(&mut old, messages)?;
    }
    Ok(old)
}

fn file(path: &Path) -> Result<Option<Value>> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        found => {
            let size = found.with_context(|| path.display().to_string())?.len();
            ensure!(size <= LARGEST, "{} is larger than 1 GiB", path.display());
        }
    }
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok(Some(serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", path.display()))?))
}

/// The list under a key, or the file as a list.
fn list(value: Value, key: &str) -> Result<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Object(mut object) => match object.remove(key) {
            Some(Value::Array(items)) => Ok(items),
            Some(Value::Object(named)) => Ok(named.into_iter().map(with_name).collect()),
            Some(_) => anyhow::bail!("'{key}' is no list"),
            None if key == "groups" => Ok(object.into_iter().map(with_name).collect()),
            None => anyhow::bail!("there is no list '{key}'"),
        },
        _ => anyhow::bail!("neither a list nor an object with '{key}'"),
    }
}

/// `{"props": {"members": [...]}}` and `{"props": ["a", "b"]}` are groups by their names.
fn with_name((name, value): (String, Value)) -> Value {
    let mut group = match value {
        Value::Object(object) => object,
        members => Map::from_iter([("members".to_owned(), members)]),
    };
    group.entry("name").or_insert_with(|| name.into());
    Value::Object(group)
}

fn read_groups(old: &mut Old, value: Value) -> Result<()> {
    let mut seen = HashSet::new();
    for (at, item) in list(value, "groups").context("chat_groups.json")?.into_iter().enumerate() {
        old.entries += 1;
        match group(&item) {
            Ok(group) if !seen.insert(group.name.to_lowercase()) => {
                old.skipped.push(format!("group {}: '{}' comes twice", at + 1, group.name));
            }
            Ok(group) => old.groups.push(group),
            Err(why) => old.skipped.push(format!("group {}: {why}", at + 1)),
        }
    }
    Ok(())
}

fn group(item: &Value) -> Result<OldGroup, String> {
    let name = word(item, &["name", "group"]).ok_or("it has no name")?;
    if name.chars().count() > 120 {
        return Err("its name has over 120 characters".to_owned());
    }
    if !matches!(item["members"], Value::Null | Value::Array(_)) {
        return Err("its members are no list".to_owned());
    }
    let mut members = Vec::new();
    for member in item["members"].as_array().into_iter().flatten() {
        let name = member.as_str().or_else(|| member["username"].as_str()).unwrap_or_default();
        if !is_user_name(name) {
            return Err(format!("'{name}' is no user name"));
        }
        members.push(name.to_owned());
    }
    let creator = word(item, &["created_by", "creator", "owner"]).or_else(|| members.first().cloned());
    let creator = creator.ok_or("nobody is in it")?;
    if !is_user_name(&creator) {
        return Err(format!("'{creator}' is no user name"));
    }
    Ok(OldGroup { name, creator, members })
}

fn read_messages(old: &mut Old, value: Value) -> Result<()> {
    for (at, item) in list(value, "messages").context("chat_messages.json")?.into_iter().enumerate() {
        old.entries += 1;
        match message(at + 1, &item) {
            Ok(message) => old.messages.push(message),
            Err(why) => old.skipped.push(format!("message {}: {why}", at + 1)),
        }
    }
    Ok(())
}

fn word(item: &Value, keys: &[&str]) -> Option<String> {
    let found = keys.iter().find_map(|key| item[*key].as_str());
    found.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn message(number: usize, item: &Value) -> Result<OldMessage, String> {
    let from = word(item, &["from_name", "username", "from"]).ok_or("nobody wrote it")?;
    if !is_user_name(&from) {
        return Err(format!("'{from}' is no user name"));
    }
    let text = item["message"].as_str().or_else(|| item["text"].as_str()).unwrap_or_default();
    let text: String = text.chars().filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r')).collect();
    if text.trim().is_empty() {
        return Err("it says nothing".to_owned());
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(format!("it has over {LONGEST_TEXT} characters"));
    }
    let written = match &item["timestamp"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let written = written.chars().take(LONGEST_TIME).collect::<String>();
    let to = place(item)?;
    if matches!(&to, OldPlace::Person(to) if to.eq_ignore_ascii_case(&from)) {
        return Err(format!("'{from}' wrote to nobody else"));
    }
    Ok(OldMessage { number, at: time(&written), from, text, written, to })
}

fn place(item: &Value) -> Result<OldPlace, String> {
    // Whatever was for some must not become what everybody reads.
    for key in ["group", "to", "team"] {
        if !matches!(item[key], Value::Null | Value::String(_)) {
            return Err(format!("its {key} is no text"));
        }
    }
    if let Some(group) = word(item, &["group"]) {
        return Ok(OldPlace::Group(group));
    }
    if let Some(to) = word(item, &["to"]) {
        return if is_user_name(&to) {
            Ok(OldPlace::Person(to))
        } else {
            Err(format!("'{to}' is no user name"))
        };
    }
    let team = word(item, &["team"]).unwrap_or_else(|| "general".to_owned());
    if team.eq_ignore_ascii_case("support") {
        return Ok(OldPlace::Support);
    }
    // Names that were allowed there become the nearest that are allowed here.
    let plain: String = team.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_");
    team_name(&plain).map(OldPlace::Team).map_err(|_| format!("'{team}' is no name of a team"))
}

/// ISO 8601 with or without a zone (then UTC), or seconds (or milliseconds) since 1970.
fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    // What was before 1970 is as early as can be.
    let since_1970 = |stamp: jiff::Timestamp| Some(Time(stamp.as_millisecond().max(0)));
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return since_1970(stamp);
    }
    if let Ok(moment) = text.replace(' ', "T").parse::<jiff::civil::DateTime>() {
        return since_1970(moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    }
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0)?;
    let millis = if number < 1e11 { number * 1000.0 } else { number };
    (millis < 1e14).then_some(Time(millis as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_people_wrote_them() {
        let at = Some(Time(1_700_000_000_000));
        for text in [
            "2023-11-14T22:13:20Z",
            "2023-11-14T22:13:20",
            "2023-11-14 22:13:20",
            "1700000000",
            "1700000000000",
            "2023-11-15T00:13:20+02:00",
        ] {
            assert_eq!(time(text), at, "{text}");
        }
        for text in ["", "yesterday", "-1", "1e300"] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time("0001-01-01T00:00:00Z"), Some(Time(0)));
    }

    #[test]
    fn places_are_read_from_what_is_there() {
        assert_eq!(place(&json!({})), Ok(OldPlace::Team("general".into())));
        assert_eq!(place(&json!({"team": null})), Ok(OldPlace::Team("general".into())));
        assert_eq!(place(&json!({"team": "Stage Crew"})), Ok(OldPlace::Team("stage_crew".into())));
        assert_eq!(place(&json!({"team": "Support"})), Ok(OldPlace::Support));
        assert_eq!(place(&json!({"to": "bob"})), Ok(OldPlace::Person("bob".into())));
        assert_eq!(place(&json!({"group": "Props", "team": "x"})), Ok(OldPlace::Group("Props".into())));
        for bad in
            [json!({"team": "case-1"}), json!({"to": ["bob"]}), json!({"group": 5}), json!({"team": 5})]
        {
            assert!(place(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn groups_have_several_old_shapes() {
        let read = |value: Value| {
            let mut old = Old::default();
            read_groups(&mut old, value).unwrap();
            old
        };
        let wanted = OldGroup {
            name: "Props".into(),
            creator: "ann".into(),
            members: vec!["ann".into(), "ben".into()],
        };
        for value in [
            json!({"groups": [{"name": "Props", "members": ["ann", "ben"]}]}),
            json!([{"name": "Props", "created_by": "ann", "members": ["ann", "ben"]}]),
            json!({"groups": {"Props": {"members": ["ann", "ben"]}}}),
            json!({"Props": ["ann", "ben"]}),
        ] {
            assert_eq!(read(value).groups, std::slice::from_ref(&wanted));
        }
        let bad = [
            json!({"name": ""}),
            json!({"name": "x", "members": ["a b"]}),
            json!({"name": "y"}),
            json!({"name": "z", "created_by": "ann", "members": "ben"}),
        ];
        let read = read(json!(bad));
        assert_eq!((read.groups.len(), read.skipped.len(), read.entries), (0, 4, 4));
    }
}
