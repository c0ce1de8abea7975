//! What the operator of a host application's chat does and looks at.

use std::{fs, process::Command};

use parlor_testkit::{Cast, HostApp, Person, Server, binary, server::ADMINISTRATOR};
use serde_json::{Value, json};

fn file(path: &str) -> String {
    fs::read_to_string(binary::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The one of a list whose key says this.
fn the<'a>(list: &'a Value, key: &str, is: &str) -> &'a Value {
    let found = list.as_array().and_then(|all| all.iter().find(|one| one[key] == is));
    found.unwrap_or_else(|| panic!("no {is} in {list}"))
}

/// S0-9, S0-12, S0-15, S0-90: one image with one port and one volume, a guide for running it, a licence.
#[test]
fn s0_9_s0_12_s0_15_s0_90_the_image_has_one_port_and_one_volume_and_the_guide_and_licence_are_there() {
    let image = file("deploy/Containerfile");
    let of = |word: &str| -> Vec<String> {
        image.lines().filter_map(|line| line.strip_prefix(word)).map(|rest| rest.trim().to_owned()).collect()
    };
    assert_eq!((of("EXPOSE "), of("VOLUME ")), (vec!["3000".to_owned()], vec!["/data".to_owned()]));
    assert!(of("USER ").iter().all(|user| user != "root") && !of("USER ").is_empty());
    // The web app is built with a Node that its packages take, from its own folder alone, and nothing that is large or
    // built already goes into the image.
    let from = of("FROM ");
    let node =
        from.iter().find_map(|image| image.split_once("/node:")?.1.split('-').next()?.parse::<u32>().ok());
    let wanted: Value = serde_json::from_str(&file("web/package.json")).expect("JSON");
    let wanted = wanted["engines"]["node"].as_str().and_then(|node| node.strip_prefix(">=")?.parse().ok());
    assert!(node >= wanted && wanted.is_some(), "{from:?}");
    let left_out = file(".dockerignore");
    for folder in [".git", "**/target", "**/node_modules", "web/dist"] {
        assert!(left_out.lines().any(|line| line == folder), "{folder} is left out");
    }
    let guide = file("docs/running.md");
    for word in ["parlor.service", "parlor backup", "proxy"] {
        assert!(guide.contains(word), "the guide tells of {word}");
    }
    assert!(file("Cargo.toml").contains("license = \"Apache-2.0 OR MIT\""));
    assert!(file("LICENSE-MIT").contains("Permission is hereby granted"));
    assert!(file("LICENSE-APACHE").contains("Apache License"));
}

/// S0-13: whoever comes first is asked to set the workspace up; afterwards nobody is.
#[tokio::test]
async fn s0_13_the_first_visit_sets_the_workspace_up_and_later_ones_do_not() {
    // Client suites are not asked either.
    let none = ["ADMIN_USERNAME", "ADMIN_PASS", "ADMIN_EMAIL", "TEST_MODE"];
    let setup = none.iter().fold(Server::setup(), |setup, name| setup.env(name, ""));
    let server = setup.start().await;
    let pending = async |server: &Server| {
        let all = server.rest().get("settings.public", &[("_id", "Show_Setup_Wizard")]).await.ok();
        the(&all["settings"], "_id", "Show_Setup_Wizard")["value"].clone()
    };
    assert_eq!(pending(&server).await, "pending");
    let first = json!({"username": "first", "email": "first@example.org", "pass": "a password of one's own", "name": "First"});
    let _ = server.rest().post("users.register", first).await.ok();
    let first = Person::sign_in(&server, "first", "a password of one's own").await;
    let me = first.rest.get("me", &[]).await.ok();
    assert!(me["roles"].as_array().is_some_and(|roles| roles.contains(&json!("admin"))), "{me}");
    assert_ne!(pending(&server).await, "pending");
    let later = json!({"username": "later", "email": "later@example.org", "pass": "a password of one's own", "name": "Later"});
    let _ = server.rest().post("users.register", later).await.ok();
    let later = Person::sign_in(&server, "later", "a password of one's own").await;
    assert_eq!(later.rest.get("me", &[]).await.ok()["roles"], json!(["user"]), "and is no administrator");
}

