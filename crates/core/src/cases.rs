//! Support: opening, claiming, closing cases, and who takes part in them.

use std::sync::Arc;

use crate::{
    case::{Case, CaseAction, Conversation, MAX_PARTICIPANTS, Priority, Queue},
    chat::Chat,
    classes::Class,
    error::{Refusal, Result, State, What},
    event::Event,
    id::{MessageId, RoomId, UserId},
    membership::Membership,
    message::Message,
    messages::{Draft, Prepared, store_with_rows},
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    rooms::RoomRef,
    rooms_create::store_draft,
    rooms_notices::enter_once,
    session::Actor,
    store::{Lane, Read, Tx},
    user::User,
};

/// Refused to whoever lacks the role for it.
pub const ROLE_REQUIRED: &str = "role_required";
/// Refused to whoever may see a case, but is no part of its handling.
pub const NOT_YOURS: &str = "forbidden";
/// The type of a notice that is a line of the conversation itself: product surfaces show it as a system message.
pub use crate::message::SYSTEM as SPOKEN;
/// Longest title of a case, in characters.
pub const MAX_TITLE: usize = 200;
/// Longest reason for closing or opening again, in characters.
pub const MAX_REASON: usize = 500;

/// A case as somebody wants it opened.
#[derive(Clone, Debug, Default)]
pub struct NewCase {
    /// What it is about, 1 to 200 characters.
    pub title: String,
    /// The first message; its `room` is ignored. Needed when field staff asks.
    pub message: Option<Draft>,
    /// Who takes part from the start, beside the one who opens it.
    pub participants: Vec<UserId>,
    /// How urgent it is.
    pub priority: Priority,
}

/// A case that was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// As it is.
    pub conversation: Arc<Conversation>,
    /// Its first message.
    pub message: Option<Arc<Message>>,
    /// It was there already: this was a repetition.
    pub duplicate: bool,
}

/// Whether this user answers cases: control beats field.
pub fn is_control(user: &User) -> bool {
    user.class() == Class::Control
}

/// Whether this user belongs to the field staff.
pub fn is_field(user: &User) -> bool {
    user.class() == Class::Field
}

fn role_word(user: &User) -> Option<String> {
    let word = [("bus-driver", "BUS_DRIVER"), ("queue-regulator", "QUEUE_REGULATOR")];
    word.iter().find(|(role, _)| user.has_role(role)).map(|(_, word)| (*word).to_owned())
}

impl Chat {
    /// Opens a case. Field staff asks for itself; the control centre opens one with others and has claimed it.
    ///
    /// # Errors
    /// `NotAllowed(ROLE_REQUIRED)` for others, `FieldToField`, `NotFound(User)` for unknown participants.
    pub async fn open_case(&self, actor: &Actor, wanted: NewCase) -> Result<Opened> {
        if wanted.message.is_some() {
            self.send_limit.take(actor, self.ports.clock.monotonic())?;
        }
        self.judged(|| self.try_open_case(actor, &wanted)).await
    }

    async fn try_open_case(&self, actor: &Actor, wanted: &NewCase) -> Result<Opened> {
        let me = self.active_user(actor).await?;
        if !is_field(&me) && !is_control(&me) {
            return Err(Refusal::NotAllowed(ROLE_REQUIRED));
        }
        check_title(&wanted.title)?;
        let others = self.people_of_case(&me, &wanted.participants).await?;
        let requester = match is_field(&me) {
            true => Some(me.clone()),
            false => only_field(&others),
        };
        if is_field(&me) && wanted.message.is_none() {
            return Err(Refusal::invalid("content", "is required"));
        }
        let mut room = self.blank_room(RoomKind::Case, &me);
        room.name = Some(case_name(&room.id));
        room.title = Some(wanted.title.trim().to_owned());
        let first = match &wanted.message {
            Some(draft) => Some(self.compose(actor, &Arc::new(room.clone()), &me, draft).await?),
            None => None,
        };
        let members = std::iter::once(&me).chain(&others);
        let members: Vec<Membership> =
            members.map(|user| self.new_membership(&room, &user.id, user.id != me.id)).collect();
        let draft = crate::rooms_create::Draft { room, members, notices: Vec::new() };
        let priority = wanted.priority;
        let judgement = Judgement { user: Some((me.id.clone(), me.access)), ..Judgement::default() };
        self.store()
            .writing(Lane::Messages, move |tx| {
                tx.check(&judgement)?;
                open(tx, &draft, first.as_ref(), requester.as_deref(), priority)
            })
            .await
    }

