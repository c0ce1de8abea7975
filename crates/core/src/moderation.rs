//! Keeping a workspace clean: reports to the moderators, and clearing a room's history.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    event::{Event, Purge},
    id::{MessageId, RoomId, UserId},
    json::Json,
    message::{Attachment, Message, MessageKind},
    messages_change::remove_rows,
    permissions::{Action, Judgement, Object},
    session::Actor,
    store::{Lane, Page, Report, Slice, Tx},
};

/// Characters of a report's reason.
pub const MAX_REASON: usize = 1_000;
/// Messages looked at in one step of a purge: small, because sends wait for it.
const STEP: u64 = 100;
/// Shown in place of a removed file, as a card.
const FILE_REMOVED: &str = r##"{"color":"#FD745E","text":"_File removed by prune_"}"##;

/// What a purge spares beside what [`Purge`] says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spare {
    /// Replies and roots of threads stay.
    pub threads: bool,
    /// Stop after so many messages; 0 for no limit.
    pub limit: u64,
}

/// How far a step of a purge got.
struct Step {
    /// The place of the last message looked at; `None` when there are no more.
    last: Option<i64>,
    removed: u64,
    /// Those of them that said that a message was removed before: nobody misses them.
    emptied: u64,
}

impl Chat {
    /// Reports a message to the moderators.
    pub async fn report_message(&self, actor: &Actor, id: &MessageId, reason: &str) -> Result<()> {
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(Refusal::invalid("description", "Invalid description."));
        }
        if reason.chars().count() > MAX_REASON {
            return Err(Refusal::TooLarge { what: "description", limit: MAX_REASON as u64 });
        }
        let (_, message) = self.readable_message(actor, id).await?;
        let report = Report {
            id: self.new_id(),
            room: Some(message.room),
            reported: message.author,
            reporter: actor.user.clone(),
            text: message.text,
            message: Some(message.id),
            reason,
            at: self.now(),
            hidden: false,
        };
        self.store().writing(Lane::Verbs, move |tx| tx.insert_report(&report)).await
    }

    /// Removes a room's messages (or only their files) within a span of time; how many. Takes
    /// `clean-channel-history`. Works in small steps, so that others can write meanwhile.
    pub async fn purge(&self, actor: &Actor, room: &RoomId, purge: Purge, spare: Spare) -> Result<u64> {
        let room = self.readable_room(actor, room).await?;
        self.purge_all(&room.id, &Arc::new(purge), spare.threads, spare.limit, Some(actor)).await
    }

    async fn judge_purge(&self, by: Option<&Actor>, room: &RoomId) -> Result<Judgement> {
        let Some(actor) = by else { return Ok(Judgement::default()) };
        let room = self.room(room).await?;
        self.require(actor, "clean-channel-history", Some(&room)).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await
    }

    /// Removes step by step what [`Chat::purge`] and (`by` nobody) the sweep of old messages ask for. Each step is
    /// judged anew: people come and go while a long history is cleared.
    pub(crate) async fn purge_all(
        &self,
        room: &RoomId,
        purge: &Arc<Purge>,
        keep_threads: bool,
        limit: u64,
        by: Option<&Actor>,
    ) -> Result<u64> {
        let (mut from, mut removed, mut emptied) = (None, 0, 0);
        loop {
            let left = if limit == 0 { u64::MAX } else { limit - removed };
            let step = || async {
                let judgement = self.judge_purge(by, room).await?;
                self.purge_step(room, purge, keep_threads, from, left, judgement).await
            };
            let step = self.judged(step).await?;
            removed += step.removed;
            emptied += step.emptied;
            from = step.last;
            if from.is_none() || (limit > 0 && removed >= limit) {
                return Ok(removed - emptied);
            }
        }
    }

    async fn purge_step(
        &self,
        room: &RoomId,
        purge: &Arc<Purge>,
        keep_threads: bool,
        from: Option<i64>,
        left: u64,
        judgement: Judgement,
    ) -> Result<Step> {
        let (room, purge) = (room.clone(), purge.clone());
        let store = move |tx: &mut dyn Tx| {
            tx.check(&judgement)?;
            let slice = Slice {
                after: from,
                oldest: Some(purge.from),
                latest: Some(purge.to),
                inclusive: purge.inclusive,
                newest_first: false,
                page: Page { offset: 0, count: STEP },
                ..Slice::newest(STEP)
            };
            let seen = tx.timeline(&room, &slice)?;
            let last = seen.last().map(|m| m.seq).filter(|_| seen.len() as u64 == STEP);
            let doomed: Vec<Message> = seen
                .into_iter()
                .filter(|m| is_doomed(m, &purge, keep_threads))
                .take(usize::try_from(left).unwrap_or(usize::MAX))
                .collect();
            if !doomed.is_empty() {
                remove_all(tx, &room, &purge, &doomed)?;
            }
            let emptied = doomed.iter().filter(|m| m.kind == MessageKind::Notice("rm".into())).count();
            Ok(Step { last, removed: doomed.len() as u64, emptied: emptied as u64 })
        };
        self.store().writing(Lane::Bulk, store).await
    }

    /// Messages of an account that goes stay, under another's name: written by the workspace's bot, shown as `alias`.
    pub(crate) async fn disown_messages_of(&self, user: &UserId, alias: &str) -> Result<u64> {
        let bot = UserId::new(crate::bootstrap::ROCKET_CAT);
        if *user == bot {
            return Ok(0);
        }
        let alias = alias.to_owned();
        self.with_messages_of(user, move |tx, mut message| {
            message.author = bot.clone();
            message.guise.alias = Some(alias.clone());
            crate::messages::store_changed(tx, message).map(drop)
        })
        .await
    }

    /// Removes all messages that a user wrote in the rooms of this workspace, in small steps; how many. For accounts
    /// that go with all they said, and for moderators (`manage-moderation-actions`).
    pub async fn remove_messages_of(&self, actor: &Actor, user: &UserId) -> Result<u64> {
        if *user != actor.user {
            self.require(actor, "manage-moderation-actions", None).await?;
        }
        self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        let by = actor.user.clone();
        self.with_messages_of(user, move |tx, message| {
            crate::messages_change::remove(tx, &message, &by).map(drop)
        })
        .await
    }

    /// Does something with each message of a user, in the rooms that are there; how many there were. They are looked
    /// for by readers, a piece at a time: through all messages the writer would keep everybody waiting.
    async fn with_messages_of(
        &self,
        user: &UserId,
        change: impl Fn(&mut dyn Tx, Message) -> Result<()> + Clone + Send + 'static,
    ) -> Result<u64> {
        let (mut changed, mut next) = (0, Some(0));
        while let Some(from) = next {
            let author = user.clone();
            let (theirs, end) = self.store().reading(move |rows| rows.messages_of(&author, from)).await?;
            next = end;
            if theirs.is_empty() {
                continue;
            }
            let (author, change) = (user.clone(), change.clone());
            let store = move |tx: &mut dyn Tx| {
                let mut some = 0;
                for read in &theirs {
                    let message = tx.message(&read.id)?.filter(|m| !m.deleted && m.author == author);
                    let Some(message) = message else { continue };
                    if tx.head(&message.room)?.is_some() {
                        change(tx, message)?;
                        some += 1;
                    }
                }
                Ok(some)
            };
            changed += self.store().writing(Lane::Bulk, store).await?;
        }
        Ok(changed)
    }
}

