//! What members decide for themselves: open or hidden, favourite, notifications, ignored and blocked people.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{RoomId, UserId},
    membership::{Membership, Notify, Translation},
    rooms_notices::change_membership,
    session::Actor,
    store::{Lane, Tx},
};

/// People that one member ignores in one room at most.
const MAX_IGNORED: usize = 1_000;

/// Changes of a member's notifications; `None` leaves a value as it is, `Some(None)` goes back to the general
/// preference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NotifyChange {
    pub disabled: Option<bool>,
    pub mute_group_mentions: Option<bool>,
    pub hide_unread: Option<bool>,
    pub hide_mentions: Option<bool>,
    pub desktop: Option<Option<String>>,
    pub mobile: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub sound: Option<Option<String>>,
    pub unread_alert: Option<Option<String>>,
}

impl NotifyChange {
    fn check(&self) -> Result<()> {
        let levels = [&self.desktop, &self.mobile, &self.email, &self.unread_alert];
        for level in levels.into_iter().flatten().flatten() {
            if !["all", "mentions", "nothing"].contains(&&**level) {
                return Err(Refusal::invalid("settings", "must be all, mentions, nothing or default"));
            }
        }
        match self.sound.iter().flatten().next() {
            Some(sound) if sound.len() > 128 || sound.chars().any(char::is_control) => {
                Err(Refusal::invalid("settings", "is no sound"))
            }
            _ => Ok(()),
        }
    }

    fn apply(&self, to: &mut Notify) {
        let switches = [
            (self.disabled, &mut to.disabled),
            (self.mute_group_mentions, &mut to.mute_group_mentions),
            (self.hide_unread, &mut to.hide_unread),
            (self.hide_mentions, &mut to.hide_mentions),
        ];
        for (new, old) in switches {
            *old = new.unwrap_or(*old);
        }
        let texts = [
            (&self.desktop, &mut to.desktop),
            (&self.mobile, &mut to.mobile),
            (&self.email, &mut to.email),
            (&self.sound, &mut to.sound),
            (&self.unread_alert, &mut to.unread_alert),
        ];
        for (new, old) in texts {
            if let Some(new) = new {
                old.clone_from(new);
            }
        }
    }
}

impl Chat {
    /// Changes the actor's own place in a room.
    async fn change_own(
        &self,
        actor: &Actor,
        room: &RoomId,
        change: impl Fn(&mut Membership) + Send + 'static,
    ) -> Result<Arc<Membership>> {
        let user = self.active_user(actor).await?;
        // Nobody learns from the answer whether a room that he is not in exists.
        self.membership(room, &user.id).await?.ok_or(Refusal::NotFound(What::Membership))?;
        let (room, user) = (room.clone(), user.id.clone());
        self.store().writing(Lane::Verbs, move |tx| change_membership(tx, &room, &user, &change)).await
    }

    /// Says whether, or into which language, the actor wants a room's messages translated; `otherwise` is the language
    /// where none was said before. Takes `auto-translate`.
    ///
    /// # Errors
    /// `NotAllowed`, `NotFound(Membership)`, `State(Encrypted)`: what the server can't read it can't have translated.
    pub async fn set_translation(
        &self,
        actor: &Actor,
        room: &RoomId,
        wish: Translation,
        otherwise: Option<String>,
    ) -> Result<()> {
        self.require(actor, "auto-translate", None).await?;
        if wish.language.len() > Translation::LONGEST
            || otherwise.as_ref().is_some_and(|it| it.len() > Translation::LONGEST)
        {
            return Err(Refusal::TooLarge { what: "language", limit: Translation::LONGEST as u64 });
        }
        let me = self.active_user(actor).await?;
        self.membership(room, &me.id).await?.ok_or(Refusal::NotFound(What::Membership))?;
        if wish.on == Some(true) && self.room(room).await?.encrypted {
            return Err(State::Encrypted.into());
        }
        self.change_own(actor, room, move |m| {
            let now = m.translation.get_or_insert_default();
            now.on = wish.on.or(now.on);
            if !wish.language.is_empty() {
                now.language.clone_from(&wish.language);
            } else if let (true, Some(otherwise)) = (now.language.is_empty(), &otherwise) {
                now.language.clone_from(otherwise);
            }
        })
        .await?;
        Ok(())
    }

