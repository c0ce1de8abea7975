//! What other programs post through incoming integrations.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::MessageId,
    integration::{Direction, Integration},
    json::Json,
    message::Guise,
    messages::{Draft, Sent},
    room::{Room, RoomKind},
    rooms::RoomRef,
    session::Actor,
};

/// Rooms that one call reaches.
const MOST_ROOMS: usize = 50;

/// Why a caller may not choose where his message goes.
pub const FIXED_CHANNEL: &str = "overriding destination channel is disabled for this integration";

/// A call of an incoming integration.
#[derive(Clone, Debug, Default)]
pub struct HookCall {
    /// The text.
    pub text: String,
    /// Cards: JSON objects.
    pub cards: Vec<Json>,
    /// `#room`, `@user`, a name or an id, instead of the integration's own; takes its consent.
    pub channels: Vec<String>,
    /// Shown instead of the integration's alias.
    pub alias: Option<String>,
    /// Picture's address, likewise.
    pub avatar: Option<String>,
    /// Emoji, likewise.
    pub emoji: Option<String>,
    /// In this thread.
    pub thread: Option<MessageId>,
}

impl Chat {
    pub(crate) fn digest(&self, token: &str) -> String {
        hex::encode(self.ports.credentials.token_hash(token))
    }

    /// Posts what another program says. The id alone suffices (it is 32 random characters); a token that is given must
    /// be the right one.
    ///
    /// # Errors
    /// `NotFound(Integration)` for an unknown id, a wrong token or one that is switched off; `NotAllowed`
    /// ([`FIXED_CHANNEL`]); `Invalid` of field `text`; `NotFound(Room)`; what sending refuses.
    pub async fn call_hook(&self, id: &str, token: Option<&str>, call: HookCall) -> Result<Vec<Sent>> {
        let unknown = Refusal::NotFound(What::Integration);
        let found =
            self.integration(id).await?.filter(|it| it.direction == Direction::Incoming && it.enabled);
        let found = found.ok_or(unknown.clone())?;
        // Hashes of random tokens: comparing them tells nothing about a token.
        if token.is_some_and(|token| self.digest(token) != found.token) {
            return Err(unknown);
        }
        if call.text.trim().is_empty() && call.cards.is_empty() {
            return Err(Refusal::invalid("text", "a text or attachments are needed"));
        }
        if !call.channels.is_empty() && !found.free_channel {
            return Err(Refusal::NotAllowed(FIXED_CHANNEL));
        }
        let user = Actor::user(found.user.clone(), None);
        self.active_user(&user).await?;
        let channels = if call.channels.is_empty() { &found.channels } else { &call.channels };
        let mut rooms = Vec::new();
        for channel in channels.iter().take(MOST_ROOMS) {
            rooms.push(self.hook_room(&user, &found, channel).await?);
        }
        let mut sent = Vec::new();
        for room in rooms {
            let speaker = Actor::system(found.user.clone());
            sent.push(self.post(&speaker, draft(&found, &call, &room)).await?);
        }
        Ok(sent)
    }

    /// A room that the integration's user may write to; he joins public ones by it.
    async fn hook_room(&self, user: &Actor, found: &Integration, channel: &str) -> Result<Arc<Room>> {
        if let Some(name) = channel.strip_prefix('@') {
            return Ok(self.direct_room(user, &[name.to_owned()], false).await?.0);
        }
        let room = self.look_up(RoomRef::Any(channel.trim_start_matches('#'))).await?;
        if self.membership(&room.id, &user.user).await?.is_some() {
            return Ok(room);
        }
        match room.kind {
            RoomKind::Channel => {
                let named = found.channels.iter().any(|own| own == channel);
                let joined = self.join(user, RoomRef::Id(room.id.as_str()), None).await;
                // Whoever set it up knew the room: nothing is given away by saying that its user may not enter.
                joined.map_err(|refusal| match refusal {
                    Refusal::NotFound(What::Room) if named => Refusal::NotMember,
                    other => other,
                })
            }
            // Whoever set it up named this room and can still see it; a caller's own choice must be one of the user's.
            RoomKind::Group
                if found.channels.iter().any(|own| own == channel)
                    && self.may_be_told(found, Some(&room)).await? =>
            {
                Ok(room)
            }
            _ => Err(Refusal::NotFound(What::Room)),
        }
    }
}

fn draft(found: &Integration, call: &HookCall, room: &Room) -> Draft {
    let some = |own: &String| (!own.is_empty()).then(|| own.clone());
    let pictured = call.avatar.is_some() || call.emoji.is_some();
    let (avatar, emoji) = match pictured {
        true => (call.avatar.clone(), call.emoji.clone()),
        false => (some(&found.avatar), some(&found.emoji)),
    };
    Draft {
        thread: call.thread.clone(),
        cards: call.cards.clone(),
        guise: Guise {
            alias: call.alias.clone().or_else(|| some(&found.alias)),
            avatar,
            emoji,
            // Its id is a key to post here, so the room sees another word.
            bot: Some("webhook".to_owned()),
        },
        ..Draft::text(room.id.clone(), call.text.clone())
    }
}