    /// The participants that were asked for, without the one who asks.
    async fn people_of_case(&self, me: &User, wanted: &[UserId]) -> Result<Vec<Arc<User>>> {
        if wanted.len() > MAX_PARTICIPANTS {
            return Err(Refusal::TooLarge { what: "participants", limit: MAX_PARTICIPANTS as u64 });
        }
        let mut others: Vec<Arc<User>> = Vec::new();
        for id in wanted.iter().filter(|id| **id != me.id) {
            let user = self.user(id).await?.filter(|u| u.active).ok_or(Refusal::NotFound(What::User))?;
            if others.iter().all(|known| known.id != user.id) {
                others.push(user);
            }
        }
        if is_control(me) {
            return if others.is_empty() {
                Err(Refusal::invalid("participants", "at least one"))
            } else {
                Ok(others)
            };
        }
        match others.iter().find(|user| !is_control(user)) {
            Some(field) if is_field(field) => Err(State::FieldToField.into()),
            Some(_) => Err(Refusal::invalid("participants", "must be of the control centre")),
            None => Ok(others),
        }
    }

    /// A case by its room, for whoever may see it.
    async fn case_room(&self, actor: &Actor, id: &RoomId) -> Result<(Arc<Room>, Judgement)> {
        let room = self.look_up(RoomRef::Id(id)).await?;
        let judgement = self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        if room.kind == RoomKind::Case { Ok((room, judgement)) } else { Err(Refusal::NotAllowed(NOT_YOURS)) }
    }

    /// Takes a case over: the actor takes part from now on. Again: nothing new.
    ///
    /// # Errors
    /// `NotAllowed(ROLE_REQUIRED)` for those who see it and are not of the control centre.
    pub async fn claim_case(&self, actor: &Actor, room: &RoomId) -> Result<Arc<Conversation>> {
        self.judged(|| self.try_claim(actor, room)).await
    }

