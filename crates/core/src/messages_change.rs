//! Changing and removing what was written.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, State, What},
    event::Event,
    id::{MessageId, UserId},
    json::Json,
    mentions::PASSED_OVER,
    message::{Attachment, Mark, Message, MessageKind},
    messages::{Draft, store_changed, store_edited},
    messages_prepare::{check_attachments, check_cards, check_json, check_text, too_late},
    permissions::{Action, Judgement, Object},
    room::Room,
    session::Actor,
    setting::Settings,
    store::{Lane, Tx},
    user::User,
};

/// Lifts the time windows of editing and deleting.
const NO_WINDOW: &str = "bypass-time-limit-edit-and-delete";

/// What an edit changes; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The text.
    pub text: Option<String>,
    /// End-to-end encrypted content.
    pub encrypted: Option<Json>,
    /// Custom fields, as a whole.
    pub custom_fields: Option<Json>,
    /// Cards below the text, all of them.
    pub cards: Option<Vec<Json>>,
    /// Only these links get previews.
    pub previews: Option<Vec<String>>,
    /// A reply is shown in the room as well.
    pub shown_in_room: Option<bool>,
}

/// By which rules a message is changed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// Permissions and settings decide.
    Permissions,
    /// Whose it is decides, and who has the last word in the room.
    Author,
}

impl Chat {
    /// Edits a message: one's own while editing is allowed, anybody's with `edit-message`.
    pub async fn edit_message(&self, actor: &Actor, id: &MessageId, edit: Edit) -> Result<Arc<Message>> {
        self.judged(|| self.edit_once(actor, id, &edit, Rules::Permissions)).await
    }

    pub(crate) async fn edit_once(
        &self,
        actor: &Actor,
        id: &MessageId,
        edit: &Edit,
        rules: Rules,
    ) -> Result<Arc<Message>> {
        let (room, mut message) = self.readable_message(actor, id).await?;
        let judgement = match rules {
            Rules::Permissions => self.judge_edit(actor, &room, &message).await?,
            Rules::Author => self.judge_as_author(actor, &room, &message, Action::EditOwnMessage).await?,
        };
        let settings = self.settings();
        let editor = self.active_user(actor).await?;
        put_in(&mut message, edit, &settings)?;
        let known = std::mem::take(&mut message.links);
        let draft = Draft { previews: edit.previews.clone(), ..Draft::default() };
        // Quotes and mentions are the author's: what an editor with more rights could see stays unseen.
        let author = self.user(&message.author).await?.unwrap_or_else(|| editor.clone());
        let as_author = Actor { user: author.id.clone(), ..actor.clone() };
        let quoting = if author.active { &as_author } else { actor };
        let mentioned = self.read_text(quoting, &room, &author, &mut message, &draft).await?;
        for link in message.links.iter_mut().filter(|link| link.preview.is_none()) {
            let seen = known.iter().find(|k| k.url == link.url).and_then(|k| k.preview.clone());
            link.preview = seen.filter(|preview| preview.as_str() != PASSED_OVER);
        }
        let keep = settings.is_on("Message_KeepHistory");
        let by = mark_of(&editor);
        let store = move |tx: &mut dyn Tx| {
            tx.check(&judgement)?;
            let stored = unchanged_place(tx, &message)?;
            let mut message = Message {
                reactions: stored.reactions.clone(),
                pinned: stored.pinned.clone(),
                thread_info: stored.thread_info.clone(),
                discussion: stored.discussion.clone(),
                ..message.clone()
            };
            message.thread = stored.thread.clone();
            let everybody = message.addresses_everybody();
            if everybody || !mentioned.is_empty() || !stored.mentions.is_empty() {
                tx.put_mentions(&message, &mentioned, everybody)?;
            }
            let changed = store_edited(tx, message, by.clone())?;
            if keep {
                tx.keep_version(&stored, changed.rev)?;
            }
            Ok(changed)
        };
        self.store().writing(Lane::Verbs, store).await
    }

    async fn judge_edit(&self, actor: &Actor, room: &Arc<Room>, message: &Message) -> Result<Judgement> {
        if message.kind != MessageKind::Text {
            return Err(Refusal::NotAllowed("edit-message"));
        }
        let object = Object::Message(room, message);
        let any = self.authorize(actor, Action::EditAnyMessage, object).await;
        let judgement = match any {
            Ok(judgement) => judgement,
            Err(_) if message.author == actor.user && self.settings().is_on("Message_AllowEditing") => {
                self.authorize(actor, Action::EditOwnMessage, object).await?
            }
            Err(_) => return Err(Refusal::NotAllowed("edit-message")),
        };
        self.check_window(actor, room, message, "Message_AllowEditing_BlockEditInMinutes").await?;
        Ok(judgement)
    }

    /// The time within which messages may be changed; `bypass-time-limit-edit-and-delete` lifts it.
    async fn check_window(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        message: &Message,
        setting: &str,
    ) -> Result<()> {
        let minutes = self.settings().number(setting);
        if too_late(message.at, self.now(), minutes) && !self.may(actor, NO_WINDOW, Some(room)).await? {
            return Err(State::TooLate.into());
        }
        Ok(())
    }

    /// Removes a message for good, or empties it into a notice with `Message_ShowDeletedStatus`. Gives back what it
    /// was.
    pub async fn delete_message(&self, actor: &Actor, id: &MessageId) -> Result<Arc<Message>> {
        self.judged(|| self.delete_once(actor, id, Rules::Permissions)).await
    }

