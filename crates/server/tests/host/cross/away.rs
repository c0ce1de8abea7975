//! Whoever has nothing open is told by other ways: a push to a browser, a letter, a hook of his own. Of a room that he is out
//! of he is told by none of them; and of cases and tickets no hook is told at all.

use std::collections::BTreeSet;

use parlor_testkit::{HostApp, HostPerson, Person, server::ADMINISTRATOR};
use serde_json::{Value, json};

use super::{
    doors::{Door, Hands},
    stage::{Kind, Stage, TICKET},
};
use crate::{browsers::Browser, post, sink::Sink};

const SECRET: &str = "the-secret-of-those-who-stayed";

async fn come(stage: &Stage) {
    let room = &stage.room;
    match stage.kind {
        Kind::Ticket => {
            let facts = json!({"assignees": ["u-ben", "u-cy"]});
            stage.app.put(&format!("/api/tickets/{TICKET}"), facts).await.expect(200);
        }
        Kind::Case => {
            let path = format!("/api/conversations/{room}/participants");
            stage.ben.rest.post(&path, json!({"user_id": "u-cy"})).await.expect(200);
        }
        _ => {
            let added = stage.ann.rest.post(&format!("/api/chat/rooms/{room}/members/u-cy"), json!({})).await;
            assert!(matches!(added.status, 200 | 201), "{}", added.text());
        }
    }
}

async fn go(stage: &Stage) {
    let room = &stage.room;
    match stage.kind {
        Kind::Ticket => {
            let facts = json!({"assignees": ["u-ben"]});
            stage.app.put(&format!("/api/tickets/{TICKET}"), facts).await.expect(200);
        }
        Kind::Case => drop(stage.cy.rest.post("groups.leave", json!({"roomId": room})).await.expect(200)),
        _ => {
            let path = format!("/api/chat/rooms/{room}/members/u-cy");
            stage.ann.rest.remove(&path).await.expect(200);
        }
    }
}

/// The next push that says this; none before it says the secret to whoever is not to hear it.
async fn pushed(browser: &mut Browser, what: &str, may_hear: bool) {
    loop {
        let (_, said) = browser.next().await;
        assert!(may_hear || !said.to_string().contains(SECRET), "{said}");
        if said["body"].as_str().is_some_and(|body| body.contains(what)) {
            return;
        }
    }
}

/// The next letter to somebody that says this; none before it says the secret to Cy.
async fn written(letters: &mut Option<post::Sink>, to: &HostPerson, what: &str) {
    let Some(letters) = letters else { return };
    let address = format!("{}@host.example", to.id.trim_start_matches("u-"));
    loop {
        let letter = letters.next().await;
        let foreign = letter.to == "cy@host.example" && letter.text.contains(SECRET);
        assert!(!foreign, "{}", letter.text);
        if letter.to == address && letter.text.contains(what) {
            return;
        }
    }
}

/// A hook that calls out on what is said in these rooms.
async fn hook(by: &parlor_testkit::Rest, speaker: &str, channel: &str) -> Sink {
    let sink = Sink::open().await;
    let wanted = json!({
        "type": "webhook-outgoing", "name": "ears", "enabled": true, "username": speaker, "urls": [sink.url],
        "channel": channel, "scriptEnabled": false, "event": "sendMessage",
    });
    let _ = by.post("integrations.create", wanted).await.ok();
    sink
}

async fn called(sink: &mut Sink, what: &str) {
    let said = sink.next().await.body;
    assert!(said["text"].as_str().is_some_and(|text| text.contains(what)), "{what}: {said}");
}

async fn told_of_nothing(kind: Kind) {
    let mut letters = if post::there() { Some(post::Sink::open(0).await) } else { None };
    let mut setup = HostApp::setup().setting("SSRF_Allowlist", "127.0.0.1");
    if let Some(letters) = &letters {
        let from = "Parlor <chat@example.org>";
        setup = setup.env("MAIL_URL", &letters.url()).setting("From_Email", from);
    }
    let stage = Stage::on(setup.start().await, kind).await;
    let administrator = Person::sign_in(&stage.server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let roles: Value = json!([{"_id": "manage-own-outgoing-integrations", "roles": ["admin", "user"]}]);
    let _ = administrator.rest.post("permissions.update", json!({"permissions": roles})).await.ok();
    let mut everywhere = hook(&administrator.rest, &administrator.username, "all_private_groups").await;
    let mut own = match kind {
        Kind::Group => Some(hook(&stage.cy.rest, "cy", "#few").await),
        _ => None,
    };
    let mut cys = Browser::subscribed(&stage.cy.rest, 21).await;
    let mut bens = Browser::subscribed(&stage.ben.rest, 22).await;
    come(&stage).await;
    let mut ann = Hands::of(&stage, &stage.ann).await;
    let first = ann.send(Door::RoomsRest, "@cy @ben before").await;
    pushed(&mut cys, "before", true).await;
    pushed(&mut bens, "before", true).await;
    written(&mut letters, &stage.cy, "before").await;
    if let Some(own) = &mut own {
        called(own, "before").await;
        called(&mut everywhere, "before").await;
    }

    go(&stage).await;
    let mut waiting = BTreeSet::new();
    for door in Door::of(kind, |_| true) {
        let said = format!("@cy @ben {SECRET} by {door:?}.");
        ann.send(door, &said).await;
        waiting.insert(said);
    }
    ann.edit(Door::RoomsRest, &first, &format!("@cy @ben {SECRET} before")).await;
    // Whoever is still there is told of all of it: Cy's turn would have come with his.
    while !waiting.is_empty() {
        let (_, said) = bens.next().await;
        let body = said["body"].as_str().unwrap_or_default();
        waiting.retain(|said| !body.contains(said.as_str()));
    }
    written(&mut letters, &stage.ben, SECRET).await;

    come(&stage).await;
    ann.send(Door::RoomsRest, "@cy welcome back").await;
    pushed(&mut cys, "welcome back", false).await;
    written(&mut letters, &stage.cy, "welcome back").await;
    if let Some(own) = &mut own {
        called(own, "welcome back").await;
        return;
    }
    let group = administrator.group("elsewhere", &[]).await;
    administrator.say(&group, "the first that a hook is told of").await;
    called(&mut everywhere, "the first that a hook is told of").await;
}

/// S0-40, S3-70, S3-80: of a group.
#[tokio::test]
async fn s0_40_s3_70_s3_80_pushes_letters_and_hooks_of_whoever_is_out_of_a_group_say_nothing_of_it() {
    told_of_nothing(Kind::Group).await;
}

/// S2-57, S2-67: of a case.
#[tokio::test]
async fn s2_57_s2_67_pushes_letters_and_hooks_of_whoever_left_a_case_say_nothing_of_it() {
    told_of_nothing(Kind::Case).await;
}

/// S4-46, S4-53: of a ticket.
#[tokio::test]
async fn s4_46_s4_53_pushes_letters_and_hooks_of_whom_a_ticket_names_no_more_say_nothing_of_it() {
    told_of_nothing(Kind::Ticket).await;
}
