//! Telling those who are not there: worked out from the journal, so that nothing is missed however the server ends, and
//! kept as pushes and mail that wait. What was read meanwhile is not told any more; what a device shows is taken back
//! when it was read elsewhere.

use std::sync::{Arc, atomic::Ordering};

use serde_json::{Value, json};

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UserId},
    json::Json,
    message::{Message, MessageKind},
    notify::{Addressee, Reach, Reason},
    notify_plan::plan,
    store::{Delivery, DeliveryState, Entry, EntryKind, Lane, PushToken, Read, Slice, Tx, Way},
};

/// Who reads the journal here.
pub(crate) const CURSOR: &str = "notices";
/// Rows of the journal that one step looks at.
const STRETCH: u64 = 500;
/// What is older is not told any more.
const OLD: i64 = 3_600_000;
/// How often the cursor is taken along while nobody is to be told, in milliseconds.
const SKIP: i64 = 60_000;
/// Messages that one letter shows.
pub(crate) const MOST_SHOWN: usize = 30;
/// The sources of letters about unread messages begin so; the user's id follows.
pub(crate) const LETTERS: &str = "unread ";

/// A stretch of the journal, as far as it is told.
#[derive(Default)]
struct News {
    messages: Vec<Arc<Message>>,
    read: Vec<(RoomId, UserId)>,
    from: i64,
    upto: i64,
    at_end: bool,
}

/// Somebody is to be told of a message.
struct Job {
    user: UserId,
    message: MessageId,
    room: RoomId,
    reason: Reason,
    push: Option<Time>,
    mail: Option<Time>,
    id: String,
}

impl Chat {
    /// Works out a stretch of the journal: whom to tell by push or mail, and what to take back. Whether its end was
    /// reached.
    pub async fn work_out_notices(&self) -> Result<bool> {
        let mail = self.sends_mail();
        let push = self.store().reading(|rows| rows.any_push_token()).await?;
        if !mail && !push {
            return self.skip_notices().await.map(|()| true);
        }
        let old = Time(self.now().millis() - OLD);
        let news = self.store().reading(move |rows| news(rows, old)).await?;
        let mut jobs = Vec::new();
        for message in &news.messages {
            jobs.extend(self.jobs(message, (mail, push)).await?);
        }
        if news.upto == news.from {
            return Ok(news.at_end);
        }
        let ended = news.at_end;
        let blank = self.new_waiting(String::new(), "message", Json::object());
        let random = self.new_id();
        self.store()
            .writing(Lane::Bulk, move |tx| {
                let mut count = 0_u64;
                let mut fresh = || {
                    count += 1;
                    Delivery { id: format!("{random}-{count}"), ..blank.clone() }
                };
                jobs.iter().try_for_each(|job| keep(tx, job, &mut fresh))?;
                for (room, user) in &news.read {
                    take_back(tx, room, user, &mut fresh)?;
                }
                tx.move_cursor(CURSOR, news.upto)
            })
            .await?;
        self.wake(Way::Push);
        self.wake(Way::Mail);
        Ok(ended)
    }

    /// Nobody is to be told: what happens meanwhile is passed over, so that the journal can be swept.
    async fn skip_notices(&self) -> Result<()> {
        let now = self.now().millis();
        let last = self.wakers.skipped.load(Ordering::Relaxed);
        if now - last < SKIP {
            return Ok(());
        }
        self.wakers.skipped.store(now, Ordering::Relaxed);
        let (at, end) = self.store().reading(|rows| Ok((rows.cursor(CURSOR)?, rows.journal_end()?))).await?;
        if at == 0 || at >= end {
            return Ok(());
        }
        self.store().writing(Lane::Bulk, move |tx| tx.move_cursor(CURSOR, end)).await
    }

