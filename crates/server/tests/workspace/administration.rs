//! Keeping a workspace: calls, reports, old messages, exports, forwarding, bans, roles, rules of single rooms.

use parlor_testkit::{Cast, Person, Server};
use serde_json::{Value, json};

async fn workspace() -> (Server, Cast) {
    let server = Server::setup().setting("Jitsi_Domain", "https://meet.example.org/").start().await;
    let cast = Cast::assemble(&server).await;
    (server, cast)
}

#[tokio::test]
async fn s3_75_a_call_is_a_message_that_members_join_and_its_starter_ends() {
    let (_server, cast) = workspace().await;
    let room = cast.owner.group("standup", &[&cast.member]).await;
    let start = json!({ "roomId": room, "title": "Weekly" });
    let _ = cast.outsider.rest.post("video-conference.start", start.clone()).await.refused(400);
    let call = cast.owner.rest.post("video-conference.start", start).await.ok()["data"]["callId"].take();
    let join = json!({ "callId": call });
    let _ = cast.outsider.rest.post("video-conference.join", join.clone()).await.refused(400);
    let url = cast.member.rest.post("video-conference.join", join.clone()).await.ok()["url"].take();
    assert!(url.as_str().is_some_and(|u| u.starts_with("https://meet.example.org/")), "{url}");
    let history = cast.member.rest.get("groups.history", &[("roomId", &room)]).await.ok();
    let message = &history["messages"][0];
    assert_eq!((&message["t"], &message["call"]["joined"]), (&json!("videoconf"), &json!(1)));
    let _ = cast.member.rest.post("video-conference.end", join.clone()).await.refused(403);
    let _ = cast.owner.rest.post("video-conference.end", join.clone()).await.ok();
    let _ = cast.member.rest.post("video-conference.join", join).await.refused(400);
}

#[tokio::test]
async fn moderators_see_what_was_reported_and_take_it_down() {
    let (_server, cast) = workspace().await;
    let room = cast.owner.group("talk", &[&cast.member]).await;
    let message = cast.member.say(&room, "rude words").await["_id"].take();
    let report = json!({ "messageId": message, "description": "rude" });
    let _ = cast.outsider.rest.post("chat.reportMessage", report.clone()).await.refused(400);
    let _ = cast.owner.rest.post("chat.reportMessage", report).await.ok();
    let _ = cast.owner.rest.get("moderation.reportsByUsers", &[]).await.refused(403);
    let seen = cast.administrator.rest.get("moderation.reportsByUsers", &[]).await.ok();
    assert_eq!((&seen["total"], &seen["reports"][0]["msgId"]), (&json!(1), &message));
    let take_down = json!({ "userId": cast.member.id });
    let path = "moderation.user.deleteReportedMessages";
    let _ = cast.owner.rest.post(path, take_down.clone()).await.refused(403);
    let _ = cast.administrator.rest.post(path, take_down).await.ok();
    let id = message.as_str().unwrap_or_default();
    let _ = cast.owner.rest.get("chat.getMessage", &[("msgId", id)]).await.refused(400);
    let log = cast.administrator.rest.get("audit.log", &[]).await.ok();
    assert!(log["entries"].as_array().is_some_and(|e| !e.is_empty()), "{log}");
    let _ = cast.owner.rest.get("audit.log", &[]).await.refused(403);
}

#[tokio::test]
async fn old_messages_and_the_bytes_of_their_files_go_by_the_rule() {
    let (server, cast) = workspace().await;
    let room = cast.owner.channel("news", &[&cast.member]).await;
    let _ = cast.member.say(&room, "old").await;
    let file = ("a.txt", "text/plain", b"hello".as_slice());
    let upload = format!("rooms.upload/{room}");
    let _ = cast.member.rest.upload(&upload, "file", file, &[]).await.ok();
    let files = || walk(&server.data().join("files"));
    assert_eq!(files(), 1);
    for (id, value) in [
        ("RetentionPolicy_AppliesToChannels", json!(true)),
        ("RetentionPolicy_TTL_Channels", json!(1)),
        ("RetentionPolicy_Enabled", json!(true)),
    ] {
        let _ = cast.administrator.rest.post(&format!("settings/{id}"), json!({ "value": value })).await.ok();
    }
    let _ = cast.owner.rest.post("retention.apply", json!({})).await.refused(403);
    let _ = cast.administrator.rest.post("retention.apply", json!({})).await.ok();
    let left = cast.owner.rest.get("channels.history", &[("roomId", &room)]).await.ok();
    assert_eq!(left["messages"], json!([]));
    assert_eq!(files(), 0);
}