/// S0-7, S0-16, S0-17, S0-18, S0-61, S0-62: what the console shows of users, their profiles, rooms and messages; a token that is
/// made there serves the host's backend.
#[tokio::test]
async fn s0_7_s0_16_s0_17_s0_18_s0_61_s0_62_an_administrator_sees_users_and_rooms_and_makes_tokens() {
    let server = HostApp::setup().start().await;
    let cast = Cast::assemble(&server).await;
    let (admin, app) = (&cast.administrator.rest, HostApp::rest(&server));
    let said = json!({"from_name": "alice", "name": "Alice Doe", "team": "crew", "message": "hello"});
    let said = app.post("/api/chat/send", said).await.expect(201);
    let listed = admin.get("users.list", &[("count", "100")]).await.ok();
    assert_eq!(the(&listed["users"], "username", "alice")["name"], "Alice Doe");
    let profile = admin.get("users.info", &[("username", "alice")]).await.ok();
    assert_eq!(profile["user"]["_id"], said["message"]["user_id"]);
    let rooms = admin.get("rooms.adminRooms", &[("filter", "crew")]).await.ok();
    assert_eq!(the(&rooms["rooms"], "name", "crew")["_id"], said["room"]["id"]);
    let boss = json!({"username": "boss", "name": "Boss", "email": "boss@example.org", "password": "a boss's own secret", "roles": ["admin"]});
    let _ = cast.member.rest.post("users.create", boss.clone()).await.refused(403);
    let _ = admin.post("users.create", boss).await.ok();
    let boss = Person::sign_in(&server, "boss", "a boss's own secret").await;
    let search = [("status", "active"), ("searchTerm", "ali")];
    let found = boss.rest.get("users.listByStatus", &search).await.ok();
    let names: Vec<&Value> =
        found["users"].as_array().expect("users").iter().map(|u| &u["username"]).collect();
    assert_eq!(names, ["alice"], "found by the one who was made an administrator");
    let rise = json!({"roleId": "admin", "username": "member"});
    let _ = cast.member.rest.post("roles.addUserToRole", rise).await.refused(403);
    let _ = cast.member.rest.get("rooms.adminRooms", &[]).await.refused(400);

    let twice = json!({"tokenName": "backend", "bypassTwoFactor": true});
    let made = admin.post("users.generatePersonalAccessToken", twice).await.ok();
    let token = made["token"].as_str().expect("a token");
    let backend = server.rest().signed_in(&cast.administrator.id, token);
    backend.get("/api/auth/me", &[]).await.expect(200);
    backend.post("/api/chat/send", json!({"from_name": "alice", "message": "by token"})).await.expect(201);
    let wrong = server.rest().signed_in(&cast.member.id, token);
    wrong.get("/api/auth/me", &[]).await.problem(401, "invalid_token");
    let _ = admin.post("users.removePersonalAccessToken", json!({"tokenName": "backend"})).await.ok();
    backend.get("/api/auth/me", &[]).await.problem(401, "invalid_token");
}

