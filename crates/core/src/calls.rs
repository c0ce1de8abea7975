//! Video calls: a message in the room that people join by, with who is in it and its end. The pictures and voices go
//! over a Jitsi server that the operator names; this keeps the calls and makes their addresses.

use std::sync::Arc;

use serde_json::json;

use crate::{
    calls_codec::{document, read, shown},
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, State, What},
    event::Event,
    id::{MessageId, RoomId, UserId},
    json::Json,
    message::Message,
    messages::store_changed,
    permissions::{Action, Object},
    room::Room,
    session::Actor,
    store::{Lane, Page, Paged, Tx},
    user::User,
};

const CALLS: &str = "calls";
/// People listed with a call; who comes later can join all the same.
const LISTED: usize = 200;
/// Characters of a title.
const LONGEST_TITLE: usize = 120;
/// A call that nobody ended is over after a day, in milliseconds.
const LONGEST_CALL: i64 = 24 * 60 * 60 * 1000;

/// How far a call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// Ringing at the one who is called.
    Calling,
    /// People are in it, or may come.
    Started,
    /// Over because nobody ended it.
    Expired,
    /// Somebody ended it.
    Ended,
    /// The caller gave up before anybody came.
    Declined,
}

/// Somebody in a call.
#[derive(Clone, Debug, PartialEq)]
pub struct InCall {
    /// Who.
    pub id: UserId,
    /// User name then.
    pub username: String,
    /// Display name then.
    pub name: String,
    /// When; for those who joined the first time.
    pub at: Time,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Opaque.
    pub id: String,
    /// Where its message stands.
    pub room: RoomId,
    /// Between two: it rings at the other.
    pub direct: bool,
    /// What it is about.
    pub title: String,
    /// Who started it.
    pub creator: InCall,
    /// Who joined, at most 200.
    pub users: Vec<InCall>,
    /// How far it got.
    pub status: CallStatus,
    /// The message that people join by.
    pub message: MessageId,
    /// Where it is held, without anybody's token.
    pub url: String,
    /// It rang at the members.
    pub ringing: bool,
    /// Its end.
    pub ended_at: Option<Time>,
    /// Who ended it.
    pub ended_by: Option<InCall>,
    /// Last change.
    pub updated_at: Time,
}

impl Chat {
    /// Whether calls can be held.
    ///
    /// # Errors
    /// `Disabled(Jitsi_Enabled)`, or `Disabled(Jitsi_Domain)` while no server is named.
    pub fn calls_possible(&self) -> Result<()> {
        let settings = self.settings();
        if !settings.is_on("Jitsi_Enabled") {
            return Err(Refusal::Disabled("Jitsi_Enabled"));
        }
        if host(settings.text("Jitsi_Domain")).is_none() {
            return Err(Refusal::Disabled("Jitsi_Domain"));
        }
        Ok(())
    }

    /// Starts a call: a message in the room, and between two it rings at the other (in rooms with `ring`).
    /// Needs `call-management` and the right to write there.
    pub async fn start_call(&self, actor: &Actor, room: &RoomId, title: &str, ring: bool) -> Result<Call> {
        let started = self.judged(|| self.start_call_once(actor, room, title, ring)).await?;
        if started.direct || started.ringing {
            let action = if started.direct { "call" } else { "ring" };
            self.tell_call(&started, action, None).await?;
        }
        Ok(started)
    }

