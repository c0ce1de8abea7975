//! Sending: judged, enqueued, stored. Two phases, so that a connection can enqueue many in order and answer each when
//! it is on disk.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::{Change, Event},
    id::{MessageId, RoomId, UserId},
    json::Json,
    message::{FileCard, Guise, Mark, Message},
    permissions::Judgement,
    session::Actor,
    store::{Advance, Answer, Append, Appended, Lane, Tx},
};

/// A message as somebody wants it. What the sender may not decide (author, time of storing, reactions …) is not here.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Where.
    pub room: Option<RoomId>,
    /// The client's own id: sent again, the stored message is the answer.
    pub id: Option<MessageId>,
    /// The text; at most `Message_MaxAllowedSize` characters.
    pub text: String,
    /// In answer to this message. A reply's own root is taken when it is a reply itself.
    pub thread: Option<MessageId>,
    /// A reply that is shown in the room as well.
    pub shown_in_room: bool,
    /// Cards as bots send them: JSON objects, at most 64 KiB each and 100 together.
    pub cards: Vec<Json>,
    /// Files of one's own that were uploaded to this room.
    pub files: Vec<FileCard>,
    /// Quotes that the core makes itself, of a message that is forwarded; doors leave it empty.
    pub quotes: Vec<crate::message::Quote>,
    /// An appearance other than the author's own; takes `message-impersonate`.
    pub guise: Guise,
    /// Custom fields: a JSON object that obeys `Message_CustomFields`.
    pub custom_fields: Option<Json>,
    /// End-to-end encrypted content: a JSON object.
    pub encrypted: Option<Json>,
    /// What is only carried: a JSON object of at most 64 KiB.
    pub extras: Json,
    /// Clients should not group it with its neighbours.
    pub ungrouped: bool,
    /// Only these links get previews; `None` for all.
    pub previews: Option<Vec<String>>,
    /// Links are not looked for.
    pub no_links: bool,
    /// The sender's own id, by which a retry is known for ever; unlike `id` it is the author's own.
    pub client_id: Option<String>,
    /// The message that this one answers, in the same room.
    pub reply_to: Option<MessageId>,
    /// The message that this one repeats; any that the sender may read.
    pub forwarded_from: Option<MessageId>,
    /// What a host application sends along: a JSON object.
    pub metadata: Option<Json>,
    /// By a host application's door: control characters are dropped, and white space alone is no text.
    pub from_host: bool,
    /// The sender's clock; over a minute off it is refused.
    pub claimed_at: Option<Time>,
    /// A line of the system in the conversation; only the system itself may say so.
    pub system_line: bool,
}

impl Draft {
    /// A plain text for a room.
    pub fn text(room: RoomId, text: impl Into<String>) -> Self {
        Self { room: Some(room), text: text.into(), ..Self::default() }
    }
}

/// A stored message.
#[derive(Clone, Debug)]
pub struct Sent {
    /// As stored.
    pub message: Arc<Message>,
    /// It was there already: this was a repetition.
    pub duplicate: bool,
}

/// A message on its way to the disk. Its place among others is decided; dropping this changes nothing.
pub struct Sending {
    actor: Actor,
    draft: Draft,
    storing: Storing,
    /// When it came.
    since: Duration,
    /// Counted until it is answered.
    _under_way: UnderWay,
}

/// One of the messages that are under way.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Storing {
    Batched(Answer<Appended>),
    Job(Pin<Box<dyn Future<Output = Result<Appended>> + Send>>),
}

/// A judged message, ready to be enqueued.
pub(crate) struct Prepared {
    pub(crate) message: Message,
    pub(crate) judgement: Judgement,
    pub(crate) client_id: bool,
    /// Who gets a mention row.
    pub(crate) mentioned: Vec<UserId>,
    /// The author is no member yet and becomes one by writing.
    pub(crate) enters: bool,
}

impl Sending {
    /// The message once it is on disk. What was overtaken between judgement and storing (a role, a membership) is
    /// judged anew, at most twice (more often where the word for it may come later than it is committed); such a
    /// message loses its place in the order of enqueueing.
    pub async fn stored(self, chat: &Chat) -> Result<Sent> {
        let since = self.since;
        let done = self.settled(chat).await?;
        chat.latencies().stored.add(chat.ports.clock.monotonic().saturating_sub(since));
        Ok(Sent { message: done.message, duplicate: done.duplicate })
    }

    async fn settled(self, chat: &Chat) -> Result<Appended> {
        let mut storing = self.storing;
        let tries = if chat.store().tells_in_order() { 2 } else { 9 };
        for times in 0..tries {
            match storing.answer().await {
                Err(Refusal::Stale) => {
                    chat.overtaken(times).await;
                    storing = chat.enqueue(chat.prepare(&self.actor, &self.draft).await?);
                }
                done => return done,
            }
        }
        match storing.answer().await {
            Err(Refusal::Stale) => Err(Refusal::Unavailable),
            done => done,
        }
    }
}