/// S0-7: an administrator changes and removes what others said, for everybody; others can't.
#[tokio::test]
async fn s0_7_an_administrator_manages_what_others_said() {
    let server = HostApp::setup().start().await;
    let cast = Cast::assemble(&server).await;
    let (admin, member) = (&cast.administrator.rest, &cast.member.rest);
    let app = HostApp::rest(&server);
    let send = async |text: &str| {
        let body = json!({"from_name": "alice", "team": "crew", "message": text});
        app.post("/api/chat/send", body).await.expect(201)["message"].take()
    };
    let (first, second) = (send("rude").await, send("spam").await);
    let edit = json!({"roomId": first["room_id"], "msgId": first["id"], "text": "polite"});
    let remove = json!({"roomId": second["room_id"], "msgId": second["id"]});
    let _ = member.post("chat.update", edit.clone()).await.refused(400);
    let _ = member.post("chat.delete", remove.clone()).await.refused(400);
    let shown = async || {
        let room = first["room_id"].as_str().expect("an id");
        let inbox = app.get(&format!("/api/chat/inbox/alice?room_id={room}"), &[]).await.expect(200);
        let all = inbox["rooms"][0]["messages"].as_array().expect("messages").clone();
        all.iter().map(|m| (m["message"].clone(), m["deleted"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(shown().await, [(json!("rude"), json!(false)), (json!("spam"), json!(false))]);
    let _ = admin.post("chat.update", edit).await.ok();
    let _ = admin.post("chat.delete", remove).await.ok();
    assert_eq!(shown().await, [(json!("polite"), json!(false)), (json!(""), json!(true))]);
}

fn parlor(arguments: &[&str]) {
    let done = Command::new(binary::parlor()).args(arguments).output().expect("the command runs");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// S0-74, S0-75, S0-85: a copy made while the server runs holds everything that was acknowledged; put in place of an empty
/// folder it is the same chat again, tokens and files among it.
#[tokio::test]
async fn s0_74_s0_75_s0_85_a_backup_is_the_same_chat_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, copy, again) = ("first", "copy", "again");
    let [first, copy, again] = [first, copy, again].map(|name| folder.path().join(name));
    let server = HostApp::setup().data(&first).start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let said = json!({"from_name": "alice", "team": "crew", "message": "kept"});
    let said = HostApp::rest(&server).post("/api/chat/send", said).await.expect(201);
    let note: &[u8] = b"words enough to be known as plain text";
    let file =
        administrator.rest.upload("/api/chat/upload", "file", ("n.txt", "text/plain", note), &[]).await;
    let file = file.expect(201)["id"].as_str().expect("an id").to_owned();
    let path = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let data = path(server.data());
    parlor(&["backup", "--data", &data, &path(&copy)]);
    drop(server);
    parlor(&["restore", "--data", &path(&again), &path(&copy)]);
    let server = HostApp::setup().data(&again).start().await;
    let inbox = HostApp::rest(&server).get("/api/chat/inbox/alice", &[]).await.expect(200);
    let kept: Vec<&Value> = inbox["rooms"]
        .as_array()
        .expect("rooms")
        .iter()
        .flat_map(|room| room["messages"].as_array().expect("messages"))
        .filter(|message| message["id"] == said["message"]["id"])
        .collect();
    assert_eq!((kept.len(), &kept[0]["message"]), (1, &json!("kept")));
    let token = administrator.rest.token().expect("a token");
    let back = server.rest().signed_in(&administrator.id, token);
    back.get("/api/auth/me", &[]).await.expect(200);
    let bytes = back.get(&format!("/api/files/{file}/n.txt"), &[]).await;
    assert_eq!((bytes.status, &*bytes.bytes), (200, note));
    // What stands there already is not written over.
    let again =
        Command::new(binary::parlor()).args(["restore", "--data", &path(&again), &path(&copy)]).output();
    assert!(!again.expect("the command runs").status.success());
}

/// S0-37, S0-70, S0-71, S0-72, S0-81: an outgoing webhook that is set up in the console tells the host's own path what was said, in the
/// shape that its handler reads; what comes back by it is not posted again.
#[tokio::test]
async fn s0_37_s0_70_s0_71_s0_72_s0_81_outgoing_webhooks_have_the_shape_that_the_hosts_handler_reads() {
    let mut host = crate::sink::Sink::open().await;
    let server = HostApp::setup().setting("SSRF_Allowlist", "127.0.0.1").start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let app = HostApp::rest(&server);
    app.post("/api/chat/teams", json!({"team": "crew", "members": ["alice"]})).await.expect(201);
    let wanted = json!({
        "type": "webhook-outgoing", "name": "host", "enabled": true, "username": "administrator", "urls": [host.url],
        "channel": "#crew", "scriptEnabled": false, "event": "sendMessage", "token": "shared",
    });
    let _ = administrator.rest.post("integrations.create", wanted).await.ok();
    let said = json!({"from_name": "alice", "team": "crew", "message": "curtain at 19:30"});
    let said = app.post("/api/chat/send", said).await.expect(201);
    let told = host.next().await.body;
    assert_eq!(
        (&told["user"]["name"], &told["attachments"][0]["text"]),
        (&json!("alice"), &json!("curtain at 19:30"))
    );
    assert_eq!((&told["message_id"], &told["channel_name"]), (&said["message"]["id"], &json!("crew")));
    assert_eq!(app.post("/api/chat/webhook", told).await.expect(200), json!({"success": true}));
    let room = said["room"]["id"].as_str().expect("an id");
    let inbox = app.get(&format!("/api/chat/inbox/alice?room_id={room}"), &[]).await.expect(200);
    assert_eq!(inbox["rooms"][0]["messages"].as_array().map(Vec::len), Some(1));
}
