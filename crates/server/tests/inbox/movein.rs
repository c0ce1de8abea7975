//! ShowWise's old chat moves in, by the command.

use std::{fs, path::Path, process::Command};

use parlor_testkit::{Server, binary};
use serde_json::json;

use crate::world::{KEY, room, texts};

fn import(data: &Path, source: &Path, more: &[&str]) -> (bool, String) {
    let done = Command::new(binary::parlor())
        .args(["import", "showwise", "--data"])
        .arg(data)
        .arg(source)
        .args(more)
        .output()
        .expect("the command runs");
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
}

fn count(told: &str, line: &str) -> Option<u64> {
    told.lines().find_map(|l| l.strip_prefix(line)?.trim().parse().ok())
}

/// S0-82, S0-86, S0-87, S0-88.
#[tokio::test]
async fn s0_82_s0_86_s0_87_s0_88_an_old_chat_is_brought_in_once_with_its_own_times() {
    let (folder, old) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let messages = json!({"messages": [
        {"from_name": "alice", "message": "first", "timestamp": "2020-01-01T10:00:00", "team": "crew"},
        {"from_name": "bob", "message": "to all", "timestamp": "2020-01-01T10:01:00Z", "team": null},
        {"from_name": "alice", "message": "again", "timestamp": "2020-01-01T10:02:00Z", "team": "crew"},
        {"from_name": "alice", "message": "again", "timestamp": "2020-01-01T10:02:00Z", "team": "crew"},
        {"from_name": "bob", "message": "psst", "timestamp": "2020-01-01T10:03:00Z", "to": "alice"},
        {"from_name": "bob", "message": "lamp", "timestamp": "2020-01-01T10:04:00Z", "group": "Props"},
        {"from_name": "bob", "message": "help", "timestamp": "2020-01-01T10:05:00Z", "team": "support"},
        {"from_name": "", "message": "nobody's", "timestamp": "2020-01-01T10:06:00Z", "team": "crew"},
        {"from_name": "carol", "message": "", "timestamp": "2020-01-01T10:07:00Z", "team": "crew"},
    ]});
    let groups = json!({"groups": [{"name": "Props", "created_by": "alice", "members": ["alice", "bob"]}]});
    fs::write(old.path().join("chat_messages.json"), messages.to_string()).expect("written");
    fs::write(old.path().join("chat_groups.json"), groups.to_string()).expect("written");

    let (good, dry) = import(folder.path(), old.path(), &["--dry-run"]);
    assert!(good, "{dry}");
    let wanted = [
        ("entries read", 10),
        ("messages stored", 7),
        ("groups made", 1),
        ("left out", 2),
        ("users made", 2),
    ];
    for (line, number) in wanted {
        assert_eq!(count(&dry, line), Some(number), "{line}: {dry}");
    }
    let (good, done) = import(folder.path(), old.path(), &[]);
    assert!(good, "{done}");
    for (line, number) in wanted {
        assert_eq!(count(&done, line), Some(number), "{line}: {done}");
    }
    let (good, again) = import(folder.path(), old.path(), &[]);
    assert!(good, "{again}");
    let known = [
        ("messages stored", 0),
        ("messages known", 7),
        ("groups made", 0),
        ("groups known", 1),
        ("users made", 0),
    ];
    for (line, number) in known {
        assert_eq!(count(&again, line), Some(number), "{line}: {again}");
    }

    let server = Server::setup().env("PARLOR_APP_KEY", KEY).data(folder.path()).start().await;
    let app = server.rest().header("x-app-key", KEY);
    let inbox = app.get("/api/chat/inbox/alice", &[]).await.body;
    assert_eq!(inbox["unread_total"], 0, "what moved in is no news");
    let crew = room(&inbox, "team", "crew");
    assert_eq!(texts(&crew["messages"]), ["first", "again", "again"]);
    let first = &crew["messages"][0];
    assert_eq!(first["timestamp"], "2020-01-01T10:00:00.000Z");
    let metadata = json!({"migrated": true, "original_date": "2020-01-01T10:00:00", "sender": "alice"});
    assert_eq!(first["metadata"], metadata);
    assert_eq!(texts(&room(&inbox, "team", "general")["messages"]), ["to all"]);
    assert_eq!(texts(&room(&inbox, "with", "bob")["messages"]), ["psst"]);
    assert_eq!(texts(&room(&inbox, "group", "group_props")["messages"]), ["lamp"]);
    let bob = app.get("/api/chat/inbox/bob", &[]).await.body;
    assert_eq!(texts(&room(&bob, "type", "support")["messages"]), ["help"]);
    assert!(!inbox.to_string().contains("help"), "a case is its requester's");
}

/// S0-86: what is no old chat changes nothing.
#[tokio::test]
async fn s0_86_what_is_no_old_chat_is_refused() {
    let (folder, old) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    assert!(!import(folder.path(), old.path(), &[]).0, "nothing there");
    for bad in ["", "[", "{\"messages\": 7}", "\"text\""] {
        fs::write(old.path().join("chat_messages.json"), bad).expect("written");
        assert!(!import(folder.path(), old.path(), &[]).0, "{bad}");
    }
}