fn walk(folder: &std::path::Path) -> usize {
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // The mark of whose files these are is none of them.
    let entries = all.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    entries.map(|e| if e.path().is_dir() { walk(&e.path()) } else { 1 }).sum()
}

#[tokio::test]
async fn an_export_is_for_whoever_asked_and_for_nobody_else() {
    let (_server, cast) = workspace().await;
    let room = cast.owner.group("minutes", &[&cast.member]).await;
    let _ = cast.member.say(&room, "agreed").await;
    let wanted = json!({ "rid": room, "type": "file", "format": "json" });
    let refused = cast.owner.rest.post("rooms.export", wanted.clone()).await.refused(400);
    assert_eq!(refused["errorType"], "error-action-not-allowed");
    let rule = json!({ "roomId": room, "permissionId": "mail-messages", "roles": ["owner"] });
    let _ = cast.owner.rest.post("permissions.setInRoom", rule.clone()).await.refused(403);
    let _ = cast.administrator.rest.post("permissions.setInRoom", rule).await.ok();
    let export = cast.owner.rest.post("rooms.export", wanted).await.ok()["exportId"].take();
    let path = format!("/data-export/{}", export.as_str().unwrap_or_default());
    let archive = loop {
        let answer = cast.owner.rest.get(&path, &[]).await;
        if answer.status == 200 {
            break answer.bytes;
        }
        assert_eq!(answer.status, 404);
        tokio::task::yield_now().await;
    };
    assert!(archive.starts_with(b"PK"), "a ZIP file");
    for other in [&cast.member, &cast.administrator] {
        let _ = other.rest.get(&path, &[]).await.refused(404);
    }
}

#[tokio::test]
async fn forwarding_takes_reading_here_and_writing_there_and_brings_the_files() {
    let (_server, cast) = workspace().await;
    let source = cast.owner.group("source", &[&cast.member]).await;
    let target = cast.member.group("target", &[&cast.outsider]).await;
    let file = ("a.txt", "text/plain", b"hello".as_slice());
    let upload = format!("rooms.upload/{source}");
    let sent = cast.owner.rest.upload(&upload, "file", file, &[]).await.ok()["message"].take();
    let forward = json!({ "messageId": sent["_id"], "roomIds": [target] });
    let _ = cast.outsider.rest.post("chat.forwardMessage", forward.clone()).await.refused(400);
    let _ = cast.owner.rest.post("chat.forwardMessage", forward.clone()).await.refused(400);
    let shown = cast.member.rest.post("chat.forwardMessage", forward).await.ok()["messages"][0].take();
    let attachments = shown["attachments"].as_array().cloned().unwrap_or_default();
    let copy = attachments.iter().find_map(|a| a["title_link"].as_str()).unwrap_or_default();
    assert_eq!(cast.outsider.rest.get(copy, &[]).await.bytes, b"hello");
    let original = sent["attachments"][0]["title_link"].as_str().unwrap_or_default();
    let _ = cast.outsider.rest.get(original, &[]).await.refused(403);
}

