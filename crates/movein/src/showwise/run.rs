//! Bringing the old chat in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use anyhow::{Context, Result};
use parlor_core::{
    chat::Chat,
    clock::Time,
    error::Refusal,
    id::MessageId,
    json::Json,
    restore::{Restored, RestoredRoom},
    session::Actor,
    user::User,
};
use serde_json::json;

use super::{Counts, Old, OldGroup, OldMessage, OldPlace};

/// Names the source in the ids that are derived from it: changing it would bring everything in again.
const SOURCE: &str = "showwise";

/// Where messages go: one room each, by names in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Team(String),
    /// A requester's case.
    Case(String),
    Pair(String, String),
    Group(String),
}

/// Brings in what was read; with `dry_run` only says what it would do. Nothing of it is told to anybody, and what was
/// brought in before stays as it is.
///
/// # Errors
/// When the store fails; what was stored until then stays, and another run goes on.
pub async fn run(chat: &Chat, actor: &Actor, old: Old, dry_run: bool) -> Result<Counts> {
    let mut old = sifted(chat, old).await?;
    let skipped = std::mem::take(&mut old.skipped);
    let mut counts = Counts { entries: old.entries, skipped, ..Counts::default() };
    let groups = groups(chat, &old);
    let mut people = People { chat, actor, dry_run, groups, known: HashMap::new(), made: 0 };
    for name in names(&old) {
        people.see(&name).await?;
    }
    counts.users_new = people.made;
    for group in &old.groups {
        bring_group(&people, group, &mut counts).await?;
    }
    let mut rooms: BTreeMap<Room, Vec<(MessageId, &OldMessage)>> = BTreeMap::new();
    let mut repeats: HashMap<String, usize> = HashMap::new();
    for message in &old.messages {
        let key = key(message);
        let repeat = repeats.entry(key.clone()).or_default();
        *repeat += 1;
        let id = chat.imported_id(SOURCE, &format!("{key}\n{repeat}"));
        rooms.entry(room_of(message)).or_default().push((id, message));
    }
    for (room, messages) in rooms {
        bring_messages(&people, &room, messages, &mut counts).await?;
    }
    Ok(counts)
}

/// Without what can't come in: names that nobody has and that are reserved make no users.
async fn sifted(chat: &Chat, mut old: Old) -> Result<Old> {
    let mut refused = HashSet::new();
    for name in names(&old) {
        if chat.may_be_named(&name).is_err() && chat.user_of_name(&name).await?.is_none() {
            refused.insert(name.to_lowercase());
        }
    }
    let bad = |names: Vec<&String>| {
        let name = names.into_iter().find(|name| refused.contains(&name.to_lowercase()))?;
        Some(format!("nobody here is called '{name}', and the name is reserved"))
    };
    let skipped = &mut old.skipped;
    let mut left_out = |what: String, why: Option<String>| {
        skipped.extend(why.iter().map(|why| format!("{what}: {why}")));
        why.is_some()
    };
    old.groups.retain(|group| !left_out(format!("group '{}'", group.name), bad(people_of_group(group))));
    old.messages
        .retain(|message| !left_out(format!("message {}", message.number), bad(people_of_message(message))));
    Ok(old)
}

/// The groups of all titles that occur, letter case aside.
fn groups(chat: &Chat, old: &Old) -> HashMap<String, RestoredRoom> {
    let of_messages = old.messages.iter().filter_map(|message| match &message.to {
        OldPlace::Group(title) => Some(title),
        _ => None,
    });
    let mut seen = HashSet::new();
    let titles = old.groups.iter().map(|group| &group.name).chain(of_messages);
    let titles: Vec<String> = titles.filter(|title| seen.insert(title.to_lowercase())).cloned().collect();
    let groups = chat.restored_groups(SOURCE, &titles);
    titles.iter().map(|title| title.to_lowercase()).zip(groups).collect()
}

/// Why this room can't be brought in, if it can't.
async fn obstacle(people: &People<'_>, wanted: &RestoredRoom) -> Result<Option<Refusal>> {
    match people.chat.may_restore(people.actor, wanted).await {
        Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => Err(refusal.into()),
        done => Ok(done.err()),
    }
}

/// What tells one message from another: the same twice is counted.
fn key(message: &OldMessage) -> String {
    let place = match &message.to {
        OldPlace::Team(team) => format!("team {team}"),
        OldPlace::Support => "support".to_owned(),
        OldPlace::Person(name) => format!("to {}", name.to_lowercase()),
        OldPlace::Group(name) => format!("group {}", name.to_lowercase()),
    };
    format!("{}\n{place}\n{}\n{}", message.from.to_lowercase(), message.written, message.text)
}

fn room_of(message: &OldMessage) -> Room {
    let from = message.from.to_lowercase();
    match &message.to {
        OldPlace::Team(team) => Room::Team(team.clone()),
        OldPlace::Support => Room::Case(from),
        OldPlace::Person(name) => {
            let to = name.to_lowercase();
            if from <= to { Room::Pair(from, to) } else { Room::Pair(to, from) }
        }
        OldPlace::Group(name) => Room::Group(name.to_lowercase()),
    }
}

