//! A Rocket.Chat database moves in.

use std::{fs, path::Path, process::Stdio};

use bson::doc;
use parlor_testkit::{Server, rest::Rest, wait};
use serde_json::{Value, json};

use crate::{
    dump::Dump,
    harbour::{PASSWORD, TOKEN, at, chart, workspace},
    run::{Told, command, import},
};

fn texts(messages: &Value) -> Vec<&str> {
    messages.as_array().into_iter().flatten().filter_map(|m| m["msg"].as_str()).collect()
}

fn check_counts(told: &Told) {
    assert!(told.good, "{}\n{}", told.out, told.errors);
    assert!(told.adds_up(), "{}", told.out);
    for (kind, counts) in [
        ("users", [5, 3, 1, 1]),
        ("users gone there", [1, 1, 0, 0]),
        ("roles", [2, 1, 1, 0]),
        ("permissions", [2, 1, 0, 1]),
        ("rooms", [4, 3, 0, 1]),
        ("files", [3, 2, 0, 1]),
        ("messages", [13, 11, 0, 2]),
        ("memberships", [6, 5, 0, 1]),
        ("settings", [4, 1, 0, 3]),
        ("integrations", [1, 1, 0, 0]),
    ] {
        assert_eq!(told.counts(kind), counts, "{kind}:\n{}", told.out);
    }
}

async fn sign_in(server: &Server, password: &str) -> Rest {
    let body = server.rest().post("login", json!({"user": "tove", "password": password})).await.ok();
    let (id, token) = (&body["data"]["userId"], &body["data"]["authToken"]);
    server.rest().signed_in(id.as_str().expect("an id"), token.as_str().expect("a token"))
}

#[tokio::test]
async fn a_rocket_chat_moves_in_with_everything_that_people_had() {
    moves_in(None).await;
}

#[tokio::test]
async fn a_rocket_chat_moves_into_postgres_with_everything_that_people_had() {
    if let Some(postgres) = parlor_testkit::postgres::shared() {
        let made = tokio::task::spawn_blocking(|| postgres.database()).await;
        moves_in(Some(made.expect("a database"))).await;
    }
}

/// The whole of it, from a plain folder.
async fn moves_in(database: Option<String>) {
    let (data, source) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    workspace().folder(source.path(), false);
    let files = source.path().join("outside");
    fs::create_dir(&files).expect("a folder");
    fs::write(files.join("tideTideTideTide2.txt"), "high at noon").expect("written");
    let source = source.path().to_str().expect("a path");
    let mut args = vec!["rocketchat", source, "--files", files.to_str().expect("a path")];
    args.extend(database.iter().flat_map(|url| ["--database", url]));

    let dry = import(data.path(), &[&args[..], &["--dry-run"]].concat());
    check_counts(&dry);
    let done = import(data.path(), &args);
    check_counts(&done);
    assert!(done.out.contains("AmazonS3"), "what is missing is said: {}", done.out);
    assert!(!data.path().join("moving-in").exists(), "no scratch file stays");
    let again = import(data.path(), &args);
    assert!(again.good && again.adds_up(), "{}{}", again.out, again.errors);
    assert_eq!(again.counts("messages"), [13, 0, 11, 2]);
    assert_eq!(again.counts("users"), [5, 0, 4, 1]);
    assert_eq!(again.counts("files"), [3, 0, 2, 1]);
    assert_eq!(again.counts("memberships"), [6, 0, 5, 1]);

    let setup = Server::setup().data(data.path());
    let setup = database.iter().fold(setup, |setup, url| setup.database(url));
    let server = setup.start().await;
    assert_eq!(server.rest().post("login", json!({"user": "tove", "password": "x"})).await.status, 401);
    let tove = sign_in(&server, PASSWORD).await;
    let me = tove.get("me", &[]).await.ok();
    assert_eq!(me["_id"], "toveToveToveTove1");
    assert!(me["roles"].as_array().expect("roles").contains(&json!("harbourMaster1")), "{me}");
    // The hash is one of ours now, and still opens.
    let tove = {
        drop(tove);
        sign_in(&server, PASSWORD).await
    };
    reads_what_was_written(&tove).await;
    finds_files_and_rooms(&server, &tove).await;
    let ines = json!({"user": "ines", "password": PASSWORD});
    assert_eq!(server.rest().post("login", ines).await.status, 401, "a deactivated account stays one");
    let bot = server.rest().signed_in("toveToveToveTove1", TOKEN);
    assert_eq!(bot.get("me", &[]).await.ok()["username"], "tove", "a personal token goes on working");
    let session = server.rest().signed_in("toveToveToveTove1", "a session");
    assert_eq!(session.get("me", &[]).await.status, 401, "sessions stay behind");
    let hook = "/hooks/hookHookHookHook1/tokenTokenToken7";
    let said = parlor_testkit::rest::answer(
        server.rest().request(reqwest::Method::POST, hook).json(&json!({"text": "low at six"})),
    );
    assert_eq!(said.await.status, 200, "an incoming webhook keeps its address");
    let name = server.rest().get("settings.public", &[("_id", "Site_Name")]).await.ok();
    assert!(name.to_string().contains("The Harbour"), "{name}");
}

