//! Changing what a room is: name, topic, rights, type and the rest. Each change that people should see writes its notice.

use std::sync::Arc;

use crate::{
    audit::AuditEntry,
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::RoomId,
    json::Json,
    message::Message,
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    rooms::RoomRef,
    rooms_names::{Names, clean_title, refuse_reserved},
    rooms_notices::change_room,
    session::Actor,
    store::{Lane, Page, RoomFilter, Team, Tx},
    teams::MAX_ROOMS,
    user::User,
};

/// Longest topic, description or announcement, in characters.
pub const MAX_TEXT: usize = 5_000;
/// System message types that a room may hide.
const MAX_HIDDEN: usize = 100;

/// One change of a room.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum RoomChange {
    Name(String),
    Topic(String),
    Description(String),
    Announcement(String),
    Kind(RoomKind),
    ReadOnly(bool),
    ReactWhenReadOnly(bool),
    Archived(bool),
    /// Only for holders of `view-room-administration`; such rooms are public.
    Default(bool),
    /// New members of this default room have it as a favourite.
    Favourite(bool),
    Featured(bool),
    JoinCode(Option<String>),
    CustomFields(Json),
    HiddenSystem(Vec<String>),
    Encrypted(bool),
    /// The name of the key that the clients encrypt with; set once.
    E2eKey(String),
    /// One or two of `channels` and `discussions`; only team main rooms.
    Sidepanel(Vec<String>),
}

/// A change that has been judged and checked, with the notice it writes.
#[derive(Clone)]
struct Step {
    change: RoomChange,
    names: Option<Names>,
    notice: Option<Message>,
    judgement: Judgement,
}

impl Chat {
    /// Makes all these changes, or none. A change that leaves everything as it is writes no notice.
    pub async fn change_room(
        &self,
        actor: &Actor,
        room: RoomRef<'_>,
        changes: &[RoomChange],
    ) -> Result<Arc<Room>> {
        self.judged(|| self.try_change_room(actor, room, changes)).await
    }

    async fn try_change_room(
        &self,
        actor: &Actor,
        wanted: RoomRef<'_>,
        changes: &[RoomChange],
    ) -> Result<Arc<Room>> {
        let user = self.active_user(actor).await?;
        let room = self.look_up(wanted).await?;
        let mut steps = Vec::with_capacity(changes.len());
        for change in changes {
            let judgement = self.authorize(actor, action(&room, change), Object::Room(&room)).await?;
            if matches!(change, RoomChange::Default(_) | RoomChange::Favourite(_) | RoomChange::Featured(_)) {
                self.require(actor, "view-room-administration", None).await?;
            }
            check(&room, change)?;
            self.check_new_kind(actor, &room, change).await?;
            let names = match change {
                RoomChange::Name(name) => {
                    refuse_reserved(name)?;
                    Some(match (&room.parent, &room.name) {
                        // A discussion goes by what it is about; its name is for addresses and stays.
                        (Some(_), Some(there)) => Names { name: there.clone(), title: clean_title(name)? },
                        _ => self.check_room_name(name, Some(&room.id)).await?,
                    })
                }
                _ => None,
            };
            let notice = self.notice_of(&room, &user, change, names.as_ref());
            steps.push(Step { change: change.clone(), names, notice, judgement });
        }
        // Those who administer rooms change them without being in them: that is written down.
        let entry =
            self.audit_entry(actor, "room.changed", &format!("{} {}", room.shown_name(), room.id)).await?;
        self.store_changes(&room, steps, entry).await
    }

    /// Whoever changes a room's type must be allowed to make one of the new type.
    async fn check_new_kind(&self, actor: &Actor, room: &Room, change: &RoomChange) -> Result<()> {
        match change {
            RoomChange::Kind(kind) if *kind != room.kind => {
                let permission = if *kind == RoomKind::Channel { "create-c" } else { "create-p" };
                self.require(actor, permission, None).await
            }
            _ => Ok(()),
        }
    }

