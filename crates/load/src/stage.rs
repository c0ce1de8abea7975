//! The server, the people and the rooms of a run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use parlor_testkit::rest::Rest;
use parlor_testkit::server::{ADMINISTRATOR, Server};
use parlor_testkit::{Person, history};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Rooms that people send to.
pub const ROOMS: usize = 50;
/// Members of each of them.
pub const MEMBERS: usize = 50;
/// Lets the run ask for tokens: a password hash for each login would measure nothing but itself.
const SECRET: &str = "load";
/// Requests of the set-up in flight.
const AT_ONCE: usize = 8;

/// Somebody who can open sockets.
#[derive(Clone)]
pub struct Player {
    pub id: String,
    pub username: String,
    pub token: String,
}

/// Where a run takes place.
pub struct Stage {
    pub server: Server,
    pub people: Vec<Player>,
    /// [`ROOMS`] rooms of [`MEMBERS`] each.
    pub rooms: Vec<String>,
    /// The room of everybody.
    pub hall: String,
    admin: Rest,
}

/// A server that has just started in an empty directory; with the time until it was ready.
pub async fn start(database: Option<&str>) -> (Server, Duration) {
    let mut setup = Server::setup().env("HTTP_FORWARDED_COUNT", "1").env("RUST_LOG", "warn");
    setup = setup.env("CREATE_TOKENS_FOR_USERS_SECRET", SECRET);
    for id in ["API_Enable_Rate_Limiter", "DDP_Rate_Limit_User_Enabled"] {
        setup = setup.setting(id, "false");
    }
    if let Some(database) = database {
        setup = setup.database(database);
    }
    let began = Instant::now();
    let server = setup.start().await;
    (server, began.elapsed())
}

impl Stage {
    /// Makes people and rooms on a fresh server.
    pub async fn set(server: Server, count: usize) -> Result<Self> {
        let (username, password) = ADMINISTRATOR;
        let admin = Person::sign_in(&server, username, password).await.rest;
        let people = people(&admin, count).await?;
        let names = |some: &[Player]| some.iter().map(|p| p.username.clone()).collect::<Vec<_>>();
        let hall = room(&admin, "hall", names(&people)).await?;
        let mut rooms = Vec::new();
        for number in 0..ROOMS {
            let from = number * count / ROOMS;
            let some: Vec<Player> =
                people.iter().cycle().skip(from).take(MEMBERS.min(count)).cloned().collect();
            rooms.push(room(&admin, &format!("room-{number}"), names(&some)).await?);
        }
        Ok(Self { server, people, rooms, hall, admin })
    }

    /// A member of the room with this number.
    pub fn member(&self, room: usize, number: usize) -> &Player {
        let count = self.people.len();
        &self.people[(room * count / ROOMS + number % MEMBERS.min(count)) % count]
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.server.pid().unwrap_or_default()
    }

    /// What is stored in a room, oldest first, read page by page; without notices.
    pub async fn stored(&self, room: &str) -> Vec<history::Stored> {
        history::fetch(&self.admin, "groups", room).await
    }

    /// How many messages the server says a room has.
    pub async fn count(&self, room: &str) -> Result<u64> {
        let info = self.admin.get("groups.info", &[("roomId", room)]).await;
        info.body["group"]["msgs"].as_u64().with_context(|| format!("no number of messages: {}", info.text()))
    }
}

async fn people(admin: &Rest, count: usize) -> Result<Vec<Player>> {
    let mut all = Vec::new();
    let mut making = JoinSet::new();
    for number in 0..count {
        if making.len() == AT_ONCE
            && let Some(made) = making.join_next().await
        {
            all.push(made??);
        }
        let admin = admin.clone();
        making.spawn(async move { player(&admin, number).await });
    }
    while let Some(made) = making.join_next().await {
        all.push(made??);
    }
    all.sort_by(|a, b| a.username.cmp(&b.username));
    Ok(all)
}

async fn player(admin: &Rest, number: usize) -> Result<Player> {
    let username = format!("player-{number:05}");
    let account = json!({
        "username": username, "name": format!("Player {number}"), "email": format!("{username}@example.org"),
        "password": "a secret of theirs", "verified": true, "joinDefaultChannels": false,
    });
    let made = admin.post("users.create", account).await.ok();
    let id = text(&made["user"]["_id"])?;
    let token = admin.post("users.createToken", json!({"userId": id, "secret": SECRET})).await.ok();
    Ok(Player { token: text(&token["data"]["authToken"])?, id, username })
}

async fn room(admin: &Rest, name: &str, members: Vec<String>) -> Result<String> {
    let made = admin.post("groups.create", json!({"name": name, "members": members})).await.ok();
    text(&made["group"]["_id"])
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("an answer without an id")
}
