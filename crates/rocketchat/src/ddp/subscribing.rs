//! Subscriptions of a connection: what a client asks for, and the ears that hear it.

use std::sync::Arc;

use parking_lot::Mutex;
use parlor_core::{
    chat::Chat,
    hub::Subscription,
    id::{RoomId, UserId},
    listening::Held,
    session::Actor,
};
use parlor_live::{Answer, Step};
use serde_json::Value;

use super::{
    ears::{DeskEar, InboxEar, PresenceEar, RoomEar, StatusEar, UserEar, Wire, WorkspaceEar},
    frame::{self, ClientFrame},
    session::{Ddp, Done, MOST_SUBSCRIPTIONS, Place, RoomHeard, Wanted},
    streams::{self, Topic, UserEvent},
};
use crate::refusal::Refused;

impl Ddp {
    pub(super) fn subscribe(&mut self, frame: &ClientFrame<'_>, text: &str) -> Step<Done> {
        let (Some(id), Some(name), Some(params)) = (frame.id(), frame.name.as_deref(), frame.params()) else {
            self.reply(frame::error("Malformed subscription", text));
            return Step::Done;
        };
        let id: Box<str> = id.into();
        if self.subs.contains_key(&id) {
            self.reply(frame::ready(&id));
            return Step::Done;
        }
        let key = params.first().and_then(Value::as_str).unwrap_or_default();
        let Some(topic) = streams::topic(name, key) else {
            let name: String = name.chars().take(100).collect();
            let refused = Refused::meteor_number(404, &format!("Subscription '{name}' not found"));
            self.reply(frame::nosub(&id, Some(&refused.ddp())));
            return Step::Done;
        };
        let collection = match params.get(1) {
            Some(Value::Bool(on)) => *on,
            Some(Value::Object(options)) => options.get("useCollection") == Some(&Value::Bool(true)),
            _ => false,
        };
        let stream = name.strip_prefix("stream-").unwrap_or(name).into();
        let wanted = Wanted { stream, key: key.into(), topic, collection };
        if let Topic::Presence = wanted.topic {
            if let Some(refused) = self.refuses(&wanted) {
                self.reply(frame::nosub(&id, Some(&refused.ddp())));
                return Step::Done;
            }
            return self.watch(id, wanted, params.get(1));
        }
        self.listen(id, wanted)
    }

    /// Why this subscription can't be had, as far as the connection alone can tell.
    pub(super) fn refuses(&self, wanted: &Wanted) -> Option<Refused> {
        let not_allowed = || Some(Refused::meteor("not-allowed", "Not allowed"));
        if self.subs.len() >= MOST_SUBSCRIPTIONS {
            return Some(Refused::meteor("too-many-subscriptions", "Too many subscriptions"));
        }
        let me = self.actor.as_ref().map(|a| &a.user);
        match &wanted.topic {
            Topic::Everyone | Topic::Idle { login: false } => None,
            _ if me.is_none() => not_allowed(),
            Topic::User(_, UserEvent::MyMessages) => None,
            Topic::User(user, _) if Some(user) != me => not_allowed(),
            _ => None,
        }
    }

    /// Whether an ear of this room still hears. One that lost it stays deaf when its user comes back.
    fn hears(&self, room: &RoomId) -> bool {
        self.rooms.get(room).is_some_and(|heard| !heard.ear.is_over())
    }

