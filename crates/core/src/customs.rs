//! What administrators add to a workspace: emoji, sounds, user statuses. Kept in memory as one list a kind, because
//! clients fetch each emoji by its name.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::{CustomKind, Event},
    session::Actor,
    store::{Custom, Lane, Tx},
    uploads::Purpose,
    user::Status,
};

/// Things of one kind.
const MOST: usize = 5_000;
/// Largest emoji, in bytes.
pub const MAX_EMOJI: usize = 512 * 1024;
/// Largest sound, in bytes.
pub const MAX_SOUND: usize = 3 * 1024 * 1024;
/// Longest name, in characters.
const MAX_NAME: usize = 120;
/// Other names of one emoji.
const MAX_ALIASES: usize = 20;

/// The lists as they were last read.
#[derive(Default)]
pub(crate) struct Customs(Mutex<[Slot; 3]>);

#[derive(Default)]
struct Slot {
    /// Changes so far: a list that was read before a change must not be kept after it.
    changes: u64,
    list: Option<Arc<Vec<Custom>>>,
}

impl Customs {
    fn get(&self, kind: CustomKind) -> (u64, Option<Arc<Vec<Custom>>>) {
        let slot = &self.0.lock()[kind as usize];
        (slot.changes, slot.list.clone())
    }
    fn keep(&self, kind: CustomKind, changes: u64, list: &Arc<Vec<Custom>>) {
        let slot = &mut self.0.lock()[kind as usize];
        if slot.changes == changes {
            slot.list = Some(list.clone());
        }
    }
    /// Something of this kind changed.
    pub(crate) fn forget(&self, kind: CustomKind) {
        let slot = &mut self.0.lock()[kind as usize];
        slot.changes += 1;
        slot.list = None;
    }
}

/// An emoji as an administrator wants it.
#[derive(Clone, Debug, Default)]
pub struct NewEmoji {
    /// Which one is changed; `None` makes a new one.
    pub id: Option<String>,
    /// Name without colons.
    pub name: String,
    /// Other names; `None` leaves them as they are.
    pub aliases: Option<Vec<String>>,
    /// Extension and bytes; needed for a new one.
    pub image: Option<(String, Vec<u8>)>,
}

/// A sound as an administrator wants it.
#[derive(Clone, Debug, Default)]
pub struct NewSound {
    /// Which one is changed; `None` makes a new one.
    pub id: Option<String>,
    /// Name.
    pub name: String,
    /// Extension: `mp3`, `wav` or `ogg`.
    pub extension: String,
    /// Bytes; they may follow later.
    pub bytes: Option<Vec<u8>>,
}

impl Chat {
    /// All of a kind, by name.
    pub async fn customs(&self, kind: CustomKind) -> Result<Arc<Vec<Custom>>> {
        let (changes, known) = self.customs.get(kind);
        if let Some(known) = known {
            return Ok(known);
        }
        let list = Arc::new(self.store().reading(move |rows| rows.customs(kind, false)).await?);
        self.customs.keep(kind, changes, &list);
        Ok(list)
    }

    /// What changed after a moment: what is there, and what is gone.
    pub async fn customs_since(&self, kind: CustomKind, since: Time) -> Result<(Vec<Custom>, Vec<Custom>)> {
        let all = self.store().reading(move |rows| rows.customs(kind, true)).await?;
        Ok(all.into_iter().filter(|c| c.updated_at > since).partition(|c| !c.removed))
    }

    /// Makes or changes an emoji. Needs `manage-emoji`.
    ///
    /// # Errors
    /// `Invalid` of field `name` or `image`, `Taken(Emoji)`, `NotFound(Emoji)`, `TooLarge`.
    pub async fn put_emoji(&self, actor: &Actor, wanted: NewEmoji) -> Result<Custom> {
        self.require(actor, "manage-emoji", None).await?;
        let clean = |name: &str| name.trim().replace(':', "");
        let name = clean(&wanted.name);
        let aliases = wanted.aliases.map(|all| {
            all.iter().map(|alias| clean(alias)).filter(|alias| !alias.is_empty()).collect::<Vec<_>>()
        });
        check_emoji_names(&name, aliases.as_deref().unwrap_or_default())?;
        let image = match wanted.image {
            Some((extension, bytes)) => Some(self.keep_emoji(actor, &name, extension, bytes).await?),
            None if wanted.id.is_none() => return Err(Refusal::invalid("image", "an image is needed")),
            None => None,
        };
        let change = move |custom: &mut Custom| {
            custom.name = name.clone();
            if let Some(aliases) = &aliases {
                custom.aliases = aliases.clone();
            }
            if let Some((extension, upload)) = &image {
                custom.extension = extension.clone();
                custom.tag = upload.to_string();
                custom.upload = Some(upload.clone());
            }
        };
        self.put_custom(CustomKind::Emoji, What::Emoji, wanted.id, change).await
    }