    async fn start_call_once(&self, actor: &Actor, room: &RoomId, title: &str, ring: bool) -> Result<Call> {
        self.calls_possible()?;
        let room = self.room(room).await?;
        let judgement = self.authorize(actor, Action::PostMessage, Object::Room(&room)).await?;
        self.require(actor, "call-management", Some(&room)).await?;
        let title = title.trim();
        if title.chars().count() > LONGEST_TITLE {
            return Err(Refusal::TooLarge { what: "title", limit: LONGEST_TITLE as u64 });
        }
        let user = self.active_user(actor).await?;
        let call = self.new_call(&room, &user, title, ring);
        let mut message = self.notice(&room.id, &user, "videoconf", "");
        message.id = call.message.clone();
        message.extras = shown(&call);
        let stored = call.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                tx.append_message(message.clone())?;
                tx.put_document(CALLS, &document(&stored))
            })
            .await?;
        Ok(call)
    }

    fn new_call(&self, room: &Arc<Room>, user: &User, title: &str, ring: bool) -> Call {
        let (id, now) = (self.new_id(), self.now());
        let direct = room.is_direct() && room.direct.len() == 2;
        let name = if title.is_empty() { room.shown_name() } else { title };
        Call {
            url: self.call_url(&id, name),
            id,
            room: room.id.clone(),
            direct,
            title: title.to_owned(),
            creator: in_call(user, now),
            users: Vec::new(),
            status: if direct { CallStatus::Calling } else { CallStatus::Started },
            message: MessageId::new(self.new_id()),
            ringing: ring,
            ended_at: None,
            ended_by: None,
            updated_at: now,
        }
    }

    /// `https://DOMAIN/PREFIX…`: with the call's own id, which nobody guesses, unless the settings say otherwise.
    fn call_url(&self, id: &str, name: &str) -> String {
        let settings = self.settings();
        let scheme = if settings.is_on("Jitsi_SSL") { "https" } else { "http" };
        let domain = host(settings.text("Jitsi_Domain")).unwrap_or_default();
        let prefix = plain(without_scheme(settings.text("Jitsi_URL_Room_Prefix")));
        let (name, id) = (plain(name), id.replace('-', ""));
        let room = match (settings.is_on("Jitsi_URL_Room_Hash"), name.is_empty()) {
            (true, true) | (false, true) => id,
            (true, false) => format!("{name}-{id}"),
            (false, false) => name,
        };
        format!("{scheme}://{domain}/{prefix}{room}")
    }

    /// A call that the caller may see; unknown and hidden ones alike are not found.
    pub async fn call(&self, actor: &Actor, id: &str) -> Result<Call> {
        let wanted = id.to_owned();
        let found = self.store().reading(move |rows| rows.document(CALLS, &wanted)).await?;
        let call = found.and_then(|d| read(&d)).ok_or(Refusal::NotFound(What::Room))?;
        let room = self.room(&call.room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        Ok(self.aged(call))
    }

    /// Calls of a room, the newest first.
    pub async fn calls(&self, actor: &Actor, room: &RoomId, page: Page) -> Result<Paged<Call>> {
        let room = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let key = room.id.to_string();
        let found = self
            .store()
            .reading(move |rows| {
                // Ids grow with time, so the newest stand at the end.
                let total = rows.documents(CALLS, Some(&key), Page { offset: 0, count: 1 })?.total;
                let end = total.saturating_sub(page.offset);
                let start = end.saturating_sub(page.count);
                let items =
                    rows.documents(CALLS, Some(&key), Page { offset: start, count: end - start })?.items;
                Ok(Paged { items, total })
            })
            .await?;
        let items = found.items.iter().rev().filter_map(read).map(|call| self.aged(call)).collect();
        Ok(Paged { items, total: found.total })
    }

    fn aged(&self, mut call: Call) -> Call {
        let over = self.now().millis() - call.creator.at.millis() > LONGEST_CALL;
        if over && matches!(call.status, CallStatus::Calling | CallStatus::Started) {
            call.status = CallStatus::Expired;
        }
        call
    }

    /// Joins a call: its address, with a token where the settings ask for one. Whoever may read the room may join.
    ///
    /// # Errors
    /// `State(AlreadyClosed)` when it is over.
    pub async fn join_call(&self, actor: &Actor, id: &str) -> Result<(Call, String)> {
        let user = self.active_user(actor).await?;
        self.call(actor, id).await?;
        let now = self.now();
        let me = in_call(&user, now);
        let call = self
            .change_call(id, move |call| {
                if now.millis() - call.creator.at.millis() > LONGEST_CALL
                    || !matches!(call.status, CallStatus::Calling | CallStatus::Started)
                {
                    return Err(State::AlreadyClosed.into());
                }
                if call.direct && me.id != call.creator.id {
                    call.status = CallStatus::Started;
                }
                if !call.users.iter().any(|u| u.id == me.id) && call.users.len() < LISTED {
                    call.users.push(me.clone());
                }
                Ok(())
            })
            .await?;
        self.tell_call(&call, "join", Some(&user.id)).await?;
        let url = self.call_address(&call, &user)?;
        Ok((call, url))
    }

    /// The address with the user's token, as Jitsi's token authentication wants it.
    fn call_address(&self, call: &Call, user: &User) -> Result<String> {
        let settings = self.settings();
        let secret = self.secret_setting("Jitsi_Application_Secret")?;
        if !settings.is_on("Jitsi_Enabled_TokenAuth") || secret.is_empty() {
            return Ok(call.url.clone());
        }
        let room = call.url.rsplit('/').next().unwrap_or_default();
        let room = if settings.is_on("Jitsi_Limit_Token_To_Room") { room } else { "*" };
        let site = settings.text("Site_Url").trim_end_matches('/');
        let now = self.now().millis() / 1000;
        let name = user.shown_name();
        let claims = json!({
            "iss": settings.text("Jitsi_Application_ID"), "aud": settings.text("Jitsi_Application_ID"),
            "sub": host(settings.text("Jitsi_Domain")).unwrap_or_default(), "room": room,
            "iat": now, "nbf": now - 10, "exp": now + 3600,
            "context": { "user": {
                "id": user.id.as_str(), "name": name, "avatar": format!("{site}/avatar/{}", user.username),
                "email": user.emails.first().map(|e| e.address.as_str()).unwrap_or_default(),
            } },
        });
        let token = self.ports.credentials.sign(&secret, &Json::new(claims.to_string()))?;
        Ok(format!("{}?jwt={token}", call.url))
    }

    /// The caller gives up before anybody came: only for calls between two that still ring.
    ///
    /// # Errors
    /// `State(AlreadyClosed)` when it does not ring any more; `NotAllowed` for anybody else.
    pub async fn cancel_call(&self, actor: &Actor, id: &str) -> Result<Call> {
        let call = self.call(actor, id).await?;
        if call.creator.id != actor.user || !call.direct {
            return Err(Refusal::NotAllowed("call-management"));
        }
        let user = self.active_user(actor).await?;
        let me = in_call(&user, self.now());
        let call = self
            .change_call(id, move |call| {
                if call.status != CallStatus::Calling {
                    return Err(State::AlreadyClosed.into());
                }
                close(call, CallStatus::Declined, &me);
                Ok(())
            })
            .await?;
        self.tell_call(&call, "canceled", None).await?;
        Ok(call)
    }

    /// Ends a call for everybody: whoever started it, and holders of `edit-room`.
    ///
    /// # Errors
    /// `State(AlreadyClosed)` when it is over.
    pub async fn end_call(&self, actor: &Actor, id: &str) -> Result<Call> {
        let call = self.call(actor, id).await?;
        if call.creator.id != actor.user {
            let room = self.room(&call.room).await?;
            self.require(actor, "edit-room", Some(&room)).await?;
        }
        let user = self.active_user(actor).await?;
        let me = in_call(&user, self.now());
        let call = self
            .change_call(id, move |call| {
                if !matches!(call.status, CallStatus::Calling | CallStatus::Started) {
                    return Err(State::AlreadyClosed.into());
                }
                close(call, CallStatus::Ended, &me);
                Ok(())
            })
            .await?;
        self.tell_call(&call, "end", None).await?;
        Ok(call)
    }

    /// Changes a call and the message that shows it, in one step.
    async fn change_call(
        &self,
        id: &str,
        change: impl Fn(&mut Call) -> Result<()> + Send + 'static,
    ) -> Result<Call> {
        let id = id.to_owned();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let found = tx.document(CALLS, &id)?.and_then(|d| read(&d));
                let before = found.ok_or(Refusal::NotFound(What::Room))?;
                let mut call = before.clone();
                change(&mut call)?;
                if call == before {
                    return Ok(call);
                }
                call.updated_at = tx.now();
                tx.put_document(CALLS, &document(&call))?;
                show(tx, &call)?;
                Ok(call)
            })
            .await
    }

    /// Tells the people of a call what happened: between two both, in rooms (of at most 100) all members.
    async fn tell_call(&self, call: &Call, action: &str, by: Option<&UserId>) -> Result<()> {
        let about = by.unwrap_or(&call.creator.id);
        let params = json!({ "callId": call.id, "uid": about.as_str(), "rid": call.room.as_str() });
        let args = Json::new(json!([{ "action": action, "params": params }]).to_string());
        let room = call.room.clone();
        let page = Page { offset: 0, count: 101 };
        let members =
            self.store().reading(move |rows| rows.members(&room, &Default::default(), page)).await?;
        if members.total > 100 {
            return Ok(());
        }
        for member in members.items.into_iter().filter(|m| m.user != *about) {
            self.pass(Event::Signal {
                user: member.user,
                name: "video-conference".into(),
                args: args.clone(),
            });
        }
        Ok(())
    }
}