/// Every name that occurs, each once.
fn names(old: &Old) -> Vec<String> {
    let of_groups = old.groups.iter().flat_map(people_of_group);
    let of_messages = old.messages.iter().flat_map(people_of_message);
    let mut seen = BTreeSet::new();
    of_groups.chain(of_messages).filter(|name| seen.insert(name.to_lowercase())).cloned().collect()
}

fn people_of_group(group: &OldGroup) -> Vec<&String> {
    group.members.iter().chain([&group.creator]).collect()
}

fn people_of_message(message: &OldMessage) -> Vec<&String> {
    match &message.to {
        OldPlace::Person(to) => vec![to, &message.from],
        _ => vec![&message.from],
    }
}

/// Users by their names.
struct People<'a> {
    chat: &'a Chat,
    actor: &'a Actor,
    dry_run: bool,
    /// Groups by their titles in lower case.
    groups: HashMap<String, RestoredRoom>,
    known: HashMap<String, Arc<User>>,
    made: usize,
}

impl People<'_> {
    async fn see(&mut self, name: &str) -> Result<()> {
        let found = match self.chat.user_of_name(name).await? {
            Some(user) => Some(user),
            None => {
                self.made += 1;
                match self.dry_run {
                    true => None,
                    false => Some(self.chat.user_by_name_only(self.actor, name, None, None).await?),
                }
            }
        };
        if let Some(user) = found {
            self.known.insert(name.to_lowercase(), user);
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&Arc<User>> {
        self.known.get(&name.to_lowercase())
    }

    fn all<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Vec<Arc<User>> {
        names.into_iter().filter_map(|name| self.get(name)).cloned().collect()
    }
}

async fn bring_group(people: &People<'_>, group: &OldGroup, counts: &mut Counts) -> Result<()> {
    let chat = people.chat;
    let wanted = people.groups.get(&group.name.to_lowercase()).context("a group that was read")?;
    if let Some(why) = obstacle(people, wanted).await? {
        counts.skipped.push(format!("group '{}': {why}", group.name));
        return Ok(());
    }
    match chat.restored_room(people.actor, wanted).await? {
        Some(_) => counts.groups_known += 1,
        None => counts.groups_new += 1,
    }
    let Some(creator) = people.get(&group.creator).filter(|_| !people.dry_run) else { return Ok(()) };
    let room = chat.restore_room(people.actor, wanted, creator).await?;
    let members = people.all(group.members.iter().chain([&group.creator]));
    chat.restore_members(people.actor, &room, &members)
        .await
        .with_context(|| format!("group '{}'", group.name))
}

async fn bring_messages(
    people: &People<'_>,
    place: &Room,
    mut messages: Vec<(MessageId, &OldMessage)>,
    counts: &mut Counts,
) -> Result<()> {
    let chat = people.chat;
    let ids: Vec<MessageId> = messages.iter().map(|(id, _)| id.clone()).collect();
    let known = chat.known_messages(people.actor, &ids).await?;
    messages.retain(|(id, _)| !known.contains(id));
    counts.messages_known += known.len();
    if messages.is_empty() {
        return Ok(());
    }
    let Some(wanted) = wanted(people, place) else {
        // Only a dry run does not know everybody.
        counts.messages_new += messages.len();
        return Ok(());
    };
    if let Some(why) = obstacle(people, &wanted).await? {
        counts.skipped.extend(messages.iter().map(|(_, m)| format!("message {}: {why}", m.number)));
        return Ok(());
    }
    counts.messages_new += messages.len();
    if people.dry_run {
        return Ok(());
    }
    // The order of the times there, where they are known, is the order here.
    messages.sort_by_key(|(_, m)| (m.at.unwrap_or(Time(i64::MAX)), m.number));
    let first = people.get(&messages[0].1.from).context("the first author")?;
    let room = chat.restore_room(people.actor, &wanted, first).await?;
    let restored: Vec<Restored> = messages.iter().filter_map(|(id, old)| restored(people, id, old)).collect();
    chat.restore_messages(people.actor, &room, restored).await?;
    let authors = people.all(messages.iter().map(|(_, old)| &old.from));
    if !matches!(wanted, RestoredRoom::Direct(..)) {
        chat.restore_members(people.actor, &room, &authors).await?;
    }
    Ok(())
}

fn wanted(people: &People<'_>, place: &Room) -> Option<RestoredRoom> {
    Some(match place {
        Room::Team(team) => RestoredRoom::Team(team.clone()),
        Room::Group(title) => people.groups.get(title)?.clone(),
        Room::Case(name) => RestoredRoom::Case(people.get(name)?.clone()),
        Room::Pair(one, other) => RestoredRoom::Direct(people.get(one)?.clone(), people.get(other)?.clone()),
    })
}

fn restored(people: &People<'_>, id: &MessageId, old: &OldMessage) -> Option<Restored> {
    let metadata = json!({ "migrated": true, "original_date": old.written, "sender": old.from }).to_string();
    Some(Restored {
        id: id.clone(),
        author: people.get(&old.from)?.clone(),
        text: old.text.clone(),
        at: old.at,
        metadata: Some(Json::new(metadata)),
    })
}
