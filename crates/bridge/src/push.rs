//! From here to the other side.

use parlor_core::{bridging::Said, room::RoomKind};
use serde_json::{Value, json};

use crate::{Bridge, remote::Session, remote::Trouble};

impl Bridge {
    /// Says there what was said here since the last time, in its order.
    pub(crate) async fn push(&mut self) -> Result<(), Trouble> {
        loop {
            let stretch = self.chat.bridge_said(&self.actor).await?;
            let done = stretch.said.is_empty();
            for said in &stretch.said {
                if let Err(why) = self.tell(said).await? {
                    tracing::warn!(message = %said.message.id, why, "a message can't be told on the other side");
                }
            }
            self.chat.bridge_told(&self.actor, stretch.upto).await?;
            if done {
                return Ok(());
            }
        }
    }

    /// `Err` in the answer: the other side does not want it, now or later.
    async fn tell(&mut self, said: &Said) -> Result<Result<(), String>, Trouble> {
        let (username, name) = (said.author.username.as_str(), said.author.name.as_str());
        // A room or session that went is looked for once more.
        for last in [false, true] {
            let session = self.remote.person(username, name).await?;
            let room = match self.place(said, session.as_ref()).await? {
                Ok(room) => room,
                Err(why) => return Ok(Err(why)),
            };
            match self.post(said, session.as_ref(), &room).await? {
                Ok(()) => return Ok(Ok(())),
                Err(_) if self.is_there(said).await? => return Ok(Ok(())),
                Err(why) if last => return Ok(Err(why)),
                Err(_) => self.remote.forget(said.room.name.as_deref(), username),
            }
        }
        Ok(Ok(()))
    }

    async fn place(
        &mut self,
        said: &Said,
        session: Option<&Session>,
    ) -> Result<Result<String, String>, Trouble> {
        if said.room.kind == RoomKind::Direct {
            let Some(session) = session else {
                return Ok(Err("its author has an account of his own there".into()));
            };
            for other in &said.others {
                let _ = self.remote.person(other, other).await?;
            }
            let body = json!({ "usernames": said.others.join(",") });
            let made = self.remote.post_as(session, "im.create", body).await?;
            return Ok(made.map(|body| body["room"]["_id"].as_str().unwrap_or_default().to_owned()));
        }
        let private = said.room.kind == RoomKind::Group;
        let room = match self.remote.room(said.room.name.as_deref().unwrap_or_default(), private).await? {
            Ok(room) => room,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(session) = session {
            let family = if private { "groups" } else { "channels" };
            // Whoever is in it stays.
            let body = json!({"roomId": room, "userId": session.user});
            let _ = self.remote.post(&format!("{family}.invite"), body).await?;
        }
        Ok(Ok(room))
    }

    async fn post(
        &mut self,
        said: &Said,
        session: Option<&Session>,
        room: &str,
    ) -> Result<Result<(), String>, Trouble> {
        let mut message = json!({"_id": said.message.id.as_str(), "rid": room, "msg": words(said)});
        if let Some(root) = &said.message.thread {
            message["tmid"] = root.as_str().into();
            message["tshow"] = said.message.shown_in_room.into();
        }
        let answer = match session {
            Some(session) => {
                self.remote.post_as(session, "chat.sendMessage", json!({ "message": message })).await?
            }
            None => {
                message["alias"] = said.author.username.as_str().into();
                let answer = self.remote.post("chat.sendMessage", json!({ "message": message })).await?;
                match answer {
                    Ok(body) => Ok(body),
                    // Who may not speak under another name says whose words they are.
                    Err(_) => {
                        message["alias"] = Value::Null;
                        message["msg"] = format!("*{}*: {}", said.author.username, words(said)).into();
                        self.remote.post("chat.sendMessage", json!({ "message": message })).await?
                    }
                }
            }
        };
        Ok(answer.map(drop))
    }

    /// Whether it arrived at an earlier try whose answer was lost.
    async fn is_there(&mut self, said: &Said) -> Result<bool, Trouble> {
        Ok(self.remote.get("chat.getMessage", &[("msgId", said.message.id.as_str())]).await?.is_ok())
    }
}

/// The text; files stay here and are named.
fn words(said: &Said) -> String {
    let files: Vec<String> = said.message.files().map(|file| format!("[{}]", file.name)).collect();
    if files.is_empty() {
        said.message.text.clone()
    } else {
        format!("{} {}", said.message.text, files.join(" "))
    }
}