    async fn jobs(&self, message: &Arc<Message>, (mail, push): (bool, bool)) -> Result<Vec<Job>> {
        let room = match self.room(&message.room).await {
            Err(Refusal::NotFound(_)) => return Ok(Vec::new()),
            found => found?,
        };
        let (settings, now) = (self.settings(), self.now());
        let mut jobs = Vec::new();
        for to in self.addressees(&room, message, Reach::Members).await? {
            let attention = self.attention_of(&to.user.id);
            let plan = plan(&to, attention, self.status_of(&to.user.id), now, &settings);
            let (push, mail) = (plan.push.filter(|_| push), plan.mail.filter(|_| mail));
            if push.is_some() || mail.is_some() {
                let Addressee { user, reason, .. } = to;
                let (user, message, room) = (user.id.clone(), message.id.clone(), message.room.clone());
                jobs.push(Job { user, message, room, reason, push, mail, id: self.new_id() });
            }
        }
        Ok(jobs)
    }

    /// Pushes something to all of the actor's devices, to try them out; how many there are. Phones count only while
    /// pushes to them are on.
    pub async fn try_push_out(&self, actor: &crate::session::Actor) -> Result<usize> {
        self.require(actor, "test-push-notifications", None).await?;
        let user = actor.user.clone();
        let devices = self.store().reading(move |rows| rows.push_tokens(&user)).await?;
        let phones = self.settings().is_on("Push_enable");
        let devices: Vec<PushToken> = devices.into_iter().filter(|d| phones || d.kind == "web").collect();
        if devices.is_empty() {
            return Err(if phones {
                Refusal::NotFound(What::Token)
            } else {
                Refusal::Disabled("Push_enable")
            });
        }
        let pushes: Vec<Delivery> = devices
            .iter()
            .map(|device| Delivery {
                way: Way::Push,
                ..self.new_waiting(device.id.clone(), "test", Json::object())
            })
            .collect();
        let count = pushes.len();
        self.store()
            .writing(Lane::Verbs, move |tx| pushes.iter().try_for_each(|push| crate::outgoing::put(tx, push)))
            .await?;
        self.wake(Way::Push);
        Ok(count)
    }

    /// Forgets a device that does not want pushes any more, and all that waits for it.
    pub async fn device_gone(&self, device: &PushToken) -> Result<()> {
        let device = device.clone();
        self.store()
            .writing(Lane::Bulk, move |tx| {
                tx.remove_push_token(&device.user, &device.value)?;
                tx.remove_deliveries(&device.id, true)
            })
            .await
    }

    /// Nobody gets letters about unread messages any more by whoever has the link to leave; choosing when to get them
    /// begins them again.
    ///
    /// # Errors
    /// `TokenExpired` for a link that is none.
    pub async fn leave_letters(&self, token: &str) -> Result<()> {
        let opened = self.ports.credentials.open_brought(token).ok_or(Refusal::TokenExpired)?;
        let user = opened.strip_prefix("leave ").and_then(UserId::parse).ok_or(Refusal::TokenExpired)?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut user = tx.user(&user)?.ok_or(Refusal::TokenExpired)?;
                let mut all: serde_json::Map<String, Value> =
                    serde_json::from_str(user.preferences.as_str()).unwrap_or_default();
                all.insert("emailUnsubscribed".to_owned(), true.into());
                user.preferences = Json::new(Value::Object(all).to_string());
                crate::accounts::put_user(tx, user).map(drop)
            })
            .await
    }
}

/// What happened, as far as it is told.
fn news(rows: &mut dyn Read, old: Time) -> Result<News> {
    let from = rows.cursor(CURSOR)?;
    let stretch = rows.journal_after(from, None, STRETCH)?;
    let mut news = News { from, upto: stretch.upto, at_end: stretch.at_end, ..News::default() };
    for entry in stretch.entries.iter().filter(|entry| entry.at > old) {
        match (entry.kind, &entry.room) {
            (EntryKind::Message, Some(_)) => news.messages.extend(written(rows, entry)?.map(Arc::new)),
            (EntryKind::Read, Some(room)) if entry.object.is_none() => {
                news.read.extend(entry.whom.clone().map(|user| (room.clone(), user)));
            }
            _ => {}
        }
    }
    Ok(news)
}

