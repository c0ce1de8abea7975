//! The people tests are about.

use serde_json::{Value, json};

use crate::ddp::Ddp;
use crate::rest::Rest;
use crate::server::{ADMINISTRATOR, Server};

/// Somebody with an account, signed in over REST.
#[derive(Clone, Debug)]
pub struct Person {
    /// The user id.
    pub id: String,
    /// The name to sign in with.
    pub username: String,
    /// The password.
    pub password: String,
    /// The name others see.
    pub name: String,
    /// A REST client signed in as this person.
    pub rest: Rest,
}

/// Everybody a test about rooms needs: whoever may, whoever may not, and whoever no longer may.
pub struct Cast {
    /// Holds the role `admin`.
    pub administrator: Person,
    /// Makes rooms.
    pub owner: Person,
    /// Is invited to them.
    pub member: Person,
    /// Is never invited: nothing of a private room may reach this person.
    pub outsider: Person,
    /// Was signed in once, then deactivated: neither the password nor the old token may work.
    pub deactivated: Person,
}

impl Cast {
    /// Makes the cast on a fresh server, through the public API.
    ///
    /// # Panics
    /// When the server refuses any of it.
    pub async fn assemble(server: &Server) -> Self {
        let (username, password) = ADMINISTRATOR;
        let administrator = Person::sign_in(server, username, password).await;
        let owner = administrator.make(server, "owner", "Olga Owner").await;
        let member = administrator.make(server, "member", "Mina Member").await;
        let outsider = administrator.make(server, "outsider", "Otto Outsider").await;
        let deactivated = administrator.make(server, "deactivated", "Dora Deactivated").await;
        let body = json!({"userId": deactivated.id, "activeStatus": false});
        let _ = administrator.rest.post("users.setActiveStatus", body).await.ok();
        Self { administrator, owner, member, outsider, deactivated }
    }
}

impl Person {
    /// Signs in over REST with a password.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn sign_in(server: &Server, username: &str, password: &str) -> Self {
        let rest = server.rest();
        let answer = rest.post("login", json!({"user": username, "password": password})).await.ok();
        let text = |value: &Value| value.as_str().map(str::to_owned).expect("login answers with texts");
        let (id, token) = (text(&answer["data"]["userId"]), text(&answer["data"]["authToken"]));
        Self {
            rest: rest.signed_in(&id, &token),
            id,
            username: username.to_owned(),
            password: password.to_owned(),
            name: text(&answer["data"]["me"]["name"]),
        }
    }

    /// As an administrator, makes an account and signs in with it.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn make(&self, server: &Server, username: &str, name: &str) -> Self {
        let password = format!("{username}'s own secret");
        let email = format!("{username}@example.org");
        let account = json!({
            "username": username, "name": name, "email": email, "password": password, "verified": true,
            "joinDefaultChannels": false,
        });
        let _ = self.rest.post("users.create", account).await.ok();
        Self::sign_in(server, username, &password).await
    }

    /// Opens a socket signed in as this person.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn socket(&self, server: &Server) -> Ddp {
        let mut socket = Ddp::connect(server).await;
        socket
            .resume(self.rest.token().expect("a person is signed in"))
            .await
            .expect("a valid token is let in");
        socket
    }

    /// Makes a public channel and returns its id.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn channel(&self, name: &str, members: &[&Person]) -> String {
        self.room("channels.create", "channel", name, members).await
    }

    /// Makes a private group and returns its id.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn group(&self, name: &str, members: &[&Person]) -> String {
        self.room("groups.create", "group", name, members).await
    }

    async fn room(&self, endpoint: &str, key: &str, name: &str, members: &[&Person]) -> String {
        let members: Vec<&str> = members.iter().map(|member| member.username.as_str()).collect();
        let answer = self.rest.post(endpoint, json!({"name": name, "members": members})).await.ok();
        answer[key]["_id"].as_str().expect("a room has an id").to_owned()
    }

    /// Opens the direct room with another person and returns its id.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn direct(&self, other: &Person) -> String {
        let answer = self.rest.post("im.create", json!({"username": other.username})).await.ok();
        answer["room"]["_id"].as_str().expect("a room has an id").to_owned()
    }

    /// Posts a message and returns it as stored.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn say(&self, room: &str, text: &str) -> Value {
        let message = json!({"message": {"rid": room, "msg": text}});
        self.rest.post("chat.sendMessage", message).await.ok()["message"].take()
    }
}