    async fn try_claim(&self, actor: &Actor, room: &RoomId) -> Result<Arc<Conversation>> {
        let me = self.active_user(actor).await?;
        let (room, judgement) = self.case_room(actor, room).await?;
        if !is_control(&me) {
            return Err(Refusal::NotAllowed(ROLE_REQUIRED));
        }
        let membership = self.new_membership(&room, &me.id, false);
        let line = self.notice(&room.id, &me, SPOKEN, format!("{} took over", me.shown_name()));
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let (case, _) = locked(tx, &room.id)?;
                if tx.membership(&room.id, &me.id)?.is_none() {
                    if case.closed.is_some() {
                        return Err(State::CaseClosed.into());
                    }
                    enter_once(tx, membership.clone(), Some(&me.id))?;
                    tell(tx, &room.id, CaseAction::Claimed, &me.id, None)?;
                    tx.append_message(line.clone())?;
                }
                Ok(Arc::new(conversation_in(tx, &room.id)?))
            })
            .await
    }

    /// Closes a case: nobody writes there until it is opened again. For its requester and the control centre.
    pub async fn close_case(&self, actor: &Actor, room: &RoomId, reason: &str) -> Result<Arc<Conversation>> {
        self.judged(|| self.try_turn(actor, room, true, reason)).await
    }

    /// Opens a closed case again.
    pub async fn reopen_case(&self, actor: &Actor, room: &RoomId, reason: &str) -> Result<Arc<Conversation>> {
        self.judged(|| self.try_turn(actor, room, false, reason)).await
    }

    async fn try_turn(
        &self,
        actor: &Actor,
        room: &RoomId,
        close: bool,
        reason: &str,
    ) -> Result<Arc<Conversation>> {
        let me = self.active_user(actor).await?;
        let (room, judgement) = self.case_room(actor, room).await?;
        crate::messages_prepare::check_text(reason, true, &self.settings())?;
        if reason.chars().count() > MAX_REASON {
            return Err(Refusal::TooLarge { what: "reason", limit: MAX_REASON as u64 });
        }
        let requester = self.case(&room.id).await?.and_then(|case| case.requester.clone());
        if !is_control(&me) && requester.as_ref() != Some(&me.id) {
            return Err(Refusal::NotAllowed(NOT_YOURS));
        }
        let (word, action) = match close {
            true => ("closed", CaseAction::Closed),
            false => ("reopened", CaseAction::Reopened),
        };
        let text = if reason.trim().is_empty() { word.to_owned() } else { format!("{word}: {reason}") };
        let line = self.notice(&room.id, &me, SPOKEN, text);
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let (mut case, _) = locked(tx, &room.id)?;
                if case.closed.is_some() != close {
                    case.closed = close.then(|| (me.id.clone(), tx.now()));
                    if !close {
                        case.waiting_since = tx.now();
                    }
                    tx.put_case(&case)?;
                    // Who may write here changed: sends that were judged before are judged anew.
                    tx.bump_access(&room.id)?;
                    tell(tx, &room.id, action, &me.id, None)?;
                    tx.append_message(line.clone())?;
                }
                Ok(Arc::new(conversation_in(tx, &room.id)?))
            })
            .await
    }

    /// Brings somebody into a case. For participants of the control centre; whoever is there already stays.
    pub async fn add_participant(
        &self,
        actor: &Actor,
        room: &RoomId,
        user: &UserId,
    ) -> Result<Arc<Conversation>> {
        self.judged(|| self.try_add_participant(actor, room, user)).await
    }

    async fn try_add_participant(
        &self,
        actor: &Actor,
        room: &RoomId,
        user: &UserId,
    ) -> Result<Arc<Conversation>> {
        let me = self.active_user(actor).await?;
        let (room, judgement) = self.case_room(actor, room).await?;
        if !is_control(&me) || self.membership(&room.id, &me.id).await?.is_none() {
            return Err(Refusal::NotAllowed(NOT_YOURS));
        }
        let user = self.user(user).await?.filter(|u| u.active).ok_or(Refusal::NotFound(What::User))?;
        let membership = self.new_membership(&room, &user.id, true);
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let (_, room) = locked(tx, &room.id)?;
                if tx.membership(&room.id, &user.id)?.is_none() {
                    if room.members >= MAX_PARTICIPANTS as i64 {
                        return Err(Refusal::TooLarge {
                            what: "participants",
                            limit: MAX_PARTICIPANTS as u64,
                        });
                    }
                    enter_once(tx, membership.clone(), Some(&me.id))?;
                    tell(tx, &room.id, CaseAction::ParticipantAdded, &me.id, None)?;
                }
                Ok(Arc::new(conversation_in(tx, &room.id)?))
            })
            .await
    }

    /// Whoever writes in a channel, case or ticket that he only may see becomes a member of it first.
    pub(crate) async fn enter_by_writing(&self, actor: &Actor, prepared: &Prepared) -> Result<()> {
        let (id, me) = (prepared.message.room.clone(), actor.user.clone());
        let room = self.room(&id).await?;
        if room.kind == RoomKind::Channel {
            return self.join(actor, RoomRef::Id(&id), None).await.map(drop);
        }
        let (membership, judgement) = (self.new_membership(&room, &me, false), prepared.judgement.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                if enter_once(tx, membership.clone(), Some(&me))?.1 && room.kind == RoomKind::Case {
                    tell(tx, &id, CaseAction::Claimed, &me, None)?;
                }
                Ok(())
            })
            .await
    }

    /// What makes a room a case, cached; for judging and rendering.
    pub async fn case(&self, room: &RoomId) -> Result<Option<Arc<Case>>> {
        let wanted = room.clone();
        let load = || self.store().reading(move |rows| Ok(rows.case(&wanted)?.map(Arc::new)));
        self.cases.get_or_load(room, load).await
    }

    /// What makes a room a case, if it is in memory, for doors that render an event.
    pub fn case_at_hand(&self, room: &RoomId) -> Option<Arc<Case>> {
        self.cases.at_hand(room).flatten()
    }
}

/// Stores a new case with everybody in it and its first message.
pub(crate) fn open(
    tx: &mut dyn Tx,
    draft: &crate::rooms_create::Draft,
    first: Option<&Prepared>,
    requester: Option<&User>,
    priority: Priority,
) -> Result<Opened> {
    if let Some(first) = first.filter(|first| first.client_id)
        && let Some(stored) = tx.message(&first.message.id)?
    {
        return repeated(tx, first, stored);
    }
    let room = store_draft(tx, draft)?;
    let message = match first {
        Some(first) => Some(store_with_rows(tx, first)?.message),
        None => None,
    };
    let case = Case {
        room: room.id.clone(),
        requester: requester.map(|user| user.id.clone()),
        requester_role: requester.and_then(role_word),
        queue: Queue::of(requester, priority),
        priority,
        first_seq: message.as_ref().map_or(0, |m| m.seq),
        waiting_since: tx.now(),
        closed: None,
        participants: Vec::new(),
    };
    tx.put_case(&case)?;
    let conversation = tell(tx, &room.id, CaseAction::Created, &room.creator, message.clone())?;
    Ok(Opened { conversation, message, duplicate: false })
}

