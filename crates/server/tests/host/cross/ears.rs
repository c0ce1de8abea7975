//! What somebody hears through each live door, in words that all of them share.

use parlor_testkit::{Ddp, HostPerson};
use serde_json::Value;

use super::{
    doors::{rooms_socket, support_socket, ticket_socket},
    sio::{Heard, Sio},
    sse::Stream,
    stage::{Kind, Stage, text},
    support::Socket,
};

/// Something that happened in the room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    Sent { id: String, said: String },
    Edited { id: String, said: String },
    Deleted { id: String },
    Read { who: String },
    Typing { who: String, on: bool },
    Here { who: String, here: bool },
}

impl Seen {
    pub fn sent(id: &str, said: &str) -> Self {
        Self::Sent { id: id.to_owned(), said: said.to_owned() }
    }
    pub fn edited(id: &str, said: &str) -> Self {
        Self::Edited { id: id.to_owned(), said: said.to_owned() }
    }
    /// What is about messages.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Sent { id, .. } | Self::Edited { id, .. } | Self::Deleted { id } => Some(id),
            _ => None,
        }
    }
}

pub enum Ear {
    RocketDdp(Ddp, String),
    Inbox(Stream, String),
    Support(Socket),
    Rooms(Sio),
    Tickets(Sio),
}

/// The ears of somebody on all live doors that meet in the room.
pub async fn ears(stage: &Stage, who: &HostPerson) -> Vec<Ear> {
    let (server, room) = (&stage.server, &stage.room);
    let mut ddp = Ddp::connect(server).await;
    ddp.resume(&who.token).await.expect("let in");
    ddp.stream("room-messages", room).await.expect("a member may listen");
    for what in ["user-activity", "deleteMessage"] {
        ddp.stream("notify-room", &format!("{room}/{what}")).await.expect("a member may listen");
    }
    let bearer = format!("Bearer {}", who.token);
    let mut stream = Stream::open(server, "/api/chat/stream", &[("authorization", &bearer)]).await;
    assert_eq!(stream.event().await.name, "ready");
    let mut all = vec![
        Ear::RocketDdp(ddp, room.clone()),
        Ear::Inbox(stream, room.clone()),
        Ear::Support(support_socket(server, who, room).await),
        Ear::Rooms(rooms_socket(server, who, room).await),
    ];
    if stage.kind == Kind::Ticket {
        all.push(Ear::Tickets(ticket_socket(server, who).await));
    }
    all
}

impl Ear {
    pub fn name(&self) -> &'static str {
        match self {
            Self::RocketDdp(..) => "Rocket.Chat DDP",
            Self::Inbox(..) => "inbox",
            Self::Support(_) => "support",
            Self::Rooms(_) => "rooms",
            Self::Tickets(_) => "tickets",
        }
    }

    /// Whether the door has a word for it (the matrix of the contracts, section 16).
    pub fn hears(&self, seen: &Seen) -> bool {
        match seen {
            Seen::Sent { .. } | Seen::Edited { .. } | Seen::Deleted { .. } => true,
            Seen::Read { .. } => matches!(self, Self::Support(_) | Self::Rooms(_)),
            Seen::Typing { .. } => !matches!(self, Self::Inbox(..)),
            Seen::Here { .. } => matches!(self, Self::Support(_) | Self::Rooms(_) | Self::Tickets(_)),
        }
    }

    /// The next thing that happened.
    pub async fn next(&mut self) -> Seen {
        loop {
            let seen = match self {
                Self::RocketDdp(ddp, room) => by_ddp(ddp, room).await,
                Self::Inbox(stream, room) => by_stream(stream, room).await,
                Self::Support(socket) => {
                    let frame = socket.wait("something", |_| true).await;
                    by_support(&frame)
                }
                Self::Rooms(socket) | Self::Tickets(socket) => match socket.next().await {
                    Heard::Event(name, payload) => by_socket_io(&name, &payload),
                    Heard::Ack(..) => None,
                    over => panic!("the socket ended: {over:?}"),
                },
            };
            if let Some(seen) = seen {
                return seen;
            }
        }
    }

    /// The next thing that happened is this; nothing else came before it, nothing twice.
    pub async fn expect(&mut self, wanted: &Seen) {
        if self.hears(wanted) {
            assert_eq!(self.next().await, *wanted, "by {}", self.name());
        }
    }
}