async fn reads_what_was_written(tove: &Rest) {
    let history =
        tove.get("channels.history", &[("roomId", "quayQuayQuayQuay1"), ("count", "50")]).await.ok();
    let messages = &history["messages"];
    let order: Vec<&str> = texts(messages).into_iter().rev().collect();
    let wanted = [
        "milo",
        "The herring came at dawn",
        "Who takes the night watch?",
        "I do",
        "Thank you",
        "@milo see #quay",
        "indeed",
        "",
        "farewell",
    ];
    assert_eq!(order, wanted, "{messages}");
    let one = |id: &str| -> Value {
        let found = messages.as_array().expect("a list").iter().find(|m| m["_id"] == id);
        found.unwrap_or_else(|| panic!("no {id}")).clone()
    };
    let first = one("mFirst");
    assert_eq!(first["ts"], "2021-03-01T10:01:00.000Z");
    assert_eq!(first["reactions"], json!({":fish:": {"usernames": ["tove"]}}));
    assert_eq!(first["pinned"], true);
    let edited = one("mEdited");
    assert_eq!(edited["editedBy"]["username"], "tove");
    assert_eq!(edited["mentions"][0]["username"], "milo");
    assert_eq!(one("mQuote")["attachments"][0]["text"], "The herring came at dawn");
    assert_eq!(one("mRemoved")["t"], "rm");
    assert_eq!(one("mGone")["u"]["username"], "old.sailor");
    let root = one("mRoot");
    assert_eq!(root["tcount"], 2, "{root}");
    assert_eq!(root["replies"], json!(["toveToveToveTove1", "miloMiloMiloMilo2"]));
    let thread = tove.get("chat.getThreadMessages", &[("tmid", "mRoot")]).await.ok();
    let mut replies = texts(&thread["messages"]);
    replies.sort_unstable();
    assert_eq!(replies, ["I do", "Thank you"], "{thread}");
    let starred = tove.get("chat.getStarredMessages", &[("roomId", "quayQuayQuayQuay1")]).await.ok();
    assert_eq!(texts(&starred["messages"]), ["The herring came at dawn"]);
    let found = wait::until("the old words are found", || async {
        let query = [("roomId", "quayQuayQuayQuay1"), ("searchText", "herring")];
        let found = tove.get("chat.search", &query).await.ok();
        texts(&found["messages"]).contains(&"The herring came at dawn").then_some(())
    });
    found.await;
}

async fn finds_files_and_rooms(server: &Server, tove: &Rest) {
    let address = "/file-upload/chartChartChart01/chart.bin";
    let file = tove.get(address, &[]).await;
    assert_eq!(file.status, 200);
    assert!(file.bytes == chart(), "the bytes are the same");
    assert_ne!(server.rest().get(address, &[]).await.status, 200, "a stranger does not get it");
    let listed = tove.get("groups.files", &[("roomId", "crewCrewCrewCrew2")]).await.ok();
    assert_eq!(listed["files"][0]["name"], "chart.bin", "{listed}");
    assert_eq!(listed["files"][0]["uploadedAt"], "2021-03-01T10:01:00.000Z", "{listed}");
    let query = [("roomId", "quayQuayQuayQuay1")];
    let subscription = tove.get("subscriptions.getOne", &query).await.ok()["subscription"].clone();
    assert_eq!(subscription["f"], true, "{subscription}");
    assert_eq!(subscription["roles"], json!(["owner"]));
    assert_eq!(
        (&subscription["autoTranslate"], &subscription["autoTranslateLanguage"]),
        (&json!(true), &json!("da"))
    );
    assert_eq!(subscription["unreadMessages"], 3, "what others wrote after the third minute: {subscription}");
    let room = tove.get("rooms.info", &query).await.ok()["room"].clone();
    assert_eq!(room["topic"], "tides");
    assert_eq!(room["muted"], json!(["milo"]));
    assert_eq!(room["usersCount"], 2);
    let pair = tove.get("im.history", &[("roomId", "miloMiloMiloMilo2toveToveToveTove1")]).await.ok();
    assert_eq!(texts(&pair["messages"]), ["Coffee?"]);
    let again = tove.post("im.create", json!({"username": "milo"})).await.ok();
    assert_eq!(again["room"]["_id"], "miloMiloMiloMilo2toveToveToveTove1", "the same direct room");
}