    pub(super) fn listen(&mut self, id: Box<str>, wanted: Wanted) -> Step<Done> {
        if let Some(refused) = self.refuses(&wanted) {
            self.reply(frame::nosub(&id, Some(&refused.ddp())));
            return Step::Done;
        }
        let (chat, wire, actor) = (self.door.chat.clone(), self.wire.clone(), self.actor.clone());
        let own = self.user.as_ref().map(|h| h.ear.clone());
        let heard: Answer<Result<Option<(Place, Subscription)>, Refused>> = match (&wanted.topic, actor, own)
        {
            (Topic::Room(room, event), Some(actor), _) if !self.hears(room) => {
                let (room, event) = (room.clone(), *event);
                Box::pin(async move {
                    let ear = RoomEar::new(&wire, &room, &actor.user);
                    ear.wanted.add(event as u8);
                    let subscription = chat.listen_room(&actor, &room, ear.clone()).await?;
                    Ok(Some((Place::Room(room, ear), subscription)))
                })
            }
            (Topic::User(_, event), Some(actor), Some(own)) => match event {
                UserEvent::Rooms | UserEvent::Subscriptions | UserEvent::MyMessages
                    if self.inbox.is_none() =>
                {
                    let ear = Arc::new(InboxEar { wire, own });
                    Box::pin(async move { Ok(Some((Place::Inbox, chat.listen_inbox(&actor, ear).await?))) })
                }
                UserEvent::UserData if self.workspace.is_none() => workspace(chat, wire, actor, Some(own)),
                _ => Box::pin(async { Ok(None) }),
            },
            (Topic::LoggedIn, Some(actor), own) if self.workspace.is_none() => {
                workspace(chat, wire, actor, own)
            }
            (Topic::Desk, Some(actor), _) if self.desk.is_none() => {
                let ear = Arc::new(DeskEar(wire));
                Box::pin(async move {
                    // Whoever does not answer cases hears nothing, as with streams of features that are off.
                    let heard = chat.listen_cases(&actor, ear).await.ok();
                    Ok(heard.map(|subscription| (Place::Desk, subscription)))
                })
            }
            (Topic::Statuses, Some(actor), _) if self.statuses.is_none() => {
                let ear = Arc::new(StatusEar(wire));
                Box::pin(async move { Ok(Some((Place::Statuses, chat.listen_statuses(&actor, ear).await?))) })
            }
            (Topic::PrivateSettings, Some(actor), _) => Box::pin(async move {
                match chat.may(&actor, "view-privileged-setting", None).await? {
                    true => Ok(None),
                    false => Err(Refused::meteor("not-allowed", "Not allowed")),
                }
            }),
            (Topic::Everyone, ..) if self.everyone.is_none() => {
                let ear = Arc::new(WorkspaceEar { wire, own: None, wanted: Mutex::default() });
                Box::pin(async move {
                    let subscription = chat.listen_everyone(ear.clone());
                    Ok(Some((Place::Everyone(ear), subscription)))
                })
            }
            _ => Box::pin(async { Ok(None) }),
        };
        let chat = self.door.chat.clone();
        Step::Wait(Box::pin(async move {
            let heard = heard.await.map(|heard| heard.map(|(place, it)| (place, Held::new(&chat, it))));
            Done::Subscribed { id, wanted, heard }
        }))
    }

    /// The watch list: one for each connection. Later subscriptions amend it and are closed without an error.
    pub(super) fn watch(&mut self, id: Box<str>, wanted: Wanted, options: Option<&Value>) -> Step<Done> {
        let list = |name: &str| -> Vec<UserId> {
            let ids = options.and_then(|o| o.get(name)).and_then(Value::as_array);
            ids.into_iter().flatten().filter_map(Value::as_str).filter_map(UserId::parse).collect()
        };
        let (added, removed) = (list("added"), list("removed"));
        if let Some(subscription) = self.presence {
            self.door.chat.watch_presence(subscription, &added, &removed);
            self.reply(frame::nosub(&id, None));
            return Step::Done;
        }
        let Some(actor) = self.actor.clone() else { return Step::Done };
        let (chat, ear) = (self.door.chat.clone(), Arc::new(PresenceEar(self.wire.clone())));
        Step::Wait(Box::pin(async move {
            let heard = chat.listen_presence(&actor, &added, ear).await;
            let heard = heard.map(|it| Some((Place::Presence, Held::new(&chat, it)))).map_err(Refused::from);
            Done::Subscribed { id, wanted, heard }
        }))
    }