    async fn keep_emoji(
        &self,
        actor: &Actor,
        name: &str,
        extension: String,
        bytes: Vec<u8>,
    ) -> Result<(String, crate::id::UploadId)> {
        if bytes.len() > MAX_EMOJI {
            return Err(Refusal::TooLarge { what: "file", limit: MAX_EMOJI as u64 });
        }
        let extension = extension.to_ascii_lowercase();
        if !["png", "jpg", "jpeg", "gif", "webp"].contains(&extension.as_str()) {
            return Err(Refusal::invalid("image", "must be PNG, JPEG, GIF or WebP"));
        }
        // Decoded only to be sure that it is a picture; what is kept is the original, which may move.
        self.ports.media.square(bytes.clone(), 16).await?;
        let file = format!("{name}.{extension}");
        let upload = self.store_bytes(actor, Purpose::Emoji, &file, &bytes).await?;
        Ok((extension, upload.id))
    }

    /// Makes or changes a sound. Needs `manage-sounds`.
    pub async fn put_sound(&self, actor: &Actor, wanted: NewSound) -> Result<Custom> {
        self.require(actor, "manage-sounds", None).await?;
        check_name(&wanted.name)?;
        let extension = wanted.extension.to_ascii_lowercase();
        if !["mp3", "wav", "ogg"].contains(&extension.as_str()) {
            return Err(Refusal::invalid("extension", "must be mp3, wav or ogg"));
        }
        let upload = match wanted.bytes {
            Some(bytes) if bytes.len() > MAX_SOUND => {
                return Err(Refusal::TooLarge { what: "file", limit: MAX_SOUND as u64 });
            }
            Some(bytes) => {
                let file = format!("{}.{extension}", wanted.name);
                Some(self.store_bytes(actor, Purpose::Sound, &file, &bytes).await?.id)
            }
            None => None,
        };
        let name = wanted.name;
        let change = move |custom: &mut Custom| {
            custom.name = name.clone();
            custom.extension = extension.clone();
            if let Some(upload) = &upload {
                custom.tag = upload.to_string();
                custom.upload = Some(upload.clone());
            }
        };
        self.put_custom(CustomKind::Sound, What::Sound, wanted.id, change).await
    }

    /// Makes or changes a user status to choose from. Needs `manage-user-status`.
    pub async fn put_status(
        &self,
        actor: &Actor,
        id: Option<String>,
        name: &str,
        status: Option<Status>,
    ) -> Result<Custom> {
        self.require(actor, "manage-user-status", None).await?;
        check_name(name)?;
        let (name, make) = (name.to_owned(), id.is_none());
        let change = move |custom: &mut Custom| {
            custom.name = name.clone();
            if status.is_some() || make {
                custom.extension = status.map(Status::word).unwrap_or_default().to_owned();
            }
        };
        self.put_custom(CustomKind::Status, What::Status, id, change).await
    }

    async fn put_custom(
        &self,
        kind: CustomKind,
        what: What,
        id: Option<String>,
        change: impl Fn(&mut Custom) + Send + 'static,
    ) -> Result<Custom> {
        let fresh = self.new_id();
        let (custom, old) = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let all = tx.customs(kind, false)?;
                let before = match &id {
                    Some(id) => Some(all.iter().find(|c| c.id == *id).ok_or(Refusal::NotFound(what))?),
                    None if all.len() >= MOST => {
                        return Err(Refusal::TooLarge { what: "list", limit: MOST as u64 });
                    }
                    None => None,
                };
                let mut custom = before.cloned().unwrap_or_else(|| blank(kind, &fresh));
                let old = custom.upload.clone();
                change(&mut custom);
                refuse_taken(&all, &custom, what)?;
                store(tx, &mut custom)?;
                Ok((custom, old))
            })
            .await?;
        if let Some(old) = old.filter(|old| custom.upload.as_ref() != Some(old)) {
            self.forget_bytes(&old).await;
        }
        Ok(custom)
    }

    /// Removes an emoji, sound or status; clients learn of it for 30 days.
    pub async fn remove_custom(&self, actor: &Actor, kind: CustomKind, id: &str) -> Result<Custom> {
        let (permission, what) = match kind {
            CustomKind::Emoji => ("manage-emoji", What::Emoji),
            CustomKind::Sound => ("manage-sounds", What::Sound),
            CustomKind::Status => ("manage-user-status", What::Status),
        };
        self.require(actor, permission, None).await?;
        let id = id.to_owned();
        let gone = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let all = tx.customs(kind, false)?;
                let found = all.into_iter().find(|c| c.id == id);
                let mut custom = found.ok_or(Refusal::NotFound(what))?;
                custom.removed = true;
                store(tx, &mut custom)?;
                Ok(custom)
            })
            .await?;
        if let Some(upload) = &gone.upload {
            self.forget_bytes(upload).await;
        }
        Ok(gone)
    }
}

