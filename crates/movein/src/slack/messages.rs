//! Slack's messages in Rocket.Chat's shape.

use serde_json::{Map, Value, json};

use super::text::{Names, Written, read};
use crate::doc::Doc;

/// A conversation of Slack.
pub(super) struct Room {
    /// Its folder in the archive.
    pub(super) folder: String,
    /// Slack's id.
    pub(super) source: String,
    /// The id that it gets here.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) direct: bool,
    pub(super) creator: String,
    pub(super) members: Vec<String>,
    /// In Rocket.Chat's shape.
    pub(super) doc: Doc,
}

/// Slack's kinds of notices, and ours.
const NOTICES: [(&str, &str); 13] = [
    ("channel_join", "uj"),
    ("group_join", "uj"),
    ("channel_leave", "ul"),
    ("group_leave", "ul"),
    ("channel_topic", "room_changed_topic"),
    ("group_topic", "room_changed_topic"),
    ("channel_purpose", "room_changed_description"),
    ("group_purpose", "room_changed_description"),
    ("channel_name", "r"),
    ("group_name", "r"),
    ("channel_archive", "room-archived"),
    ("channel_unarchive", "room-unarchived"),
    ("tombstone", "rm"),
];

/// Blocks within blocks that are looked into.
const DEEPEST: usize = 12;

/// A message's moment in microseconds: its order, and in its room its name.
pub(super) fn moment(message: &Doc) -> i64 {
    micros(&message.words("ts"))
}

fn micros(ts: &str) -> i64 {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, ""));
    let rest: String = rest.chars().chain("000000".chars()).take(6).collect();
    let seconds: i64 = seconds.parse().unwrap_or_default();
    seconds.saturating_mul(1_000_000).saturating_add(rest.parse().unwrap_or_default())
}

fn date(ts: &str) -> Value {
    json!({ "$date": micros(ts) / 1000 })
}

/// The id of a message here: Slack knows one by its room and moment.
fn id(room: &Room, ts: &str) -> String {
    format!("slack-{}-{}", room.source, ts.replace('.', "-"))
}

/// The id of a file here: one for each room that shows it.
fn file_id(room: &Room, file: &Doc) -> String {
    format!("{}-{}", room.source, file.words("id"))
}

/// A message in Rocket.Chat's shape. `fetched`: its files are brought in.
pub(super) fn message(message: &Doc, room: &Room, names: &Names, fetched: bool) -> Doc {
    let ts = message.words("ts");
    let mut doc = Map::new();
    let mut put = |key: &str, value: Value| doc.insert(key.to_owned(), value);
    put("_id", id(room, &ts).into());
    put("rid", room.id.clone().into());
    if !ts.is_empty() {
        put("ts", date(&ts));
    }
    let subtype = message.words("subtype");
    let text = message.text("text").unwrap_or_else(|| blocks(message));
    let written = read(&text, names);
    let notice = NOTICES.iter().find(|(theirs, _)| *theirs == subtype).map(|(_, ours)| *ours);
    put("msg", words(message, &subtype, notice, &written, names).into());
    if let Some(notice) = notice {
        put("t", notice.into());
    }
    author(message, &mut put);
    if let Some(root) = message.text("thread_ts").filter(|root| *root != ts) {
        put("tmid", id(room, &root).into());
        put("tshow", (subtype == "thread_broadcast").into());
    }
    put("replies", json!(message.texts("reply_users")));
    if let Some(edited) = message.text("edited.ts") {
        put("editedAt", date(&edited));
        put("editedBy", json!({"_id": message.words("edited.user")}));
    }
    if notice.is_none() {
        put("mentions", mentions(&written, names));
        put("channels", channels(&written, names));
    }
    if !message.texts("pinned_to").is_empty() {
        put("pinned", true.into());
        put("pinnedAt", date(&ts));
        put("pinnedBy", json!({"_id": message.words("user")}));
    }
    put("reactions", reactions(message, names));
    let (files, attachments) = below(message, room, names, fetched);
    put("files", files.into());
    put("attachments", attachments.into());
    Doc(doc)
}

/// Who wrote it; what a program wrote under a name of its own is shown under that name.
fn author(message: &Doc, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    match message.text("user") {
        Some(user) => put("u", json!({"_id": user, "username": message.text("user_profile.name")})),
        None => {
            let name = ["username", "bot_profile.name"].iter().find_map(|path| message.text(path));
            if let Some(name) = name {
                put("alias", name.into());
            }
            put("u", json!({"_id": "rocket.cat"}))
        }
    };
}

fn words(message: &Doc, subtype: &str, notice: Option<&str>, written: &Written, names: &Names) -> String {
    match notice {
        Some("uj" | "ul") => {
            let user = message.words("user");
            names.users.get(&user).cloned().unwrap_or(user)
        }
        Some("room_changed_topic") => message.words("topic"),
        Some("room_changed_description") => message.words("purpose"),
        Some("r") => message.words("name"),
        Some(_) => String::new(),
        None if subtype == "me_message" => format!("_{}_", written.text),
        None => written.text.clone(),
    }
}

fn mentions(written: &Written, names: &Names) -> Value {
    let one = |id: &String| match names.users.get(id) {
        Some(name) => json!({"_id": id, "username": name}),
        None => json!({ "_id": id }),
    };
    written.named.iter().map(one).collect()
}

fn channels(written: &Written, names: &Names) -> Value {
    let one = |id: &String| Some(json!({"_id": id, "name": names.rooms.get(id)?}));
    written.rooms.iter().filter_map(one).collect()
}

