//! Where messages of an inbox go: a team's channel, a group by its name, the support case of somebody.

use std::sync::Arc;

use crate::{
    case::Priority,
    cases::{case_name, is_control, open},
    chat::Chat,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UserId},
    membership::Membership,
    messages::{Draft, Sent},
    permissions::Judgement,
    room::{Room, RoomKind},
    rooms::{MAX_USERS, RoomRef},
    rooms_create::{NewRoom, store_draft},
    rooms_names::{Names, clean_title, host_name, host_slug},
    session::Actor,
    store::{Lane, PeopleFilter},
    user::User,
};

/// What names of groups begin with.
pub(crate) const GROUP: &str = "group_";
/// What names of teams may not begin with: these rooms are named by the server.
pub const RESERVED_PREFIXES: [&str; 3] = ["case-", "ticket-", GROUP];
/// Longest name of a team.
pub const MAX_TEAM: usize = 64;

/// Whether it is a user name of a host application: 1 to 64 of `[A-Za-z0-9_.-]`.
pub fn is_user_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// A team's name as it is kept: lower case.
///
/// # Errors
/// `Invalid` for what is no name of a team.
pub fn team_name(wanted: &str) -> Result<String> {
    let name = wanted.to_lowercase();
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if name.is_empty() || name.len() > MAX_TEAM || !name.bytes().all(fits) {
        return Err(Refusal::invalid("team", "must be 1 to 64 of a-z 0-9 . _ -"));
    }
    if RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(Refusal::invalid("team", "must not begin with case-, ticket- or group_"));
    }
    Ok(name)
}

