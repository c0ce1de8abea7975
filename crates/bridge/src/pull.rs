//! From the other side to here.

use std::collections::HashMap;

use parlor_core::{
    bootstrap::ROCKET_CAT,
    clock::Time,
    error::Refusal,
    id::{MessageId, UserId},
    message::Message,
    room::RoomKind,
    user::User,
};
use serde_json::{Value, json};

use crate::{Bridge, remote::Trouble};

/// How much of what was heard is heard again, in milliseconds: two changes may fall into one moment.
const OVERLAP: i64 = 2_000;

/// What was heard last.
#[derive(Default)]
pub(crate) struct Heard {
    /// The last change of each room, as it was written there; only of those within the overlap.
    rooms: HashMap<String, String>,
}

impl Bridge {
    /// Says here what was said there since the last time.
    pub(crate) async fn pull(&mut self) -> Result<(), Trouble> {
        let since = match self.chat.bridge_place(&self.actor).await? {
            Some(place) => read_place(&place),
            None => {
                let now = self.chat.now();
                self.keep(now).await?;
                now
            }
        };
        let changed = match self.remote.get("rooms.get", &[("updatedSince", &iso(since))]).await? {
            Ok(body) => body["update"].as_array().cloned().unwrap_or_default(),
            Err(why) => return Err(Trouble::Away(why)),
        };
        let mut newest = since;
        let mut rooms = HashMap::new();
        for room in &changed {
            let (id, at) = (text(room, "_id"), text(room, "_updatedAt"));
            newest = newest.max(moment(&room["_updatedAt"]).unwrap_or(since));
            if self.heard.rooms.get(&id) != Some(&at) {
                self.listen(room, since).await?;
            }
            rooms.insert(id, at);
        }
        self.heard.rooms = rooms;
        let place = Time((newest.millis() - OVERLAP).max(since.millis()));
        if place > since { self.keep(place).await } else { Ok(()) }
    }

    async fn keep(&self, place: Time) -> Result<(), Trouble> {
        Ok(self.chat.keep_bridge_place(&self.actor, &json!({"at": place.millis()}).to_string()).await?)
    }

    async fn listen(&mut self, room: &Value, since: Time) -> Result<(), Trouble> {
        let kind = match room["t"].as_str() {
            Some("c") => RoomKind::Channel,
            Some("p") => RoomKind::Group,
            _ => return Ok(()),
        };
        let id = text(room, "_id");
        let query = [("roomId", id.as_str()), ("lastUpdate", &iso(since))];
        let mut messages = match self.remote.get("chat.syncMessages", &query).await? {
            Ok(body) => body["result"]["updated"].as_array().cloned().unwrap_or_default(),
            // It may be gone, or closed to the bridge.
            Err(_) => return Ok(()),
        };
        messages.retain(|message| message["t"].is_null() && moment(&message["ts"]).is_some());
        messages.sort_by_key(|message| moment(&message["ts"]));
        for message in &messages {
            if let Err(refusal) = self.take(room, kind, message).await {
                match refusal {
                    Refusal::Unavailable | Refusal::Internal(_) => return Err(refusal.into()),
                    other => {
                        tracing::warn!(message = %text(message, "_id"), refusal = %other, "a message of the other side can't be taken in")
                    }
                }
            }
        }
        Ok(())
    }

    async fn take(&self, room: &Value, kind: RoomKind, message: &Value) -> Result<(), Refusal> {
        let Some(id) = MessageId::parse(&text(message, "_id")) else { return Ok(()) };
        // What was heard before, or said here first.
        if !self.chat.known_messages(&self.actor, std::slice::from_ref(&id)).await?.is_empty() {
            return Ok(());
        }
        let author = self.author(message).await?;
        let title = room["fname"].as_str().map(str::to_owned);
        let here = self.chat.bridge_room(&self.actor, kind, &text(room, "name"), title, &author).await?;
        let mut new = Message::written_by(&author, id, here.id.clone(), text(message, "msg"));
        if author.id.as_str() == ROCKET_CAT || message["alias"].is_string() {
            let name = message["alias"].as_str().or(message["u"]["username"].as_str());
            new.guise.alias = name.map(str::to_owned);
        }
        new.thread = message["tmid"].as_str().and_then(MessageId::parse);
        new.shown_in_room = message["tshow"] == true;
        let members = [std::sync::Arc::new(author)];
        self.chat.restore_members(&self.actor, &here, &members).await?;
        let at = moment(&message["ts"]).unwrap_or_else(|| self.chat.now());
        self.chat.bridge_message(&self.actor, new, at).await.map(drop)
    }

    /// The user here of somebody there, by user name; who can have no account here speaks through the server's bot.
    async fn author(&self, message: &Value) -> Result<User, Refusal> {
        let (username, name) = (message["u"]["username"].as_str(), message["u"]["name"].as_str());
        let found = match username {
            Some(username) => self.chat.user_by_name_only(&self.actor, username, name, None).await,
            None => Err(Refusal::NotLoggedIn),
        };
        match found {
            Ok(user) => Ok((*user).clone()),
            Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => Err(refusal),
            Err(_) => {
                let bot = self.chat.user(&UserId::new(ROCKET_CAT)).await?.ok_or(Refusal::Unavailable)?;
                Ok((*bot).clone())
            }
        }
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().replace('\0', "")
}

fn moment(value: &Value) -> Option<Time> {
    value.as_str()?.parse::<jiff::Timestamp>().ok().map(|at| Time(at.as_millisecond()))
}

fn iso(at: Time) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    format!("{at:.3}")
}

/// An unreadable place is the beginning of time: everything that is known is told apart by its id.
fn read_place(place: &str) -> Time {
    let kept: Value = serde_json::from_str(place).unwrap_or_default();
    Time(kept["at"].as_i64().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        assert_eq!(moment(&json!(iso(Time(1_614_592_800_123)))), Some(Time(1_614_592_800_123)));
        assert_eq!(read_place(r#"{"at":7}"#), Time(7));
        assert_eq!(read_place("?"), Time(0));
    }
}