/// The same from a packed folder, an archive and a packed archive.
#[tokio::test]
async fn every_form_of_a_dump_gives_the_same() {
    let source = tempfile::tempdir().expect("a folder");
    let all = workspace();
    let (packed, archive, packed_archive) =
        (source.path().join("packed"), source.path().join("a.archive"), source.path().join("b.archive"));
    all.folder(&packed, true);
    all.archive(&archive, false);
    all.archive(&packed_archive, true);
    for form in [packed, archive, packed_archive] {
        let data = tempfile::tempdir().expect("a folder");
        let told = import(data.path(), &["rocketchat", form.to_str().expect("a path")]);
        assert!(told.good && told.adds_up(), "{}: {}{}", form.display(), told.out, told.errors);
        assert_eq!(told.counts("messages"), [13, 11, 0, 2], "{}", form.display());
        assert_eq!(told.counts("files"), [3, 1, 0, 2], "only the database's own bytes: {}", told.out);
        assert_eq!(told.counts("memberships"), [6, 5, 0, 1]);
    }
}

/// What is no dump, or a damaged one, is refused and changes nothing.
#[tokio::test]
async fn what_is_no_dump_is_refused() {
    let (data, source) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let refused = |path: &Path| {
        let told = import(data.path(), &["rocketchat", path.to_str().expect("a path")]);
        assert!(!told.good, "{}: {}", path.display(), told.out);
        told.errors
    };
    refused(&source.path().join("nothing"));
    refused(source.path());
    let archive = source.path().join("cut.archive");
    workspace().archive(&archive, false);
    let whole = fs::read(&archive).expect("read");
    for cut in [2, 50, whole.len() / 2, whole.len() - 2] {
        fs::write(&archive, &whole[..cut]).expect("written");
        refused(&archive);
    }
    let mut other = whole.clone();
    let place = whole.windows(12).position(|part| part == b"The herring ").expect("a text");
    other[place] = b't';
    fs::write(&archive, other).expect("written");
    assert!(refused(&archive).contains("checksum"), "one byte is another");
    fs::write(&archive, b"PK\x03\x04 something else").expect("written");
    assert!(refused(&archive).contains("no archive of mongodump"));
    let two = source.path().join("two");
    workspace().folder(&two.join("a"), false);
    fs::rename(two.join("a/chatdb"), two.join("one")).expect("moved");
    workspace().folder(&two, false);
    assert!(refused(&two).contains("more than one database"));
}

/// Killed in the middle and run again, everything is there once.
#[tokio::test]
async fn an_import_that_was_killed_goes_on() {
    let (data, source) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut all: Dump = workspace();
    let many = (0..3_000_i64).map(|n| {
        doc! {"_id": format!("wave{n}"), "rid": "quayQuayQuayQuay1", "msg": format!("wave {n}"), "ts": at(100 + n),
        "u": {"_id": "miloMiloMiloMilo2", "username": "milo"}}
    });
    all.put("rocketchat_message", many);
    all.folder(source.path(), false);
    let args = ["rocketchat", source.path().to_str().expect("a path")];
    let mut child =
        command(data.path(), &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let log = data.path().join("parlor.sqlite-wal");
    wait::until("it has stored something", || {
        let ended = child.try_wait().expect("it can be asked").is_some();
        let far = fs::metadata(&log).is_ok_and(|meta| meta.len() > 600_000);
        async move { (ended || far).then_some(()) }
    })
    .await;
    let _ = child.kill();
    let _ = child.wait();

    let told = import(data.path(), &args);
    assert!(told.good && told.adds_up(), "{}{}", told.out, told.errors);
    let [read, new, known, left] = told.counts("messages");
    assert_eq!((read, left), (3_013, 2), "{}", told.out);
    assert_eq!(new + known, 3_011);
    let server = Server::setup().data(data.path()).start().await;
    let tove = sign_in(&server, PASSWORD).await;
    let info = tove.get("channels.info", &[("roomId", "quayQuayQuayQuay1")]).await.ok();
    assert_eq!(info["channel"]["msgs"], 3_009, "each once: {info}");
}
