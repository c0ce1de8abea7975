//! Who comes and goes, told on a stream. It has no place there: who comes back to a stream hears of those who are
//! there, and takes everybody else for offline.

use std::{collections::HashSet, hash::BuildHasher, sync::Arc};

use axum::body::Bytes;
use parlor_core::{
    error::Refusal,
    event::Event,
    hub::{Listener, Subscription},
    id::{RoomId, UserId},
    published::{Published, Slot},
    user::{Status, User},
};
use parlor_host::{Host, call::Call, problem::Problem};
use parlor_live::{Class, frame_sse};
use serde_json::json;

use crate::{
    acting::{Acting, check_name},
    stream::{Cell, SEED},
};

/// People of whom one stream tells.
const MOST: usize = 100;
/// A change, as all streams tell it.
const PRESENCE: Slot = Slot::number(6);

/// Whom a stream tells of.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// Those who share a small room with its user.
    Peers,
    /// These, by user name.
    Named(Vec<String>),
}

impl Wanted {
    /// `presence` of the query: user names between commas, none of them for nobody.
    pub(crate) fn of(call: &Call) -> Result<Self, Problem> {
        let Some(text) = call.query.given("presence") else { return Ok(Self::Peers) };
        let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.len() > MOST {
            return Err(Problem::invalid_query("presence", format!("must have at most {MOST} user names")));
        }
        names.iter().try_for_each(|name| check_name("query", "presence", name))?;
        Ok(Self::Named(names.into_iter().map(str::to_owned).collect()))
    }
}

/// Tells of people for as long as it is held.
pub(crate) struct Watch {
    host: Host,
    cell: Cell,
    me: UserId,
    subscription: Subscription,
    /// Those who are told of; `None` where nobody is added.
    peers: Option<HashSet<UserId>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.host.chat().end(self.subscription);
    }
}

impl Watch {
    /// Tells who is there, and from then on who comes and goes.
    pub(crate) async fn begin(
        host: &Host,
        who: &Acting,
        wanted: &Wanted,
        cell: &Cell,
    ) -> Result<Self, Refusal> {
        let (chat, me) = (host.chat(), who.user.id.clone());
        let people = match wanted {
            Wanted::Peers => chat.peers(&me, MOST).await?,
            Wanted::Named(names) => {
                let mut people = Vec::with_capacity(names.len());
                for name in names {
                    let found = chat.user_of_name(name).await?;
                    people.extend(found.map(|user| user.id.clone()).filter(|id| *id != me));
                }
                people
            }
        };
        let subscription = chat.listen_presence(&who.actor, &people, Arc::new(Ear(cell.clone()))).await?;
        let peers = matches!(wanted, Wanted::Peers).then(|| people.iter().cloned().collect());
        let watch = Self { host: host.clone(), cell: cell.clone(), me, subscription, peers };
        watch.tell(&people).await?;
        Ok(watch)
    }

    /// A room of the user's is new or has new members.
    pub(crate) async fn look_into(&mut self, room: &RoomId) -> Result<(), Refusal> {
        let Some(peers) = self.peers.as_mut().filter(|peers| peers.len() < MOST) else { return Ok(()) };
        let mut more = self.host.chat().peers_in(&self.me, room).await?;
        more.retain(|peer| peers.len() < MOST && peers.insert(peer.clone()));
        self.host.chat().watch_presence(self.subscription, &more, &[]);
        self.tell(&more).await
    }

    /// Tells of those who are there.
    async fn tell(&self, people: &[UserId]) -> Result<(), Refusal> {
        let chat = self.host.chat();
        for id in people.iter().filter(|id| chat.status_of(id) != Status::Offline) {
            let Some(user) = chat.user(id).await? else { continue };
            let mut status = chat.status_of(id);
            loop {
                push(&self.cell, id, frame(&user, status));
                // What changed in between may have been told before this.
                match chat.status_of(id) {
                    now if now == status => break,
                    now => status = now,
                }
            }
        }
        Ok(())
    }
}

struct Ear(Cell);

impl Listener for Ear {
    fn hear(&self, published: &Arc<Published>) {
        if let Event::Presence { user, .. } = &published.fact.event {
            let render = |fact: &parlor_core::event::Fact| match &fact.event {
                Event::Presence { user, status } => frame(user, *status),
                _ => Bytes::new(),
            };
            push(&self.0, &user.id, published.rendered(PRESENCE, render).clone());
        }
    }

    fn revoked(&self) {}
}

/// Queues what is known of somebody, in place of what was said before.
fn push(cell: &Cell, of: &UserId, frame: Bytes) {
    if let Some(outbox) = cell.get() {
        outbox.push(frame, Class::Volatile { topic: 0, key: SEED.hash_one(of.as_str()) });
    }
}

fn frame(user: &User, status: Status) -> Bytes {
    let data = json!({
        "type": "presence", "username": user.username, "user_id": user.id.as_str(),
        "online": status != Status::Offline, "status": status.word(),
    });
    frame_sse(None, Some("presence"), &data.to_string())
}
