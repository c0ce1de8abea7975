//! Entering: what the handshake and the CONNECT packet say about who it is.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};
use parlor_core::{admission::Admitted, session::Actor};
use parlor_host::{Host, Problem, call::Query, time::iso};
use parlor_live::{Class, Close, Step};
use serde_json::{Value, json};

use super::{
    Call, Done, Entry, Socket, Timer, Who,
    ears::{InboxEar, Listening, UserEar, Wire},
    refusal,
};
use crate::{
    engine::new_sid,
    packet::{self, Packet},
};

/// What a handshake brings: the session's id, and proofs of who it is.
pub(crate) struct Knock {
    pub(crate) sid: String,
    /// The headers that prove something, if any do.
    headers: Option<HeaderMap>,
    /// The token of the query.
    token: Option<String>,
}

impl Default for Knock {
    fn default() -> Self {
        Self { sid: new_sid(), headers: None, token: None }
    }
}

impl Knock {
    pub(crate) fn read(query: &Query, headers: &HeaderMap) -> Self {
        let names = ["x-app-key", "x-auth-token", "x-user-id"].map(HeaderName::from_static);
        let mut kept = HeaderMap::new();
        for name in names.iter().chain([&header::AUTHORIZATION]) {
            if let Some(value) = headers.get(name) {
                kept.insert(name, value.clone());
            }
        }
        let proves = kept.keys().any(|name| name != "x-user-id");
        let token = query.get("token").map(str::to_owned);
        Self { headers: proves.then_some(kept), token, ..Self::default() }
    }
}

/// Who it is, by the first proof in the order of the contract.
async fn admit(host: &Host, knock: &Knock, auth: &Value) -> Result<Admitted, Problem> {
    if let Some(headers) = &knock.headers {
        return host.caller(headers, None).await?.require_user().cloned();
    }
    let text = |name: &str| match auth.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Problem::invalid_token()),
    };
    if let Some(token) = text("token")? {
        return host.actor_of(token).await;
    }
    if let Some(token) = text("authToken")? {
        let user = text("userId")?.ok_or_else(Problem::invalid_token)?;
        return host.actor_of_pair(user, token).await;
    }
    match &knock.token {
        Some(token) => host.actor_of(token).await,
        None => Err(Problem::unauthorized()),
    }
}

impl Socket {
    pub(super) fn enter(&mut self, packet: &Packet<'_>) -> Step<Done> {
        if packet.namespace != "/" {
            let body = json!({ "message": "Invalid namespace" });
            self.reply(packet::refused(packet.namespace, &body));
            return Step::Done;
        }
        let auth = if packet.data.is_empty() { Ok(Value::Null) } else { serde_json::from_str(packet.data) };
        let (Ok(auth), Some(knock)) = (auth, self.knock.take()) else { return self.malformed() };
        let (door, outbox) = (self.door.clone(), self.outbox.clone());
        Step::Wait(Box::pin(async move {
            let entry = async {
                let chat = door.host.chat();
                let Admitted { actor, user, expires_at } = admit(&door.host, &knock, &auth).await?;
                let wire = Wire::new(&door, outbox, &user);
                let ear = Arc::new(UserEar(wire.clone()));
                let own = chat.listen_user(&actor, ear).await.map_err(Problem::of_token)?;
                let own = Listening::new(&door, own);
                let inbox = chat.listen_inbox(&actor, Arc::new(InboxEar(wire.clone()))).await;
                let inbox = Listening::new(&door, inbox.map_err(Problem::of_token)?);
                Ok(Entry { actor, user, wire, listening: [own, inbox], expires_at })
            };
            Done::Entered(entry.await)
        }))
    }

    /// The client closes when it has read why, as with the official server: python-socketio that is closed by the
    /// other side at that moment waits for itself half a minute. Who stays is sent away when the time to enter is over.
    pub(super) fn turned_away(&mut self, problem: &Problem) -> Step<Done> {
        self.reply(packet::refused("/", &refusal(problem)));
        Step::Done
    }

    pub(super) fn entered(&mut self, entry: Entry) -> Step<Done> {
        let Entry { actor, user, wire, listening, expires_at } = entry;
        let host = self.door.host.clone();
        host.chat().connected(&user, wire.connection);
        self.reply(packet::connected(&new_sid()));
        let greeting = json!({
            "user_id": user.id.as_str(), "userId": user.id.as_str(), "message": "Connected",
            "timestamp": iso(host.now()),
        });
        self.reply(packet::event("connected", &greeting));
        self.who =
            Some(Box::new(Who { actor, user, wire, _listening: listening, rooms: Default::default() }));
        let outbox = self.outbox.clone();
        self.timer = expires_at.map(|_| {
            Timer::new(async move {
                let problem = host.expiry(expires_at).await;
                outbox.push(packet::event("error", &Call::none().error(&problem)), Class::Reply);
                outbox.push(packet::disconnect(), Class::Reply);
                outbox.finish(Close::policy("the token has ended"));
            })
        });
        Step::Done
    }

    /// The acting user, of an event.
    pub(super) fn actor(&self) -> Actor {
        // Events before the entrance end the connection.
        self.who.as_ref().expect("only those who entered call").actor.clone()
    }
}
