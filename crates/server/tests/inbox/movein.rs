//! ShowWise's old chat moves in, by the command.

use std::{fs, path::Path, process::Command};

use parlor_testkit::{Person, Server, binary, server::ADMINISTRATOR};
use serde_json::{Value, json};

use crate::world::{KEY, room, texts};

fn import(data: &Path, source: &Path, more: &[&str]) -> (bool, String) {
    let done = Command::new(binary::parlor())
        .args(["import", "showwise", "--data"])
        .arg(data)
        .arg(source)
        .args(more)
        .output()
        .expect("the command runs");
    let said = if done.status.success() { done.stdout } else { done.stderr };
    (done.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The two files, in a folder of their own.
fn old_chat(messages: &Value, groups: &Value) -> tempfile::TempDir {
    let old = tempfile::tempdir().expect("a folder");
    fs::write(old.path().join("chat_messages.json"), messages.to_string()).expect("written");
    fs::write(old.path().join("chat_groups.json"), groups.to_string()).expect("written");
    old
}

/// Imports what must be good; the counts, and the reasons for what was left out.
fn counts(data: &Path, source: &Path, more: &[&str]) -> ([u64; 7], Vec<String>) {
    let (good, told) = import(data, source, more);
    assert!(good, "{told}");
    let lines = [
        "entries read",
        "messages stored",
        "messages known",
        "groups made",
        "groups known",
        "left out",
        "users made",
    ];
    let counts = lines.map(|line| count(&told, line).unwrap_or_else(|| panic!("no {line} in {told}")));
    let [entries, stored, known, made, there, left, _] = counts;
    assert_eq!(entries, stored + known + made + there + left, "{told}");
    let why: Vec<String> =
        told.lines().filter_map(|line| line.strip_prefix("  left out: ")).map(str::to_owned).collect();
    assert_eq!(why.len() as u64, left, "{told}");
    (counts, why)
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

/// S0-86, S0-88: each thing that can't come in is named, by a trial run as by the real one; what was for some is read by
/// nobody else, and groups of like names stay apart.
#[tokio::test]
async fn s0_86_s0_88_what_can_not_come_in_is_named_and_groups_of_like_names_stay_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = "2020-01-01T10:00:00Z";
    let said = |more: Value| {
        let mut message = json!({"from_name": "ann", "timestamp": at});
        message.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        message
    };
    let titles = ["Props", "props!", "\u{65e5}\u{672c}", "\u{9053}\u{5177}"];
    let mut messages: Vec<Value> =
        titles.iter().map(|title| said(json!({"group": title, "message": format!("in {title}")}))).collect();
    messages.push(said(
        json!({"group": "PROPS", "message": "in Props again", "timestamp": "0001-01-01T00:00:00Z"}),
    ));
    let bad = [
        json!({"from_name": "admin", "message": "secret"}),
        json!({"to": "all", "message": "secret"}),
        json!({"to": "Ann", "message": "secret"}),
        json!({"to": ["ben"], "message": "secret"}),
        json!({"group": 7, "message": "secret"}),
        json!({"group": "a\u{7}b", "message": "secret"}),
    ];
    messages.extend(bad.into_iter().map(said));
    let mut groups: Vec<Value> = titles
        .iter()
        .zip(["ben", "cy", "dee", "eve"])
        .map(|(title, other)| json!({"name": title, "created_by": "ann", "members": [other]}))
        .collect();
    groups.push(json!({"name": "a\u{7}b", "members": ["ben"]}));
    groups.push(json!({"name": "team", "members": ["user", "ben"]}));
    let old = old_chat(&json!({"messages": messages}), &json!({"groups": groups}));

    let (dry, why) = counts(folder.path(), old.path(), &["--dry-run"]);
    assert_eq!(dry, [17, 5, 0, 4, 0, 8, 5], "{why:?}");
    let (done, reasons) = counts(folder.path(), old.path(), &[]);
    assert_eq!((done, &reasons), (dry, &why), "as the trial run said");
    for what in ["message 6: nobody here is called 'admin'", "group 'team': nobody here is called 'user'"] {
        assert!(reasons.iter().any(|reason| reason.starts_with(what)), "{what}: {reasons:?}");
    }
    let (again, _) = counts(folder.path(), old.path(), &[]);
    assert_eq!(again, [17, 0, 5, 0, 4, 8, 0], "again it is all known");

    let server = Server::setup().env("PARLOR_APP_KEY", KEY).data(folder.path()).start().await;
    let app = server.rest().header("x-app-key", KEY);
    for (title, other) in titles.iter().zip(["ben", "cy", "dee", "eve"]) {
        let inbox = app.get(&format!("/api/chat/inbox/{other}"), &[]).await.body;
        assert!(!inbox.to_string().contains("secret"), "{inbox}");
        let rooms = inbox["rooms"].as_array().expect("rooms");
        let groups: Vec<&Value> = rooms.iter().filter(|room| room["type"] == "group").collect();
        assert_eq!((groups.len(), &groups[0]["display_name"]), (1, &json!(title)), "{inbox}");
        let mut wanted = vec![format!("in {title}")];
        if *title == "Props" {
            wanted.insert(0, "in Props again".to_owned());
            let first = groups[0]["messages"][0]["timestamp"].as_str().expect("a time");
            assert!(first.starts_with("1970-01-01T00:00:00."), "as early as can be: {first}");
        }
        assert_eq!(texts(&groups[0]["messages"]), wanted, "each in its own");
    }
}

/// S0-82, S0-86: more of the old chat comes in later, behind what came first; what was said here in between stays.
#[tokio::test]
async fn s0_82_s0_86_a_longer_file_brings_in_the_rest_and_wakes_no_webhook() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut host = crate::sink::Sink::open().await;
    let setup = || {
        let setup = Server::setup().env("PARLOR_APP_KEY", KEY).data(folder.path());
        setup.setting("SSRF_Allowlist", "127.0.0.1")
    };
    let server = setup().start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    for event in ["sendMessage", "userCreated", "roomCreated", "roomJoined"] {
        let hook = json!({
            "type": "webhook-outgoing", "name": event, "enabled": true, "username": "administrator", "urls": [host.url],
            "channel": "all_public_channels", "scriptEnabled": false, "event": event, "token": event,
        });
        let _ = administrator.rest.post("integrations.create", hook).await.ok();
    }
    drop(server);
    let said = |n: u64| json!({"from_name": "ann", "message": format!("{n}"), "timestamp": 1_600_000_000 + n, "team": "crew"});
    let first = old_chat(&json!({"messages": [said(1)]}), &json!({}));
    assert_eq!(counts(folder.path(), first.path(), &[]).0, [1, 1, 0, 0, 0, 0, 1]);
    let longer = old_chat(&json!([said(1), said(2), said(3)]), &json!([]));
    assert_eq!(counts(folder.path(), longer.path(), &["--dry-run"]).0, [3, 2, 1, 0, 0, 0, 0]);
    assert_eq!(counts(folder.path(), longer.path(), &[]).0, [3, 2, 1, 0, 0, 0, 0]);

    let server = setup().start().await;
    let app = server.rest().header("x-app-key", KEY);
    app.post("/api/chat/send", json!({"from_name": "ann", "team": "crew", "message": "now"}))
        .await
        .expect(201);
    let told = host.next().await.body;
    assert_eq!(
        (&told["token"], &told["text"]),
        (&json!("sendMessage"), &json!("now")),
        "the first that is told"
    );
    let inbox = app.get("/api/chat/inbox/ann", &[]).await.expect(200);
    let crew = room(&inbox, "team", "crew");
    assert_eq!(texts(&crew["messages"]), ["1", "2", "3", "now"]);
    assert_eq!(crew["messages"][1]["timestamp"], "2020-09-13T12:26:42.000Z");
    assert_eq!(inbox["unread_total"], 0);
}

/// S0-86: what is no old chat is refused with a word, and makes nobody.
#[tokio::test]
async fn s0_86_what_is_no_old_chat_is_refused() {
    let (folder, old) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let refused = |word: &str| {
        let (good, told) = import(folder.path(), old.path(), &[]);
        assert!(!good && told.contains(word), "{word}: {told}");
    };
    refused("neither chat_messages.json nor chat_groups.json");
    let file = old.path().join("chat_messages.json");
    for (bad, word) in [
        ("", "is no JSON"),
        ("[", "is no JSON"),
        ("{\"messages\": 7}", "'messages' is no list"),
        ("{\"entries\": []}", "there is no list 'messages'"),
        ("\"text\"", "neither a list nor an object"),
    ] {
        fs::write(&file, bad).expect("written");
        refused(word);
    }
    // One bad file keeps the good one out as well: it is put right, and then all of it comes in.
    let good = json!({"messages": [{"from_name": "ann", "message": "hi", "timestamp": 1}]});
    fs::write(&file, good.to_string()).expect("written");
    fs::write(old.path().join("chat_groups.json"), "{").expect("written");
    refused("chat_groups.json is no JSON");
    let server = Server::setup().env("PARLOR_APP_KEY", KEY).data(folder.path()).start().await;
    let app = server.rest().header("x-app-key", KEY);
    assert_eq!(app.get("/api/users?q=ann", &[]).await.expect(200)["users"], json!([]));
}