fn is_system(message: &Value) -> bool {
    message.get("t").is_some()
        || message["message_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("system"))
}

async fn by_ddp(ddp: &mut Ddp, room: &str) -> Option<Seen> {
    let frame = ddp.expect("something", |frame| frame["msg"] == "changed").await;
    let (event, args) = (frame["fields"]["eventName"].as_str()?, &frame["fields"]["args"]);
    match frame["collection"].as_str()? {
        "stream-room-messages" if !is_system(&args[0]) => {
            let (id, said) = (text(&args[0]["_id"]), text(&args[0]["msg"]));
            Some(match args[0].get("editedAt") {
                Some(_) => Seen::Edited { id, said },
                None => Seen::Sent { id, said },
            })
        }
        "stream-notify-room" if event == format!("{room}/deleteMessage") => {
            Some(Seen::Deleted { id: text(&args[0]["_id"]) })
        }
        "stream-notify-room" => {
            // The name to show, which begins with the user name here.
            let name = text(&args[0]).to_lowercase();
            let who = format!("u-{}", name.split(' ').next()?);
            Some(Seen::Typing { who, on: !args[1].as_array()?.is_empty() })
        }
        _ => None,
    }
}

async fn by_stream(stream: &mut Stream, room: &str) -> Option<Seen> {
    let event = stream.event().await;
    let message = &event.data;
    if message["system"] == true || message["room_id"] != room {
        return None;
    }
    let id = || text(&message["id"]);
    Some(match &*event.name {
        "message" => Seen::Sent { id: id(), said: text(&message["message"]) },
        "message_edited" => Seen::Edited { id: id(), said: text(&message["message"]) },
        "message_deleted" => Seen::Deleted { id: id() },
        _ => return None,
    })
}

fn by_support(frame: &Value) -> Option<Seen> {
    let message = &frame["message"];
    let who = || text(&frame["user_id"]);
    match frame["type"].as_str()? {
        "new_message" if !is_system(message) => {
            Some(Seen::Sent { id: text(&message["id"]), said: text(&message["content"]) })
        }
        "message_edited" => Some(Seen::Edited { id: text(&message["id"]), said: text(&message["content"]) }),
        "message_deleted" => Some(Seen::Deleted { id: text(&message["id"]) }),
        "message_read" => Some(Seen::Read { who: who() }),
        "typing_status" => Some(Seen::Typing { who: who(), on: frame["is_typing"] == true }),
        "presence_status" => Some(Seen::Here { who: who(), here: frame["is_present"] == true }),
        _ => None,
    }
}

fn by_socket_io(name: &str, payload: &Value) -> Option<Seen> {
    let message = &payload["message"];
    let in_tickets = payload.get("ticketId").is_some();
    let said = || text(if in_tickets { &message["message"] } else { &message["content"] });
    let who = || text(if in_tickets { &payload["userId"] } else { &payload["user_id"] });
    let id = || text(&message["id"]);
    Some(match name {
        "new_message" if is_system(message) => return None,
        "new_message" => Seen::Sent { id: id(), said: said() },
        "message_edited" => Seen::Edited { id: id(), said: said() },
        "message_deleted" => Seen::Deleted { id: id() },
        "messages_read" => Seen::Read { who: who() },
        "user_typing" => Seen::Typing { who: who(), on: in_tickets || payload["is_typing"] == true },
        "user_stopped_typing" => Seen::Typing { who: who(), on: false },
        "user_joined" => Seen::Here { who: who(), here: true },
        "user_left" => Seen::Here { who: who(), here: false },
        _ => return None,
    })
}