fn is_doomed(message: &Message, purge: &Purge, keep_threads: bool) -> bool {
    let in_thread = message.thread.is_some() || message.thread_info.is_some();
    let spared = (purge.keep_pinned && message.pinned.is_some())
        || (purge.keep_discussions && message.discussion.is_some())
        || (keep_threads && in_thread)
        || (purge.files_only && message.files().next().is_none());
    !spared && (purge.users.is_empty() || purge.users.contains(&message.author_username))
}

/// One position for all of them: they go together.
fn remove_all(tx: &mut dyn Tx, room: &RoomId, purge: &Arc<Purge>, doomed: &[Message]) -> Result<()> {
    let place = tx.advance(room)?;
    for message in doomed {
        if purge.files_only {
            let mut bare = message.clone();
            for file in message.files() {
                tx.confirm_upload(&file.upload, None)?;
            }
            bare.attachments.retain(|a| !matches!(a, Attachment::File(_)));
            bare.attachments.push(Attachment::Card(Json::new(FILE_REMOVED)));
            (bare.rev, bare.updated_at) = (place.position, place.at);
            tx.update_message(&bare)?;
        } else {
            remove_rows(tx, message, place.position, place.at)?;
        }
    }
    let ids = doomed.iter().map(|m| m.id.clone()).collect();
    let purge = Arc::new(Purge { ids, ..Purge::clone(purge) });
    tx.record(Some((room.clone(), place.position)), Event::MessagesPurged { room: room.clone(), purge })
}
