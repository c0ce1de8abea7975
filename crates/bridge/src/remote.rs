//! The other server, over its REST API.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use parlor_core::{
    error::Refusal,
    fetch::{Fetch, Request},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Longest time for one call.
const WITHIN: Duration = Duration::from_secs(20);
/// Largest answer.
const LARGEST: usize = 32 * 1024 * 1024;
/// People and rooms that are remembered; beyond it they are looked up again.
const REMEMBERED: usize = 10_000;
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// How an administrator signs in there.
#[derive(Clone)]
pub enum Login {
    /// By user name and password.
    Password(String, String),
    /// By id and token.
    Token(String, String),
}

/// Why a round of the bridge ends early.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The other side does not answer, or asks for patience.
    Away(String),
    /// The store on this side does not.
    Here(Refusal),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(why) => f.write_str(why),
            Self::Here(refusal) => refusal.fmt(f),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Here(refusal)
    }
}

/// Somebody signed in there.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) user: String,
    token: String,
}

/// What the other side said: yes with a body, or no with a reason.
pub(crate) type Answer = Result<Value, String>;

pub(crate) struct Remote {
    fetch: Arc<dyn Fetch>,
    base: String,
    login: Login,
    administrator: Option<Session>,
    /// Sessions of people by user name; `None`: an account whose password the bridge does not know.
    people: HashMap<String, Option<Session>>,
    /// Ids of rooms there by their names, and whether they are private.
    rooms: HashMap<(String, bool), String>,
}

impl Remote {
    pub(crate) fn new(fetch: Arc<dyn Fetch>, url: &str, login: Login) -> Self {
        let base = url.trim_end_matches('/').to_owned();
        let (people, rooms) = (HashMap::new(), HashMap::new());
        Self { fetch, base, login, administrator: None, people, rooms }
    }

    async fn call(
        &self,
        session: Option<&Session>,
        path: String,
        body: Option<Value>,
    ) -> Result<(u16, Value), Trouble> {
        let url = format!("{}/api/v1/{path}", self.base);
        let mut request = match body {
            Some(body) => Request::post_json(url, body.to_string().into_bytes()),
            None => Request::get(url),
        };
        (request.within, request.at_most) = (WITHIN, LARGEST);
        if let Some(session) = session {
            request.headers.push(("x-user-id".into(), session.user.clone()));
            request.headers.push(("x-auth-token".into(), session.token.clone()));
        }
        let got = self.fetch.fetch(request).await.map_err(|why| Trouble::Away(why.to_string()))?;
        if got.status == 429 || got.status >= 500 {
            return Err(Trouble::Away(format!("it answers {}", got.status)));
        }
        match serde_json::from_slice::<Value>(&got.body) {
            Ok(body) if body.is_object() => Ok((got.status, body)),
            // Cut off on its way, or some proxy's page: nothing was said by it.
            _ if (200..300).contains(&got.status) => Err(Trouble::Away("it answers with no JSON".into())),
            _ => Ok((got.status, Value::Null)),
        }
    }

