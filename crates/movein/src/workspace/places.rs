//! Rooms, teams and memberships.

use anyhow::Result;
use parlor_core::{
    bootstrap::ROCKET_CAT,
    id::{MembershipId, MessageId, RoleId, RoomId, TeamId, UserId},
    membership::{Membership, Notify, ReadMark, Translation},
    moving::Moved,
    moving_rooms::{MovedMember, Seen},
    retention::Retention,
    room::{Room, RoomKind},
    store::Team,
};

use super::{
    Importer,
    kind::{MEMBERS, ROOMS, TEAMS},
};
use crate::doc::Doc;

/// People of one direct room.
const MOST_DIRECT: usize = 64;

impl Importer<'_> {
    /// Takes in a batch of rooms.
    pub(crate) async fn rooms(&mut self, docs: Vec<Doc>) -> Result<()> {
        let people: Vec<_> = docs.iter().filter(|doc| doc.words("t") == "d").flat_map(people_of).collect();
        self.remember(people).await?;
        let (mut there, mut wanted) = (Vec::new(), Vec::new());
        for doc in docs {
            self.tally.read(ROOMS);
            match self.moved_room(&doc) {
                Ok(room) => {
                    there.push((doc.id(), room.name.clone(), retention(&doc)));
                    wanted.push(room);
                }
                Err(reason) => self.tally.left(ROOMS, &doc.id(), reason),
            }
        }
        let done = self.chat.move_rooms(&self.actor, wanted, self.dry).await?;
        for ((there, name, rule), moved) in there.into_iter().zip(done) {
            self.tally.done(ROOMS, &there, &moved);
            match &moved {
                Moved::New(room) if room.name != name => self.tally.note(format!(
                    "room {} is {} here: the name was taken",
                    name.unwrap_or_default(),
                    room.name.as_deref().unwrap_or_default()
                )),
                _ => {}
            }
            if let Moved::New(room) | Moved::Known(room) = moved {
                if let Some(rule) = rule.filter(|_| !self.dry) {
                    self.chat.move_retention(&self.actor, &room.id, rule).await?;
                }
                self.rooms.insert(there, room.id);
            }
        }
        Ok(())
    }

    fn moved_room(&self, doc: &Doc) -> Result<Room, &'static str> {
        let id = RoomId::parse(&doc.id()).ok_or("its id can't be one here")?;
        let kind = match doc.words("t").as_str() {
            "c" => RoomKind::Channel,
            "p" => RoomKind::Group,
            "d" => RoomKind::Direct,
            "l" | "v" => return Err("rooms with customers (Omnichannel) do not move in"),
            _ => return Err("it is of no known type"),
        };
        let creator = self.people.get(&doc.words("u._id")).map_or(UserId::new(ROCKET_CAT), |p| p.id.clone());
        let empty = self.chat.empty_room(id, kind, creator);
        let created_at = doc.time("ts").or_else(|| doc.time("_updatedAt")).unwrap_or_default();
        let named = kind != RoomKind::Direct;
        let users = |path: &str| -> Vec<UserId> {
            doc.texts(path).iter().filter_map(|name| Some(self.person_named(name)?.id.clone())).collect()
        };
        Ok(Room {
            name: named.then(|| doc.text("name").unwrap_or_else(|| doc.id())),
            title: doc.text("fname").filter(|_| named),
            topic: doc.words("topic"),
            description: doc.words("description"),
            announcement: doc.words("announcement"),
            default: doc.is("default"),
            featured: doc.is("featured"),
            favourite: doc.is("favorite"),
            read_only: doc.is("ro"),
            react_when_read_only: doc.is("reactWhenReadOnly"),
            broadcast: doc.is("broadcast"),
            encrypted: doc.is("encrypted"),
            archived: doc.is("archived"),
            join_code: doc.text("joinCode").filter(|_| doc.is("joinCodeRequired")),
            hidden_system: doc.texts("sysMes").into_iter().filter(|kind| is_word(kind)).collect(),
            custom_fields: doc.carried("customFields").unwrap_or_default(),
            sidepanel: doc
                .texts("sidepanel.items")
                .into_iter()
                .filter(|item| is_word(item))
                .take(10)
                .collect(),
            muted: users("muted"),
            unmuted: users("unmuted"),
            e2e_key: doc.text("e2eKeyId"),
            parent: doc.text("prid").and_then(|id| RoomId::parse(&id)),
            team: doc.text("teamId").and_then(|id| TeamId::parse(&id)),
            team_main: doc.is("teamMain"),
            team_default: doc.is("teamDefault"),
            direct: if named { Vec::new() } else { self.direct(doc)? },
            created_at,
            updated_at: doc.time("_updatedAt").unwrap_or(created_at),
            ..empty
        })
    }

    fn direct(&self, doc: &Doc) -> Result<Vec<UserId>, &'static str> {
        let ids = doc.texts("uids");
        let mut users: Vec<UserId> = if ids.is_empty() {
            let named = doc.texts("usernames");
            named.iter().filter_map(|name| Some(self.person_named(name)?.id.clone())).collect()
        } else {
            ids.iter().filter_map(|id| Some(self.people.get(id)?.id.clone())).collect()
        };
        users.sort();
        users.dedup();
        match users.len() {
            0 => Err("nobody is in it"),
            1..=MOST_DIRECT => Ok(users),
            _ => Err("too many people are in it"),
        }
    }

    /// Takes in a team.
    pub(crate) async fn team(&mut self, doc: Doc) -> Result<()> {
        self.tally.read(TEAMS);
        let moved = match self.moved_team(&doc) {
            Ok(team) => self.chat.move_team(&self.actor, team, self.dry).await?,
            Err(reason) => Moved::Left(reason.to_owned()),
        };
        self.tally.done(TEAMS, &doc.id(), &moved);
        Ok(())
    }

    fn moved_team(&self, doc: &Doc) -> Result<Team, &'static str> {
        let room = self.rooms.get(&doc.words("roomId")).ok_or("its main room is not there")?.clone();
        let created_at = doc.time("createdAt").unwrap_or_default();
        let creator = self.people.get(&doc.words("createdBy._id"));
        Ok(Team {
            id: TeamId::parse(&doc.id()).ok_or("its id can't be one here")?,
            name: doc.text("name").ok_or("it has no name")?,
            private: doc.number("type") == Some(1.0),
            room,
            creator: creator.map_or(UserId::new(ROCKET_CAT), |person| person.id.clone()),
            created_at,
            updated_at: doc.time("_updatedAt").unwrap_or(created_at),
        })
    }

    /// Takes in a batch of memberships, after the rooms' messages.
    pub(crate) async fn members(&mut self, docs: Vec<Doc>) -> Result<()> {
        let (mut ids, mut wanted) = (Vec::new(), Vec::new());
        for doc in docs {
            self.tally.read(MEMBERS);
            match self.moved_member(&doc) {
                Ok(member) => {
                    ids.push(doc.id());
                    wanted.push(member);
                }
                Err(reason) => self.tally.left(MEMBERS, &doc.id(), reason),
            }
        }
        let done = self.chat.move_members(&self.actor, wanted, self.dry).await?;
        for (id, moved) in ids.iter().zip(&done) {
            self.tally.done(MEMBERS, id, moved);
        }
        Ok(())
    }

    fn moved_member(&self, doc: &Doc) -> Result<MovedMember, &'static str> {
        let room = self.rooms.get(&doc.words("rid")).ok_or("its room is not there")?;
        let user = &self.people.get(&doc.words("u._id")).ok_or("its user is not there")?.id;
        match doc.words("status").as_str() {
            "BANNED" => return Err("its user was banned from the room"),
            "INVITED" => return Err("its user was invited and never came"),
            _ => {}
        }
        let id = MembershipId::parse(&doc.id());
        let joined_at = doc.time("ts").or_else(|| doc.time("_updatedAt")).unwrap_or_default();
        let seen_at = doc.time("ls");
        let empty = self.chat.empty_membership(id, room, user);
        let ids = |path: &str| doc.texts(path).iter().filter_map(|id| UserId::parse(id)).collect();
        let membership = Membership {
            roles: doc.texts("roles").iter().filter_map(|role| RoleId::parse(role)).collect(),
            open: doc.flag("open").unwrap_or(true),
            favourite: doc.is("f"),
            joined_at,
            mark: ReadMark { at: seen_at, ..ReadMark::default() },
            last_reply: doc.time("lr"),
            notify: notify(doc),
            ignored: ids("ignored"),
            blocker: doc.is("blocker"),
            blocked: doc.is("blocked"),
            e2e_key: doc.text("E2EKey"),
            translation: translation(doc),
            ..empty
        };
        let news = doc.is("alert") || doc.number("unread").is_some_and(|unread| unread > 0.0);
        Ok(MovedMember {
            membership,
            seen: if news { Seen::Until(seen_at.unwrap_or(joined_at)) } else { Seen::All },
            unread_threads: doc.texts("tunread").iter().filter_map(|id| MessageId::parse(id)).collect(),
        })
    }
}