    async fn store_changes(
        &self,
        room: &Arc<Room>,
        steps: Vec<Step>,
        entry: AuditEntry,
    ) -> Result<Arc<Room>> {
        let id = room.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                for step in &steps {
                    tx.check(&step.judgement)?;
                }
                let before = tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                if tx.membership(&id, &entry.actor)?.is_none() {
                    crate::audit::keep(tx, &entry)?;
                }
                let team = before.team.clone().filter(|_| before.team_main);
                let access = steps.iter().any(|step| decides_access(&step.change));
                let after = change_room(tx, &id, access, |room| {
                    steps.iter().for_each(|step| apply(room, step));
                })?;
                if let Some(team) = team.map(|team| tx.team(&team)).transpose()?.flatten() {
                    follow(tx, team, &after)?;
                }
                for step in &steps {
                    if let Some(notice) = &step.notice
                        && differs(&before, step)
                    {
                        tx.append_message(notice.clone())?;
                    }
                }
                tx.room(&id)?.map(Arc::new).ok_or(Refusal::NotFound(What::Room))
            })
            .await
    }

    fn notice_of(
        &self,
        room: &Room,
        by: &User,
        change: &RoomChange,
        names: Option<&Names>,
    ) -> Option<Message> {
        use RoomChange as C;
        let switch = |on: &bool, yes: &'static str, no: &'static str| if *on { yes } else { no };
        let (kind, text) = match change {
            C::Name(_) => ("r", names.map(|n| n.title.clone()).unwrap_or_default()),
            C::Topic(text) => ("room_changed_topic", text.clone()),
            C::Description(text) => ("room_changed_description", text.clone()),
            C::Announcement(text) => ("room_changed_announcement", text.clone()),
            C::Kind(kind) => {
                let now = if *kind == RoomKind::Channel { "public" } else { "private" };
                ("room_changed_privacy", now.to_owned())
            }
            C::ReadOnly(on) => (switch(on, "room-set-read-only", "room-removed-read-only"), String::new()),
            C::ReactWhenReadOnly(on) => {
                (switch(on, "room-allowed-reacting", "room-disallowed-reacting"), String::new())
            }
            C::Archived(on) => (switch(on, "room-archived", "room-unarchived"), String::new()),
            C::Encrypted(on) => (switch(on, "room_e2e_enabled", "room_e2e_disabled"), by.username.clone()),
            _ => return None,
        };
        Some(self.notice(&room.id, by, kind, text))
    }
}

/// A team is called and seen like its main room.
fn follow(tx: &mut dyn Tx, mut team: Team, main: &Room) -> Result<()> {
    let closes = main.kind == RoomKind::Group && !team.private;
    team.name = main.name.clone().unwrap_or(team.name);
    team.private = !main.is_public();
    team.updated_at = main.updated_at;
    tx.update_team(&team)?;
    if !closes {
        return Ok(());
    }
    // Its channels are for the team alone from now on: whoever reads along in one is judged again.
    let kinds = vec![RoomKind::Channel];
    let channels = RoomFilter { team: Some(team.id), in_team: Some(true), kinds, ..RoomFilter::default() };
    for view in tx.rooms(&channels, Page { offset: 0, count: MAX_ROOMS })?.items {
        change_room(tx, &view.room.id, true, |_| {})?;
        judge_discussions_anew(tx, &view.room.id)?;
    }
    judge_discussions_anew(tx, &main.id)
}

/// Whoever reads along in a public discussion of this room is judged again: it is as open as the room.
pub(crate) fn judge_discussions_anew(tx: &mut dyn Tx, room: &RoomId) -> Result<()> {
    let (parent, kinds) = (Some(room.clone()), vec![RoomKind::Channel]);
    let discussions = RoomFilter { parent, kinds, ..RoomFilter::default() };
    for view in tx.rooms(&discussions, Page { offset: 0, count: MAX_ROOMS })?.items {
        change_room(tx, &view.room.id, true, |_| {})?;
    }
    Ok(())
}

fn action(room: &Room, change: &RoomChange) -> Action {
    use RoomChange as C;
    match change {
        C::Archived(true) => Action::ArchiveRoom,
        C::Archived(false) => Action::UnarchiveRoom,
        C::ReadOnly(_) => Action::SetReadOnly,
        C::ReactWhenReadOnly(_) => Action::SetReactWhenReadOnly,
        C::Encrypted(_) => Action::ToggleEncryption,
        // In direct rooms both sides are equal, and what is written there is read like a message.
        C::Topic(_) | C::Announcement(_) | C::Description(_) if room.is_direct() => Action::PostMessage,
        C::E2eKey(_) => Action::TakePart,
        _ => Action::EditRoom,
    }
}

/// Bounds, and what a room of this kind can't be.
fn check(room: &Room, change: &RoomChange) -> Result<()> {
    use RoomChange as C;
    let direct = || if room.is_direct() { Err(State::DirectRoom.into()) } else { Ok(()) };
    match change {
        C::Topic(text) => bounded(text, "topic"),
        C::Description(text) => bounded(text, "description"),
        C::Announcement(text) => bounded(text, "announcement"),
        C::Kind(kind) if !matches!(kind, RoomKind::Channel | RoomKind::Group) => {
            Err(Refusal::invalid("room-type", "must be a channel or a group"))
        }
        C::Kind(_) if matches!(room.kind, RoomKind::Case | RoomKind::Ticket) => {
            Err(Refusal::invalid("room-type", "can't be changed"))
        }
        C::Kind(kind) if room.default && *kind != RoomKind::Channel => Err(State::DefaultRoom.into()),
        C::Archived(on) => match (room.archived, on) {
            _ if room.is_direct() => Err(State::DirectRoom.into()),
            (true, true) => Err(State::Archived.into()),
            (false, false) => Err(State::NotArchived.into()),
            _ => Ok(()),
        },
        C::Default(true) if !matches!(room.kind, RoomKind::Channel | RoomKind::Group) => {
            Err(Refusal::invalid("room", "only channels and groups can be default rooms"))
        }
        C::JoinCode(Some(code)) if code.chars().count() > 100 => {
            Err(Refusal::TooLarge { what: "join-code", limit: 100 })
        }
        C::CustomFields(json) if json.as_str().len() > 64 * 1024 => {
            Err(Refusal::TooLarge { what: "customFields", limit: 64 * 1024 })
        }
        C::JoinCode(Some(code)) if code.chars().any(char::is_control) => {
            Err(Refusal::invalid("join-code", "must not hold control characters"))
        }
        C::HiddenSystem(types) => hidden(types),
        C::E2eKey(key) => e2e_key(room, key),
        C::Sidepanel(items) => check_sidepanel(room, items),
        C::Encrypted(_) => Ok(()),
        _ => direct(),
    }
}