fn blank(kind: CustomKind, id: &str) -> Custom {
    Custom {
        kind,
        id: id.to_owned(),
        name: String::new(),
        aliases: Vec::new(),
        extension: String::new(),
        upload: None,
        tag: String::new(),
        updated_at: Time(0),
        removed: false,
    }
}

fn store(tx: &mut dyn Tx, custom: &mut Custom) -> Result<()> {
    custom.updated_at = crate::accounts::later(tx.now(), custom.updated_at);
    tx.put_custom(custom)?;
    let event = Event::Custom {
        kind: custom.kind,
        id: custom.id.as_str().into(),
        name: custom.name.as_str().into(),
        removed: custom.removed,
    };
    tx.record(None, event)
}

/// No two of a kind have a name in common, aliases included.
fn refuse_taken(all: &[Custom], custom: &Custom, what: What) -> Result<()> {
    fn names(c: &Custom) -> impl Iterator<Item = &String> {
        std::iter::once(&c.name).chain(&c.aliases)
    }
    for other in all.iter().filter(|c| c.id != custom.id) {
        if let Some(name) = names(custom).find(|name| names(other).any(|n| n == *name)) {
            return Err(Refusal::Taken { what, value: name.clone() });
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let bad =
        name.trim().is_empty() || name.chars().count() > MAX_NAME || name.contains(['<', '>', '/', '\\']);
    if bad { Err(Refusal::invalid("name", format!("{name} is not a valid name"))) } else { Ok(()) }
}

fn check_emoji_names(name: &str, aliases: &[String]) -> Result<()> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || ",:><&\"'/\\()%?#".contains(c);
    for one in std::iter::once(name).chain(aliases.iter().map(String::as_str)) {
        if one.is_empty() || one.chars().count() > MAX_NAME || one.chars().any(bad) {
            return Err(Refusal::invalid("name", format!("{one} is not a valid name")));
        }
    }
    if aliases.len() > MAX_ALIASES {
        return Err(Refusal::TooLarge { what: "aliases", limit: MAX_ALIASES as u64 });
    }
    match aliases.iter().any(|alias| alias == name) {
        true => Err(Refusal::invalid("aliases", "an alias must differ from the name")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_emoji_are_words() {
        assert!(check_emoji_names("party_parrot", &["parrot".into()]).is_ok());
        for bad in ["", "a b", "a:b", "<x>", "a/b", "a\"b"] {
            assert!(check_emoji_names(bad, &[]).is_err(), "{bad}");
        }
        assert!(check_emoji_names("x", &["x".into()]).is_err());
    }

    #[test]
    fn two_emoji_never_share_a_name() {
        let named = |id: &str, name: &str, alias: &str| Custom {
            name: name.into(),
            aliases: vec![alias.into()],
            ..blank(CustomKind::Emoji, id)
        };
        let all = [named("1", "cat", "kitty")];
        assert!(refuse_taken(&all, &named("2", "kitty", "x"), What::Emoji).is_err());
        assert!(refuse_taken(&all, &named("2", "dog", "cat"), What::Emoji).is_err());
        assert!(refuse_taken(&all, &named("1", "cat", "kitten"), What::Emoji).is_ok());
    }

    #[test]
    fn a_list_read_before_a_change_is_not_kept_after_it() {
        let customs = Customs::default();
        let (changes, _) = customs.get(CustomKind::Emoji);
        customs.forget(CustomKind::Emoji);
        customs.keep(CustomKind::Emoji, changes, &Arc::default());
        assert!(customs.get(CustomKind::Emoji).1.is_none());
    }
}