    /// Shows a room in the actor's list, or hides it there; `AlreadyOpen` or `AlreadyClosed` when it is so.
    pub async fn open_room(&self, actor: &Actor, room: &RoomId, open: bool) -> Result<()> {
        let user = self.active_user(actor).await?;
        let mine = self.membership(room, &user.id).await?.ok_or(Refusal::NotFound(What::Membership))?;
        if mine.open == open {
            return Err(if open { State::AlreadyOpen.into() } else { State::AlreadyClosed.into() });
        }
        self.change_own(actor, room, move |m| {
            m.open = open;
            m.marked_unread &= open;
        })
        .await?;
        Ok(())
    }

    /// Puts a room among the actor's favourites, or takes it away; `None` turns it round.
    pub async fn favour(&self, actor: &Actor, room: &RoomId, on: Option<bool>) -> Result<()> {
        self.change_own(actor, room, move |m| m.favourite = on.unwrap_or(!m.favourite)).await?;
        Ok(())
    }

    /// Changes what of a room reaches the actor's attention.
    pub async fn set_notifications(&self, actor: &Actor, room: &RoomId, change: NotifyChange) -> Result<()> {
        change.check()?;
        self.change_own(actor, room, move |m| change.apply(&mut m.notify)).await?;
        Ok(())
    }

    /// Hides another member's messages from the actor in this room, or shows them again.
    pub async fn ignore_user(&self, actor: &Actor, room: &RoomId, user: &UserId, on: bool) -> Result<()> {
        let me = self.active_user(actor).await?;
        let mine = self.membership(room, &me.id).await?.ok_or(Refusal::NotFound(What::Membership))?;
        // Whoever has left can be heard again.
        if on && self.membership(room, user).await?.is_none() {
            return Err(Refusal::NotFound(What::Membership));
        }
        if on && mine.ignored.len() >= MAX_IGNORED {
            return Err(Refusal::TooLarge { what: "ignored-users", limit: MAX_IGNORED as u64 });
        }
        let user = user.clone();
        self.change_own(actor, room, move |m| {
            m.ignored.retain(|id| *id != user);
            if on {
                m.ignored.push(user.clone());
            }
        })
        .await?;
        Ok(())
    }

    /// Blocks the other one in a direct room of two, or ends it. Both can't write while it lasts.
    pub async fn block(&self, actor: &Actor, room: &RoomId, other: &UserId, on: bool) -> Result<()> {
        let me = self.active_user(actor).await?;
        self.membership(room, &me.id).await?.ok_or(Refusal::NotFound(What::Room))?;
        let found = self.room(room).await?;
        if !found.is_direct() || found.direct.len() != 2 || !found.direct.contains(other) || *other == me.id {
            return Err(Refusal::NotFound(What::Room));
        }
        let (room, me, other) = (room.clone(), me.id.clone(), other.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let stands = |tx: &mut dyn Tx| {
                    let mine = tx.membership(&room, &me)?.is_some_and(|m| m.blocker == on);
                    Ok::<_, Refusal>(mine && tx.membership(&room, &other)?.is_some_and(|m| m.blocked == on))
                };
                if stands(tx)? {
                    // A version that nobody is told of would leave all who remember the one before judged in vain.
                    return Ok(());
                }
                tx.bump_access(&room)?;
                change_membership(tx, &room, &me, |m| m.blocker = on)?;
                change_membership(tx, &room, &other, |m| m.blocked = on).map(drop)
            })
            .await
    }
}
