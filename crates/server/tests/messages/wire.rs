//! Answers and events in the very form that clients and people's own suites compare.

use super::Stage;
use parlor_testkit::{Answer, Person, Server, rest, server::ADMINISTRATOR};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

fn file(name: &str, media_type: &str) -> Part {
    let content: &[u8] = if media_type.starts_with("text/") { b"hello" } else { &[0, 1, 2, 3] };
    let part = Part::bytes(content.to_vec()).file_name(name.to_owned());
    part.mime_str(media_type).expect("a media type")
}

async fn send(who: &Person, endpoint: &str, form: Form) -> Answer {
    rest::answer(who.rest.request(Method::POST, endpoint).multipart(form)).await
}

async fn total(who: &Person, name: &str, query: &[(&str, &str)]) -> Option<u64> {
    who.rest.get(name, query).await.ok()["total"].as_u64()
}

#[tokio::test]
async fn uploads_are_refused_and_listed_as_clients_know_it() {
    let stage = Stage::set().await;
    let owner = &stage.cast.owner;
    let at = format!("rooms.upload/{}", stage.room);
    let other_field = Form::new().part("test", file("a.txt", "text/plain"));
    let refused = send(owner, &at, other_field).await.refused(400);
    assert_eq!(
        (&refused["error"], &refused["errorType"]),
        (&json!("[invalid-field]"), &json!("invalid-field"))
    );
    let two = Form::new().part("file", file("a.txt", "text/plain")).part("file", file("b.txt", "text/plain"));
    assert_eq!(send(owner, &at, two).await.refused(400)["error"], "Just 1 file is allowed");
    for (name, media_type) in
        [("a.txt", "text/plain"), ("b.csv", "text/csv"), ("c.bin", "application/octet-stream")]
    {
        let one = Form::new().part("file", file(name, media_type));
        let _ = send(owner, &at, one).await.ok();
    }
    let room = ("roomId", stage.room.as_str());
    for (group, wanted) in [("", 3), ("text", 2), ("image", 0), ("tex", 0)] {
        assert_eq!(
            total(owner, "groups.files", &[room, ("typeGroup", group)]).await,
            Some(wanted),
            "{group}"
        );
    }
}