/// The same client id again: the case that it opened, and nothing else.
fn repeated(tx: &mut dyn Tx, first: &Prepared, stored: Message) -> Result<Opened> {
    let case = tx.case(&stored.room)?.filter(|case| case.first_seq == stored.seq);
    if stored.author != first.message.author || case.is_none() {
        return Err(Refusal::IdConflict);
    }
    let conversation = Arc::new(conversation_in(tx, &stored.room)?);
    Ok(Opened { conversation, message: Some(Arc::new(stored)), duplicate: true })
}

/// The case, held until the end of the transaction.
fn locked(tx: &mut dyn Tx, room: &RoomId) -> Result<(Case, Room)> {
    let found = tx.lock_room(room)?.ok_or(Refusal::NotFound(What::Room))?;
    let case = tx.case(room)?.ok_or(Refusal::NotFound(What::Room))?;
    Ok((case, found))
}

/// Tells what happened to a case, with the case as it is now.
pub(crate) fn tell(
    tx: &mut dyn Tx,
    room: &RoomId,
    action: CaseAction,
    by: &UserId,
    first: Option<Arc<Message>>,
) -> Result<Arc<Conversation>> {
    let place = tx.advance(room)?;
    let conversation = Arc::new(conversation_in(tx, room)?);
    let event = Event::Case { conversation: conversation.clone(), action, by: by.clone(), first };
    tx.record(Some((room.clone(), place.position)), event)?;
    Ok(conversation)
}

/// A conversation as it is now, with what each participant has not read.
pub(crate) fn conversation_in(rows: &mut dyn Read, room: &RoomId) -> Result<Conversation> {
    let mut found = conversation_of(rows, room, None)?;
    for user in &found.participants {
        if let Some(membership) = rows.membership(room, user)? {
            found.unread.push((user.clone(), rows.unread(&membership)?.messages));
        }
    }
    Ok(found)
}

/// A conversation as it is now; what is unread is known for this membership alone.
pub(crate) fn conversation_of(
    rows: &mut dyn Read,
    id: &RoomId,
    viewer: Option<&Membership>,
) -> Result<Conversation> {
    let room = rows.room(id)?.ok_or(Refusal::NotFound(What::Room))?;
    let head = rows.head(id)?.unwrap_or_default();
    let case = rows.case(id)?.map(Arc::new);
    let participants = match &case {
        Some(case) => case.participants.clone(),
        None => rows.participants(id, MAX_PARTICIPANTS as u64)?,
    };
    let requester = match case.as_ref().and_then(|case| case.requester.clone()) {
        Some(user) => rows.user(&user)?.map(Arc::new),
        None => None,
    };
    let last = newest_line(rows, id, head.last_message.as_ref())?;
    let unread = match viewer {
        Some(membership) => vec![(membership.user.clone(), rows.unread(membership)?.messages)],
        None => Vec::new(),
    };
    Ok(Conversation {
        room: Arc::new(room),
        head: Arc::new(head),
        case,
        participants,
        requester,
        last,
        unread,
    })
}

/// The newest message that is a line of the conversation; notices of coming and going are none.
fn newest_line(
    rows: &mut dyn Read,
    room: &RoomId,
    newest: Option<&MessageId>,
) -> Result<Option<Arc<Message>>> {
    let Some(newest) = newest else { return Ok(None) };
    match rows.message(newest)?.filter(|m| !m.deleted) {
        Some(message) if message.speaks() => Ok(Some(Arc::new(message))),
        _ => {
            let slice = crate::store::Slice { room_only: true, ..crate::store::Slice::newest(50) };
            let recent = rows.timeline(room, &slice)?;
            Ok(recent.into_iter().find(Message::speaks).map(Arc::new))
        }
    }
}

fn only_field(users: &[Arc<User>]) -> Option<Arc<User>> {
    let mut field = users.iter().filter(|user| is_field(user));
    field.next().filter(|_| field.next().is_none()).cloned()
}

fn check_title(title: &str) -> Result<()> {
    if title.trim().is_empty() {
        return Err(Refusal::invalid("title", "must not be empty"));
    }
    if title.chars().count() > MAX_TITLE {
        return Err(Refusal::TooLarge { what: "title", limit: MAX_TITLE as u64 });
    }
    if title.chars().any(char::is_control) {
        return Err(Refusal::invalid("title", "must not hold control characters"));
    }
    Ok(())
}

/// `case-` and the last 12 hex digits of the id.
pub(crate) fn case_name(id: &RoomId) -> String {
    format!("case-{}", crate::rooms_names::tail(id))
}
