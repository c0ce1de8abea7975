//! The doors through which somebody acts: a row for each, with what its contract has a word for.

use parlor_testkit::{Ddp, HostPerson, Server};
use serde_json::{Value, json};

use super::{
    sio::Sio,
    stage::{Kind, Stage, TICKET, text},
    support::Socket,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    RocketRest,
    RocketDdp,
    Inbox,
    Support,
    RoomsRest,
    RoomsSocket,
    TicketsRest,
    TicketsSocket,
}

pub const DOORS: [Door; 8] = [
    Door::RocketRest,
    Door::RocketDdp,
    Door::Inbox,
    Door::Support,
    Door::RoomsRest,
    Door::RoomsSocket,
    Door::TicketsRest,
    Door::TicketsSocket,
];

impl Door {
    /// Whether rooms of this kind are seen through it: the tickets doors know tickets only, the others everything.
    pub fn meets(self, kind: Kind) -> bool {
        kind == Kind::Ticket || !matches!(self, Self::TicketsRest | Self::TicketsSocket)
    }
    /// Whether its contract has edits and removals.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Inbox | Self::Support)
    }
    pub fn reads(self) -> bool {
        self != Self::TicketsSocket
    }
    pub fn types(self) -> bool {
        matches!(self, Self::RocketDdp | Self::Support | Self::RoomsSocket | Self::TicketsSocket)
    }
    /// Those of a kind of room that have a word for something.
    pub fn of(kind: Kind, has: impl Fn(Self) -> bool) -> impl Iterator<Item = Self> {
        DOORS.into_iter().filter(move |door| door.meets(kind) && has(*door))
    }
}

/// Somebody with a hand on each door.
pub struct Hands {
    kind: Kind,
    room: String,
    me: HostPerson,
    ddp: Ddp,
    support: Socket,
    rooms: Sio,
    tickets: Option<Sio>,
}

pub async fn rooms_socket(server: &Server, who: &HostPerson, room: &str) -> Sio {
    let mut socket = Sio::enter(server, json!({"token": who.token})).await.expect("let in");
    socket.grant("join_room", json!({"room_id": room})).await;
    socket
}

pub async fn ticket_socket(server: &Server, who: &HostPerson) -> Sio {
    let mut socket = Sio::enter(server, json!({"token": who.token})).await.expect("let in");
    socket.grant("join_ticket", json!({"ticketId": TICKET})).await;
    socket
}

pub async fn support_socket(server: &Server, who: &HostPerson, room: &str) -> Socket {
    let mut socket = Socket::open(server, &format!("?token={}", who.token)).await;
    socket.event("connected").await;
    socket.done("join_conversation", json!({"conversation_id": room})).await;
    socket
}

impl Hands {
    pub async fn of(stage: &Stage, who: &HostPerson) -> Self {
        let (server, room) = (&stage.server, stage.room.clone());
        let mut ddp = Ddp::connect(server).await;
        ddp.resume(&who.token).await.expect("let in");
        let tickets = match stage.kind {
            Kind::Ticket => Some(ticket_socket(server, who).await),
            _ => None,
        };
        Self {
            kind: stage.kind,
            ddp,
            support: support_socket(server, who, &room).await,
            rooms: rooms_socket(server, who, &room).await,
            tickets,
            me: who.clone(),
            room,
        }
    }

    fn ticket(&mut self) -> &mut Sio {
        assert_eq!(self.kind, Kind::Ticket);
        self.tickets.as_mut().expect("in tickets alone")
    }

    /// Says something; the id that it got.
    pub async fn send(&mut self, by: Door, said: &str) -> String {
        let (room, rest) = (self.room.clone(), self.me.rest.clone());
        let id = match by {
            Door::RocketRest => {
                let body = json!({"message": {"rid": room, "msg": said}});
                rest.post("chat.sendMessage", body).await.expect(200)["message"]["_id"].clone()
            }
            Door::RocketDdp => {
                let params = json!([{"rid": room, "msg": said}]);
                self.ddp.method("sendMessage", params).await.expect("it is sent")["_id"].clone()
            }
            Door::Inbox => {
                let body = json!({"room_id": room, "message": said});
                rest.post("/api/chat/send", body).await.expect(201)["message"]["id"].clone()
            }
            Door::Support => {
                let asked = json!({"conversation_id": room, "content": said});
                self.support.done("send_chat_message", asked).await["message"]["id"].clone()
            }
            Door::RoomsRest => {
                let body = json!({"room_id": room, "content": said});
                rest.post("/api/chat/messages", body).await.expect(201)["id"].clone()
            }
            Door::RoomsSocket => {
                let asked = json!({"room_id": room, "content": said});
                self.rooms.grant("send_message", asked).await["message"]["id"].clone()
            }
            Door::TicketsRest => {
                let path = format!("/api/tickets/{TICKET}/chat");
                rest.post(&path, json!({"message": said})).await.expect(201)["message"]["id"].clone()
            }
            Door::TicketsSocket => {
                let asked = json!({"ticketId": TICKET, "message": said});
                self.ticket().grant("send_message", asked).await["message"]["id"].clone()
            }
        };
        text(&id)
    }

