//! Who may do what in a group: its admin, a member, somebody who was one, and whoever never was, ADMIN of the workspace or not.

use parlor_testkit::{HostApp, HostPerson, Rest, rest::answer};
use reqwest::Method;
use serde_json::{Value, json};

/// Something that somebody tries, and what an admin of the room and another member are answered.
struct Act {
    verb: Method,
    path: String,
    body: Value,
    admin: u16,
    member: u16,
}

fn act(verb: Method, path: String, body: Value, [admin, member]: [u16; 2]) -> Act {
    Act { verb, path, body, admin, member }
}

impl Act {
    async fn by(&self, rest: &Rest) -> (u16, Value) {
        let request = rest.request(self.verb.clone(), &self.path);
        let told = answer(if self.body.is_null() { request } else { request.json(&self.body) }).await;
        (told.status, told.body)
    }
}

async fn say(rest: &Rest, room: &str, text: &str) -> String {
    let said = rest.post("/api/chat/messages", json!({"room_id": room, "content": text})).await.expect(201);
    format!("/api/chat/messages/{}", said["id"].as_str().expect("an id"))
}

fn id_of(message: &str) -> &str {
    message.rsplit('/').next().unwrap_or_default()
}

/// The acts of the contract's table, in an order in which members can do them one after the other. A message of each.
fn acts(room: &str, [admins, members, former]: [&str; 3]) -> Vec<Act> {
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    let at = |rest: &str| format!("/api/chat/rooms/{room}{rest}");
    let send = |more: Value| {
        let mut body = json!({"room_id": room, "content": "said"});
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        act(post.clone(), "/api/chat/messages".to_owned(), body, [201, 201])
    };
    let text = json!({"content": "changed"});
    vec![
        act(get.clone(), at(""), Value::Null, [200, 200]),
        act(get.clone(), at("/messages"), Value::Null, [200, 200]),
        act(get.clone(), at("/presence"), Value::Null, [200, 200]),
        act(get.clone(), at("/export"), Value::Null, [200, 403]),
        act(get.clone(), admins.to_owned(), Value::Null, [200, 200]),
        act(get.clone(), format!("{admins}/receipts"), Value::Null, [200, 200]),
        act(get, format!("/api/chat/search?q=said&room_id={room}"), Value::Null, [200, 200]),
        send(json!({})),
        send(json!({"reply_to_id": id_of(admins)})),
        send(json!({"forwarded_from_id": id_of(admins)})),
        act(post.clone(), at("/read"), json!({}), [200, 200]),
        act(post.clone(), format!("{admins}/reactions"), json!({"emoji": ":tada:"}), [200, 200]),
        act(delete.clone(), format!("{admins}/reactions/:tada:"), Value::Null, [200, 200]),
        act(patch.clone(), admins.to_owned(), text.clone(), [200, 403]),
        act(patch.clone(), members.to_owned(), text.clone(), [403, 200]),
        act(patch.clone(), former.to_owned(), text, [403, 403]),
        act(patch, at(""), json!({"name": "Renamed"}), [200, 403]),
        act(post.clone(), at("/members/u-erin"), json!({}), [201, 403]),
        act(post.clone(), at("/members/u-carol/mute"), json!({"muted": true}), [200, 403]),
        act(delete.clone(), at("/members/u-carol"), Value::Null, [200, 403]),
        act(delete.clone(), former.to_owned(), Value::Null, [200, 403]),
        act(delete.clone(), admins.to_owned(), Value::Null, [200, 403]),
        // Whoever is an admin removes it after its author has: that is no change any more.
        act(delete, members.to_owned(), Value::Null, [200, 200]),
    ]
}

/// Everything that could have been changed, as an admin of the room sees it.
async fn state(admin: &Rest, room: &str) -> (Value, Value) {
    let mut seen = admin.get(&format!("/api/chat/rooms/{room}"), &[]).await.expect(200);
    // Her own reading is no change of the others'.
    for key in ["unread_count", "last_read_at"] {
        seen.as_object_mut().expect("an object").remove(key);
    }
    let page = admin.get(&format!("/api/chat/rooms/{room}/messages"), &[("limit", "100")]).await;
    (seen, page.expect(200))
}

