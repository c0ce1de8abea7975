//! A room of each kind with its people, and an outsider.

use parlor_testkit::{HostApp, HostPerson, Rest, Server};
use serde_json::{Value, json};

/// The kinds of rooms in which doors meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Channel,
    Group,
    Direct,
    Case,
    Ticket,
}

pub const KINDS: [Kind; 5] = [Kind::Channel, Kind::Group, Kind::Direct, Kind::Case, Kind::Ticket];

/// Ann and Ben are in the room (in a ticket's and a group's Cy as well); Eve is not.
pub struct Stage {
    pub server: Server,
    pub app: Rest,
    pub kind: Kind,
    pub room: String,
    pub ann: HostPerson,
    pub ben: HostPerson,
    pub cy: HostPerson,
    pub eve: HostPerson,
}

/// The ticket of a ticket's room.
pub const TICKET: &str = "T-1";

/// A text in an answer.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl Stage {
    pub async fn set(kind: Kind) -> Self {
        let server = HostApp::setup().start().await;
        Self::on(server, kind).await
    }

    pub async fn on(server: Server, kind: Kind) -> Self {
        let person = async |id: &str, role: &str| HostApp::person(&server, id, &[role]).await;
        // A driver and somebody of the control centre may be in rooms of every kind together.
        let (ann, ben) = (person("u-ann", "BUS_DRIVER").await, person("u-ben", "CONTROL_STAFF").await);
        let (cy, eve) = (person("u-cy", "USER").await, person("u-eve", "USER").await);
        let app = HostApp::rest(&server);
        let room = match kind {
            Kind::Channel => {
                let made = ann.rest.post("channels.create", json!({"name": "all", "members": ["ben"]})).await;
                text(&made.expect(200)["channel"]["_id"])
            }
            Kind::Group => {
                let body = json!({"name": "few", "members": ["ben", "cy"]});
                text(&ann.rest.post("groups.create", body).await.expect(200)["group"]["_id"])
            }
            Kind::Direct => {
                let made = ann.rest.post("im.create", json!({"username": "ben"})).await.expect(200);
                text(&made["room"]["_id"])
            }
            Kind::Case => {
                let body = json!({"title": "Help", "content": "the first words"});
                let made = ann.rest.post("/api/conversations/create", body).await.expect(201);
                let id = text(&made["conversation"]["id"]);
                ben.rest.post(&format!("/api/conversations/{id}/claim"), json!({})).await.expect(200);
                id
            }
            Kind::Ticket => {
                let facts = json!({"title": "One", "created_by": "u-ann", "assignees": ["u-ben", "u-cy"]});
                let made = app.put(&format!("/api/tickets/{TICKET}"), facts).await.expect(201);
                text(&made["ticket"]["room_id"])
            }
        };
        Self { app, kind, room, ann, ben, cy, eve, server }
    }

    /// The room's messages as each door lists them, oldest first: ids and texts of what stands.
    pub async fn lists(&self, who: &HostPerson) -> Vec<(&'static str, Vec<(String, String)>)> {
        let (room, hundred) = (&self.room, [("limit", "100")]);
        let history = match self.kind {
            Kind::Channel => "channels.history",
            Kind::Direct => "im.history",
            _ => "groups.history",
        };
        let query = [("roomId", room.as_str()), ("count", "100")];
        let rocket = who.rest.get(history, &query).await.expect(200);
        let mut rocket = listed(&rocket["messages"], "_id", "msg", |m| m.get("t").is_none());
        rocket.reverse();
        let username = who.id.trim_start_matches("u-");
        let inbox = format!("/api/chat/inbox/{username}?room_id={room}");
        let inbox = who.rest.get(&inbox, &[]).await.expect(200);
        let inbox = listed(&inbox["rooms"][0]["messages"], "id", "message", |m| m["deleted"] == false);
        let path = format!("/api/conversations/{room}/messages");
        let support = who.rest.get(&path, &hundred).await.expect(200);
        let is_text = |m: &Value| m["is_deleted"] == false && m["message_type"] == "TEXT";
        let support = listed(&support["messages"], "id", "content", is_text);
        let path = format!("/api/chat/rooms/{room}/messages");
        let rooms = who.rest.get(&path, &hundred).await.expect(200);
        let is_text = |m: &Value| m["is_deleted"] == false && m["message_type"] == "text";
        let rooms = listed(&rooms["messages"], "id", "content", is_text);
        let mut all = vec![("rocketchat", rocket), ("inbox", inbox), ("support", support), ("rooms", rooms)];
        if self.kind == Kind::Ticket {
            let path = format!("/api/tickets/{TICKET}/chat");
            let chat = who.rest.get(&path, &hundred).await.expect(200);
            let stands = |m: &Value| m["isDeleted"] == false;
            all.push(("tickets", listed(&chat["messages"], "id", "message", stands)));
        }
        all
    }

    /// What somebody has not read here, as each door says it.
    pub async fn unread(&self, who: &HostPerson) -> Vec<(&'static str, Value)> {
        let room = &self.room;
        let one = who.rest.get("subscriptions.getOne", &[("roomId", room)]).await.expect(200);
        let username = who.id.trim_start_matches("u-");
        let inbox = format!("/api/chat/inbox/{username}?room_id={room}");
        let inbox = who.rest.get(&inbox, &[]).await.expect(200);
        let support = who.rest.get(&format!("/api/conversations/{room}"), &[]).await.expect(200);
        let rooms = who.rest.get(&format!("/api/chat/rooms/{room}"), &[]).await.expect(200);
        vec![
            // Its numbers count mentions alone in rooms of several; the mark says whether there is anything new.
            ("rocketchat", i32::from(one["subscription"]["alert"] == true).into()),
            ("inbox", inbox["rooms"][0]["unread"].clone()),
            ("support", support["conversation"]["unread_count"].clone()),
            ("rooms", rooms["unread_count"].clone()),
        ]
    }
}

fn listed(list: &Value, id: &str, said: &str, stands: impl Fn(&Value) -> bool) -> Vec<(String, String)> {
    let all = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    all.iter().filter(|m| stands(m)).map(|m| (text(&m[id]), text(&m[said]))).collect()
}