/// Reactions by their names. A skin tone stands behind the name: those of all tones are one, each person once.
fn reactions(message: &Doc, names: &Names) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for reaction in message.docs("reactions") {
        let name = reaction.words("name");
        let name = name.split("::").next().unwrap_or_default();
        let users = all.entry(format!(":{name}:")).or_insert_with(|| json!({ "usernames": [] }));
        let Some(users) = users["usernames"].as_array_mut() else { continue };
        for id in reaction.texts("users") {
            // Somebody who is in no list is missed, and counted, by that id.
            let user = Value::String(names.users.get(&id).cloned().unwrap_or(id));
            if !users.contains(&user) {
                users.push(user);
            }
        }
    }
    Value::Object(all)
}

/// What stands in blocks, where programs say nothing else: a line for each.
fn blocks(message: &Doc) -> String {
    let mut lines = Vec::new();
    for block in message.docs("blocks") {
        let mut line = String::new();
        said(&Value::Object(block.0), &mut line, 0);
        if !line.trim().is_empty() {
            lines.push(line.trim().to_owned());
        }
    }
    lines.join("\n")
}

/// The texts of a block, in their order.
fn said(value: &Value, to: &mut String, depth: usize) {
    match value {
        Value::Object(map) if depth < DEEPEST => {
            if let Some(text) = map.get("text").and_then(Value::as_str) {
                to.push_str(text);
            }
            for key in ["text", "title", "elements", "fields"] {
                map.get(key).into_iter().for_each(|inner| said(inner, to, depth + 1));
            }
        }
        Value::Array(all) if depth < DEEPEST => all.iter().for_each(|inner| {
            let apart = inner.get("text").is_some_and(Value::is_object)
                || inner.get("type") == Some(&json!("mrkdwn"));
            if apart && !to.is_empty() {
                to.push(' ');
            }
            said(inner, to, depth + 1);
        }),
        _ => {}
    }
}

/// Files and cards below a message: files that are not brought in stay as links.
fn below(message: &Doc, room: &Room, names: &Names, fetched: bool) -> (Vec<Value>, Vec<Value>) {
    let (mut files, mut cards) = (Vec::new(), Vec::new());
    for file in message.docs("files") {
        let title = file.text("title").or_else(|| file.text("name")).unwrap_or_else(|| "file".to_owned());
        if fetched && address(&file).is_some() {
            files.push(json!({"_id": file_id(room, &file), "name": title}));
        } else if file.words("mode") == "tombstone" {
            cards.push(json!({"title": "a file that was removed"}));
        } else {
            cards.push(
                json!({"title": title, "title_link": file.text("permalink").or_else(|| address(&file))}),
            );
        }
    }
    for card in message.docs("attachments") {
        let mut kept = card.0.clone();
        kept.retain(|key, value| CARD.contains(&key.as_str()) && (value.is_string() || key == "fields"));
        for key in ["text", "pretext"] {
            if let Some(text) = card.text(key) {
                kept.insert(key.into(), read(&text, names).text.into());
            }
        }
        if !kept.is_empty() {
            cards.push(Value::Object(kept));
        }
    }
    (files, cards)
}

/// What both know of a card.
const CARD: [&str; 12] = [
    "color",
    "pretext",
    "text",
    "title",
    "title_link",
    "author_name",
    "author_link",
    "author_icon",
    "image_url",
    "thumb_url",
    "fields",
    "fallback",
];

fn address(file: &Doc) -> Option<String> {
    file.text("url_private_download").or_else(|| file.text("url_private"))
}

/// The files of a message, in the shape of Rocket.Chat's uploads.
pub(super) fn uploads(message: &Doc, room: &Room) -> Vec<Doc> {
    let upload = |file: &Doc| {
        let at = file
            .number("timestamp")
            .map_or_else(|| date(&message.words("ts")), |s| json!({"$date": (s * 1000.0) as i64}));
        Some(Doc::of(json!({
            "_id": file_id(room, file), "rid": room.id, "userId": file.text("user").or_else(|| message.text("user")),
            "name": file.text("name").or_else(|| file.text("title")), "url": address(file)?, "uploadedAt": at,
        })))
    };
    message.docs("files").iter().filter_map(upload).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactions_of_all_skin_tones_are_one_and_nobody_is_forgotten() {
        let names = Names { users: [("U1".to_owned(), "ann".to_owned())].into(), ..Names::default() };
        let message = Doc::of(json!({"reactions": [
            {"name": "wave", "users": ["U1", "U2"]}, {"name": "wave::skin-tone-2", "users": ["U1", "U3"]},
            {"name": "tada", "users": ["U1"]},
        ]}));
        let wanted = json!({":wave:": {"usernames": ["ann", "U2", "U3"]}, ":tada:": {"usernames": ["ann"]}});
        assert_eq!(reactions(&message, &names), wanted);
    }

    #[test]
    fn what_a_program_says_in_blocks_alone_is_said() {
        let message = Doc::of(json!({"blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Build 7"}},
            {"type": "divider"},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*failed*"},
                "fields": [{"type": "mrkdwn", "text": "on main"}]},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
                {"type": "text", "text": "see "}, {"type": "text", "text": "the log"}]}]},
        ]}));
        assert_eq!(blocks(&message), "Build 7\n*failed* on main\nsee the log");
    }

    #[test]
    fn moments_are_compared_to_the_microsecond() {
        assert_eq!(micros("1614592800.000200"), 1_614_592_800_000_200);
        assert_eq!(micros("1614592800.2"), 1_614_592_800_200_000);
        assert_eq!(micros("1614592800"), 1_614_592_800_000_000);
        assert_eq!(micros("soon"), 0);
    }
}
