//! Section 9 of the contract as a table: who may act for whom.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use parlor_testkit::rest::{Answer, Rest};

use crate::world::World;

/// An act for `x`: how it is asked.
type Act = (&'static str, fn(&str) -> Option<Value>, fn(&str) -> String);

fn none(_: &str) -> Option<Value> {
    None
}

/// A group of its own for each who asks.
fn group(creator: &str) -> Option<Value> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Some(json!({"name": format!("g{}", NEXT.fetch_add(1, Ordering::Relaxed)), "created_by": creator}))
}

/// Everything that is done for somebody by name.
const ACTS: &[Act] = &[
    ("send", |x| Some(json!({"from_name": x, "message": "hi"})), |_| "/api/chat/send".to_owned()),
    ("inbox", none, |x| format!("/api/chat/inbox/{x}")),
    ("unread", none, |x| format!("/api/chat/unread-count/{x}")),
    ("groups", none, |x| format!("/api/chat/groups/{x}")),
    ("mark all", |x| Some(json!({"username": x})), |_| "/api/chat/mark-all-read".to_owned()),
    ("mark", |x| Some(json!({"username": x, "room_id": "GENERAL"})), |_| "/api/chat/mark-read".to_owned()),
    ("make a group", group, |_| "/api/chat/groups".to_owned()),
    ("search", none, |x| format!("/api/chat/search/{x}?q=hi")),
    ("pinned", none, |x| format!("/api/chat/pinned/{x}?room_id=GENERAL")),
];

async fn ask(rest: &Rest, act: &Act, name: &str) -> Answer {
    match (act.1)(name) {
        Some(body) => rest.post(&(act.2)(name), body).await,
        None => rest.get(&(act.2)(name), &[]).await,
    }
}

/// S0-27, S0-59, S0-63, C-26, R-3: the table.
#[tokio::test]
async fn s0_27_s0_59_s0_63_who_acts_for_whom_is_as_the_table_says() {
    let world = World::start().await;
    let (ann, ben) = (world.person("ann").await, world.person("ben").await);
    let nobody = world.server.rest();
    let bad = nobody.header("authorization", "Bearer of-nothing");
    let wrong_key = nobody.header("x-app-key", "wrong");
    for act in ACTS {
        let name = act.0;
        assert!(ask(&world.app, act, "ann").await.status < 300, "{name}: the application");
        assert!(ask(&ann.rest, act, "ann").await.status < 300, "{name}: oneself");
        assert!(ask(&ann.rest, act, "ANN").await.status < 300, "{name}: letter case aside");
        assert!(ask(&world.administrator.rest, act, "ann").await.status < 300, "{name}: ADMIN");
        let for_other = ask(&ben.rest, act, "ann").await;
        let for_nobody = ask(&ben.rest, act, "nobody").await;
        assert_eq!((for_other.status, &for_other.body["error"]), (403, &json!("forbidden")), "{name}");
        assert_eq!(for_other.bytes, for_nobody.bytes, "{name}: whether there is such a user is not told");
        let unknown = ask(&world.administrator.rest, act, "nobody").await;
        assert_eq!((unknown.status, &unknown.body["error"]), (404, &json!("not_found")), "{name}");
        for (rest, code) in
            [(&nobody, "unauthorized"), (&bad, "invalid_token"), (&wrong_key, "invalid_token")]
        {
            let answer = ask(rest, act, "ann").await;
            assert_eq!((answer.status, &answer.body["error"]), (401, &json!(code)), "{name}");
            assert!(answer.body["message"].is_string() && answer.body.get("success").is_none());
        }
    }
    assert_eq!(world.read("/api/users?q=nobody").await["users"], json!([]), "none of this made anybody");
    let inbox = world.inbox("ann").await;
    let said =
        crate::world::room(&inbox, "team", "general")["messages"].as_array().expect("messages").clone();
    let groups = world.read("/api/chat/groups/ann").await["groups"].take();
    assert_eq!((said.len(), groups.as_array().map(Vec::len)), (4, Some(4)), "what was refused left nothing");
}