#[tokio::test]
async fn whoever_is_banned_stays_out_until_let_in_again() {
    let (server, cast) = workspace().await;
    let room = cast.owner.channel("square", &[&cast.member]).await;
    let ban = json!({ "roomId": room, "userId": cast.member.id });
    let _ = cast.outsider.rest.post("rooms.banUser", ban.clone()).await.refused(400);
    let said = cast.owner.say(&room, "among ourselves").await;
    let mut reading = cast.member.socket(&server).await;
    reading.stream("room-messages", &room).await.expect("a member hears the room");
    let mut passing = cast.outsider.socket(&server).await;
    passing.stream("room-messages", &room).await.expect("whoever passes by hears a public room");
    let stranger = json!({ "roomId": room, "userId": cast.outsider.id });
    let _ = cast.owner.rest.post("rooms.banUser", ban.clone()).await.ok();
    let _ = cast.owner.rest.post("rooms.banUser", stranger.clone()).await.ok();
    cast.owner.say(&room, "now that they are gone").await;
    for (out, socket) in [(&cast.member, &mut reading), (&cast.outsider, &mut passing)] {
        let text = json!({ "message": { "rid": room, "msg": "still here" } });
        assert_ne!(out.rest.post("chat.sendMessage", text).await.status, 200);
        assert_ne!(out.rest.get("channels.messages", &[("roomId", &room)]).await.status, 200);
        assert_ne!(
            out.rest.get("chat.getMessage", &[("msgId", said["_id"].as_str().expect("an id"))]).await.status,
            200
        );
        let mut fresh = out.socket(&server).await;
        fresh.stream("room-messages", &room).await.expect_err("the room is closed to them");
        // Sent to the own room after what was said: whatever was to come of the other has come.
        let own = out.direct(&cast.owner).await;
        socket.stream("room-messages", &own).await.expect("one's own");
        out.say(&own, "why?").await;
        let _ = socket.event("room-messages", &own).await;
        let heard = socket.take_events("room-messages", &room);
        assert!(heard.iter().all(|args| args[0]["msg"] != "now that they are gone"), "{heard:?}");
    }
    let _ = cast.owner.rest.post("rooms.unbanUser", stranger).await.ok();
    let _ = cast.outsider.rest.get("channels.messages", &[("roomId", &room)]).await.ok();
    let join = json!({ "roomId": room });
    assert_ne!(cast.member.rest.post("channels.join", join.clone()).await.status, 200);
    let invite = json!({ "roomId": room, "userId": cast.member.id });
    assert_ne!(cast.owner.rest.post("channels.invite", invite).await.status, 200);
    let _ = cast.owner.rest.post("rooms.unbanUser", ban).await.ok();
    let _ = cast.member.rest.post("channels.join", join).await.ok();
    let _ = reading.take_events("room-messages", &room);
    reading.stream("room-messages", &room).await.expect("whoever is back may listen");
    cast.owner.say(&room, "welcome back").await;
    let heard = reading.event("room-messages", &room).await;
    assert_eq!(heard[0]["msg"], "welcome back", "and hears again on the same connection");
}