    pub(crate) async fn delete_once(
        &self,
        actor: &Actor,
        id: &MessageId,
        rules: Rules,
    ) -> Result<Arc<Message>> {
        let (room, message) = self.readable_message(actor, id).await?;
        let judgement = match rules {
            Rules::Permissions => self.judge_delete(actor, &room, &message).await?,
            Rules::Author => self.judge_as_author(actor, &room, &message, Action::DeleteOwnMessage).await?,
        };
        let settings = self.settings();
        let (show, keep) =
            (settings.is_on("Message_ShowDeletedStatus"), settings.is_on("Message_KeepHistory"));
        let by = mark_of(&*self.active_user(actor).await?);
        let store = move |tx: &mut dyn Tx| {
            tx.check(&judgement)?;
            let stored = unchanged_place(tx, &message)?;
            let rev = if show {
                let emptied = emptied(&stored, Mark { at: tx.now(), ..by.clone() });
                tx.put_mentions(&emptied, &[], false)?;
                for file in stored.files() {
                    tx.confirm_upload(&file.upload, None)?;
                }
                store_changed(tx, emptied)?.rev
            } else {
                remove(tx, &stored, &by.by)?
            };
            if keep {
                tx.keep_version(&stored, rev)?;
            }
            Ok(Arc::new(stored))
        };
        self.store().writing(Lane::Verbs, store).await
    }

    pub(crate) async fn judge_delete(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        message: &Message,
    ) -> Result<Judgement> {
        let settings = self.settings();
        let object = Object::Message(room, message);
        if self.may(actor, "force-delete-message", Some(room)).await? {
            return self.authorize(actor, Action::DeleteAnyMessage, object).await;
        }
        if !settings.is_on("Message_AllowDeleting") {
            return Err(Refusal::NotAllowed("delete-message"));
        }
        let judgement = match self.authorize(actor, Action::DeleteAnyMessage, object).await {
            Ok(judgement) => judgement,
            Err(_) if message.author == actor.user => {
                self.authorize(actor, Action::DeleteOwnMessage, object).await?
            }
            Err(_) => return Err(Refusal::NotAllowed("delete-message")),
        };
        self.check_window(actor, room, message, "Message_AllowDeleting_BlockDeleteInMinutes").await?;
        Ok(judgement)
    }
}

pub(crate) fn mark_of(user: &User) -> Mark {
    Mark { by: user.id.clone(), username: user.username.clone(), at: Time(0) }
}

/// The message as it is stored now; a verb that read an older one is judged anew.
pub(crate) fn unchanged_place(tx: &mut dyn Tx, read: &Message) -> Result<Message> {
    let stored = tx.message(&read.id)?.filter(|m| !m.deleted).ok_or(Refusal::NotFound(What::Message))?;
    if stored.author != read.author || stored.room != read.room { Err(Refusal::Stale) } else { Ok(stored) }
}

/// Removes a message with its thread's share; tells of it and of the root. The position of the removal.
pub(crate) fn remove(tx: &mut dyn Tx, message: &Message, by: &UserId) -> Result<i64> {
    let place = tx.advance(&message.room)?;
    remove_rows(tx, message, place.position, place.at)?;
    let event = Event::MessageDeleted {
        room: message.room.clone(),
        message: message.id.clone(),
        seq: message.seq,
        thread: message.thread.clone(),
        emptied: tx.message(&message.id)?.map(Arc::new),
        by: Some(by.clone()),
    };
    tx.record(Some((message.room.clone(), place.position)), event)?;
    Ok(place.position)
}

/// Removes a message at a position that was taken and told of; its root, which changes with it, is told of here.
pub(crate) fn remove_rows(tx: &mut dyn Tx, message: &Message, position: i64, at: Time) -> Result<()> {
    if message.thread_info.is_some() {
        tx.end_thread(&message.id)?;
    }
    tx.delete_message(message, position, at)?;
    if let Some(root) = &message.thread {
        let info = tx.remove_reply(root, message)?;
        if let Some(mut root) = tx.message(root)?.filter(|root| !root.deleted) {
            root.thread_info = info;
            store_changed(tx, root)?;
        }
    }
    Ok(())
}

/// Puts what an edit gives in the place of what stood there.
fn put_in(message: &mut Message, edit: &Edit, settings: &Settings) -> Result<()> {
    if let Some(text) = &edit.text {
        check_text(text, false, settings)?;
        message.text = settings.censored(text);
    }
    for json in edit.encrypted.iter().chain(edit.cards.iter().flatten()) {
        check_json(json)?;
    }
    check_cards(edit.cards.iter().flatten(), settings)?;
    if let Some(fields) = &edit.custom_fields {
        check_json(fields)?;
        crate::messages_custom::check(fields, settings)?;
        message.custom_fields = fields.clone();
    }
    if edit.encrypted.is_some() {
        message.encrypted = edit.encrypted.clone();
    }
    if let Some(cards) = &edit.cards {
        message.attachments.retain(|a| matches!(a, Attachment::File(_)));
        message.attachments.extend(cards.iter().cloned().map(Attachment::Card));
        check_attachments(message.attachments.len())?;
    }
    if let Some(shown) = edit.shown_in_room {
        message.shown_in_room = shown && message.thread.is_some();
    }
    Ok(())
}

/// What stays of a message whose removal is shown.
fn emptied(message: &Message, by: Mark) -> Message {
    Message {
        kind: MessageKind::Notice("rm".into()),
        text: String::new(),
        mentions: Vec::new(),
        channels: Vec::new(),
        links: Vec::new(),
        attachments: Vec::new(),
        reactions: Vec::new(),
        pinned: None,
        encrypted: None,
        metadata: None,
        custom_fields: Json::object(),
        extras: Json::object(),
        edited: Some(by),
        ..message.clone()
    }
}