/// S3-8, S3-57 to S3-62, S3-70: the table of roles of the contract, act by act, and nothing is changed by whoever is refused.
#[tokio::test]
async fn s3_8_s3_57_to_s3_62_s3_70_each_act_is_open_to_whom_the_contract_names_and_to_nobody_else() {
    let server = HostApp::setup().start().await;
    let person = async |id: &str, roles: &[&str]| HostApp::person(&server, id, roles).await;
    let (alice, bob) = (person("u-alice", &[]).await, person("u-bob", &[]).await);
    let (dave, erin) = (person("u-dave", &[]).await, person("u-erin", &[]).await);
    let otto = person("u-otto", &["ADMIN"]).await;
    person("u-carol", &[]).await;
    let group = json!({"room_type": "group", "name": "Team", "member_ids": ["u-bob", "u-carol", "u-dave"]});
    let made = alice.rest.post("/api/chat/rooms", group).await.expect(201);
    let room = made["id"].as_str().expect("an id");
    let admins = say(&alice.rest, room, "hers").await;
    let members = say(&bob.rest, room, "his").await;
    let formers = say(&dave.rest, room, "of one who went").await;
    dave.rest.remove(&format!("/api/chat/rooms/{room}/members/u-dave")).await.expect(200);
    let acts = acts(room, [&admins, &members, &formers]);

    let before = state(&alice.rest, room).await;
    for who in [&dave, &erin, &otto] {
        for act in &acts {
            let (status, told) = act.by(&who.rest).await;
            let right = (status, &told["error"]) == (404, &json!("not_found"));
            assert!(right, "{} {} {}: {status} {told}", who.id, act.verb, act.path);
        }
        let leave = format!("/api/chat/rooms/{room}/members/{}", who.id);
        who.rest.remove(&leave).await.problem(404, "not_found");
    }
    refused(&acts, &bob).await;
    assert_eq!(state(&alice.rest, room).await, before, "nobody who was refused has changed anything");

    for act in &acts {
        for (who, wanted) in [(&bob, act.member), (&alice, act.admin)] {
            let (status, told) = act.by(&who.rest).await;
            assert_eq!(status, wanted, "{} {} {}: {told}", who.id, act.verb, act.path);
        }
    }
    for who in [&bob, &alice] {
        let leave = format!("/api/chat/rooms/{room}/members/{}", who.id);
        let told = who.rest.remove(&leave).await.expect(200);
        assert_eq!(told, json!({"success": true, "room_id": room, "user_id": who.id}));
        who.rest.get(&format!("/api/chat/rooms/{room}"), &[]).await.problem(404, "not_found");
    }
    // Who came last is the last of them, and runs the room.
    let seen = erin.rest.get(&format!("/api/chat/rooms/{room}"), &[]).await.expect(200);
    let seats = seen["members"].as_array().expect("members");
    assert_eq!(
        (seats.len(), &seats[0]["user_id"], &seats[0]["is_admin"]),
        (1, &json!("u-erin"), &json!(true))
    );
    erin.rest.remove(&format!("/api/chat/rooms/{room}/members/u-erin")).await.expect(200);
    let listed = erin.rest.get("/api/chat/rooms", &[]).await.expect(200);
    let rooms = listed["rooms"].as_array().expect("rooms");
    assert!(rooms.iter().all(|other| other["id"] != room), "{listed}");
}

/// What members may not, tried by one.
async fn refused(acts: &[Act], member: &HostPerson) {
    let mut tried = 0;
    for act in acts.iter().filter(|act| act.member == 403) {
        let (status, told) = act.by(&member.rest).await;
        let right = (status, &told["error"]) == (403, &json!("forbidden")) && told["detail"].is_string();
        assert!(right, "{} {}: {status} {told}", act.verb, act.path);
        tried += 1;
    }
    assert!(tried > 7, "{tried}");
}

/// S3-16 to S3-18, S3-83: rooms whose members follow from something else are not changed here, by whoever is in them.
#[tokio::test]
async fn s3_16_to_s3_18_s3_83_channels_cases_and_tickets_are_not_changed_by_this_door() {
    let server = HostApp::setup().start().await;
    let driver = HostApp::person(&server, "u-driver", &["BUS_DRIVER"]).await.rest;
    HostApp::person(&server, "u-control", &["CONTROL_STAFF"]).await;
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let open = json!({"title": "Help", "content": "now"});
    let case = driver.post("/api/conversations/create", open).await.expect(201);
    let facts = json!({"created_by": "u-driver", "assignees": ["u-control"]});
    let ticket = HostApp::rest(&server).put("/api/tickets/T-1", facts).await.expect(201);
    let channel = json!({"name": "all", "members": ["control"]});
    let channel = driver.post("channels.create", channel).await.expect(200);
    for (room, kind, of) in [
        (text(&case["conversation"]["id"]), "support", Value::Null),
        (text(&ticket["ticket"]["room_id"]), "ticket", json!("T-1")),
        (text(&channel["channel"]["_id"]), "channel", Value::Null),
    ] {
        let at = |rest: &str| format!("/api/chat/rooms/{room}{rest}");
        let before = driver.get(&at(""), &[]).await.expect(200);
        assert_eq!(
            (&before["room_type"], &before["kind"], &before["ticket_id"]),
            (&json!("group"), &json!(kind), &of)
        );
        driver.patch(&at(""), json!({"name": "Other"})).await.problem(403, "forbidden");
        driver.post(&at("/members/u-control"), json!({})).await.problem(403, "forbidden");
        driver.remove(&at("/members/u-driver")).await.problem(403, "forbidden");
        driver.post(&at("/members/u-control/mute"), json!({"muted": true})).await.problem(403, "forbidden");
        assert_eq!(driver.get(&at(""), &[]).await.expect(200), before, "{kind}");
    }
}
