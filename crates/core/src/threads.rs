//! Threads: messages under a root, who follows them, and how far they read.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    event::Event,
    id::{MessageId, RoomId},
    membership::ReadMark,
    message::Message,
    messages::store_changed,
    messages_change::unchanged_place,
    messages_read::MAX_PAGE,
    permissions::{Action, Object},
    room::Room,
    session::Actor,
    store::{Lane, MessageFilter, Page, Paged, Tx},
};

impl Chat {
    fn threads_on(&self) -> Result<()> {
        if self.settings().is_on("Threads_enabled") {
            Ok(())
        } else {
            Err(Refusal::Disabled("Threads_enabled"))
        }
    }

    /// The root of a thread that the actor may read; a reply's id leads to its root.
    async fn readable_root(&self, actor: &Actor, id: &MessageId) -> Result<(Arc<Room>, Message)> {
        let (room, message) = self.readable_message(actor, id).await?;
        match message.thread.clone() {
            None => Ok((room, message)),
            Some(root) => self.readable_message(actor, &root).await,
        }
    }

    /// A thread's replies, oldest first unless `newest_first`, without the root.
    pub async fn thread_messages(
        &self,
        actor: &Actor,
        root: &MessageId,
        newest_first: bool,
        page: Page,
    ) -> Result<(Message, Paged<Message>)> {
        self.threads_on()?;
        let (room, root) = self.readable_root(actor, root).await?;
        let filter = MessageFilter {
            in_thread: Some(root.id.clone()),
            ascending: !newest_first,
            ..MessageFilter::default()
        };
        let page = Page { count: page.count.min(MAX_PAGE), ..page };
        let replies = self.store().reading(move |rows| rows.list_messages(&room.id, &filter, page)).await?;
        Ok((root, replies))
    }

    /// The threads of a room, the one with the newest reply first.
    pub async fn threads(
        &self,
        actor: &Actor,
        room: &RoomId,
        which: Threads,
        text: &str,
        page: Page,
    ) -> Result<Paged<Message>> {
        self.threads_on()?;
        let room = self.readable_room(actor, room).await?;
        let follower = (which != Threads::All).then(|| actor.user.clone());
        let mut filter =
            MessageFilter { threads: Some(follower), text: text.to_owned(), ..MessageFilter::default() };
        if which == Threads::Unread {
            let membership = self.membership(&room.id, &actor.user).await?.ok_or(Refusal::NotMember)?;
            let unread = self.store().reading(move |rows| rows.unread(&membership)).await?.threads;
            if unread.is_empty() {
                return Ok(Paged { items: Vec::new(), total: 0 });
            }
            filter.ids = Some(unread);
        }
        let page = Page { count: page.count.min(MAX_PAGE), ..page };
        self.store().reading(move |rows| rows.list_messages(&room.id, &filter, page)).await
    }

    /// Threads of a room whose root changed or that got replies after a moment, and removed messages that were no
    /// replies.
    pub async fn thread_changes(
        &self,
        actor: &Actor,
        room: &RoomId,
        since: Time,
    ) -> Result<crate::messages_read::Changes> {
        self.threads_on()?;
        let mut changes = self.changes_since(actor, room, since).await?;
        changes.updated.retain(|m| m.thread_info.as_ref().is_some_and(|info| info.replies > 0));
        changes.deleted.retain(|gone| gone.thread.is_none());
        Ok(changes)
    }

    /// What changed in one thread after a moment.
    pub async fn thread_reply_changes(
        &self,
        actor: &Actor,
        root: &MessageId,
        since: Time,
    ) -> Result<crate::messages_read::Changes> {
        self.threads_on()?;
        let (room, root) = self.readable_root(actor, root).await?;
        let mut changes = self.changes_since(actor, &room.id, since).await?;
        changes.updated.retain(|m| m.thread.as_ref() == Some(&root.id));
        changes.deleted.retain(|gone| gone.thread.as_ref() == Some(&root.id));
        Ok(changes)
    }

    /// Follows a thread (or a message that may become one), or no longer.
    pub async fn follow_thread(&self, actor: &Actor, id: &MessageId, on: bool) -> Result<Arc<Message>> {
        self.threads_on()?;
        self.judged(|| self.follow_once(actor, id, on)).await
    }

    async fn follow_once(&self, actor: &Actor, id: &MessageId, on: bool) -> Result<Arc<Message>> {
        let (room, root) = self.readable_root(actor, id).await?;
        let judgement = self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let user = actor.user.clone();
        let store = move |tx: &mut dyn Tx| {
            tx.check(&judgement)?;
            let mut root = unchanged_place(tx, &root)?;
            let mut info = root.thread_info.clone().unwrap_or_default();
            if info.followers.contains(&user) == on {
                return Ok(Arc::new(root));
            }
            let head = tx.head(&root.room)?.unwrap_or_default();
            tx.follow_thread(&root.id, &user, head.position, on)?;
            info.followers.retain(|f| *f != user);
            if on {
                info.followers.push(user.clone());
            }
            root.thread_info = Some(info);
            store_changed(tx, root)
        };
        self.store().writing(Lane::Verbs, store).await
    }

    /// Marks a thread as read; of no effect for those who do not follow it.
    pub async fn read_thread(&self, actor: &Actor, root: &MessageId) -> Result<()> {
        self.threads_on()?;
        let (room, root) = self.readable_root(actor, root).await?;
        let (user, now) = (actor.user.clone(), self.now());
        let store = move |tx: &mut dyn Tx| {
            let head = tx.head(&room.id)?.unwrap_or_default();
            let mark = ReadMark { seq: head.position, counted: head.counted, at: Some(now) };
            if tx.put_thread_mark(&root.id, &user, mark)? {
                let event = Event::Read {
                    room: room.id.clone(),
                    user: user.clone(),
                    seq: head.position,
                    thread: Some(root.id.clone()),
                    at: now,
                    named: std::sync::Arc::new([]),
                };
                tx.record(None, event)?;
            }
            Ok(())
        };
        self.store().writing(Lane::Verbs, store).await
    }
}

/// Which threads of a room a list wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// All.
    All,
    /// Those that the actor follows.
    Following,
    /// Those of them with unread replies.
    Unread,
}
