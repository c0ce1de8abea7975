//! What makes outgoing integrations call: read from the journal, so that nothing is missed however the server ends.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    id::{RoomId, UserId},
    integration::{Direction, Integration, Trigger},
    integrations::permissions,
    json::Json,
    message::Guise,
    message::Message,
    messages::{Draft, Sent},
    room::{Room, RoomKind},
    session::Actor,
    store::{Delivery, Entry, EntryKind, Lane, Read, Slice, Way},
    user::User,
};

/// Who reads the journal here.
pub(crate) const CURSOR: &str = "webhooks";
/// Rows of the journal that one step looks at.
const STRETCH: u64 = 500;
/// Something that happened and may make integrations call.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// What.
    pub trigger: Trigger,
    /// Its number in the journal.
    pub g: i64,
    /// When.
    pub at: Time,
    /// Where.
    pub room: Option<Arc<Room>>,
    /// The other names by which the room can be meant: its members', for a direct room.
    pub people: Vec<String>,
    /// The message, as it is now.
    pub message: Option<Arc<Message>>,
    /// Who did it.
    pub user: Arc<User>,
    /// The message was changed.
    pub edited: bool,
}

/// A stretch of the journal with what it means for integrations.
#[derive(Clone, Debug, Default)]
pub struct Occasions {
    /// In order.
    pub items: Vec<Occasion>,
    /// All up to this number is in it.
    pub upto: i64,
    /// There is nothing behind it yet.
    pub at_end: bool,
}

impl Chat {
    /// Enabled outgoing integrations.
    pub async fn outgoing(&self) -> Result<Vec<Integration>> {
        let mut all = self.integrations(Some(Direction::Outgoing)).await?;
        all.retain(|one| one.enabled);
        Ok(all)
    }

    /// Whether an outgoing integration is told of what happened in a room, and an incoming one may speak in a private
    /// one: not when whoever set it up could set up only his own, and may no longer, or no longer reads that room.
    ///
    /// # Errors
    /// The store's.
    pub async fn may_be_told(&self, integration: &Integration, room: Option<&Arc<Room>>) -> Result<bool> {
        let Some(maker) = self.user(&integration.created_by.0).await? else { return Ok(false) };
        let (all, own) = permissions(integration.direction);
        let holds = |permission| self.roles().holds_in(maker.roles.iter(), permission, None).is_some();
        if holds(all) {
            return Ok(true);
        }
        let Some(room) = room else { return Ok(maker.active && holds(own)) };
        Ok(maker.active && holds(own) && self.can_read(&Actor::user(maker.id.clone(), None), room).await?)
    }

    /// What happened since the calls were last worked out.
    pub async fn occasions(&self) -> Result<Occasions> {
        self.store()
            .reading(|rows| {
                let g = rows.cursor(CURSOR)?;
                let stretch = rows.journal_after(g, None, STRETCH)?;
                let mut items = Vec::new();
                for entry in &stretch.entries {
                    items.extend(occasion(rows, entry)?);
                }
                Ok(Occasions { items, upto: stretch.upto, at_end: stretch.at_end })
            })
            .await
    }

    /// Keeps calls that were worked out, and up to where.
    pub async fn keep_deliveries(&self, made: Vec<Delivery>, upto: i64) -> Result<()> {
        let made = Arc::new(made);
        self.store()
            .writing(Lane::Bulk, move |tx| {
                made.iter().try_for_each(|delivery| crate::outgoing::put(tx, delivery))?;
                tx.move_cursor(CURSOR, upto)
            })
            .await?;
        self.wake(Way::Call);
        Ok(())
    }

    /// The integration of a call, if it is still there and switched on.
    pub async fn integration_of(&self, delivery: &Delivery) -> Result<Option<Integration>> {
        Ok(self.integration(&delivery.integration).await?.filter(|it| it.enabled))
    }

    /// Posts what the other side answered, as the integration's user and only where it was called from.
    pub async fn post_answer(
        &self,
        integration: &Integration,
        room: &RoomId,
        text: String,
        cards: Vec<Json>,
    ) -> Result<Sent> {
        let user = Actor::user(integration.user.clone(), None);
        self.active_user(&user).await?;
        let some = |own: &String| (!own.is_empty()).then(|| own.clone());
        let guise = Guise {
            alias: some(&integration.alias),
            avatar: some(&integration.avatar),
            emoji: some(&integration.emoji),
            bot: Some("webhook".to_owned()),
        };
        let draft = Draft { cards, guise, ..Draft::text(room.clone(), text) };
        self.post(&Actor::system(integration.user.clone()), draft).await
    }
}

/// Whether an integration wants to call for it; with the word that triggered it.
pub fn wanted(integration: &Integration, occasion: &Occasion) -> Option<Option<String>> {
    let calls = integration.calls.as_ref()?;
    let right_time = calls.trigger == occasion.trigger && occasion.g > calls.since;
    if !integration.enabled || !right_time || (occasion.edited && !calls.on_edits) {
        return None;
    }
    if let Some(room) = occasion.room.as_ref().filter(|_| calls.trigger.in_room())
        && !covers(integration, room, &occasion.people)
    {
        return None;
    }
    let text = occasion.message.as_ref().filter(|_| calls.trigger == Trigger::SendMessage);
    let Some(text) = text.map(|message| message.text.as_str()).filter(|_| !calls.words.is_empty()) else {
        return Some(None);
    };
    let said = |word: &&String| {
        if calls.anywhere { text.contains(word.as_str()) } else { text.starts_with(word.as_str()) }
    };
    calls.words.iter().find(said).map(|word| Some(word.clone()))
}

