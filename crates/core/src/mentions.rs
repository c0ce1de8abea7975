//! Whom and what a text names: `@user`, `@team`, `@all`, `@here`, `#room`, links.

use std::{collections::BTreeSet, sync::Arc};

use parlor_markup::Document;

use crate::{
    chat::Chat,
    error::Result,
    id::UserId,
    json::Json,
    message::{Link, Mention, Message, RoomMention},
    room::Room,
    session::Actor,
    store::{MemberFilter, Page, Read, RoomFilter, Team},
    user::User,
};

/// Names looked up for one message; further ones stay plain text.
const MAX_NAMES: usize = 50;
/// Members of mentioned teams that get a mention each.
const MAX_TEAM_MEMBERS: u64 = 500;
/// Links of one message that are kept.
const MAX_LINKS: usize = 50;
/// With more links than this, none gets a preview.
const MAX_PREVIEWS: usize = 5;
/// What stands where a preview would, in a text with more links than that: nobody looks at any of them.
pub(crate) const PASSED_OVER: &str = r#"{"meta":{}}"#;

/// What a text names, found in the store.
#[derive(Default)]
struct Named {
    mentions: Vec<Mention>,
    channels: Vec<RoomMention>,
    users: BTreeSet<UserId>,
}

impl Chat {
    /// Fills in mentions and channels; gives back who gets a mention row (never the author).
    pub(crate) async fn address(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        author: &Arc<User>,
        read: &Document,
        message: &mut Message,
    ) -> Result<Vec<UserId>> {
        let once = |all: Vec<&str>| all.into_iter().take(MAX_NAMES).map(str::to_owned).collect();
        let (people, rooms): (Vec<String>, Vec<String>) =
            (once(parlor_markup::mentions(read)), once(parlor_markup::channels(read)));
        if people.is_empty() && rooms.is_empty() {
            return Ok(Vec::new());
        }
        for (word, permission) in [("all", "mention-all"), ("here", "mention-here")] {
            if people.iter().any(|name| name == word) {
                self.require(actor, permission, Some(room)).await?;
            }
        }
        let author = author.id.clone();
        let look_up = move |rows: &mut dyn Read| {
            let mut named = Named::default();
            for name in &people {
                look_up_person(rows, name, &author, &mut named)?;
            }
            for name in &rooms {
                look_up_room(rows, name, &author, &mut named)?;
            }
            named.users.remove(&author);
            Ok(named)
        };
        let named = self.store().reading(look_up).await?;
        (message.mentions, message.channels) = (named.mentions, named.channels);
        Ok(named.users.into_iter().collect())
    }

    /// The links of a text, in order, each once. `previews` limits which may be looked at.
    pub(crate) fn links_of(&self, read: &Document, previews: Option<&[String]>) -> Vec<Link> {
        let link = |url: &str| Link { url: url.to_owned(), no_preview: false, preview: None };
        let mut links: Vec<Link> = parlor_markup::links(read).into_iter().take(MAX_LINKS).map(link).collect();
        let site = self.settings().text("Site_Url").to_owned();
        let external = |url: &str| site.is_empty() || !url.starts_with(&site);
        let too_many = links.iter().filter(|l| external(&l.url)).count() > MAX_PREVIEWS;
        for link in &mut links {
            link.no_preview = previews.is_some_and(|all| !all.contains(&link.url));
            link.preview = too_many.then(|| Json::new(PASSED_OVER.to_owned()));
        }
        links
    }
}

fn look_up_person(rows: &mut dyn Read, name: &str, author: &UserId, named: &mut Named) -> Result<()> {
    match name {
        "all" => named.mentions.push(Mention::All),
        "here" => named.mentions.push(Mention::Here),
        _ => {
            if let Some(user) = rows.user_by_username(name)? {
                named.users.insert(user.id.clone());
                named.mentions.push(Mention::User { id: user.id, username: user.username, name: user.name });
            } else if let Some(team) = rows.team_by_name(name)?
                && may_know(rows, &team, author)?
            {
                let page = Page { offset: 0, count: MAX_TEAM_MEMBERS };
                let members = rows.members(&team.room, &MemberFilter::default(), page)?;
                named.users.extend(members.items.into_iter().map(|m| m.user));
                named.mentions.push(Mention::Team { id: team.id, name: team.name });
            }
        }
    }
    Ok(())
}

/// Only rooms that the author may know of become links.
fn look_up_room(rows: &mut dyn Read, name: &str, author: &UserId, named: &mut Named) -> Result<()> {
    let Some(room) = crate::rooms::named(rows, name)? else { return Ok(()) };
    let known = rows.membership(&room.id, author)?.is_some() || {
        let ids = Some(vec![room.id.clone()]);
        let filter = RoomFilter { ids, visible_to: Some(author.clone()), ..RoomFilter::default() };
        rows.rooms(&filter, Page { offset: 0, count: 1 })?.total > 0
    };
    if known {
        let name = room.name.unwrap_or_default();
        named.channels.push(RoomMention { id: room.id, name, title: room.title });
    }
    Ok(())
}

/// Private teams are for their members; to others they don't exist.
fn may_know(rows: &mut dyn Read, team: &Team, author: &UserId) -> Result<bool> {
    Ok(!team.private || rows.membership(&team.room, author)?.is_some())
}