    /// Asks as the administrator.
    pub(crate) async fn get(&mut self, endpoint: &str, query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        let all: Vec<String> =
            query.iter().map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, KEPT))).collect();
        self.as_administrator(format!("{endpoint}?{}", all.join("&")), None).await
    }

    /// Does something as the administrator.
    pub(crate) async fn post(&mut self, endpoint: &str, body: Value) -> Result<Answer, Trouble> {
        self.as_administrator(endpoint.to_owned(), Some(body)).await
    }

    async fn as_administrator(&mut self, path: String, body: Option<Value>) -> Result<Answer, Trouble> {
        for _ in 0..2 {
            let session = self.administrator().await?;
            let (status, answer) = self.call(Some(&session), path.clone(), body.clone()).await?;
            if status != 401 {
                return Ok(said(status, answer));
            }
            self.administrator = None;
        }
        Err(Trouble::Away("it does not know the bridge's administrator any more".into()))
    }

    async fn administrator(&mut self) -> Result<Session, Trouble> {
        if let Some(session) = &self.administrator {
            return Ok(session.clone());
        }
        let session = match self.login.clone() {
            Login::Token(user, token) => Session { user, token },
            Login::Password(user, password) => self
                .sign_in(&user, &password)
                .await?
                .ok_or_else(|| Trouble::Away("it does not let the bridge's administrator in".into()))?,
        };
        self.administrator = Some(session.clone());
        Ok(session)
    }

    async fn sign_in(&self, user: &str, password: &str) -> Result<Option<Session>, Trouble> {
        let body = json!({"user": user, "password": password});
        let (_, answer) = self.call(None, "login".into(), Some(body)).await?;
        let text = |key: &str| answer["data"][key].as_str().map(str::to_owned);
        Ok(text("userId").zip(text("authToken")).map(|(user, token)| Session { user, token }))
    }

    /// Somebody's own session, so that what he says is his there too; the account is made when there is none. `None`
    /// when it belongs to somebody whose password the bridge does not know.
    pub(crate) async fn person(&mut self, username: &str, name: &str) -> Result<Option<Session>, Trouble> {
        if let Some(known) = self.people.get(username) {
            return Ok(known.clone());
        }
        let password = self.password(username);
        let there = self.get("users.info", &[("username", username)]).await?.is_ok();
        if !there {
            let account = json!({
                "username": username, "name": name, "email": format!("{username}@bridge.invalid"), "password": password,
                "verified": true, "joinDefaultChannels": false, "requirePasswordChange": false,
            });
            if let Err(why) = self.post("users.create", account).await? {
                tracing::warn!(username, why, "the bridge can't make an account there");
            }
        }
        let session = self.sign_in(username, &password).await?;
        if self.people.len() >= REMEMBERED {
            self.people.clear();
        }
        self.people.insert(username.to_owned(), session.clone());
        Ok(session)
    }

    /// The password of an account that the bridge made: nobody else can work it out.
    fn password(&self, username: &str) -> String {
        let (Login::Password(_, secret) | Login::Token(_, secret)) = &self.login;
        let hash = Sha256::digest(format!("parlor bridge\n{secret}\n{}", username.to_lowercase()).as_bytes());
        format!("Aa1!{}", hex::encode(hash))
    }

    /// The id of the room of this name and kind, made when there is none. What is said among few must not be said
    /// before all, so one of the other kind is no such room.
    pub(crate) async fn room(
        &mut self,
        name: &str,
        private: bool,
    ) -> Result<Result<String, String>, Trouble> {
        let wanted = (name.to_owned(), private);
        if let Some(known) = self.rooms.get(&wanted) {
            return Ok(Ok(known.clone()));
        }
        let found = match self.get("rooms.info", &[("roomName", name)]).await? {
            Ok(body) if body["room"]["t"] == if private { "p" } else { "c" } => {
                Ok(body["room"]["_id"].clone())
            }
            Ok(_) => return Ok(Err(format!("{name} is a room of another kind there"))),
            Err(_) => {
                let (family, key) = if private { ("groups", "group") } else { ("channels", "channel") };
                let made = self.post(&format!("{family}.create"), json!({ "name": name })).await?;
                made.map(|body| body[key]["_id"].clone())
            }
        };
        Ok(found.map(|id| {
            let id = id.as_str().unwrap_or_default().to_owned();
            if self.rooms.len() >= REMEMBERED {
                self.rooms.clear();
            }
            self.rooms.insert(wanted, id.clone());
            id
        }))
    }

    /// Forgets what is known of a room and a person: one of them is not there any more.
    pub(crate) fn forget(&mut self, room: Option<&str>, username: &str) {
        self.people.remove(username);
        if let Some(room) = room {
            self.rooms.retain(|(name, _), _| name != room);
        }
    }

    /// Does something as somebody.
    pub(crate) async fn post_as(
        &mut self,
        session: &Session,
        endpoint: &str,
        body: Value,
    ) -> Result<Answer, Trouble> {
        let (status, answer) = self.call(Some(session), endpoint.to_owned(), Some(body)).await?;
        Ok(said(status, answer))
    }
}

fn said(status: u16, answer: Value) -> Answer {
    if (200..300).contains(&status) && answer["success"] != json!(false) {
        return Ok(answer);
    }
    let why = ["error", "message", "errorType"].iter().find_map(|key| answer[*key].as_str());
    Err(why.map_or_else(|| format!("status {status}"), str::to_owned))
}