impl Chat {
    /// The channel of a team, made if there is none; `true` when it is new.
    ///
    /// # Errors
    /// `Taken` when the name belongs to a room that is no channel.
    pub async fn team_channel(&self, actor: &Actor, wanted: &str) -> Result<(Arc<Room>, bool)> {
        let name = team_name(wanted)?;
        for _ in 0..2 {
            match self.look_up(RoomRef::Name(&name)).await {
                Ok(room) if room.kind == RoomKind::Channel => return Ok((room, false)),
                Ok(_) => return Err(Refusal::Taken { what: What::RoomName, value: name }),
                Err(Refusal::NotFound(_)) => {}
                Err(refusal) => return Err(refusal),
            }
            // The application is nobody who could be a member.
            let wanted = NewRoom { without_me: actor.is_system(), ..NewRoom::new(RoomKind::Channel, &name) };
            match self.create_room(actor, wanted).await {
                Ok(room) => return Ok((room, true)),
                // Somebody else was quicker.
                Err(Refusal::Taken { .. }) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Err(Refusal::Taken { what: What::RoomName, value: name })
    }

    /// The channel of a team with the actor in it.
    pub async fn join_team_channel(&self, actor: &Actor, wanted: &str) -> Result<Arc<Room>> {
        let (room, _) = self.team_channel(actor, wanted).await?;
        self.join(actor, RoomRef::Id(&room.id), None).await
    }

    /// A group by its name or id, for a member; to others it is unknown.
    pub async fn group_of(&self, actor: &Actor, wanted: &str) -> Result<Arc<Room>> {
        let room = self.look_up(RoomRef::Any(wanted)).await?;
        let is_member = self.membership(&room.id, &actor.user).await?.is_some();
        if is_member && room.kind == RoomKind::Group { Ok(room) } else { Err(Refusal::NotFound(What::Room)) }
    }

    /// A group by its name or id for the application, which is no member of anything.
    pub async fn group_named(&self, actor: &Actor, wanted: &str) -> Result<Arc<Room>> {
        let room = self.look_up(RoomRef::Any(wanted)).await?;
        if actor.is_system() && room.kind == RoomKind::Group {
            Ok(room)
        } else {
            Err(Refusal::NotFound(What::Room))
        }
    }

    /// A new private group `group_<slug>` of these members; its creator is its admin. There is one of each name.
    ///
    /// # Errors
    /// `Taken` when there is one already; [`Chat::group_of`] tells its members which.
    pub async fn create_named_group(
        &self,
        actor: &Actor,
        title: &str,
        members: &[Arc<User>],
    ) -> Result<Arc<Room>> {
        if members.len() > MAX_USERS {
            return Err(Refusal::TooLarge { what: "members", limit: MAX_USERS as u64 });
        }
        self.judged(|| self.try_named_group(actor, title, members)).await
    }

    async fn try_named_group(&self, actor: &Actor, title: &str, members: &[Arc<User>]) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let title = clean_title(title)?;
        let wanted = NewRoom::new(RoomKind::Group, &title);
        self.require(actor, "create-p", None).await?;
        if let Some(gone) = members.iter().find(|user| !user.active) {
            return Err(Refusal::invalid("members", format!("{} is not active", gone.username)));
        }
        let names = Names { name: String::new(), title: title.clone() };
        let mut draft = self.draft_room(&me, &wanted, names, members);
        draft.room.name = Some(group_name(&title, Some(&draft.room.id)));
        let judgement = Judgement { user: Some((me.id.clone(), me.access)), ..Judgement::default() };
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let name = draft.room.name.clone().unwrap_or_default();
                if tx.room_by_name(&name)?.is_some() {
                    return Err(Refusal::Taken { what: What::RoomName, value: name });
                }
                store_draft(tx, &draft)
            })
            .await
    }

    /// The user names of a room's members, those who came first at the front; for doors that show a room which the
    /// caller was found to see.
    pub async fn member_names(&self, room: &RoomId, limit: u64) -> Result<Vec<String>> {
        let room = room.clone();
        self.store().reading(move |rows| rows.member_names(&room, limit)).await
    }

    /// Whether the actor may bring others into a group that he is in.
    pub async fn may_add_to(&self, actor: &Actor, room: &Room) -> Result<bool> {
        self.is_room_admin(actor, room).await
    }

    /// Whether a message of this id is here. For the application alone, whose webhooks would go in circles.
    pub async fn holds_message(&self, id: &str) -> Result<bool> {
        let Some(id) = MessageId::parse(id) else { return Ok(false) };
        Ok(self.store().reading(move |rows| rows.message(&id)).await?.is_some())
    }

    /// Active people by user name; for anybody who was let in.
    pub async fn people(&self, filter: PeopleFilter) -> Result<Vec<User>> {
        self.store().reading(move |rows| rows.people(&filter)).await
    }

    /// Sends to somebody's open support case, which is made if there is none: to the actor's own, or for the control
    /// centre to that of `requester`.
    ///
    /// # Errors
    /// `Invalid` when the control centre names nobody; `NotFound(User)`.
    pub async fn send_to_support(
        &self,
        actor: &Actor,
        requester: Option<&UserId>,
        draft: Draft,
    ) -> Result<(Arc<Room>, Sent)> {
        let me = self.active_user(actor).await?;
        let whose = match (is_control(&me), requester) {
            (false, _) => me.clone(),
            (true, None) => return Err(Refusal::invalid("to", "is required: whose case is it?")),
            (true, Some(id)) => self.user(id).await?.ok_or(Refusal::NotFound(What::User))?,
        };
        if is_control(&whose) {
            return Err(Refusal::invalid("to", "is of the control centre"));
        }
        if let Some(known) = self.known_support_message(&me, &draft).await? {
            return Ok(known);
        }
        for _ in 0..3 {
            if let Some(room) = self.open_case_of(&whose.id).await? {
                let draft = Draft { room: Some(room.clone()), ..draft.clone() };
                let sent = self.post(actor, draft).await?;
                return Ok((self.room(&room).await?, sent));
            }
            match self.judged(|| self.open_support(actor, &me, &whose, &draft)).await {
                // Another first message was quicker.
                Err(Refusal::Taken { .. }) => {}
                done => return done,
            }
        }
        Err(Refusal::Unavailable)
    }

    async fn open_support(
        &self,
        actor: &Actor,
        me: &Arc<User>,
        whose: &Arc<User>,
        draft: &Draft,
    ) -> Result<(Arc<Room>, Sent)> {
        let mut room = self.blank_room(RoomKind::Case, me);
        room.name = Some(case_name(&room.id));
        room.title = Some(format!("Support: {}", whose.shown_name()));
        let first = self.compose(actor, &Arc::new(room.clone()), me, draft).await?;
        let mut members: Vec<Membership> = vec![self.new_membership(&room, &me.id, false)];
        if whose.id != me.id {
            members.push(self.new_membership(&room, &whose.id, true));
        }
        let new = crate::rooms_create::Draft { room, members, notices: Vec::new() };
        let judgement = Judgement { user: Some((me.id.clone(), me.access)), ..Judgement::default() };
        let whose = whose.clone();
        let opened = self
            .store()
            .writing(Lane::Messages, move |tx| {
                tx.check(&judgement)?;
                if tx.open_case_of(&whose.id)?.is_some() {
                    return Err(Refusal::Taken { what: What::RoomName, value: String::new() });
                }
                open(tx, &new, Some(&first), Some(&whose), Priority::Normal)
            })
            .await?;
        let message = opened.message.ok_or(Refusal::NotFound(What::Message))?;
        Ok((opened.conversation.room.clone(), Sent { message, duplicate: opened.duplicate }))
    }

    /// A retry is answered from the case that it went to, also when that is closed by now.
    async fn known_support_message(&self, me: &User, draft: &Draft) -> Result<Option<(Arc<Room>, Sent)>> {
        let Some(client_id) = &draft.client_id else { return Ok(None) };
        let id = self.client_message_id(me, client_id);
        let found = self.store().reading(move |rows| rows.message(&id)).await?;
        let Some(message) = found.filter(|m| m.author == me.id) else { return Ok(None) };
        match self.room(&message.room).await {
            Ok(room) if room.kind == RoomKind::Case => {
                Ok(Some((room, Sent { message: Arc::new(message), duplicate: true })))
            }
            Ok(_) => Err(Refusal::IdConflict),
            Err(_) => Ok(None),
        }
    }
}

/// `group_` and the title's slug; the end of the room's id, where it is known, when nothing of the title is left.
pub(crate) fn group_name(title: &str, id: Option<&RoomId>) -> String {
    format!("{GROUP}{}", id.map_or_else(|| host_slug(title), |id| host_name(title, id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teams_name_is_lower_case_and_not_one_of_the_servers_own() {
        assert_eq!(team_name("Crew.1"), Ok("crew.1".to_owned()));
        for bad in ["", "a b", "é", "case-1", "Ticket-x", "group_props", &"x".repeat(65)] {
            assert!(team_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_group_is_named_by_its_slug() {
        assert_eq!(group_name("Stage  Props!", None), "group_stage_props");
        assert_eq!(group_name("日本", Some(&"0123456789abcdef".into())), "group_89abcdef");
    }
}
