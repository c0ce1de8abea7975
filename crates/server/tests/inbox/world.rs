//! A server with an application's key, and people.

use parlor_testkit::{
    Person, Server,
    rest::Rest,
    server::{ADMINISTRATOR, Setup},
};
use serde_json::{Value, json};

use crate::sse::Stream;

/// The application's key.
pub const KEY: &str = "the-key-of-the-application-under-test";

/// The stage of a test.
pub struct World {
    pub server: Server,
    /// The host application.
    pub app: Rest,
    pub administrator: Person,
}

impl World {
    pub async fn start() -> Self {
        Self::on(Server::setup()).await
    }

    pub async fn on(setup: Setup) -> Self {
        let server = setup.env("PARLOR_APP_KEY", KEY).env("PARLOR_SEND_RATE", "0").start().await;
        let app = server.rest().header("x-app-key", KEY);
        let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
        Self { server, app, administrator }
    }

    /// Somebody with an account of his own.
    pub async fn person(&self, name: &str) -> Person {
        self.administrator.make(&self.server, name, &format!("{name} of the tests")).await
    }

    /// Sends as the application; what was answered must be 201.
    pub async fn send(&self, body: Value) -> Value {
        let answer = self.app.post("/api/chat/send", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    /// The inbox of somebody.
    pub async fn inbox(&self, name: &str) -> Value {
        self.read(&format!("/api/chat/inbox/{name}")).await
    }

    /// What the application reads.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.app.get(path, &[]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.body["success"], true);
        answer.body
    }

    /// Posts as the application; what was answered must be 200 or 201.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.app.post(path, body).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// The stream of somebody, by the application, after its first event.
    pub async fn stream(&self, name: &str) -> Stream {
        let mut stream = self.stream_from(name, None).await;
        let ready = stream.event().await;
        assert_eq!(ready.name, "ready");
        stream
    }

    /// The stream of somebody from an event on.
    pub async fn stream_from(&self, name: &str, last: Option<&str>) -> Stream {
        let path = format!("/api/chat/stream?user={name}");
        let mut headers = vec![("x-app-key", KEY)];
        headers.extend(last.map(|last| ("last-event-id", last)));
        Stream::open(&self.server, &path, &headers).await
    }
}

/// The texts of a list of messages.
pub fn texts(messages: &Value) -> Vec<&str> {
    messages.as_array().expect("messages").iter().map(|m| m["message"].as_str().unwrap_or("?")).collect()
}

/// A room of an inbox, by what its key says.
pub fn room<'a>(inbox: &'a Value, key: &str, is: &str) -> &'a Value {
    let rooms = inbox["rooms"].as_array().expect("rooms");
    rooms.iter().find(|room| room[key] == is).unwrap_or_else(|| panic!("no room with {key} {is} in {inbox}"))
}

/// A body for [`World::send`].
pub fn to_team(from: &str, team: &str, text: &str) -> Value {
    json!({ "from_name": from, "team": team, "message": text })
}