/// S0-27, S0-59: the cheap question whether one is let in, for each kind of caller; a bad proof is told by its code.
#[tokio::test]
async fn s0_27_s0_59_one_call_says_who_is_let_in() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let me = async |rest: &Rest| rest.get("/api/auth/me", &[]).await;
    assert_eq!(me(&world.app).await.expect(200), json!({"app": true}));
    let told = me(&ann.rest).await.expect(200)["user"].take();
    let wanted = json!({"id": ann.id, "username": "ann", "name": ann.name, "email": "ann@example.org",
        "roles": ["USER"], "vendor_id": null, "active": true});
    assert_eq!(told, wanted);
    let nobody = world.server.rest();
    me(&nobody).await.problem(401, "unauthorized");
    me(&nobody.header("x-app-key", "wrong")).await.problem(401, "invalid_token");
    me(&nobody.signed_in(&ann.id, "wrong")).await.problem(401, "invalid_token");
    let token = ann.rest.token().expect("a token");
    for name in ["token", "access_token"] {
        // In an address it would stand in logs.
        nobody.get("/api/auth/me", &[(name, token)]).await.problem(401, "unauthorized");
        nobody.get("/api/chat/inbox/ann", &[(name, token)]).await.problem(401, "unauthorized");
    }
}

/// S0-50, S0-51: a browser makes no users, neither by a message, a group nor a team.
#[tokio::test]
async fn s0_50_s0_51_a_users_own_token_makes_nobody() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let dm = ann.rest.post("/api/chat/send", json!({"to": "nobody", "message": "x"})).await;
    assert_eq!((dm.status, &dm.body["error"]), (404, &json!("not_found")));
    let group = ann.rest.post("/api/chat/groups", json!({"name": "x", "members": ["nobody"]})).await;
    assert_eq!((group.status, &group.body["detail"]), (404, &json!({"unknown_usernames": ["nobody"]})));
    let own = ann.rest.post("/api/chat/send", json!({"message": "hello"})).await;
    assert_eq!(
        (own.status, &own.body["message"]["from_name"]),
        (201, &json!("ann")),
        "the name may be left out"
    );
    assert_eq!(world.read("/api/users?q=nobody").await["users"], json!([]));
}

/// Section 9: an administrator acts as X with X's rights, also where he could do more himself.
#[tokio::test]
async fn an_administrator_acts_with_the_rights_of_whom_he_acts_for() {
    let world = World::start().await;
    let (ann, ben) = (world.person("ann").await, world.person("ben").await);
    let made = ann.rest.post("/api/chat/groups", json!({"name": "Props"})).await;
    let id = &made.body["group"]["id"];
    for rest in [&world.app, &world.administrator.rest] {
        let refused =
            rest.post("/api/chat/send", json!({"from_name": "ben", "room_id": id, "message": "x"})).await;
        assert_eq!((refused.status, &refused.body["error"]), (404, &json!("not_found")));
    }
    let own = world.administrator.rest.post("/api/chat/send", json!({"room_id": id, "message": "x"})).await;
    assert_eq!(own.status, 404, "no right in other people's groups");
    let seen =
        ben.rest.get(&format!("/api/chat/inbox/ben?room_id={}", id.as_str().expect("an id")), &[]).await;
    assert_eq!(seen.status, 404);
}

/// S0-36: a stream is answered in its own form or not at all, by its own method, and to pages of known origins.
#[tokio::test]
async fn s0_36_a_stream_is_refused_to_whoever_wants_another_form() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let asked = |name: &str, value: &str| {
        let rest = ann.rest.header(name, value);
        async move { rest.get("/api/chat/stream", &[]).await }
    };
    asked("accept", "application/json").await.problem(406, "not_acceptable");
    asked("accept", "text/html, image/png;q=0.8").await.problem(406, "not_acceptable");
    asked("origin", "https://elsewhere.example").await.problem(403, "origin_not_allowed");
    // Before any token is looked at.
    let stranger = world.server.rest().header("origin", "https://elsewhere.example");
    stranger.get("/api/chat/stream", &[]).await.problem(403, "origin_not_allowed");
    let posted = ann.rest.post("/api/chat/stream", json!({})).await;
    assert_eq!(posted.headers["allow"], "GET,HEAD");
    posted.problem(405, "method_not_allowed");
    let token = ann.rest.token().expect("signed in");
    for accept in ["text/event-stream", "*/*", "text/html, text/event-stream;q=0.5"] {
        let headers = [("accept", accept), ("x-auth-token", token), ("x-user-id", &ann.id)];
        let stream = crate::sse::Stream::open(&world.server, "/api/chat/stream", &headers).await;
        assert_eq!(stream.status, 200, "{accept}");
    }
}