#[tokio::test]
async fn of_a_room_that_somebody_is_banned_from_no_list_tells_anything() {
    let (_server, cast) = workspace().await;
    let room = cast.owner.channel("agora", &[&cast.member]).await;
    let said = cast.owner.say(&room, "ostrakon").await;
    let lists = |who: &Person| {
        let text = |what: &str| {
            json!({ "message": json!({
            "msg": "method", "id": "1", "method": what, "params": ["agora", [], { "users": true, "rooms": true }],
        }).to_string() })
        };
        let rest = who.rest.clone();
        let (room, said) = (room.clone(), said["_id"].as_str().unwrap_or_default().to_owned());
        async move {
            let mut told = String::new();
            for (path, query) in [
                ("channels.list", vec![]),
                ("channels.list.joined", vec![]),
                ("directory", vec![("text", "agora"), ("type", "channels")]),
                ("directory", vec![("query", r#"{"text":"","type":"channels"}"#)]),
                ("spotlight", vec![("query", "agora")]),
                ("rooms.get", vec![]),
                ("subscriptions.get", vec![]),
                ("rooms.info", vec![("roomId", room.as_str())]),
                ("channels.info", vec![("roomName", "agora")]),
                ("channels.members", vec![("roomId", room.as_str())]),
                ("rooms.autocomplete.channelAndPrivate", vec![("selector", r#"{"name":"agora"}"#)]),
                ("chat.search", vec![("roomId", room.as_str()), ("searchText", "ostrakon")]),
                ("chat.getMessage", vec![("msgId", said.as_str())]),
            ] {
                told += &rest.get(path, &query).await.text();
            }
            told + &rest.post("method.call/spotlight", text("spotlight")).await.text()
        }
    };
    assert!(lists(&cast.outsider).await.contains("ostrakon"), "whoever passes by sees it before");
    for out in [&cast.member, &cast.outsider] {
        let ban = json!({ "roomId": room, "userId": out.id });
        let _ = cast.owner.rest.post("rooms.banUser", ban.clone()).await.ok();
        let told = lists(out).await;
        assert!(!told.contains("agora") && !told.contains("ostrakon"), "{told}");
        let own = out.direct(&cast.owner).await;
        let link = out.say(&own, "see #agora").await;
        assert_eq!(link["channels"].as_array().map_or(0, Vec::len), 0, "{link}");
        let _ = cast.owner.rest.post("rooms.unbanUser", ban).await.ok();
        assert!(lists(out).await.contains("ostrakon"), "and again when let in");
    }
}

#[tokio::test]
async fn a_role_of_ones_own_and_a_rooms_own_rule_are_in_force_at_once_and_explained() {
    // Client suites, which run in the mode for tests, take roles of one's own for an enterprise's.
    let server = Server::setup().env("TEST_MODE", "false").start().await;
    let cast = Cast::assemble(&server).await;
    let role = json!({ "name": "helper", "description": "helps" });
    let _ = cast.owner.rest.post("roles.create", role.clone()).await.refused(403);
    let role = cast.administrator.rest.post("roles.create", role).await.ok()["role"]["_id"].take();
    let grant = json!({ "permissionId": "view-statistics", "role": role });
    let _ = cast.administrator.rest.post("permissions.addRole", grant).await.ok();
    let _ = cast.member.rest.get("statistics", &[]).await.refused(400);
    let give = json!({ "roleId": role, "username": cast.member.username });
    let _ = cast.administrator.rest.post("roles.addUserToRole", give).await.ok();
    let counted = cast.member.rest.get("statistics", &[]).await.ok();
    let beneath = &counted["parlor"];
    assert!(matches!(beneath["database"].as_str(), Some("SQLite" | "PostgreSQL")), "{beneath}");
    assert_eq!((&beneath["queue"], beneath["version"].is_string()), (&json!(0), true), "{beneath}");

    let room = cast.owner.group("ideas", &[&cast.member]).await;
    let asked = [("permission", "pin-message"), ("roomId", room.as_str())];
    let allowed = async || cast.member.rest.get("permissions.explain", &asked).await.ok()["allowed"].take();
    assert_eq!(allowed().await, Value::Bool(false));
    let rule = json!({ "roomId": room, "permissionId": "pin-message", "roles": ["user"] });
    let _ = cast.administrator.rest.post("permissions.setInRoom", rule).await.ok();
    assert_eq!(allowed().await, Value::Bool(true));
    let message = cast.member.say(&room, "pin me").await;
    let _ = cast.member.rest.post("chat.pinMessage", json!({ "messageId": message["_id"] })).await.ok();
    let others = [("permission", "pin-message"), ("username", cast.owner.username.as_str())];
    let _ = cast.member.rest.get("permissions.explain", &others).await.refused(403);
}

#[tokio::test]
async fn what_the_server_does_not_have_says_so_in_the_dialect() {
    let (server, cast) = workspace().await;
    for path in ["livechat/rooms", "abac/attributes", "calendar-events.info", "no-such-endpoint"] {
        let answer = cast.administrator.rest.get(path, &[]).await;
        assert_eq!(answer.headers["content-type"], "application/json", "{path}");
        assert!(answer.refused(404)["error"].as_str().is_some_and(|e| !e.is_empty()), "{path}");
    }
    let mail = json!({ "emails": ["a@example.org"] });
    let refused = cast.administrator.rest.post("sendInvitationEmail", mail).await.refused(400);
    assert_eq!(refused["errorType"], "error-email-send-failed");
    let font = server.rest().get("/fonts/rocketchat.woff2", &[]).await;
    assert_eq!((font.status, &font.headers["content-type"]), (200, &"font/woff2".parse().expect("a value")));
}

#[tokio::test]
async fn rooms_are_looked_after_from_outside_and_the_log_names_it() {
    let (_server, cast) = workspace().await;
    let room = cast.owner.group("plans", &[&cast.member]).await;
    let members = "rooms.adminRooms.members";
    let seen = cast.administrator.rest.get(members, &[("rid", &room)]).await.ok();
    assert_eq!((&seen["total"], &seen["members"][0]["roles"]), (&json!(2), &json!(["owner"])), "{seen}");
    let _ = cast.member.rest.get(members, &[("rid", &room)]).await.refused(400);
    let change = json!({ "rid": room, "roomTopic": "tidy" });
    let _ = cast.administrator.rest.post("rooms.saveRoomSettings", change).await.ok();
    let mine = json!({ "rid": room, "roomTopic": "mine" });
    let _ = cast.owner.rest.post("rooms.saveRoomSettings", mine).await.ok();
    let _ = cast.administrator.rest.post("rooms.delete", json!({ "roomId": room })).await.ok();
    let asked = [("action", "room."), ("text", "PLANS")];
    let log = cast.administrator.rest.get("audit.log", &asked).await.ok();
    let acts: Vec<&str> =
        log["entries"].as_array().into_iter().flatten().filter_map(|e| e["action"].as_str()).collect();
    assert_eq!((acts, &log["total"]), (vec!["room.removed", "room.changed"], &json!(2)));
    let later = [("action", "room."), ("oldest", "2999-01-01T00:00:00.000Z")];
    assert_eq!(cast.administrator.rest.get("audit.log", &later).await.ok()["total"], 0);
}

#[tokio::test]
async fn whoever_removes_an_account_says_what_becomes_of_its_messages() {
    let (_server, cast) = workspace().await;
    let room = cast.owner.group("talk", &[&cast.member]).await;
    let message = cast.member.say(&room, "stays").await["_id"].take();
    let wanted = |fate: &str| json!({ "userId": cast.member.id, "messages": fate });
    let _ = cast.owner.rest.post("users.delete", wanted("Keep")).await.refused(403);
    let _ = cast.administrator.rest.post("users.delete", wanted("Burn")).await.refused(400);
    let _ = cast.administrator.rest.post("users.delete", wanted("Keep")).await.ok();
    let id = message.as_str().unwrap_or_default();
    let kept = cast.owner.rest.get("chat.getMessage", &[("msgId", id)]).await.ok();
    assert_eq!(kept["message"]["msg"], "stays");
}

#[tokio::test]
async fn a_block_that_is_said_twice_or_taken_back_twice_leaves_the_conversation_as_it_is() {
    let (_server, cast) = workspace().await;
    let room = cast.owner.direct(&cast.member).await;
    cast.owner.say(&room, "hello").await;
    let whom = json!([{ "rid": room, "blocked": cast.member.id }]);
    for method in ["unblockUser", "blockUser", "blockUser"] {
        cast.owner.rest.method(method, whom.clone()).await.expect("it is one's own room");
    }
    let text = json!({ "message": { "rid": room, "msg": "let me in" } });
    let _ = cast.member.rest.post("chat.sendMessage", text).await.refused(400);
    for method in ["unblockUser", "unblockUser"] {
        cast.owner.rest.method(method, whom.clone()).await.expect("it is one's own room");
    }
    cast.owner.say(&room, "hello again").await;
    cast.member.say(&room, "hello you").await;
}

#[tokio::test]
async fn who_has_a_role_in_a_private_room_is_not_told_to_those_who_do_not_see_it() {
    let (server, cast) = workspace().await;
    let room = cast.owner.group("den", &[&cast.member]).await;
    let mut inside = cast.member.socket(&server).await;
    inside.stream("room-messages", &room).await.expect("a member hears the room");
    let mut outside = cast.outsider.socket(&server).await;
    for socket in [&mut inside, &mut outside] {
        socket.stream("notify-logged", "roles-change").await.expect("everybody's");
    }
    let whom = json!({ "roomId": room, "userId": cast.member.id });
    let _ = cast.owner.rest.post("groups.addModerator", whom).await.ok();
    let told = inside.event("notify-logged", "roles-change").await;
    assert_eq!((&told[0]["_id"], &told[0]["scope"]), (&json!("moderator"), &json!(room)));
    // What is for everybody comes after it.
    let everywhere = json!({ "roleId": "livechat-agent", "username": "member" });
    let _ = cast.administrator.rest.post("roles.addUserToRole", everywhere).await.ok();
    let told = outside.event("notify-logged", "roles-change").await;
    assert_eq!(told[0]["_id"], "livechat-agent");
}

#[tokio::test]
async fn an_administrator_makes_a_backup_and_reads_the_log_from_afar() {
    let (server, cast) = workspace().await;
    let admin = &cast.administrator.rest;
    for name in ["backups.list", "stdout.queue", "imports.list"] {
        let _ = cast.owner.rest.get(name, &[]).await.refused(403);
    }
    let _ = cast.owner.rest.post("backups.start", json!({})).await.refused(403);
    let none = admin.get("backups.list", &[]).await.ok();
    assert_eq!((&none["backups"], &none["runningSince"]), (&json!([]), &Value::Null));
    let _ = admin.post("backups.start", json!({})).await.ok();
    let made = loop {
        let now = admin.get("backups.list", &[]).await.ok();
        assert_eq!(now["failed"], Value::Null);
        if now["runningSince"].is_null() {
            break now;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(made["backups"].as_array().map(Vec::len), Some(1), "{made}");
    let folder = std::path::Path::new(made["folder"].as_str().expect("a path"));
    assert!(folder.starts_with(server.data()), "within the data directory");
    let backup = folder.join(made["backups"][0]["name"].as_str().expect("a name"));
    assert!(backup.join("manifest.json").is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = backup.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else looks into it");
    }
    let log = admin.get("stdout.queue", &[("level", "info")]).await.ok();
    let lines = log["queue"].as_array().expect("lines");
    assert!(lines.iter().any(|line| line["text"] == "a backup was made"), "{log}");
    let last = lines.last().and_then(|line| line["id"].as_str()).expect("an id");
    let later = admin.get("stdout.queue", &[("level", "error"), ("after", last)]).await.ok();
    assert_eq!(later["queue"], json!([]));
    let _ = admin.get("stdout.queue", &[("level", "loud")]).await.refused(400);
    let audit = admin.get("audit.log", &[("action", "backup.")]).await.ok();
    assert_eq!(audit["total"], 1);
    assert_eq!(admin.get("imports.list", &[]).await.ok()["imports"], json!([]));
}

#[tokio::test]
async fn several_reading_calls_go_in_one_request_and_each_is_judged_alone() {
    let (_server, cast) = workspace().await;
    let calls = [
        ("call", "me"),
        ("call", "rooms.get?updatedSince=2020-01-01T00:00:00.000Z"),
        ("call", "audit.log"),
        ("call", "requests.batch?call=me"),
        ("call", "chat.postMessage"),
        ("call", "../../health"),
        ("call", "not a name"),
    ];
    let told = cast.owner.rest.get("requests.batch", &calls).await.ok();
    let answers = told["answers"].as_array().expect("answers");
    let statuses: Vec<_> = answers.iter().map(|one| one["status"].as_u64().unwrap_or_default()).collect();
    assert_eq!(statuses, [200, 200, 403, 400, 400, 400, 400], "{told}");
    let alone = cast.owner.rest.get("me", &[]).await.ok();
    assert_eq!(answers[0]["body"]["_id"], alone["_id"]);
    assert!(answers[1]["body"]["update"].is_array());
    let refused = cast.owner.rest.get("audit.log", &[]).await.refused(403);
    assert_eq!(answers[2]["body"], refused);
    let _ = cast.owner.rest.get("requests.batch", &[]).await.refused(400);
    let _ = cast.owner.rest.get("requests.batch", &[("call", "me"); 13]).await.refused(400);
}