fn covers(integration: &Integration, room: &Room, people: &[String]) -> bool {
    let everywhere = match room.kind {
        RoomKind::Channel => "all_public_channels",
        RoomKind::Group => "all_private_groups",
        RoomKind::Direct => "all_direct_messages",
        RoomKind::Case | RoomKind::Ticket => return false,
    };
    if integration.channels.is_empty() {
        return room.kind == RoomKind::Channel;
    }
    integration.channels.iter().any(|channel| match (channel.strip_prefix('#'), channel.strip_prefix('@')) {
        (Some(name), _) => room.id.as_str() == name || room.name.as_deref() == Some(name),
        (_, Some(name)) => room.kind == RoomKind::Direct && people.iter().any(|one| one == name),
        _ => channel == everywhere,
    })
}

fn occasion(rows: &mut dyn Read, entry: &Entry) -> Result<Vec<Occasion>> {
    match entry.kind {
        EntryKind::Message | EntryKind::MessageChanged => said(rows, entry),
        EntryKind::Room => Ok(made(rows, entry)?.into_iter().collect()),
        EntryKind::User => {
            let id = entry.object.as_deref().map(UserId::from);
            let user =
                id.map(|id| rows.user(&id)).transpose()?.flatten().filter(|user| user.created_at == entry.at);
            Ok(user.map(|user| simple(Trigger::UserCreated, entry, user)).into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

fn simple(trigger: Trigger, entry: &Entry, user: User) -> Occasion {
    Occasion {
        trigger,
        g: entry.g,
        at: entry.at,
        room: None,
        people: Vec::new(),
        message: None,
        user: Arc::new(user),
        edited: false,
    }
}

fn made(rows: &mut dyn Read, entry: &Entry) -> Result<Option<Occasion>> {
    let Some(room) = entry.room.as_ref().map(|id| rows.room(id)).transpose()?.flatten() else {
        return Ok(None);
    };
    let creator = rows.user(&room.creator)?.filter(|_| room.created_at == entry.at);
    Ok(creator
        .map(|user| Occasion { room: Some(Arc::new(room)), ..simple(Trigger::RoomCreated, entry, user) }))
}

fn said(rows: &mut dyn Read, entry: &Entry) -> Result<Vec<Occasion>> {
    let (Some(room), Some(place)) = (&entry.room, entry.position) else { return Ok(Vec::new()) };
    let found = if entry.kind == EntryKind::Message {
        let slice = Slice { after: Some(place - 1), before: Some(place + 1), ..Slice::newest(1) };
        rows.timeline(room, &slice)?.pop()
    } else {
        let changed =
            rows.changed_after(room, place - 1, 1)?.into_iter().find(|message| message.rev == place);
        changed.filter(|m| m.edited.as_ref().is_some_and(|mark| mark.at == m.updated_at))
    };
    // What integrations said makes none call: two of them would talk for ever.
    let Some(message) = found.filter(|m| !m.deleted && m.guise.bot.is_none()) else { return Ok(Vec::new()) };
    let (Some(room), Some(author)) = (rows.room(room)?, rows.user(&message.author)?) else {
        return Ok(Vec::new());
    };
    let mut people = Vec::new();
    for id in room.direct.iter().take(10) {
        people.extend(rows.user(id)?.map(|user| user.username));
    }
    let (room, message) = (Arc::new(room), Arc::new(message));
    let kinds = triggers(&message);
    let user = match message.notice_kind() {
        // The one who was added or removed, not who did it.
        Some("au" | "ru") => rows.user_by_username(&message.text)?.unwrap_or(author),
        _ => author,
    };
    Ok(kinds
        .into_iter()
        .map(|trigger| Occasion {
            room: Some(room.clone()),
            people: people.clone(),
            message: Some(message.clone()),
            edited: entry.kind == EntryKind::MessageChanged,
            ..simple(trigger, entry, user.clone())
        })
        .collect())
}

fn triggers(message: &Message) -> Vec<Trigger> {
    match message.notice_kind() {
        None if message.files().next().is_some() => vec![Trigger::FileUploaded, Trigger::SendMessage],
        None => vec![Trigger::SendMessage],
        Some("uj" | "ut" | "au" | "ujt") => vec![Trigger::RoomJoined],
        Some("ul" | "ru" | "ult") => vec![Trigger::RoomLeft],
        Some("room-archived") => vec![Trigger::RoomArchived],
        Some(_) => Vec::new(),
    }
}

impl Chat {
    /// A call for an occasion, as it is kept; `body` without the integration's token.
    pub fn new_delivery(
        &self,
        integration: &Integration,
        occasion: &Occasion,
        url: &str,
        body: Json,
    ) -> Delivery {
        let room = occasion.room.as_ref().map(|room| room.id.as_str().to_owned());
        self.waiting_delivery(integration, occasion.trigger.as_str(), room, url, body)
    }

    /// A call that was never tried.
    pub(crate) fn waiting_delivery(
        &self,
        integration: &Integration,
        event: &str,
        room: Option<String>,
        url: &str,
        body: Json,
    ) -> Delivery {
        Delivery { room, url: url.to_owned(), ..self.new_waiting(integration.id.clone(), event, body) }
    }

    /// Sends a call to try an integration out: like one for a message, marked as a test.
    pub async fn test_integration(&self, actor: &Actor, id: &str, body: Json) -> Result<Delivery> {
        let found = self.managed(actor, id).await?;
        let calls = found.calls.as_ref().ok_or(Refusal::NotAllowed("manage-outgoing-integrations"))?;
        let url = calls.urls.first().map(String::as_str).unwrap_or_default();
        let delivery = self.waiting_delivery(&found, "test", None, url, body);
        self.keep_delivery(delivery.clone()).await?;
        Ok(delivery)
    }
}
