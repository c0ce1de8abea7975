//! Reactions.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    event::CustomKind,
    id::{MessageId, UserId},
    message::{Message, MessageKind, Reaction},
    messages::store_changed,
    messages_change::unchanged_place,
    permissions::{Action, Object},
    room::Room,
    session::Actor,
    store::{Lane, Tx},
    user::User,
};

/// Different emoji below one message.
const MAX_EMOJI: usize = 100;
/// People who react to one message with the same emoji.
const MAX_USERS: usize = 1_000;

impl Chat {
    /// Reacts, takes a reaction back, or (`on` = `None`) whichever was not so before. Saying it again changes nothing.
    /// `emoji` with or without its colons.
    pub async fn react(
        &self,
        actor: &Actor,
        id: &MessageId,
        emoji: &str,
        on: Option<bool>,
    ) -> Result<Arc<Message>> {
        self.judged(|| self.react_once(actor, id, emoji, on)).await
    }

    async fn react_once(
        &self,
        actor: &Actor,
        id: &MessageId,
        emoji: &str,
        on: Option<bool>,
    ) -> Result<Arc<Message>> {
        let (room, message) = self.readable_message(actor, id).await?;
        let judgement = self.authorize(actor, Action::React, Object::Message(&room, &message)).await?;
        let user = self.active_user(actor).await?;
        self.check_may_react(actor, &room, &user).await?;
        if message.kind != MessageKind::Text && message.notice_kind() == Some("rm") {
            return Err(Refusal::NotFound(What::Message));
        }
        let name = emoji.trim_matches(':');
        let emoji = format!(":{name}:");
        // What somebody reacted with can be taken back when its emoji is gone.
        if !message.reactions.iter().any(|reaction| reaction.emoji == emoji) && !self.is_emoji(name).await? {
            return Err(Refusal::invalid("emoji", "Invalid emoji provided."));
        }
        let who = (user.id.clone(), user.username.clone());
        let store = move |tx: &mut dyn Tx| {
            tx.check(&judgement)?;
            let mut message = unchanged_place(tx, &message)?;
            if toggle(&mut message.reactions, &emoji, &who, on)? {
                store_changed(tx, message)
            } else {
                Ok(Arc::new(message))
            }
        };
        self.store().writing(Lane::Verbs, store).await
    }

    /// Whether clients know an emoji by this name, or the workspace has one.
    async fn is_emoji(&self, name: &str) -> Result<bool> {
        if crate::emoji_names::is_standard(name) {
            return Ok(true);
        }
        let own = self.customs(CustomKind::Emoji).await?;
        Ok(own.iter().any(|emoji| emoji.name == name || emoji.aliases.iter().any(|alias| alias == name)))
    }

    async fn check_may_react(&self, actor: &Actor, room: &Arc<Room>, user: &User) -> Result<()> {
        if room.archived {
            return Err(State::Archived.into());
        }
        if room.muted.contains(&user.id) {
            return Err(State::Muted.into());
        }
        let own = if room.is_direct() { self.membership(&room.id, &user.id).await? } else { None };
        if own.is_some_and(|own| own.blocked || own.blocker) {
            return Err(State::Blocked.into());
        }
        let closed = room.read_only && !room.react_when_read_only && !room.unmuted.contains(&user.id);
        if closed && !self.may(actor, "post-readonly", Some(room)).await? {
            return Err(State::ReadOnly.into());
        }
        Ok(())
    }
}

/// Whether something changed.
fn toggle(
    reactions: &mut Vec<Reaction>,
    emoji: &str,
    who: &(UserId, String),
    on: Option<bool>,
) -> Result<bool> {
    let place = reactions.iter().position(|r| r.emoji == emoji);
    let reacted = place.is_some_and(|at| reactions[at].users.iter().any(|(id, _)| *id == who.0));
    let on = on.unwrap_or(!reacted);
    if on == reacted {
        return Ok(false);
    }
    match place {
        Some(at) if on => {
            if reactions[at].users.len() >= MAX_USERS {
                return Err(Refusal::TooLarge { what: "reactions", limit: MAX_USERS as u64 });
            }
            reactions[at].users.push(who.clone());
        }
        Some(at) => {
            reactions[at].users.retain(|(id, _)| *id != who.0);
            if reactions[at].users.is_empty() {
                reactions.remove(at);
            }
        }
        None if reactions.len() >= MAX_EMOJI => {
            return Err(Refusal::TooLarge { what: "reactions", limit: MAX_EMOJI as u64 });
        }
        None => reactions.push(Reaction { emoji: emoji.to_owned(), users: vec![who.clone()] }),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reaction_said_twice_counts_once_and_the_last_one_out_takes_the_emoji() {
        let (ann, bo) = (("a".into(), "ann".to_owned()), ("b".into(), "bo".to_owned()));
        let mut all = Vec::new();
        assert_eq!(toggle(&mut all, ":+1:", &ann, Some(true)), Ok(true));
        assert_eq!(toggle(&mut all, ":+1:", &ann, Some(true)), Ok(false));
        assert_eq!(toggle(&mut all, ":+1:", &bo, None), Ok(true));
        assert_eq!(all[0].users.len(), 2);
        assert_eq!(toggle(&mut all, ":+1:", &ann, None), Ok(true));
        assert_eq!(toggle(&mut all, ":+1:", &bo, Some(false)), Ok(true));
        assert_eq!(toggle(&mut all, ":+1:", &bo, Some(false)), Ok(false));
        assert!(all.is_empty());
    }

    #[test]
    fn the_kinds_of_emoji_below_a_message_are_bounded() {
        let ann = ("a".into(), "ann".to_owned());
        let mut all = Vec::new();
        for n in 0..MAX_EMOJI {
            assert_eq!(toggle(&mut all, &format!(":e{n}:"), &ann, None), Ok(true));
        }
        assert!(toggle(&mut all, ":one_more:", &ann, None).is_err());
    }
}