    pub(super) fn subscribed(&mut self, id: Box<str>, wanted: Wanted, heard: Option<(Place, Held)>) {
        match heard.map(|(place, held)| (place, held.keep())) {
            Some((Place::Room(room, ear), subscription)) => {
                let mut rooms = self.wire.rooms.lock();
                // Looked at within the lock: an ear that loses its room meanwhile takes it out again.
                if !ear.is_over() {
                    rooms.insert(room.clone());
                }
                drop(rooms);
                self.rooms.insert(room, RoomHeard { ear, subscription });
            }
            Some((Place::Inbox, subscription)) => self.inbox = Some(subscription),
            Some((Place::Workspace(ear), subscription)) => self.workspace = Some((ear, subscription)),
            Some((Place::Everyone(ear), subscription)) => self.everyone = Some((ear, subscription)),
            Some((Place::Presence, subscription)) => self.presence = Some(subscription),
            Some((Place::Statuses, subscription)) => self.statuses = Some(subscription),
            Some((Place::Desk, subscription)) => self.desk = Some(subscription),
            None => {}
        }
        if wanted.collection {
            self.reply(frame::added(&wanted.stream, &wanted.key));
        }
        let topic = wanted.topic.clone();
        self.subs.insert(id.clone(), wanted);
        self.want(&topic);
        self.reply(frame::ready(&id));
    }

    /// Sets what the ear of this topic passes on, from the subscriptions there are; nothing left ends it.
    pub(super) fn want(&mut self, topic: &Topic) {
        match topic {
            Topic::Room(room, _) => {
                let bits = self.subs.values().filter_map(|w| match &w.topic {
                    Topic::Room(r, event) if r == room => Some(*event as u8),
                    _ => None,
                });
                let bits = bits.fold(0, |all, bit| all | bit);
                if let Some(heard) = self.rooms.get(room) {
                    heard.ear.wanted.set(bits);
                }
                if bits == 0
                    && let Some(heard) = self.rooms.remove(room)
                {
                    self.door.chat.end(heard.subscription);
                    self.wire.rooms.lock().remove(room);
                }
            }
            Topic::User(..) => {
                let bits = self.subs.values().filter_map(|w| match &w.topic {
                    Topic::User(_, event) => Some(*event as u8),
                    _ => None,
                });
                if let Some(heard) = &self.user {
                    heard.ear.wanted.set(bits.fold(0, |all, bit| all | bit));
                }
            }
            Topic::LoggedIn | Topic::Everyone => {
                for ear in self.workspace.iter().chain(&self.everyone).map(|(ear, _)| ear) {
                    *ear.wanted.lock() = self
                        .subs
                        .values()
                        .filter(|w| matches!(w.topic, Topic::LoggedIn | Topic::Everyone))
                        .map(|w| (w.stream.to_string(), w.key.to_string()))
                        .collect();
                }
            }
            Topic::Presence => {
                if let Some(subscription) =
                    self.presence.take_if(|_| !self.subs.values().any(|w| w.topic == Topic::Presence))
                {
                    self.door.chat.end(subscription);
                }
            }
            Topic::Desk => {
                let gone = |_: &mut Subscription| !self.subs.values().any(|w| w.topic == Topic::Desk);
                if let Some(subscription) = self.desk.take_if(gone) {
                    self.door.chat.end(subscription);
                }
            }
            Topic::Statuses => {
                let gone = |_: &mut Subscription| !self.subs.values().any(|w| w.topic == Topic::Statuses);
                if let Some(subscription) = self.statuses.take_if(gone) {
                    self.door.chat.end(subscription);
                }
            }
            Topic::Idle { .. } | Topic::PrivateSettings => {}
        }
    }

    pub(super) fn unsubscribe(&mut self, frame: &ClientFrame<'_>) {
        let Some(id) = frame.id() else { return };
        if let Some(wanted) = self.subs.remove(id) {
            self.want(&wanted.topic);
            self.reply(frame::nosub(id, None));
        }
    }
}

fn workspace(
    chat: Arc<Chat>,
    wire: Arc<Wire>,
    actor: Actor,
    own: Option<Arc<UserEar>>,
) -> Answer<Result<Option<(Place, Subscription)>, Refused>> {
    let ear = Arc::new(WorkspaceEar { wire, own, wanted: Mutex::default() });
    Box::pin(async move {
        let subscription = chat.listen_workspace(&actor, ear.clone()).await?;
        Ok(Some((Place::Workspace(ear), subscription)))
    })
}
