//! Discussions: rooms that branch off from another one, with an anchor in its timeline.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId},
    message::{Attachment, DiscussionInfo, Message, Quote},
    messages::Draft as MessageDraft,
    permissions::{Action, Object},
    room::{Room, RoomKind, RoomView},
    rooms::RoomRef,
    rooms_create::{Draft, NewRoom, store_draft},
    rooms_names::{Names, clean_title, tail},
    session::Actor,
    store::{Lane, Page, Paged, RoomFilter, Team},
    user::User,
};

/// What a new discussion shall be.
#[derive(Clone, Debug)]
pub struct NewDiscussion {
    /// The room it branches off from.
    pub parent: RoomId,
    /// The message it is about.
    pub about: Option<MessageId>,
    /// Its title.
    pub title: String,
    /// The first message in it; not in an encrypted one.
    pub reply: String,
    /// User names of people to bring in.
    pub users: Vec<String>,
    /// End-to-end encrypted.
    pub encrypted: bool,
}

impl Chat {
    /// Starts a discussion. One message has at most one: asked again, it is the answer.
    pub async fn start_discussion(&self, actor: &Actor, wanted: NewDiscussion) -> Result<Arc<Room>> {
        let room = self.judged(|| self.try_start_discussion(actor, &wanted)).await?;
        if !wanted.reply.trim().is_empty() {
            let draft = MessageDraft::text(room.id.clone(), wanted.reply.clone());
            self.post(actor, draft).await?;
        }
        Ok(room)
    }

    async fn try_start_discussion(&self, actor: &Actor, wanted: &NewDiscussion) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        if !self.settings().is_on("Discussion_enabled") {
            return Err(Refusal::Disabled("Discussion_enabled"));
        }
        let parent = self.look_up(RoomRef::Id(&wanted.parent)).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&parent)).await?;
        let about = self.message_about(actor, &parent, wanted).await?;
        let judgement = self.authorize(actor, Action::StartDiscussion, Object::Room(&parent)).await?;
        self.judge_own(actor, about.as_ref(), &parent).await?;
        if let Some(there) = about.as_ref().and_then(|m| m.discussion.as_ref()) {
            return self.room(&there.room).await;
        }
        if parent.is_discussion() {
            return Err(Refusal::invalid("parent", "a discussion can't branch off from a discussion"));
        }
        if wanted.encrypted && !wanted.reply.trim().is_empty() {
            return Err(Refusal::invalid("reply", "an encrypted discussion can't begin with a plain text"));
        }
        let (draft, anchor) = self.draft_discussion(&me, &parent, wanted, about).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let room = store_draft(tx, &draft)?;
                tx.append_message(anchor.clone())?;
                Ok(room)
            })
            .await
    }

    async fn message_about(
        &self,
        actor: &Actor,
        parent: &Room,
        wanted: &NewDiscussion,
    ) -> Result<Option<Message>> {
        let Some(id) = &wanted.about else { return Ok(None) };
        let message = self.message(actor, id).await?;
        if message.room == parent.id { Ok(Some(message)) } else { Err(Refusal::NotFound(What::Message)) }
    }

    /// Discussions about other people's messages need a permission of their own.
    async fn judge_own(&self, actor: &Actor, about: Option<&Message>, parent: &Arc<Room>) -> Result<()> {
        let permission = match about {
            Some(message) if message.author != actor.user => "start-discussion-other-user",
            _ => "start-discussion",
        };
        self.require(actor, permission, Some(parent)).await
    }

    async fn draft_discussion(
        &self,
        me: &Arc<User>,
        parent: &Arc<Room>,
        wanted: &NewDiscussion,
        about: Option<Message>,
    ) -> Result<(Draft, Message)> {
        let title = clean_title(&wanted.title)?;
        let mut members = self.users_named(&wanted.users).await?;
        if let Some(message) = &about
            && let Some(author) = self.user(&message.author).await?
        {
            members.push(author);
        }
        members.sort_by(|a, b| a.id.cmp(&b.id));
        members.dedup_by(|a, b| a.id == b.id);
        let private = !parent.is_public() || self.in_private_team(parent).await?;
        let kind = if private { RoomKind::Group } else { RoomKind::Channel };
        let mut plain = NewRoom::new(kind, &wanted.title);
        plain.encrypted = Some(wanted.encrypted);
        let names = Names { name: tail(&self.new_id()), title: title.clone() };
        let mut draft = self.draft_room(me, &plain, names, &members);
        draft.room.name = Some(draft.room.id.to_string());
        draft.room.parent = Some(parent.id.clone());
        draft.room.description = about.as_ref().map(|m| m.text.clone()).unwrap_or_default();
        let quote = about.map(|message| self.quote_of(parent, message));
        if let Some(quote) = &quote {
            let id = MessageId::new(self.new_id());
            let mut first = Message::written_by(me, id, draft.room.id.clone(), String::new());
            first.attachments = vec![quote.clone()];
            draft.notices.push(first);
        }
        let mut anchor = self.notice(&parent.id, me, "discussion-created", title);
        anchor.discussion = Some(DiscussionInfo { room: draft.room.id.clone(), messages: 0, last_at: None });
        anchor.attachments = quote.into_iter().collect();
        Ok((draft, anchor))
    }

    /// Whether the room is a private team's, or a discussion of such a room.
    pub(crate) async fn in_private_team(&self, room: &Room) -> Result<bool> {
        Ok(self.team_around(room).await?.is_some_and(|team| team.private))
    }

    /// The team that a room belongs to; a discussion belongs to the team of the room that it branched off from.
    pub(crate) async fn team_around(&self, room: &Room) -> Result<Option<Team>> {
        let team = match (&room.team, &room.parent) {
            (Some(team), _) => Some(team.clone()),
            (None, Some(parent)) => match self.room(parent).await {
                Ok(parent) => parent.team.clone(),
                Err(Refusal::NotFound(_)) => None,
                Err(other) => return Err(other),
            },
            (None, None) => None,
        };
        match team {
            Some(team) => self.team(&team).await.map(Some),
            None => Ok(None),
        }
    }

    fn quote_of(&self, room: &Room, message: Message) -> Attachment {
        let path = match room.kind {
            RoomKind::Channel => "channel",
            RoomKind::Direct => "direct",
            _ => "group",
        };
        let settings = self.settings();
        let site = settings.text("Site_Url").trim_end_matches('/');
        let name = room.name.as_deref().unwrap_or(&room.id);
        Attachment::Quote(Box::new(Quote {
            link: format!("{site}/{path}/{name}?msg={}", message.id),
            message: message.id,
            author: message.author_username,
            display_name: message.author_name.clone(),
            author_name: message.author_name,
            text: message.text,
            at: message.at,
            attachments: Vec::new(),
        }))
    }

    /// A page of a room's discussions: those that the actor may read, newest first.
    pub async fn discussions(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        text: &str,
        page: Page,
    ) -> Result<Paged<RoomView>> {
        let me = self.active_user(actor).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(room)).await?;
        let filter = RoomFilter {
            parent: Some(room.id.clone()),
            visible_to: Some(me.id.clone()),
            text: text.to_owned(),
            sort: crate::store::RoomSort::LastMessage,
            descending: true,
            ..RoomFilter::default()
        };
        self.store().reading(move |rows| rows.rooms(&filter, page)).await
    }
}
