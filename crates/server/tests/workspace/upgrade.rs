//! Between versions: `earlier.zip` is the data directory of a server two schema versions ago, with people, messages,
//! files, webhooks and settings in it, and `facts.json`, what was known of it then.

use std::{fs, io::Cursor, path::Path, process::Stdio};

use parlor_testkit::{Person, Rest, Server, binary};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sink::Sink;

const EARLIER: &[u8] = include_bytes!("earlier.zip");

pub(crate) fn unpacked() -> (TempDir, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut archive = zip::ZipArchive::new(Cursor::new(EARLIER)).expect("an archive");
    archive.extract(folder.path()).expect("it is unpacked");
    let facts = fs::read(folder.path().join("facts.json")).expect("facts");
    (folder, serde_json::from_slice(&facts).expect("JSON"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

fn signed_in(server: &Server, pair: &Value) -> Rest {
    server.rest().signed_in(pair[0].as_str().expect("an id"), pair[1].as_str().expect("a token"))
}

async fn history(of: &Rest, family: &str, room: &str) -> Vec<Value> {
    let found = of.get(&format!("{family}.history"), &[("roomId", room), ("count", "50")]).await.ok();
    let all = found["messages"].as_array().expect("a list").iter();
    all.filter(|message| message["t"].is_null()).rev().cloned().collect()
}

#[tokio::test]
async fn a_workspace_of_an_earlier_version_goes_on_with_all_that_is_in_it() {
    let (folder, facts) = unpacked();
    let server = Server::setup().data(folder.path()).setting("SSRF_Allowlist", "127.0.0.1").start().await;
    let (quay, crew) = (text(&facts, "quay"), text(&facts, "crew"));

    // Who was signed in is so still; tokens and passwords open.
    let milo = signed_in(&server, &facts["session"]);
    assert_eq!(milo.get("me", &[]).await.ok()["username"], "milo");
    assert_eq!(signed_in(&server, &facts["pat"]).get("me", &[]).await.ok()["username"], "tove");
    let tove = Person::sign_in(&server, "tove", "tove's own secret").await;
    let wrong = json!({ "user": "tove", "password": "not hers" });
    let _ = server.rest().post("login", wrong).await.refused(401);

    messages(&tove, &milo, &facts).await;
    for (message, name) in history(&tove.rest, "groups", crew).await.iter().zip(["chart.txt", "copy.txt"]) {
        let path = format!("/file-upload/{}/{name}", text(&message["file"], "_id"));
        assert_eq!(tove.rest.get(&path, &[]).await.bytes, b"depths and shoals");
        let _ = server.rest().get(&path, &[]).await.refused(403);
    }
    let unread = milo.get("subscriptions.getOne", &[("roomId", quay)]).await.ok();
    assert_eq!(unread["subscription"]["unread"], 0, "nobody was named: {unread}");
    assert_eq!(unread["subscription"]["alert"], true, "something is unread: {unread}");

    // What was decided holds.
    let _ = milo.post("channels.create", json!({ "name": "mine" })).await.refused(403);
    let invite = json!({ "token": text(&facts, "invite") });
    assert_eq!(server.rest().post("validateInviteToken", invite).await.ok()["valid"], true);
    let phone = json!({ "token": "a phone of before" });
    let _ = tove.rest.delete("push.token", phone).await.ok();

    hooks(&server, &tove, &facts).await;
}

async fn messages(tove: &Person, milo: &Rest, facts: &Value) {
    let quay = text(facts, "quay");
    let all = history(milo, "channels", quay).await;
    let said: Vec<&str> = all.iter().map(|message| text(message, "msg")).collect();
    assert_eq!(
        said,
        [
            "Who takes the night watch?",
            "I do, says the harbour master",
            "The herring came at dawn",
            "calls somebody who is not there",
            "unread by Milo"
        ]
    );
    assert_eq!((&all[0]["tcount"], text(&all[1], "tmid")), (&json!(1), text(facts, "root")));
    let herring = history(&tove.rest, "channels", quay).await.swap_remove(2);
    assert_eq!(
        (&herring["pinned"], &herring["reactions"][":fish:"]["usernames"], &herring["editedBy"]["username"]),
        (&json!(true), &json!(["tove"]), &json!("milo"))
    );
    assert_eq!(herring["starred"][0]["_id"], json!(tove.id));
    for (words, found) in [("herring", 1), ("dwn", 0)] {
        let query = [("roomId", quay), ("searchText", words)];
        let seen = tove.rest.get("chat.search", &query).await.ok();
        assert_eq!(seen["messages"].as_array().map(Vec::len), Some(found), "{words}: {seen}");
    }
    let direct = history(milo, "im", text(facts, "dm")).await;
    assert_eq!(text(&direct[0], "msg"), "between us");
    // The room goes on where it was.
    tove.say(quay, "the next tide").await;
    let last = history(milo, "channels", quay).await.pop().expect("a message");
    assert_eq!(text(&last, "msg"), "the next tide");
}

async fn hooks(server: &Server, tove: &Person, facts: &Value) {
    let quay = text(facts, "quay");
    let pen = format!("/hooks/{}/{}", text(facts, "hook"), text(facts, "hooktoken"));
    let _ = server.rest().post(&pen, json!({ "text": "by the pen" })).await.ok();
    let boss = Person::sign_in(server, "administrator", "administrator's secret").await;
    assert_eq!(boss.rest.get("settings/Site_Name", &[]).await.ok()["value"], "The harbour");
    let id = text(facts, "outgoing");
    let log = boss.rest.get("integrations.history", &[("id", id)]).await.ok();
    assert!(
        log["total"].as_u64().is_some_and(|total| total > 0),
        "the calls of before are in the log: {log}"
    );
    // What was sealed opens: the calls carry the token of before.
    let mut sink = Sink::open().await;
    let change = json!({
        "type": "webhook-outgoing", "integrationId": id, "name": "caller", "enabled": true, "username": "milo",
        "channel": "#quay", "scriptEnabled": false, "event": "sendMessage", "urls": [sink.url],
    });
    let put = boss.rest.request(reqwest::Method::PUT, "integrations.update").json(&change);
    let _ = parlor_testkit::rest::answer(put).await.ok();
    tove.say(quay, "and hello").await;
    let call = sink.next().await;
    assert_eq!((text(&call.body, "text"), text(&call.body, "token")), ("and hello", "shared-secret"));
}

#[tokio::test]
async fn data_of_a_newer_version_is_refused_in_one_line_and_left_as_it_is() {
    let (folder, _) = unpacked();
    let path = folder.path().join("parlor.sqlite");
    {
        let database = rusqlite::Connection::open(&path).expect("a database");
        // As a running server keeps it.
        let mode = database.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        assert_eq!(mode.as_deref(), Ok("wal"));
        let sql = "INSERT INTO schema_version (version, name) VALUES (9999, 'of_the_future')";
        let _ = database.execute(sql, []).expect("a row");
    }
    let before = fs::read(&path).expect("it is read");
    let told = serve(folder.path()).await;
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in ["parlor: ", "schema version 9999", "use the newer version again, or restore a backup"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(fs::read(&path).expect("it is read") == before, "not a byte was changed");
}

/// What a server that does not start says to its operator, without the log.
async fn serve(data: &Path) -> String {
    let mut command = tokio::process::Command::new(binary::parlor());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).stdin(Stdio::null());
    let done = parlor_testkit::wait::within("it ends", command.kill_on_drop(true).output()).await;
    let done = done.expect("it runs");
    assert!(!done.status.success());
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    told.lines().filter(|line| line.starts_with("parlor: ")).collect::<Vec<_>>().join("\n")
}