#[tokio::test]
async fn small_things_are_as_clients_know_them() {
    let stage = Stage::set().await;
    let cast = &stage.cast;
    let (member, administrator) = (&cast.member, &cast.administrator);
    // Presence: everybody's, or that of some.
    for (query, full) in [(vec![], true), (vec![("ids", member.id.as_str())], false)] {
        assert_eq!(member.rest.get("users.presence", &query).await.ok()["full"], full);
    }
    // Teams: `member` is what clients call those with no role.
    let team = json!({ "name": "crew", "type": 0 });
    let _ = cast.owner.rest.post("teams.create", team).await.ok();
    let join = json!({ "teamName": "crew", "members": [{ "userId": member.id, "roles": ["member"] }] });
    let _ = cast.owner.rest.post("teams.addMembers", join).await.ok();
    let nonsense = json!({ "teamName": "crew", "members": [{ "userId": member.id, "roles": ["no-role"] }] });
    let _ = cast.owner.rest.post("teams.addMembers", nonsense).await.refused(400);
    let found = cast.owner.rest.get("directory", &[("type", "teams"), ("text", "crew")]).await.ok();
    assert_eq!(found["result"][0]["roomsCount"], 0);
    assert!(member.rest.get("directory", &[]).await.ok()["result"].is_array(), "channels unless said");
    // Queries: what is known, and nothing else.
    let query = |text| [("roomId", stage.room.as_str()), ("query", text)];
    let _ = member.rest.get("groups.messages", &query(r#"{"tmid":{"$exists":false}}"#)).await.ok();
    let _ = member.rest.get("groups.messages", &query(r#"{"$where":"1"}"#)).await.refused(400);
    let unloaded = [("roomId", "undefined"), ("url", "https://example.org/")];
    let refused = member.rest.get("chat.getURLPreview", &unloaded).await.refused(400);
    assert_eq!(refused["errorType"], "error-not-allowed");
    // What is left out says so.
    for name in ["startImport", "loginCode.redeem", "twoFactorChallenges.sendEmailCode"] {
        let refused = administrator.rest.get(name, &[]).await.refused(404);
        assert_eq!(refused["errorType"], "error-endpoint-not-available", "{name}");
    }
}

#[tokio::test]
async fn methods_that_older_clients_call_are_there() {
    let stage = Stage::set().await;
    let cast = &stage.cast;
    let (member, owner) = (&cast.member, &cast.owner);
    assert_eq!(member.rest.method("e2e.requestSubscriptionKeys", json!([])).await, Ok(json!(true)));
    let _ = owner.say(&stage.room, "not for anybody").await;
    let said = owner.say(&stage.room, "@member look").await;
    let asked = json!([{ "roomId": stage.room, "options": { "limit": 5 } }]);
    let told = member.rest.method("getUserMentionsByChannel", asked.clone()).await.expect("a member may");
    assert_eq!((told[0]["_id"].clone(), told[1].clone()), (said["_id"].clone(), Value::Null));
    let refused = cast.outsider.rest.method("getUserMentionsByChannel", asked).await;
    assert_eq!(refused.expect_err("an outsider may not")["error"], "error-invalid-room");
    // Private talk of two that is not kept: only what is wrong with it is told.
    let talk = async |message: Value| {
        let told = member.rest.method("updateOTRAck", json!([{ "message": message, "ack": "x" }])).await;
        told.map_err(|error| error["message"].as_str().unwrap_or_default().to_owned())
    };
    let direct = member.direct(owner).await;
    for (message, refused) in [
        (json!({ "_id": "x", "t": "otr" }), "Match error: Missing key 'rid'"),
        (
            json!({ "rid": { "$ne": "" }, "t": "otr" }),
            "Match error: Expected string, got object in field rid",
        ),
        (json!({ "rid": direct, "t": "rm" }), "Invalid message type [error-invalid-message]"),
        (json!({ "rid": stage.room, "t": "otr" }), "Invalid room [error-invalid-room]"),
        (
            json!({ "rid": direct, "t": "otr", "u": { "_id": "x" } }),
            "Invalid user, not in room [error-invalid-user]",
        ),
    ] {
        assert_eq!(talk(message).await, Err(refused.to_owned()));
    }
    assert!(talk(json!({ "rid": direct, "t": "otr", "u": { "_id": member.id } })).await.is_ok());
    // A room without a word has a last moment all the same.
    let counters = member.rest.get("im.counters", &[("roomId", &direct)]).await.ok();
    assert!(counters["latest"].is_string(), "{counters}");
}

#[tokio::test]
async fn what_client_suites_take_for_granted_is_there_beside_the_administrator_of_the_deployment() {
    let server = Server::setup().env("TEST_MODE", "true").start().await;
    let suite = "rocketchat.internal.admin.test";
    let suite = Person::sign_in(&server, suite, suite).await;
    let me = suite.rest.get("me", &[]).await.ok();
    assert_eq!((&me["_id"], &me["username"]), (&json!(suite.id), &json!(suite.id)));
    assert_eq!((&me["roles"], &me["emails"][0]["verified"]), (&json!(["admin"]), &json!(false)));
    let app = suite.rest.get("oauth-apps.get", &[("clientId", "zapier")]).await.ok();
    assert_eq!(app["oauthApp"]["_id"], "zapier");
    let (name, password) = ADMINISTRATOR;
    let own = Person::sign_in(&server, name, password).await;
    assert_eq!(own.rest.get("me", &[]).await.ok()["roles"], json!(["admin"]));
}

#[tokio::test]
async fn who_comes_and_goes_is_told_to_those_who_ask_for_all() {
    let stage = Stage::set().await;
    let cast = &stage.cast;
    let mut owner = cast.owner.socket(&stage.server).await;
    owner.stream("notify-logged", "user-status").await.expect("whoever is logged in may");
    let all = owner.method("permissions/get", json!([""])).await.expect("an answer");
    assert!(all.is_array(), "an empty last argument is none");
    let refused = owner.stream("notify-logged", "private-settings-changed").await;
    assert_eq!(refused.expect_err("not everybody's")["error"], "not-allowed");
    let mut member = cast.member.socket(&stage.server).await;
    let key = format!("{}/subscriptions-changed", cast.member.id);
    member.stream("notify-user", &key).await.expect("one's own");
    let is_member = |args: &Value| args[0][0] == cast.member.id.as_str() && args[0][2] == 1;
    let status = owner.event_where("notify-logged", "user-status", is_member).await;
    assert_eq!(status[0][1], "member");
    assert_eq!(status[0][5], json!(["user"]));
    let kick = json!({ "roomId": stage.room, "userId": cast.member.id });
    let _ = cast.owner.rest.post("groups.kick", kick).await.ok();
    let gone = member.event_where("notify-user", &key, |args| args[0] == "removed").await;
    assert_eq!((&gone[1]["rid"], &gone[1]["t"]), (&json!(stage.room), &json!("p")));
}
