//! What waits to be told, opened for whoever carries it: judged again in the last moment, since what was read, removed
//! or left meanwhile is not told any more.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    id::{MessageId, RoomId, UserId},
    membership::Membership,
    message::Message,
    notices::{LETTERS, MOST_SHOWN},
    notify_plan::digest_of,
    room::{Room, RoomKind},
    store::{Delivery, PushToken},
    user::User,
};

/// Longest piece of a message that a letter shows, in characters.
const PIECE: usize = 300;

/// What a device is to be told.
#[derive(Clone, Debug)]
pub struct Push {
    /// Whom.
    pub device: PushToken,
    /// Conversations with something unread.
    pub badge: u64,
    /// What.
    pub told: Told,
}

/// What a push is about.
#[derive(Clone, Debug)]
pub enum Told {
    /// A message.
    Message {
        /// Which.
        message: Arc<Message>,
        /// Where.
        room: Arc<Room>,
        /// Why: `mention`, `direct`, `thread`, `everybody`, `room`.
        reason: String,
        /// The path of the web app that shows it.
        path: String,
    },
    /// A room was read elsewhere.
    Read(RoomId),
    /// Somebody tries pushes out.
    Test,
}

/// A letter about unread messages.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The reader.
    pub user: Arc<User>,
    /// The reader's address.
    pub to: String,
    /// The messages, oldest first.
    pub items: Vec<NoticeItem>,
    /// How many more there are.
    pub more: u64,
    /// Where they stand.
    pub url: String,
    /// Where the reader unsubscribes, with one click.
    pub leave: String,
    /// It gathers what came since the last one.
    pub digest: bool,
}

/// A message in a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeItem {
    /// Who wrote.
    pub sender: String,
    /// The room's name; empty in direct rooms.
    pub room: String,
    /// What was written, at most 300 characters; empty where messages are not shown.
    pub text: String,
    /// When.
    pub at: Time,
    /// Where it stands.
    pub url: String,
}

/// Where the web app shows a message.
fn path(room: &Room, message: &Message) -> String {
    let name = room.name.as_deref().unwrap_or(room.id.as_str());
    match room.kind {
        RoomKind::Channel => format!("/channel/{name}?msg={}", message.id),
        RoomKind::Group => format!("/group/{name}?msg={}", message.id),
        _ => format!("/direct/{}?msg={}", room.id, message.id),
    }
}

/// Text of at most so many characters.
pub fn piece(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

impl Chat {
    /// A push, opened; `None` when nobody wants it any more.
    pub async fn push(&self, delivery: &Delivery) -> Result<Option<Push>> {
        let id = delivery.integration.clone();
        let Some(device) = self.store().reading(move |rows| rows.push_token(&id)).await? else {
            return Ok(None);
        };
        if self.user(&device.user).await?.is_none_or(|user| !user.active) {
            return Ok(None);
        }
        let body: Value = serde_json::from_str(delivery.body.as_str()).unwrap_or_default();
        let room = RoomId::from(delivery.room.as_deref().unwrap_or_default());
        let told = match delivery.event.as_str() {
            "test" => Told::Test,
            "read" => Told::Read(room),
            _ => {
                // A device may have another owner by now.
                let mine = body["user"].as_str() == Some(device.user.as_str());
                let message = body["message"].as_str().and_then(MessageId::parse).filter(|_| mine);
                let Some(message) = message else { return Ok(None) };
                let Some((message, room)) = self.still_unread(&device.user, &message).await? else {
                    return Ok(None);
                };
                let reason = body["reason"].as_str().unwrap_or("room").to_owned();
                let path = path(&room, &message);
                Told::Message { message: Arc::new(message), room, reason, path }
            }
        };
        let user = device.user.clone();
        let badge =
            self.store().reading(move |rows| Ok(rows.memberships_with_news(&user)?.len() as u64)).await?;
        Ok(Some(Push { device, badge, told }))
    }

    /// A letter about unread messages, opened; `None` when nothing of it is unread any more.
    pub async fn unread_letter(&self, delivery: &Delivery) -> Result<Option<Notice>> {
        let Some(user) = delivery.integration.strip_prefix(LETTERS).and_then(UserId::parse) else {
            return Ok(None);
        };
        let Some(user) = self.user(&user).await?.filter(|user| user.active) else { return Ok(None) };
        let unsubscribed = user.preferences.as_str().contains("\"emailUnsubscribed\":true");
        let Some(to) = user.emails.iter().find(|e| e.verified).filter(|_| !unsubscribed) else {
            return Ok(None);
        };
        let body: Value = serde_json::from_str(delivery.body.as_str()).unwrap_or_default();
        let ids = body["messages"].as_array().into_iter().flatten().take(MOST_SHOWN);
        let settings = self.settings();
        let site = settings.text("Site_Url").trim_end_matches('/').to_owned();
        let shown = settings.is_on("Email_notification_show_message");
        let mut items = Vec::new();
        for id in ids.filter_map(|id| MessageId::parse(id.as_str()?)) {
            let Some((message, room)) = self.still_unread(&user.id, &id).await? else { continue };
            items.push(NoticeItem {
                sender: message.shown_author().to_owned(),
                room: if room.is_direct() { String::new() } else { room.shown_name().to_owned() },
                text: if shown && message.encrypted.is_none() {
                    piece(&message.text, PIECE)
                } else {
                    String::new()
                },
                at: message.at,
                url: format!("{site}{}", path(&room, &message)),
            });
        }
        if items.is_empty() {
            return Ok(None);
        }
        let leave = self.ports.credentials.seal(&format!("leave {}", user.id))?;
        Ok(Some(Notice {
            to: to.address.clone(),
            items,
            more: body["more"].as_u64().unwrap_or_default(),
            url: format!("{site}/"),
            leave: format!("{site}/api/v1/mail.unsubscribe?t={leave}"),
            digest: digest_of(&user).is_some(),
            user,
        }))
    }

    /// A message with its room, if it is there, the user may see it as a member and has not read it.
    async fn still_unread(&self, user: &UserId, id: &MessageId) -> Result<Option<(Message, Arc<Room>)>> {
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.message(&wanted)).await?;
        let Some(message) = found.filter(|message| !message.deleted) else { return Ok(None) };
        let Some(membership) = self.membership(&message.room, user).await? else { return Ok(None) };
        if self.has_read(&membership, &message).await? {
            return Ok(None);
        }
        let room = self.room(&message.room).await?;
        Ok(Some((message, room)))
    }

    async fn has_read(&self, membership: &Arc<Membership>, message: &Message) -> Result<bool> {
        if message.in_room() {
            return Ok(membership.mark.seq >= message.seq);
        }
        let (membership, root) = (membership.clone(), message.thread.clone());
        self.store()
            .reading(move |rows| {
                let unread = rows.unread(&membership)?;
                let open = |list: &[MessageId]| root.as_ref().is_some_and(|root| list.contains(root));
                Ok(!open(&unread.threads) && !open(&unread.threads_mentioning))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_cut_between_characters() {
        assert_eq!(piece("été", 2), "ét…");
        assert_eq!(piece("été", 3), "été");
    }
}