fn close(call: &mut Call, status: CallStatus, by: &InCall) {
    call.status = status;
    call.ended_at = Some(by.at);
    call.ended_by = Some(by.clone());
}

fn in_call(user: &User, at: Time) -> InCall {
    InCall { id: user.id.clone(), username: user.username.clone(), name: user.name.clone(), at }
}

/// The message follows its call; one that was deleted stays away.
fn show(tx: &mut dyn Tx, call: &Call) -> Result<()> {
    let Some(mut message): Option<Message> = tx.message(&call.message)?.filter(|m| !m.deleted) else {
        return Ok(());
    };
    message.extras = shown(call);
    store_changed(tx, message).map(drop)
}

/// Rocket.Chat's numbers.
pub fn number(status: CallStatus) -> i64 {
    match status {
        CallStatus::Calling => 0,
        CallStatus::Started => 1,
        CallStatus::Expired => 2,
        CallStatus::Ended => 3,
        CallStatus::Declined => 4,
    }
}

fn without_scheme(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(text)
}

/// The server's name (and port and path), however the administrator wrote it; `None` for what is no address.
fn host(domain: &str) -> Option<&str> {
    let domain = without_scheme(domain).trim_end_matches('/');
    let good = |c: char| c.is_ascii_alphanumeric() || "-.:/_[]".contains(c);
    (!domain.is_empty() && domain.chars().all(good)).then_some(domain)
}

/// Letters and digits only, as a room's name within an address.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_found_however_it_was_written() {
        assert_eq!(host("meet.example.org"), Some("meet.example.org"));
        assert_eq!(host("https://meet.example.org:8443/"), Some("meet.example.org:8443"));
        for bad in ["", "  ", "https://", "meet example", "a\"b", "javascript:alert(1)"] {
            assert_eq!(host(bad), None, "{bad}");
        }
        assert_eq!(plain("Nom de la réunion !"), "Nomdelarunion");
    }
}