/// Into which language a room was wanted.
fn translation(doc: &Doc) -> Option<Translation> {
    let language =
        doc.text("autoTranslateLanguage").filter(|language| language.len() <= Translation::LONGEST);
    let on = doc.flag("autoTranslate");
    let said = on.is_some() || language.is_some();
    said.then(|| Translation { on, language: language.unwrap_or_default() })
}

/// Who is in a direct room: ids with the user names beside them, where both are in the same order.
fn people_of(doc: &Doc) -> Vec<(String, Option<String>)> {
    let (ids, names) = (doc.texts("uids"), doc.texts("usernames"));
    let paired = ids.len() == names.len();
    ids.into_iter()
        .take(MOST_DIRECT)
        .enumerate()
        .map(|(place, id)| (id, names.get(place).filter(|_| paired).cloned()))
        .collect()
}

/// Whether a text can stand in a list of words.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && !text.contains(char::is_whitespace)
}

/// A room's own rule of how long messages stay.
fn retention(doc: &Doc) -> Option<Retention> {
    let days = doc.number("retention.maxAge").unwrap_or(30.0) as i64;
    doc.at("retention")?.as_object()?;
    Some(Retention {
        enabled: doc.flag("retention.enabled").unwrap_or(true),
        own: doc.is("retention.overrideGlobal"),
        days,
        keep_pinned: doc.is("retention.excludePinned"),
        keep_threads: doc.is("retention.ignoreThreads"),
        files_only: doc.is("retention.filesOnly"),
    })
}

/// What was chosen for the room itself; what only repeats the user's own choice for all rooms follows that here too.
fn notify(doc: &Doc) -> Notify {
    let level =
        |path: &str| doc.text(path).filter(|word| ["all", "mentions", "nothing"].contains(&word.as_str()));
    let own = |path: &str, origin: &str| level(path).filter(|_| doc.words(origin) != "user");
    Notify {
        disabled: doc.is("disableNotifications"),
        desktop: own("desktopNotifications", "desktopPrefOrigin"),
        mobile: own("mobilePushNotifications", "mobilePrefOrigin"),
        email: own("emailNotifications", "emailPrefOrigin"),
        sound: doc.text("audioNotificationValue").filter(|sound| sound.len() <= 64),
        mute_group_mentions: doc.is("muteGroupMentions"),
        hide_unread: doc.is("hideUnreadStatus"),
        hide_mentions: doc.is("hideMentionStatus"),
        unread_alert: level("unreadAlert"),
    }
}