fn written(rows: &mut dyn Read, entry: &Entry) -> Result<Option<Message>> {
    let (Some(room), Some(place)) = (&entry.room, entry.position) else { return Ok(None) };
    let slice = Slice { after: Some(place - 1), before: Some(place + 1), ..Slice::newest(1) };
    let found = rows.timeline(room, &slice)?.pop();
    Ok(found.filter(|message| message.kind == MessageKind::Text && !message.deleted))
}

fn keep(tx: &mut dyn Tx, job: &Job, fresh: &mut dyn FnMut() -> Delivery) -> Result<()> {
    if let Some(due) = job.push {
        let body = json!({ "user": job.user.as_str(), "message": job.message.as_str(), "reason": job.reason.as_str() });
        for device in tx.push_tokens(&job.user)? {
            let push = Delivery {
                way: Way::Push,
                integration: device.id,
                room: Some(job.room.as_str().to_owned()),
                body: Json::new(body.to_string()),
                due_at: due,
                ..fresh()
            };
            crate::outgoing::put(tx, &push)?;
        }
    }
    let Some(due) = job.mail else { return Ok(()) };
    let source = format!("{LETTERS}{}", job.user);
    match tx.waiting_delivery_of(&source)? {
        Some(mut waiting) => {
            waiting.body = with_message(&waiting.body, &job.message);
            waiting.due_at = waiting.due_at.min(due);
            tx.put_delivery(&waiting)
        }
        None => {
            let body = with_message(&Json::object(), &job.message);
            let letter = Delivery {
                id: job.id.clone(),
                way: Way::Mail,
                integration: source,
                event: "unread".to_owned(),
                body,
                due_at: due,
                ..fresh()
            };
            crate::outgoing::put(tx, &letter)
        }
    }
}

/// A letter's list with one more message in it, or one more that it can't show.
fn with_message(body: &Json, message: &MessageId) -> Json {
    let mut body: Value = serde_json::from_str(body.as_str()).unwrap_or_default();
    let shown = body["messages"].as_array().map_or(0, Vec::len);
    if shown >= MOST_SHOWN {
        body["more"] = (body["more"].as_u64().unwrap_or_default() + 1).into();
    } else if let Some(list) = body["messages"].as_array_mut() {
        list.push(message.as_str().into());
    } else {
        body["messages"] = json!([message.as_str()]);
    }
    Json::new(body.to_string())
}

/// What devices show of a room that was read is taken back.
fn take_back(
    tx: &mut dyn Tx,
    room: &RoomId,
    user: &UserId,
    fresh: &mut dyn FnMut() -> Delivery,
) -> Result<()> {
    for device in tx.take_pushes_shown(room, user)? {
        let push = Delivery {
            way: Way::Push,
            integration: device,
            event: "read".to_owned(),
            room: Some(room.as_str().to_owned()),
            ..fresh()
        };
        crate::outgoing::put(tx, &push)?;
    }
    Ok(())
}

/// Writes down how something ended whose content may have grown meanwhile: what the letter did not show yet waits on.
pub(crate) fn settle(tx: &mut dyn Tx, delivery: &mut Delivery) -> Result<()> {
    let Some(now) = tx.delivery(&delivery.id)? else { return Ok(()) };
    if delivery.state == DeliveryState::Waiting {
        delivery.body = now.body;
        return Ok(());
    }
    let list = |body: &Json| {
        let body: Value = serde_json::from_str(body.as_str()).unwrap_or_default();
        body["messages"].as_array().cloned().unwrap_or_default()
    };
    let (sent, all) = (list(&delivery.body), list(&now.body));
    let rest: Vec<Value> = all.into_iter().filter(|one| !sent.contains(one)).collect();
    if !rest.is_empty() {
        let next = Delivery {
            id: format!("{}+", delivery.id),
            body: Json::new(json!({ "messages": rest }).to_string()),
            state: DeliveryState::Waiting,
            attempts: 0,
            ..now
        };
        tx.put_delivery(&next)?;
    }
    Ok(())
}

impl Chat {
    /// Whether somebody sits at one of the user's devices, has one open, or none.
    pub fn attention_of(&self, user: &UserId) -> crate::presence::Attention {
        self.listening.presence.attention(user)
    }
}