impl Storing {
    async fn answer(self) -> Result<Appended> {
        match self {
            Self::Batched(answer) => answer.await,
            Self::Job(job) => job.await,
        }
    }
}

impl Chat {
    /// Judges a message and enqueues it; its place in the room is decided when this answers.
    pub async fn send(&self, actor: &Actor, draft: Draft) -> Result<Sending> {
        let since = self.ports.clock.monotonic();
        self.send_limit.take(actor, since)?;
        let _under_way = UnderWay::begin(&self.sends);
        let storing = match self.prepare(actor, &draft).await {
            Ok(prepared) if prepared.enters => {
                self.enter_by_writing(actor, &prepared).await?;
                self.enqueue(self.prepare(actor, &draft).await?)
            }
            Ok(prepared) => self.enqueue(prepared),
            Err(refusal) => match self.known_retry(actor, &draft).await? {
                Some(known) => Storing::Batched(Answer::ready(Ok(known))),
                None => return Err(refusal),
            },
        };
        Ok(Sending { actor: actor.clone(), draft, storing, since, _under_way })
    }

    /// Messages that came and are not answered yet.
    pub fn sends_under_way(&self) -> usize {
        self.sends.load(Ordering::Relaxed)
    }

    /// Sends a message and waits until it is on disk.
    pub async fn post(&self, actor: &Actor, draft: Draft) -> Result<Sent> {
        self.send(actor, draft).await?.stored(self).await
    }

    /// Plain messages go by the store's batched statement; replies and messages with files touch more rows and go as
    /// jobs of the same lane, so the order of enqueueing holds for both.
    fn enqueue(&self, prepared: Prepared) -> Storing {
        let has_files = prepared.message.files().next().is_some();
        if prepared.message.thread.is_none() && !has_files {
            let Prepared { message, judgement, client_id, mentioned, .. } = prepared;
            return Storing::Batched(self.store().append(Append {
                message,
                judgement,
                client_id,
                mentioned,
            }));
        }
        Storing::Job(Box::pin(self.store().writing(Lane::Messages, move |tx| store_with_rows(tx, &prepared))))
    }
}

/// Stores a reply or a message with files, and everything that hangs on it.
pub(crate) fn store_with_rows(tx: &mut dyn Tx, prepared: &Prepared) -> Result<Appended> {
    let Prepared { message, judgement, client_id, mentioned, .. } = prepared;
    tx.check(judgement)?;
    if *client_id && let Some(stored) = tx.message(&message.id)? {
        if stored.author != message.author || stored.room != message.room {
            return Err(Refusal::IdConflict);
        }
        let head = Arc::new(tx.head(&message.room)?.unwrap_or_default());
        return Ok(Appended { message: Arc::new(stored), duplicate: true, head });
    }
    let root = match &message.thread {
        None => None,
        Some(id) => Some(
            tx.message(id)?
                .filter(|root| !root.deleted && root.thread.is_none() && root.room == message.room)
                .ok_or(Refusal::NotFound(What::Message))?,
        ),
    };
    let stored = tx.append_message(message.clone())?;
    let everybody = stored.addresses_everybody();
    if everybody || !mentioned.is_empty() {
        tx.put_mentions(&stored, mentioned, everybody)?;
    }
    for file in stored.files() {
        for id in std::iter::once(&file.upload).chain(&file.thumbnail) {
            tx.confirm_upload(id, Some(&stored.id))?;
        }
    }
    if let Some(mut root) = root {
        let mut followers = vec![stored.author.clone()];
        if root.thread_info.is_none() {
            followers.push(root.author.clone());
        }
        followers.extend(mentioned.iter().cloned());
        root.thread_info = Some(tx.add_reply(&root.id, &stored, &followers)?);
        store_changed(tx, root)?;
    }
    let head = Arc::new(tx.head(&stored.room)?.unwrap_or_default());
    Ok(Appended { message: Arc::new(stored), duplicate: false, head })
}

/// As [`store_changed`], for edits: their mark gets the moment of the change.
pub(crate) fn store_edited(tx: &mut dyn Tx, mut message: Message, mut by: Mark) -> Result<Arc<Message>> {
    let place = tx.advance(&message.room)?;
    by.at = place.at;
    message.edited = Some(by);
    store_at(tx, message, &place)
}

/// Stores a message that changed, at the room's next position, and tells of it.
pub(crate) fn store_changed(tx: &mut dyn Tx, message: Message) -> Result<Arc<Message>> {
    let place = tx.advance(&message.room)?;
    store_at(tx, message, &place)
}

fn store_at(tx: &mut dyn Tx, mut message: Message, place: &Advance) -> Result<Arc<Message>> {
    (message.rev, message.updated_at) = (place.position, place.at);
    tx.update_message(&message)?;
    let message = Arc::new(message);
    let event = Event::Message { message: message.clone(), change: Change::Changed, head: None };
    tx.record(Some((message.room.clone(), place.position)), event)?;
    Ok(message)
}