    pub async fn edit(&mut self, by: Door, id: &str, said: &str) {
        let (room, rest) = (self.room.clone(), self.me.rest.clone());
        match by {
            Door::RocketRest => {
                let body = json!({"roomId": room, "msgId": id, "text": said});
                drop(rest.post("chat.update", body).await.expect(200));
            }
            Door::RocketDdp => {
                let params = json!([{"_id": id, "rid": room, "msg": said}]);
                drop(self.ddp.method("updateMessage", params).await.expect("it is changed"));
            }
            Door::RoomsRest => {
                let path = format!("/api/chat/messages/{id}");
                drop(rest.patch(&path, json!({"content": said})).await.expect(200));
            }
            Door::RoomsSocket => {
                let asked = json!({"room_id": room, "message_id": id, "content": said});
                drop(self.rooms.grant("message_edited", asked).await);
            }
            Door::TicketsRest => {
                let path = format!("/api/tickets/{TICKET}/chat/{id}");
                drop(rest.patch(&path, json!({"message": said})).await.expect(200));
            }
            Door::TicketsSocket => {
                let asked = json!({"ticketId": TICKET, "messageId": id, "message": said});
                drop(self.ticket().grant("message_edited", asked).await);
            }
            Door::Inbox | Door::Support => panic!("{by:?} has no edits"),
        }
    }

    pub async fn delete(&mut self, by: Door, id: &str) {
        let (room, rest) = (self.room.clone(), self.me.rest.clone());
        match by {
            Door::RocketRest => {
                let body = json!({"roomId": room, "msgId": id});
                drop(rest.post("chat.delete", body).await.expect(200));
            }
            Door::RocketDdp => {
                drop(self.ddp.method("deleteMessage", json!([{"_id": id}])).await.expect("it is removed"));
            }
            Door::RoomsRest => drop(rest.remove(&format!("/api/chat/messages/{id}")).await.expect(200)),
            Door::RoomsSocket => {
                drop(self.rooms.grant("message_deleted", json!({"message_id": id, "room_id": room})).await);
            }
            Door::TicketsRest => {
                drop(rest.remove(&format!("/api/tickets/{TICKET}/chat/{id}")).await.expect(200));
            }
            Door::TicketsSocket => {
                let asked = json!({"ticketId": TICKET, "messageId": id});
                drop(self.ticket().grant("message_deleted", asked).await);
            }
            Door::Inbox | Door::Support => panic!("{by:?} has no removals"),
        }
    }

    /// Marks everything in the room as read.
    pub async fn read(&mut self, by: Door) {
        let (room, rest) = (self.room.clone(), self.me.rest.clone());
        let done: Value = match by {
            Door::RocketRest => rest.post("subscriptions.read", json!({"rid": room})).await.expect(200),
            Door::RocketDdp => self.ddp.method("readMessages", json!([room])).await.expect("it is read"),
            Door::Inbox => rest.post("/api/chat/mark-read", json!({"room_id": room})).await.expect(200),
            Door::Support => self.support.done("mark_message_read", json!({"conversation_id": room})).await,
            Door::RoomsRest => {
                rest.post(&format!("/api/chat/rooms/{room}/read"), json!({})).await.expect(200)
            }
            Door::RoomsSocket => self.rooms.grant("mark_as_read", json!({"room_id": room})).await,
            Door::TicketsRest => {
                rest.post(&format!("/api/tickets/{TICKET}/chat/read"), json!({})).await.expect(200)
            }
            Door::TicketsSocket => panic!("{by:?} has no reading"),
        };
        drop(done);
    }

    pub async fn typing(&mut self, by: Door, on: bool) {
        let room = self.room.clone();
        match by {
            Door::RocketDdp => {
                let username = self.me.id.trim_start_matches("u-");
                let what = if on { json!(["user-typing"]) } else { json!([]) };
                let params = json!([format!("{room}/user-activity"), username, what, {}]);
                drop(self.ddp.method("stream-notify-room", params).await.expect("it is shown"));
            }
            Door::Support => {
                let asked = json!({"conversation_id": room, "is_typing": on});
                drop(self.support.done("typing_indicator", asked).await);
            }
            Door::RoomsSocket => {
                drop(self.rooms.grant("typing", json!({"room_id": room, "is_typing": on})).await);
            }
            Door::TicketsSocket => {
                let event = if on { "typing_start" } else { "typing_stop" };
                drop(self.ticket().grant(event, json!({"ticketId": TICKET})).await);
            }
            _ => panic!("{by:?} has no typing"),
        }
    }
}
