//! A Slack workspace moves in.

use std::{
    fs::File,
    io::{Write, copy, repeat},
    path::Path,
    process::{Command, Stdio},
};

use parlor_testkit::{Server, binary, cast::Person};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::run::import;

fn export(path: &Path, files: &[(&str, Value)]) {
    let mut zip = ZipWriter::new(File::create(path).expect("a file"));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begun");
        zip.write_all(content.to_string().as_bytes()).expect("written");
    }
    zip.finish().expect("finished");
}

/// Gives somebody a password, while the server is stopped.
pub fn set_password(data: &Path, username: &str, password: &str) {
    let mut command = Command::new(binary::parlor());
    command.args(["user", "password", username, "--data"]).arg(data).stdin(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("an input");
    writeln!(input, "{password}").expect("written");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

fn orchard() -> Vec<(&'static str, Value)> {
    vec![
        (
            "users.json",
            json!([
                {"id": "U01", "name": "ann", "real_name": "Ann Birch", "is_owner": true, "tz_offset": 3600,
                    "profile": {"email": "ann@orchard.example", "real_name": "Ann Birch", "title": "Grafts"}},
                {"id": "U02", "name": "bo", "deleted": true, "profile": {}},
            ]),
        ),
        (
            "channels.json",
            json!([
                {"id": "C01", "name": "general", "is_general": true, "creator": "U01", "created": 1_614_000_000,
                    "members": ["U01", "U02"]},
                {"id": "C02", "name": "apples", "creator": "U01", "created": 1_614_000_000, "members": ["U01", "U02"],
                    "topic": {"value": "red & green"}, "purpose": {"value": ""}},
            ]),
        ),
        ("dms.json", json!([{"id": "D01", "created": 1_614_000_000, "members": ["U01", "U02"]}])),
        (
            "apples/2021-03-02.json",
            json!([
                {"type": "message", "user": "U02", "text": "late", "ts": "1614679200.000100",
                    "thread_ts": "1614592800.000200"},
            ]),
        ),
        (
            "apples/2021-03-01.json",
            json!([
                {"type": "message", "user": "U01", "text": "<@U02> the <https://a.example|pears> &amp; <#C02>",
                    "ts": "1614592800.000200", "thread_ts": "1614592800.000200", "reply_count": 1,
                    "reply_users": ["U02"], "reactions": [{"name": "pear::skin-tone-2", "users": ["U02"], "count": 1}],
                    "edited": {"user": "U01", "ts": "1614592900.000000"}},
                {"type": "message", "subtype": "channel_join", "user": "U02", "text": "<@U02> has joined",
                    "ts": "1614592700.000000"},
                {"type": "message", "subtype": "bot_message", "username": "Weather", "text": "rain",
                    "ts": "1614592801.000000"},
                {"type": "message", "user": "U01", "text": "", "ts": "1614592802.000000", "files": [
                    {"id": "F1", "title": "tree.png", "url_private": "https://files.slack.com/F1/tree.png",
                        "permalink": "https://orchard.slack.com/files/F1"}]},
                {"type": "message", "user": "U77", "text": "a guest", "ts": "1614592803.000000"},
                {"type": "message", "user": "U01", "text": "no moment"},
            ]),
        ),
        ("apples/notes.json", json!({"not": "messages"})),
        (
            "D01/2021-03-01.json",
            json!([{"type": "message", "user": "U02", "text": "psst", "ts": "1614592800.000000"}]),
        ),
        ("../evil/2021-03-01.json", json!([{"type": "message"}])),
    ]
}

/// Rooms, threads, reactions, notices and links come with their times; again, nothing is new.
#[tokio::test]
async fn a_slack_moves_in_from_its_export() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, zip) = (folder.path().join("data"), folder.path().join("export.zip"));
    export(&zip, &orchard());
    let zip = zip.to_str().expect("a path");
    let dry = import(&data, &["slack", zip, "--dry-run"]);
    let told = import(&data, &["slack", zip]);
    for told in [&dry, &told] {
        assert!(told.good && told.adds_up(), "{}{}", told.out, told.errors);
        for (kind, counts) in [
            ("users", [2, 2, 0, 0]),
            ("rooms", [3, 3, 0, 0]),
            ("messages", [8, 7, 0, 1]),
            ("memberships", [6, 6, 0, 0]),
            ("users gone there", [1, 1, 0, 0]),
        ] {
            assert_eq!(told.counts(kind), counts, "{kind}: {}", told.out);
        }
        assert!(told.out.contains("not read: ../evil/2021-03-01.json, apples/notes.json\n"), "{}", told.out);
    }
    let again = import(&data, &["slack", zip]);
    assert_eq!(again.counts("messages"), [8, 0, 7, 1], "{}", again.out);
    assert!(!folder.path().join("evil").exists(), "nothing of the archive is written anywhere");

    // Slack exports no passwords: the operator gives its owner one, and the owner is the administrator.
    set_password(&data, "ann", "graft and prune 9");
    let server = Server::setup().data(&data).start().await;
    let ann = Person::sign_in(&server, "ann", "graft and prune 9").await;
    let query = [("roomId", "C02"), ("count", "50")];
    let history = ann.rest.get("channels.history", &query).await.ok();
    let all = history["messages"].as_array().expect("messages").clone();
    let one =
        |text: &str| all.iter().find(|m| m["msg"] == text).unwrap_or_else(|| panic!("no {text} in {all:?}"));
    let first = one("@bo the [pears](https://a.example) & #apples");
    assert_eq!(first["ts"], "2021-03-01T10:00:00.000Z");
    assert_eq!(first["reactions"], json!({":pear:": {"usernames": ["bo"]}}));
    assert_eq!((&first["tcount"], &first["mentions"][0]["username"]), (&json!(1), &json!("bo")));
    assert_eq!(one("rain")["alias"], "Weather");
    assert_eq!(one("bo")["t"], "uj");
    assert_eq!(one("")["attachments"][0]["title_link"], "https://orchard.slack.com/files/F1");
}

/// What is no export, or a bomb, is refused.
#[tokio::test]
async fn what_is_no_export_of_slack_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, zip) = (folder.path().join("data"), folder.path().join("export.zip"));
    let refused = |what: &str| {
        let told = import(&data, &["slack", zip.to_str().expect("a path")]);
        assert!(!told.good, "{what}: {}", told.out);
        told.errors
    };
    refused("nothing");
    std::fs::write(&zip, "no zip").expect("written");
    refused("no zip");
    export(&zip, &[("channels.json", json!([]))]);
    assert!(refused("no users").contains("users.json"));
    export(&zip, &[("users.json", json!({"a": 1}))]);
    refused("no list");
    let mut bomb = ZipWriter::new(File::create(&zip).expect("a file"));
    bomb.start_file("users.json", SimpleFileOptions::default()).expect("begun");
    copy(&mut std::io::Read::take(repeat(b' '), 300 << 20), &mut bomb).expect("written");
    bomb.finish().expect("finished");
    assert!(refused("a bomb").contains("unpacks to more"));
}