/// A line that can be stored.
pub(crate) fn bounded(text: &str, what: &'static str) -> Result<()> {
    if text.chars().count() > MAX_TEXT {
        return Err(Refusal::TooLarge { what, limit: MAX_TEXT as u64 });
    }
    if text.contains('\0') { Err(Refusal::invalid(what, "must not hold NUL")) } else { Ok(()) }
}

fn hidden(types: &[String]) -> Result<()> {
    let word = |t: &String| !t.is_empty() && t.len() <= 64 && t.bytes().all(|b| b.is_ascii_graphic());
    if types.len() > MAX_HIDDEN {
        return Err(Refusal::TooLarge { what: "system-messages", limit: MAX_HIDDEN as u64 });
    }
    if types.iter().all(word) {
        Ok(())
    } else {
        Err(Refusal::invalid("settings", "is no type of system messages"))
    }
}

fn e2e_key(room: &Room, key: &str) -> Result<()> {
    if room.e2e_key.as_deref().is_some_and(|there| there != key) {
        return Err(Refusal::Taken { what: What::Other, value: "e2eKeyId".into() });
    }
    let good = !key.is_empty() && key.len() <= 128 && key.bytes().all(|b| b.is_ascii_graphic());
    if good { Ok(()) } else { Err(Refusal::invalid("settings", "is no key id")) }
}

/// A side panel belongs to a team's main room and shows one or two lists, or none at all.
pub(crate) fn check_sidepanel(room: &Room, items: &[String]) -> Result<()> {
    let known = |item: &String| item == "channels" || item == "discussions";
    let distinct = items.len() < 2 || items[0] != items[1];
    if items.is_empty() || room.team_main && items.len() <= 2 && items.iter().all(known) && distinct {
        return Ok(());
    }
    Err(Refusal::invalid("sidepanel", "takes channels or discussions or both, in a team's main room"))
}

fn decides_access(change: &RoomChange) -> bool {
    use RoomChange as C;
    matches!(change, C::Kind(_) | C::ReadOnly(_) | C::ReactWhenReadOnly(_) | C::Archived(_) | C::Encrypted(_))
}

fn apply(room: &mut Room, step: &Step) {
    use RoomChange as C;
    match &step.change {
        C::Name(_) => {
            if let Some(names) = &step.names {
                room.name = Some(names.name.clone());
                room.title = Some(names.title.clone());
            }
        }
        C::Topic(text) => room.topic.clone_from(text),
        C::Description(text) => room.description.clone_from(text),
        C::Announcement(text) => room.announcement.clone_from(text),
        C::Kind(kind) => room.kind = *kind,
        C::ReadOnly(on) => {
            room.read_only = *on;
            if !on {
                room.unmuted.clear();
            }
        }
        C::ReactWhenReadOnly(on) => room.react_when_read_only = *on,
        C::Archived(on) => room.archived = *on,
        C::Default(on) => {
            room.default = *on;
            room.favourite &= *on;
        }
        // A favourite of nobody's default room means nothing.
        C::Favourite(on) => room.favourite = *on && room.default,
        C::Featured(on) => room.featured = *on,
        C::JoinCode(code) => room.join_code = code.clone().filter(|code| !code.trim().is_empty()),
        C::CustomFields(json) => room.custom_fields = json.clone(),
        C::HiddenSystem(types) => room.hidden_system.clone_from(types),
        C::Encrypted(on) => room.encrypted = *on,
        C::E2eKey(key) => room.e2e_key = Some(key.clone()),
        C::Sidepanel(items) => room.sidepanel.clone_from(items),
    }
}

/// Whether the step changes anything that its notice tells.
fn differs(before: &Room, step: &Step) -> bool {
    let mut after = before.clone();
    apply(&mut after, step);
    after.name != before.name || after.title != before.title || after != *before
}

#[cfg(test)]
#[path = "room_settings_tests.rs"]
mod tests;
