//! The stream of everything that happens in a user's rooms: server-sent events that can be taken up again.

use std::{
    hash::BuildHasher,
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use parlor_core::{
    clock::Time,
    feed::{Feed, Item, News, RoomFate, Start},
    id::{RoomId, UserId},
    user::User,
};
use parlor_host::{
    Host,
    call::{Call, QueryTokens},
    caller::Caller,
    problem::Problem,
};
use parlor_live::{Class, Close, Closed, Lost, Outbox, Topic, frame_sse, sse};
use serde_json::{Value, json};

use crate::{
    Door, RETRY,
    acting::{Acting, Known, Unknown, acting},
    guard::Guard,
    presence::{Wanted, Watch},
    shape,
};

/// Bytes that wait in the outbox before a catch-up reads on.
const ENOUGH: usize = 256 * 1024;
/// How often a full outbox is looked at, and a name that nobody has.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LOOK_FOR_NAME: Duration = Duration::from_secs(1);
/// How long a catch-up waits for a client that reads nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many news at once are no client's fault: a transaction of somebody else held them up.
const MANY: usize = 32;
/// How long they wait for a client that reads nothing.
const STALL: Duration = Duration::from_millis(500);

/// Where a stream of somebody pushes.
pub(crate) type Cell = Arc<OnceLock<Arc<Outbox>>>;
/// Makes numbers of what frames are about.
pub(crate) static SEED: LazyLock<std::hash::RandomState> = LazyLock::new(Default::default);

/// `GET /api/chat/stream`.
pub(crate) async fn stream(door: Door, request: Request) -> Result<Response, Problem> {
    let call = Call::read(door.host.clone(), request, QueryTokens::Stream).await;
    call.host.options().origins.check(&call.headers)?;
    check_accept(&call)?;
    let by = call.caller()?.clone();
    let name = call.query.get("user").map(str::to_owned);
    let who = acting(&call, "query", "user", name.as_deref(), Unknown::Left, Known::default()).await?;
    let wanted = Wanted::of(&call)?;
    let after = last_event_id(&call);
    let cell = Cell::default();
    let guard = match (&by, &who) {
        (Caller::User(by), Some(who)) if by.user.id != who.user.id => {
            Some(Guard::begin(&call.host, by).await?)
        }
        _ => None,
    };
    let expires_at = match by {
        Caller::App => None,
        Caller::User(admitted) => admitted.expires_at,
    };
    let river = match who {
        Some(who) => River::Known(Box::new(open(&call.host, who, after.as_deref(), &cell).await?)),
        None => River::unknown(&call.host, name.unwrap_or_default()).await?,
    };
    let teller = Teller { host: call.host.clone(), expires_at, guard, wanted, cell };
    let mut response = sse::stream(door.live.clone(), None, farewell, |outbox| {
        let _ = teller.cell.set(outbox.clone());
        Ended(tokio::spawn(teller.run(river)))
    });
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    Ok(response)
}

/// Ends the stream's task with its connection.
struct Ended(tokio::task::JoinHandle<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The last event of a client that reads too slowly.
fn farewell(why: &Closed) -> Option<Bytes> {
    let message = "Too much is waiting: come back behind the last event that came";
    let data = json!({ "type": "error", "error": "too_slow", "message": message });
    matches!(why, Closed::TooSlow).then(|| frame_sse(None, Some("error"), &data.to_string()))
}

/// A stream is a connection of its user, who is there as long as it is open.
struct Here {
    host: Host,
    user: UserId,
    connection: u64,
}

impl Here {
    fn begin(host: &Host, user: &User) -> Self {
        let connection = host.chat().new_connection();
        host.chat().connected(user, connection);
        tracing::info!(user = %user.id, connection, "listens");
        Self { host: host.clone(), user: user.id.clone(), connection }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.host.chat().disconnected(&self.user, self.connection);
        tracing::info!(user = %self.user, connection = self.connection, "listens no more");
    }
}

fn check_accept(call: &Call) -> Result<(), Problem> {
    let Some(accept) = call.headers.get(header::ACCEPT) else { return Ok(()) };
    let accept = accept.to_str().unwrap_or_default();
    let takes = |part: &str| {
        let kind = part.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/event-stream") || kind == "*/*" || kind == "text/*"
    };
    if accept.trim().is_empty() || accept.split(',').any(takes) {
        return Ok(());
    }
    Err(Problem::new(406, "not_acceptable", "This answers text/event-stream"))
}

/// Where the client left off. An id of more than 64 characters was never given out.
fn last_event_id(call: &Call) -> Option<String> {
    let header = call.headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?").to_owned());
    let given = header.filter(|id| !id.is_empty());
    given.or_else(|| call.query.get("last_event_id").map(str::to_owned))
}

/// An opened feed and what was told at its beginning.
struct Opened {
    who: Acting,
    feed: Feed,
    start: Start,
}

async fn open(host: &Host, who: Acting, after: Option<&str>, cell: &Cell) -> Result<Opened, Problem> {
    let cell = cell.clone();
    let left = move |room: &RoomId| {
        if let Some(outbox) = cell.get() {
            outbox.purge(Lost::Topic(topic(room)));
        }
    };
    let (feed, start) = host.chat().feed(&who.actor, after, Box::new(left)).await?;
    Ok(Opened { who, feed, start })
}

/// What frames of a room are about.
fn topic(room: &RoomId) -> Topic {
    SEED.hash_one(room.as_str()).clamp(1, u64::MAX - 1)
}

enum River {
    Known(Box<Opened>),
    /// Nobody has this name yet; news begin behind this place.
    Unknown {
        name: String,
        place: i64,
    },
}

impl River {
    async fn unknown(host: &Host, name: String) -> Result<Self, Problem> {
        Ok(Self::Unknown { name, place: host.chat().feed_place().await? })
    }
}

/// One stream's task.
struct Teller {
    host: Host,
    expires_at: Option<Time>,
    /// Of an administrator who listens as somebody else.
    guard: Option<Guard>,
    /// Whose coming and going it tells.
    wanted: Wanted,
    cell: Cell,
}

/// The stream is over: its client is told why, if there is anybody left to tell.
struct Over(Option<Problem>);

impl From<Problem> for Over {
    fn from(problem: Problem) -> Self {
        Self(Some(problem))
    }
}

impl Teller {
    fn outbox(&self) -> Option<&Arc<Outbox>> {
        self.cell.get()
    }

    async fn run(self, river: River) {
        let Over(why) = {
            let expiry = self.host.expiry(self.expires_at);
            tokio::select! {
                biased;
                problem = expiry => Over(Some(problem)),
                problem = self.no_more_right() => Over(Some(problem)),
                over = self.flow(river) => over,
            }
        };
        let Some(outbox) = self.outbox() else { return };
        if let Some(problem) = why {
            // A session that ended is a token that proves nothing any more.
            let problem = if problem.code == "unauthorized" { Problem::invalid_token() } else { problem };
            let data = json!({ "type": "error", "error": problem.code, "message": problem.message });
            outbox.push(frame_sse(None, Some("error"), &data.to_string()), Class::Reply);
        }
        outbox.finish(Close::normal());
    }

    async fn no_more_right(&self) -> Problem {
        match &self.guard {
            Some(guard) => {
                let problem = guard.over().await;
                // What is on its way was for somebody who could listen as another.
                if let Some(outbox) = self.outbox() {
                    outbox.purge(Lost::All);
                }
                problem
            }
            None => std::future::pending().await,
        }
    }

    async fn flow(&self, river: River) -> Over {
        match self.tell_all(river).await {
            Ok(never) => match never {},
            Err(over) => over,
        }
    }

    async fn tell_all(&self, river: River) -> Result<std::convert::Infallible, Over> {
        let mut opened = match river {
            River::Known(opened) => {
                self.tell_start(&opened).await?;
                *opened
            }
            River::Unknown { name, place } => self.wait_for(name, place).await?,
        };
        let _here = Here::begin(&self.host, &opened.who.user);
        let watch = Watch::begin(&self.host, &opened.who, &self.wanted, &self.cell).await;
        let mut watch = watch.map_err(Problem::from)?;
        loop {
            let behind = opened.feed.is_catching_up();
            let items = opened.feed.next().await.map_err(Problem::from)?;
            for item in &items {
                self.tell(&opened.who.user, &opened.who, item).await?;
                if let News::Room(room, RoomFate::Added | RoomFate::Updated) = &item.news {
                    watch.look_into(room).await.map_err(Problem::from)?;
                }
                // A few large messages are more than an outbox holds.
                if behind {
                    self.room_for_more(PATIENCE).await?;
                } else if items.len() > MANY {
                    self.room_for_more(STALL).await?;
                }
            }
        }
    }

    /// The first frames: how soon to come back, who this is, and whether something is missing.
    async fn tell_start(&self, opened: &Opened) -> Result<(), Over> {
        let user = &opened.who.user;
        let place = opened.start.place.to_string();
        self.push(format!("retry: {}\n\n", RETRY.as_millis()).into(), 0)?;
        let data =
            json!({ "username": user.username, "known": true, "unread_total": self.unread(opened).await? });
        self.push(frame_sse(Some(&place), Some("ready"), &data.to_string()), 0)?;
        if let Some(gap) = opened.start.gap {
            self.tell_reset(&place, gap.as_str())?;
        }
        Ok(())
    }

    fn tell_reset(&self, place: &str, reason: &str) -> Result<(), Over> {
        let data = json!({ "type": "reset", "reason": reason });
        self.push(frame_sse(Some(place), Some("reset"), &data.to_string()), 0)
    }

    async fn unread(&self, opened: &Opened) -> Result<i64, Over> {
        let rooms = self.host.chat().unread_rooms(&opened.who.actor).await.map_err(Problem::from)?;
        Ok(rooms.iter().map(|(_, count)| count).sum())
    }

    /// A name that nobody has is quiet until somebody gets it.
    async fn wait_for(&self, name: String, place: i64) -> Result<Opened, Over> {
        self.push(format!("retry: {}\n\n", RETRY.as_millis()).into(), 0)?;
        let data = json!({ "username": name, "known": false, "unread_total": 0 });
        self.push(frame_sse(Some(&place.to_string()), Some("ready"), &data.to_string()), 0)?;
        loop {
            tokio::time::sleep(LOOK_FOR_NAME).await;
            let found = self.host.chat().user_of_name(&name).await.map_err(Problem::from)?;
            if let Some(user) = found {
                let who = crate::acting::on_behalf(user)?;
                return Ok(open(&self.host, who, Some(&place.to_string()), &self.cell).await?);
            }
        }
    }

    async fn tell(&self, viewer: &Arc<User>, who: &Acting, item: &Item) -> Result<(), Over> {
        let (chat, place) = (self.host.chat(), item.place.to_string());
        match &item.news {
            News::Reset => self.tell_reset(&place, "unknown"),
            News::Message(message, fate) => {
                let Ok(found) = chat.inbox_place(&who.actor, &message.room).await else { return Ok(()) };
                let named = shape::Place::of(chat, &found.0).await?;
                let mut value = shape::message(&self.host, viewer, &named, message, found.1);
                let kind = shape::fate(*fate);
                put(&mut value, "type", kind);
                let name = (kind != "message").then_some(kind);
                self.push(frame_sse(Some(&place), name, &value.to_string()), topic(&message.room))
            }
            News::Room(room, fate) => {
                let (action, room) = match fate {
                    RoomFate::Removed => ("removed", json!({ "id": room.as_str() })),
                    other => {
                        let Ok(found) = chat.inbox_room(&who.actor, room).await else { return Ok(()) };
                        let action = if *other == RoomFate::Added { "added" } else { "updated" };
                        (action, shape::room(&self.host, viewer, &found).await?)
                    }
                };
                let data = json!({ "type": "room", "action": action, "room": room });
                self.push(frame_sse(Some(&place), Some("room"), &data.to_string()), 0)
            }
            News::Read(room) => {
                let Ok(found) = chat.inbox_room(&who.actor, room).await else { return Ok(()) };
                let total = chat.unread_rooms(&who.actor).await.map_err(Problem::from)?;
                let data = json!({
                    "type": "read",
                    "username": viewer.username,
                    "room_id": room.as_str(),
                    "unread": found.unread,
                    "unread_total": total.iter().map(|(_, count)| count).sum::<i64>(),
                });
                self.push(frame_sse(Some(&place), Some("read"), &data.to_string()), 0)
            }
        }
    }

    /// Queues a frame; nothing more when the connection is over.
    fn push(&self, frame: Bytes, topic: Topic) -> Result<(), Over> {
        match self.outbox() {
            Some(outbox) if outbox.closed().is_none() => {
                outbox.push(frame, Class::Event { topic });
                Ok(())
            }
            _ => Err(Over(None)),
        }
    }

    /// Waits while the client has enough to read; one that reads nothing for so long is cut off.
    async fn room_for_more(&self, patience: Duration) -> Result<(), Over> {
        let Some(outbox) = self.outbox() else { return Err(Over(None)) };
        let (mut before, mut waited) = (outbox.bytes(), Duration::ZERO);
        while outbox.bytes() > ENOUGH {
            if waited > patience {
                outbox.close(Closed::TooSlow);
            }
            if outbox.closed().is_some() {
                return Err(Over(None));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            let now = outbox.bytes();
            waited = if now < before { Duration::ZERO } else { waited + LOOK_AGAIN };
            before = now;
        }
        Ok(())
    }
}

fn put(value: &mut Value, key: &str, text: &str) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), text.into());
    }
}
