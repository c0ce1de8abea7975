//! Moving in: rooms, members and messages of another chat, with their own ids and times. Told to nobody as news:
//! members have read all of it, and no notification goes out. For the server's own actors alone.

use std::{collections::HashSet, sync::Arc};

use crate::{
    case::Priority,
    cases::{case_name, is_control, open},
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    host_users::{HostUser, check_told},
    id::{MessageId, RoomId},
    inbox_places::{GROUP, group_name},
    json::Json,
    membership::ReadMark,
    message::Message,
    room::{Room, RoomKind},
    rooms::RoomRef,
    rooms_create::{NewRoom, store_draft},
    rooms_names::{Names, clean_title},
    rooms_notices::enter_once,
    session::Actor,
    store::{self, Lane, MarkChange, MemberFilter, Page, Tx},
    user::User,
};

/// Messages that one transaction brings in.
const AT_ONCE: usize = 100;
/// Members whose marks one transaction moves.
const MARKS: u64 = 200;

/// A message of another chat.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Derived from where it comes from ([`Chat::imported_id`]): brought in again it is the same one.
    pub id: MessageId,
    /// Who wrote it.
    pub author: Arc<User>,
    /// What.
    pub text: String,
    /// When; now, if that is not known. Times within a room never go back, so it may be shown later.
    pub at: Option<Time>,
    /// What the source says besides: a JSON object.
    pub metadata: Option<Json>,
}

/// A room that messages of another chat go to.
#[derive(Clone, Debug)]
pub enum RestoredRoom {
    /// A team's channel.
    Team(String),
    /// A private group ([`Chat::restored_groups`]).
    Group {
        /// What people call it.
        title: String,
        /// Its name.
        name: String,
    },
    /// The direct room of two users.
    Direct(Arc<User>, Arc<User>),
    /// A requester's support case: the open one, or a new one.
    Case(Arc<User>),
}

fn only_system(actor: &Actor) -> Result<()> {
    if actor.is_system() { Ok(()) } else { Err(Refusal::NotAllowed("import")) }
}

impl Chat {
    /// The id of something that is brought in: the same source and key give the same id, for ever.
    pub fn imported_id(&self, source: &str, key: &str) -> MessageId {
        let name = format!("import\n{source}\n{key}");
        MessageId::new(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string())
    }

    /// Whether a name that nobody has can become a user by name only.
    ///
    /// # Errors
    /// `Invalid`: it is none, or reserved.
    pub fn may_be_named(&self, username: &str) -> Result<()> {
        let told = HostUser { username: Some(username.to_owned()), ..HostUser::default() };
        check_told(&told, &self.settings())
    }

    /// The groups of these titles, which differ. Each is named by its slug; a second one of the same slug, and one whose
    /// title leaves nothing for a slug, by a mark of its title as well: the same titles give the same names for ever.
    pub fn restored_groups(&self, source: &str, titles: &[String]) -> Vec<RestoredRoom> {
        let mut taken = HashSet::from([GROUP.to_owned()]);
        let named = |title: &String| {
            let mut name = group_name(title, None);
            if !taken.insert(name.clone()) {
                let mark = self.imported_id(source, &format!("group\n{}", title.to_lowercase()));
                let mark: String = mark.chars().take(8).collect();
                name = if name == GROUP { format!("{GROUP}{mark}") } else { format!("{name}-{mark}") };
            }
            RestoredRoom::Group { title: title.clone(), name }
        };
        titles.iter().map(named).collect()
    }

    /// Which of these messages are here, removed ones too.
    pub async fn known_messages(&self, actor: &Actor, ids: &[MessageId]) -> Result<HashSet<MessageId>> {
        only_system(actor)?;
        let mut known = HashSet::new();
        for ids in ids.chunks(AT_ONCE) {
            let ids = ids.to_vec();
            let found = self.store().reading(move |rows| rows.standing(&ids)).await?;
            known.extend(found.into_iter().map(|standing| standing.id));
        }
        Ok(known)
    }

    /// Whether such a room can be brought in.
    ///
    /// # Errors
    /// `Taken` when the name belongs to a room of another sort, `Invalid` for a case of the control centre.
    pub async fn may_restore(&self, actor: &Actor, wanted: &RestoredRoom) -> Result<()> {
        only_system(actor)?;
        match wanted {
            RestoredRoom::Case(user) if is_control(user) => {
                Err(Refusal::invalid("team", "support: whose case it was is not known"))
            }
            RestoredRoom::Direct(one, other) if one.id == other.id => {
                Err(Refusal::invalid("to", "must be somebody else"))
            }
            RestoredRoom::Group { title, .. } => {
                clean_title(title)?;
                self.restored_room(actor, wanted).await.map(|_| ())
            }
            _ => self.restored_room(actor, wanted).await.map(|_| ()),
        }
    }

