//! A running server moves into another one, while people go on writing there.

use std::{path::Path, process::Stdio};

use parlor_testkit::{Cast, Server, cast::Person, wait};
use serde_json::{Value, json};

use crate::{
    rough::Rough,
    run::{Told, command, import},
};

const PASSWORD: &str = "ropes, sails and tar 4";

async fn token(administrator: &Person) -> String {
    let wanted = json!({"tokenName": "move", "bypassTwoFactor": true});
    let made = administrator.rest.post("users.generatePersonalAccessToken", wanted).await.ok();
    made["token"].as_str().expect("a token").to_owned()
}

fn run(data: &Path, url: &str, user: &str, token: &str) -> Told {
    import(data, &["rocketchat", "--url", url, "--user-id", user, "--token", token])
}

fn texts(messages: &Value) -> Vec<&str> {
    messages.as_array().into_iter().flatten().filter_map(|m| m["msg"].as_str()).collect()
}

#[tokio::test]
async fn a_running_server_moves_in_and_again_with_what_is_new() {
    let old = Server::start().await;
    let cast = Cast::assemble(&old).await;
    let (boss, owner, member) = (&cast.administrator, &cast.owner, &cast.member);
    let room = owner.channel("docks", &[member, boss]).await;
    for n in 0..130 {
        owner.say(&room, &format!("crate {n}")).await;
    }
    let root = member.say(&room, "a thread").await;
    let root = root["_id"].as_str().expect("an id");
    let reply = json!({"message": {"rid": room, "msg": "a reply", "tmid": root}});
    let _ = owner.rest.post("chat.sendMessage", reply).await.ok();
    let _ = owner
        .rest
        .post("chat.react", json!({"messageId": root, "emoji": ":wave:", "shouldReact": true}))
        .await
        .ok();
    let sent = member
        .rest
        .upload(&format!("rooms.upload/{room}"), "file", ("list.txt", "text/plain", b"ropes and sails"), &[])
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let closed = owner.group("cabin", &[member]).await;
    owner.say(&closed, "unseen").await;
    let token = token(boss).await;
    let data = tempfile::tempdir().expect("a folder");

    assert!(!run(data.path(), &old.url(), &boss.id, "no token at all").good, "a wrong token opens nothing");
    let first = run(data.path(), &old.url(), &boss.id, &token);
    assert!(first.good && first.adds_up(), "{}{}", first.out, first.errors);
    assert!(
        first.out.contains("the administrator may not read it"),
        "what can't be read is said: {}",
        first.out
    );
    let [_, new, ..] = first.counts("messages");
    assert!(new >= 133, "{}", first.out);
    owner.say(&room, "while you moved").await;
    let second = run(data.path(), &old.url(), &boss.id, &token);
    assert!(second.good && second.adds_up(), "{}{}", second.out, second.errors);
    assert_eq!(second.counts("messages")[1], 1, "only what is new: {}", second.out);
    assert_eq!(second.counts("users")[1], 0);

    // Passwords can't be asked for over the wire: the operator gives one, or people ask for one by mail.
    crate::slack::set_password(data.path(), &owner.username, PASSWORD);
    let server = Server::setup().data(data.path()).start().await;
    reads_the_same(&server, owner, &room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow_away_or_cuts_its_answers_moves_in_whole_also_after_a_kill() {
    let old = Server::start().await;
    let cast = Cast::assemble(&old).await;
    let (boss, owner) = (&cast.administrator, &cast.owner);
    let rooms = ["docks", "islands"];
    let mut ids = Vec::new();
    for name in rooms {
        let room = owner.channel(name, &[&cast.member, boss]).await;
        for n in 0..120 {
            owner.say(&room, &format!("{name} {n}")).await;
        }
        ids.push(room);
    }
    let token = token(boss).await;
    let data = tempfile::tempdir().expect("a folder");
    let rough = Rough::to(&old.url()).await;
    let args = ["rocketchat", "--url", &rough.url, "--user-id", &boss.id, "--token", &token];

    // The first room's messages are in when it is killed, its members are not.
    rough.silent_at(Some(".members"));
    let mut child = command(data.path(), &args).stderr(Stdio::null()).spawn().expect("it starts");
    wait::until("it asks for members", || async { (rough.held() > 0).then_some(()) }).await;
    child.kill().expect("it is killed");
    let _ = child.wait();
    rough.silent_at(None);
    let before = rough.calls();

    let (folder, owned) = (data.path().to_owned(), args.map(str::to_owned));
    let run = move || import(&folder, &owned.each_ref().map(String::as_str));
    let again = tokio::task::spawn_blocking(run).await.expect("it ends");
    assert!(again.good && again.adds_up(), "{}{}", again.out, again.errors);
    assert!(rough.calls() - before > 16, "each kind of trouble came twice");
    let [read, new, known, left] = again.counts("messages");
    assert!(known >= 100 && new >= 120 && left == 0, "{read} {new} {known} {left}\n{}", again.out);
    let third = crate::run::import(
        data.path(),
        &["rocketchat", "--url", &old.url(), "--user-id", &boss.id, "--token", &token],
    );
    assert_eq!(third.counts("messages")[1], 0, "nothing was left out: {}", third.out);

    crate::slack::set_password(data.path(), &owner.username, PASSWORD);
    let server = Server::setup().data(data.path()).start().await;
    let here = Person::sign_in(&server, &owner.username, PASSWORD).await;
    for room in &ids {
        let query = [("roomId", room.as_str()), ("count", "200")];
        let [there, again] = [owner, &here].map(|of| of.rest.get("channels.history", &query));
        assert_eq!(texts(&there.await.ok()["messages"]), texts(&again.await.ok()["messages"]));
        let members = here.rest.get("channels.members", &query).await.ok();
        assert_eq!(members["members"].as_array().map(Vec::len), Some(3), "{members}");
    }
}

async fn reads_the_same(new: &Server, owner: &Person, room: &str) {
    let query = [("roomId", room), ("count", "200")];
    let there = owner.rest.get("channels.history", &query).await.ok();
    let again = Person::sign_in(new, &owner.username, PASSWORD).await;
    let here = again.rest.get("channels.history", &query).await.ok();
    assert_eq!(texts(&there["messages"]), texts(&here["messages"]), "the same words in the same order");
    assert_eq!(there["messages"][0]["ts"], here["messages"][0]["ts"]);
    let list = |answer: &Value| -> Vec<Value> { answer["messages"].as_array().cloned().unwrap_or_default() };
    let root = |answer: &Value| list(answer).into_iter().find(|m| m["msg"] == "a thread").expect("the root");
    for key in ["_id", "tcount", "reactions", "ts"] {
        assert_eq!(root(&there)[key], root(&here)[key], "{key}");
    }
    let with_file = list(&here).into_iter().find(|m| m["file"].is_object()).expect("a file");
    let path = format!("/file-upload/{}/list.txt", with_file["file"]["_id"].as_str().expect("an id"));
    let file = again.rest.get(&path, &[]).await;
    assert_eq!((file.status, file.text().as_str()), (200, "ropes and sails"));
}
