//! The desk of the control centre: how cases stand, who acknowledged an emergency, handing over, and notes that the
//! requester never sees.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    case::{CaseAction, Conversation, Queue},
    cases::{ROLE_REQUIRED, is_control, tell},
    cases_list::{Conversations, Part},
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    hub::{Interest, Listener, Subscription},
    id::{RoomId, UserId},
    json::Json,
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    rooms::RoomRef,
    session::Actor,
    store::{CaseFilter, Document, Lane, Page},
    user::User,
};

/// Longest note, in characters.
pub const MAX_NOTE: usize = 2_000;
/// Notes of one case that are shown, the newest; older ones stay stored.
pub const SHOWN_NOTES: u64 = 200;
/// How far back a requester's place in the queue is counted.
const LONGEST_QUEUE: u64 = 500;
const NOTES: &str = "case_notes";
const ACKNOWLEDGED: &str = "case_acks";

/// Somebody, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Who.
    pub by: UserId,
    /// The name then.
    pub name: String,
    /// When.
    pub at: Time,
}

/// What the control centre wrote down beside a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Opaque; grows with time.
    pub id: String,
    /// Who wrote it, and when.
    pub mark: Mark,
    /// What.
    pub text: String,
}

/// A case as the desk and its requester see it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The case.
    pub conversation: Conversation,
    /// Who of the control centre takes part.
    pub served_by: Vec<Arc<User>>,
    /// Who acknowledged it first since it waits.
    pub acknowledged: Option<Mark>,
    /// Cases that nobody serves and that waited longer in the same queue, at most 500; for one that waits itself.
    pub ahead: Option<u64>,
}

impl Chat {
    /// The cases of the workspace: open ones, the longest waiting first, or closed ones, the last active first.
    ///
    /// # Errors
    /// `NotAllowed` for all but the control centre.
    pub async fn desk(
        &self,
        actor: &Actor,
        open: bool,
        part: Part,
    ) -> Result<(Vec<Standing>, Conversations)> {
        let listed = if open {
            self.waiting_cases(actor, Queue::General, part).await?
        } else {
            let me = self.control(actor).await?;
            let filter = CaseFilter { open: Some(false), ..CaseFilter::default() };
            self.list_cases(me.id.clone(), filter, part).await?
        };
        let mut all = Vec::with_capacity(listed.items.len());
        for conversation in listed.items.iter().cloned() {
            all.push(self.standing(conversation).await?);
        }
        Ok((all, listed))
    }

    /// How a case stands, for whoever may read it. Of other rooms nothing is found.
    pub async fn case_standing(&self, actor: &Actor, room: &RoomId) -> Result<Standing> {
        let (room, _) = self.readable_case(actor, room).await?;
        let conversation = self.conversation(actor, &room.id).await?;
        let mut standing = self.standing(conversation).await?;
        standing.ahead = self.ahead(&standing).await?;
        Ok(standing)
    }

    async fn standing(&self, conversation: Conversation) -> Result<Standing> {
        let mut served_by = Vec::new();
        for id in &conversation.participants {
            served_by.extend(self.user(id).await?.filter(|user| is_control(user)));
        }
        let id = conversation.room.id.to_string();
        let since = conversation.case.as_ref().map_or(Time(0), |case| case.waiting_since);
        let found = self.store().reading(move |rows| rows.document(ACKNOWLEDGED, &id)).await?;
        // A case that was opened again rings again.
        let acknowledged = found.and_then(|one| mark(&one)).filter(|mark| mark.at >= since);
        Ok(Standing { conversation, served_by, acknowledged, ahead: None })
    }

    async fn ahead(&self, standing: &Standing) -> Result<Option<u64>> {
        let waits = standing.conversation.is_open() && standing.served_by.is_empty();
        let Some(case) = standing.conversation.case.clone().filter(|_| waits) else { return Ok(None) };
        let filter = CaseFilter { open: Some(true), view: Some(case.queue), ..CaseFilter::default() };
        let waiting = self.store().reading(move |rows| rows.cases(&filter, 0, LONGEST_QUEUE)).await?;
        let mut ahead = 0;
        for (other, _) in waiting.iter().take_while(|(other, _)| other.room != case.room) {
            if other.queue == case.queue && !self.is_served(&other.participants).await? {
                ahead += 1;
            }
        }
        Ok(Some(ahead))
    }