    /// Such a room, if it is here.
    pub async fn restored_room(&self, actor: &Actor, wanted: &RestoredRoom) -> Result<Option<Arc<Room>>> {
        only_system(actor)?;
        let (name, kind) = match wanted {
            RestoredRoom::Team(name) => (name.clone(), RoomKind::Channel),
            RestoredRoom::Group { name, .. } => (name.clone(), RoomKind::Group),
            RestoredRoom::Direct(one, other) => {
                let pair = [one.id.clone(), other.id.clone()];
                let found = self.store().reading(move |rows| rows.direct_room(&pair)).await?;
                return Ok(found.map(Arc::new));
            }
            RestoredRoom::Case(user) => {
                return match self.open_case_of(&user.id).await? {
                    Some(room) => self.room(&room).await.map(Some),
                    None => Ok(None),
                };
            }
        };
        match self.look_up(RoomRef::Name(&name)).await {
            Ok(room) if room.kind == kind => Ok(Some(room)),
            Ok(_) => Err(Refusal::Taken { what: What::RoomName, value: name }),
            Err(Refusal::NotFound(_)) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Such a room, made if it is not here; its maker is its owner. Members come by [`Chat::restore_members`], after
    /// the messages.
    pub async fn restore_room(
        &self,
        actor: &Actor,
        wanted: &RestoredRoom,
        by: &Arc<User>,
    ) -> Result<Arc<Room>> {
        if let Some(room) = self.restored_room(actor, wanted).await? {
            return Ok(room);
        }
        let acting = Actor::system(by.id.clone());
        match wanted {
            RestoredRoom::Direct(one, other) => {
                let acting = Actor::system(one.id.clone());
                Ok(self.direct_room(&acting, std::slice::from_ref(&other.username), false).await?.0)
            }
            RestoredRoom::Team(name) => {
                let new = NewRoom { without_me: true, ..NewRoom::new(RoomKind::Channel, name) };
                self.create_room(&acting, new).await
            }
            RestoredRoom::Group { title, name } => self.restore_group(by, title, name).await,
            RestoredRoom::Case(user) => self.restore_case(user).await,
        }
    }

    async fn restore_group(&self, by: &Arc<User>, title: &str, name: &str) -> Result<Arc<Room>> {
        let title = clean_title(title)?;
        let wanted = NewRoom { without_me: true, ..NewRoom::new(RoomKind::Group, &title) };
        let names = Names { name: name.to_owned(), title };
        let draft = self.draft_room(by, &wanted, names, &[]);
        self.store().writing(Lane::Verbs, move |tx| store_draft(tx, &draft)).await
    }

    async fn restore_case(&self, user: &Arc<User>) -> Result<Arc<Room>> {
        let mut room = self.blank_room(RoomKind::Case, user);
        room.name = Some(case_name(&room.id));
        room.title = Some(format!("Support: {}", user.shown_name()));
        let members = vec![self.new_membership(&room, &user.id, false)];
        let draft = crate::rooms_create::Draft { room, members, notices: Vec::new() };
        let user = user.clone();
        let opened = self
            .store()
            .writing(Lane::Verbs, move |tx| open(tx, &draft, None, Some(&user), Priority::Normal));
        Ok(opened.await?.conversation.room.clone())
    }

    /// Brings messages into a room, in this order; those that are here stay as they are. How many are new. Whoever had
    /// read the room so far has read them too.
    pub async fn restore_messages(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        all: Vec<Restored>,
    ) -> Result<usize> {
        only_system(actor)?;
        let id = room.id.clone();
        let before = self.store().reading(move |rows| rows.head(&id)).await?.map_or(0, |head| head.position);
        let now = self.now();
        let messages: Vec<store::Restored> = all
            .into_iter()
            .map(|old| {
                let mut message = Message::written_by(&old.author, old.id, room.id.clone(), old.text);
                message.metadata = old.metadata;
                store::Restored { message, at: old.at.unwrap_or(now).min(now) }
            })
            .collect();
        let mut stored = 0;
        for piece in messages.chunks(AT_ONCE) {
            let piece = piece.to_vec();
            stored += self
                .store()
                .writing(Lane::Bulk, move |tx| {
                    Ok(tx.restore_messages(piece.clone())?.iter().flatten().count())
                })
                .await?;
        }
        self.read_restored(&room.id, before).await?;
        Ok(stored)
    }

    /// Moves the marks of those who had read up to `before`.
    async fn read_restored(&self, room: &RoomId, before: i64) -> Result<()> {
        for part in 0.. {
            let (id, now) = (room.clone(), self.now());
            let page = Page { offset: part * MARKS, count: MARKS };
            let more = self.store().writing(Lane::Bulk, move |tx| read_page(tx, &id, before, page, now));
            if !more.await? {
                break;
            }
        }
        Ok(())
    }

    /// Makes users members of a room without a word; those who are stay. They have read what is there. The first maker
    /// of a group is its owner.
    pub async fn restore_members(&self, actor: &Actor, room: &Arc<Room>, users: &[Arc<User>]) -> Result<()> {
        only_system(actor)?;
        for piece in users.chunks(AT_ONCE) {
            let memberships: Vec<_> = piece
                .iter()
                .map(|user| {
                    let mut membership = self.new_membership(room, &user.id, false);
                    if user.id == room.creator {
                        membership.roles = vec!["owner".into()];
                    }
                    membership
                })
                .collect();
            let id = room.id.clone();
            self.store()
                .writing(Lane::Bulk, move |tx| {
                    tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                    for membership in &memberships {
                        enter_once(tx, membership.clone(), None)?;
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }
}

/// Moves the marks of a page of members; whether there may be more.
fn read_page(tx: &mut dyn Tx, room: &RoomId, before: i64, page: Page, now: Time) -> Result<bool> {
    let head = tx.head(room)?.unwrap_or_default();
    let found = tx.members(room, &MemberFilter::default(), page)?;
    for membership in &found.items {
        if membership.mark.seq >= before {
            let mark = ReadMark { seq: head.position, counted: head.counted, at: membership.mark.at };
            let change = MarkChange { mark, marked_unread: membership.marked_unread, back: false, at: now };
            tx.put_mark(room, &membership.user, &change)?;
        }
    }
    Ok(found.items.len() as u64 == page.count)
}
