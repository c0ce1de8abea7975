//! Signals that clients pass to each other through the server: calls, requests for keys. Never stored.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result},
    event::Event,
    id::RoomId,
    json::Json,
    permissions::{Action, Object},
    session::Actor,
    store::{MemberFilter, Page},
};

/// Members of a room who get a signal at most; larger rooms get none, because nobody calls a crowd.
const MOST: u64 = 100;
/// Longest signal, in bytes.
const LONGEST: usize = 16 * 1024;

impl Chat {
    /// Passes a named signal to the other members of a room who are connected.
    pub async fn signal_members(&self, actor: &Actor, room: &RoomId, name: &str, args: Json) -> Result<()> {
        if args.as_str().len() > LONGEST {
            return Err(Refusal::TooLarge { what: "signal", limit: LONGEST as u64 });
        }
        let found = self.room(room).await?;
        self.authorize(actor, Action::ShowTyping, Object::Room(&found)).await?;
        let wanted = room.clone();
        let members = self
            .store()
            .reading(move |rows| {
                rows.members(&wanted, &MemberFilter::default(), Page { offset: 0, count: MOST + 1 })
            })
            .await?;
        if members.total > MOST {
            return Ok(());
        }
        let name: Arc<str> = name.into();
        for member in members.items.into_iter().filter(|m| m.user != actor.user) {
            self.pass(Event::Signal { user: member.user, name: name.clone(), args: args.clone() });
        }
        Ok(())
    }
}