    async fn is_served(&self, participants: &[UserId]) -> Result<bool> {
        for id in participants {
            if self.user(id).await?.is_some_and(|user| is_control(&user)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Somebody of the control centre has seen that a case waits. The first one counts; others are told who it was.
    pub async fn acknowledge_case(&self, actor: &Actor, room: &RoomId) -> Result<Mark> {
        self.judged(|| self.try_acknowledge(actor, room)).await
    }

    async fn try_acknowledge(&self, actor: &Actor, room: &RoomId) -> Result<Mark> {
        let me = self.control(actor).await?;
        let (room, judgement) = self.readable_case(actor, room).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let id = room.id.to_string();
                let since = tx.case(&room.id)?.map_or(Time(0), |case| case.waiting_since);
                let before = tx.document(ACKNOWLEDGED, &id)?.and_then(|one| mark(&one));
                if let Some(before) = before.filter(|mark| mark.at >= since) {
                    return Ok(before);
                }
                let new = mark_of(&me, tx.now());
                let body = Json::new(written(&new).to_string());
                tx.put_document(
                    ACKNOWLEDGED,
                    &Document { id, key: String::new(), body, updated_at: new.at },
                )?;
                tell(tx, &room.id, CaseAction::Acknowledged, &me.id, None)?;
                Ok(new)
            })
            .await
    }

    /// Writes something down beside a case, for the control centre alone.
    pub async fn note_case(&self, actor: &Actor, room: &RoomId, text: &str) -> Result<Note> {
        self.judged(|| self.try_note(actor, room, text)).await
    }

    async fn try_note(&self, actor: &Actor, room: &RoomId, text: &str) -> Result<Note> {
        let me = self.control(actor).await?;
        let (room, judgement) = self.readable_case(actor, room).await?;
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Err(Refusal::invalid("text", "must not be empty"));
        }
        if text.chars().count() > MAX_NOTE {
            return Err(Refusal::TooLarge { what: "text", limit: MAX_NOTE as u64 });
        }
        let id = self.new_id();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let note = Note { id: id.clone(), mark: mark_of(&me, tx.now()), text: text.clone() };
                let mut body = written(&note.mark);
                body["text"] = note.text.as_str().into();
                let body = Json::new(body.to_string());
                let key = room.id.to_string();
                tx.put_document(NOTES, &Document { id: id.clone(), key, body, updated_at: note.mark.at })?;
                tell(tx, &room.id, CaseAction::Noted, &me.id, None)?;
                Ok(note)
            })
            .await
    }

    /// The notes beside a case, the oldest first; the newest 200.
    pub async fn case_notes(&self, actor: &Actor, room: &RoomId) -> Result<Vec<Note>> {
        self.control(actor).await?;
        let (room, _) = self.readable_case(actor, room).await?;
        let key = room.id.to_string();
        let found = self.store().reading(move |rows| {
            let total = rows.documents(NOTES, Some(&key), Page { offset: 0, count: 1 })?.total;
            let page = Page { offset: total.saturating_sub(SHOWN_NOTES), count: SHOWN_NOTES };
            Ok(rows.documents(NOTES, Some(&key), page)?.items)
        });
        Ok(found.await?.iter().filter_map(read_note).collect())
    }

    /// Hands a case over: the other one takes part, the note is kept, and the actor goes. Each step stands for itself,
    /// so that a case is never without somebody in between.
    pub async fn transfer_case(
        &self,
        actor: &Actor,
        room: &RoomId,
        to: &UserId,
        note: &str,
    ) -> Result<Arc<Conversation>> {
        let me = self.control(actor).await?;
        let other = self.user(to).await?.filter(|user| user.active && is_control(user));
        if other.is_none_or(|other| other.id == me.id) {
            return Err(Refusal::invalid("user", "must be somebody else of the control centre"));
        }
        let taken = self.add_participant(actor, room, to).await?;
        if !note.trim().is_empty() {
            self.note_case(actor, room, note).await?;
        }
        self.leave(actor, room).await?;
        Ok(taken)
    }

    /// Listens to what happens to cases, without their messages.
    pub async fn listen_cases(&self, actor: &Actor, listener: Arc<dyn Listener>) -> Result<Subscription> {
        let registered = self.register(Interest::Desk, actor, listener);
        let user = self.control(actor).await?;
        self.listening.hub.seat(registered.subscription(), &user);
        Ok(registered.keep())
    }

    async fn control(&self, actor: &Actor) -> Result<Arc<User>> {
        let me = self.active_user(actor).await?;
        if is_control(&me) { Ok(me) } else { Err(Refusal::NotAllowed(ROLE_REQUIRED)) }
    }

    async fn readable_case(&self, actor: &Actor, id: &RoomId) -> Result<(Arc<Room>, Judgement)> {
        let room = self.look_up(RoomRef::Id(id)).await?;
        let judgement = self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let case = room.kind == RoomKind::Case;
        if case { Ok((room, judgement)) } else { Err(Refusal::NotFound(crate::error::What::Room)) }
    }
}

fn mark_of(user: &User, at: Time) -> Mark {
    Mark { by: user.id.clone(), name: user.shown_name().to_owned(), at }
}

fn written(mark: &Mark) -> Value {
    json!({ "by": mark.by.as_str(), "name": mark.name, "at": mark.at.millis() })
}

fn mark(document: &Document) -> Option<Mark> {
    let body: Value = serde_json::from_str(document.body.as_str()).ok()?;
    Some(Mark {
        by: UserId::parse(body["by"].as_str()?)?,
        name: body["name"].as_str()?.to_owned(),
        at: Time(body["at"].as_i64()?),
    })
}

fn read_note(document: &Document) -> Option<Note> {
    let body: Value = serde_json::from_str(document.body.as_str()).ok()?;
    Some(Note { id: document.id.clone(), mark: mark(document)?, text: body["text"].as_str()?.to_owned() })
}
