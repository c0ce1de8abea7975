//! Rows of the journal that another node wrote, made into what happened: read back in one snapshot, so a change that was
//! overtaken shows what came of it, and its own row comes in its turn.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::detail::Detail;
use crate::{
    case::CaseAction,
    cases::conversation_in,
    catch_up::read_piece,
    error::{Refusal, Result},
    event::{AvatarOf, Event, Fact},
    id::{MembershipId, MessageId, RoleId, RoomId, SessionId, TeamId, UserId},
    json::Json,
    room::{Room, RoomKind},
    setting::{Settings, Value},
    store::{Read, Trace, TraceOf},
    ticket::Ticket,
    tickets::TicketFate,
    user::User,
};

/// Changes of one room that are read at once.
const PIECE: u64 = 500;

/// What happened by room and position.
type Timelines = FxHashMap<(RoomId, i64), Vec<Event>>;

/// What the rows tell, in their order. Every position that a row took is accounted for: where nothing can be told of it
/// any more, nobody waits for it.
pub(super) fn facts(rows: &mut dyn Read, traces: Vec<Trace>) -> Result<Vec<Fact>> {
    let mut timelines = timelines(rows, &traces)?;
    let mut facts = Vec::with_capacity(traces.len());
    for trace in traces {
        let place = trace.room.clone().zip(trace.position);
        let mut events = match &place {
            Some(place) if is_message(trace.of) => timelines.remove(place).unwrap_or_default(),
            _ => Vec::from_iter(event(rows, &trace)?),
        };
        if let Some((room, _)) = place.as_ref().filter(|_| events.is_empty()) {
            events.push(Event::Skipped { room: room.clone() });
        }
        facts.extend(events.into_iter().map(|event| Fact { g: trace.g, place: place.clone(), event }));
    }
    Ok(facts)
}

fn is_message(of: TraceOf) -> bool {
    matches!(of, TraceOf::Message | TraceOf::MessageChanged | TraceOf::MessageDeleted | TraceOf::Purged)
}

/// The messages behind the rows, a few readings a room.
fn timelines(mut rows: &mut dyn Read, traces: &[Trace]) -> Result<Timelines> {
    let mut spans: FxHashMap<&RoomId, (i64, i64)> = FxHashMap::default();
    for trace in traces.iter().filter(|trace| is_message(trace.of)) {
        let Some((room, at)) = trace.room.as_ref().zip(trace.position) else { continue };
        let (first, last) = spans.entry(room).or_insert((at, at));
        (*first, *last) = (at.min(*first), at.max(*last));
    }
    let mut found = Timelines::default();
    for (room, (first, last)) in spans {
        let mut after = first - 1;
        while after < last {
            let piece = read_piece(&mut rows, room, after, PIECE)?;
            for Fact { place, event, .. } in piece.facts {
                if let Some(place) = place.filter(|_| !matches!(event, Event::Room { .. })) {
                    found.entry(place).or_default().push(event);
                }
            }
            if piece.upto <= after {
                break;
            }
            after = piece.upto;
        }
    }
    Ok(found)
}

/// What a row tells that is not about messages; `None` when what it was about is gone, which has a row of its own.
fn event(rows: &mut dyn Read, trace: &Trace) -> Result<Option<Event>> {
    let detail = Detail::read(trace.detail.as_deref());
    let object = trace.object.as_deref();
    Ok(match trace.of {
        TraceOf::Room | TraceOf::RoomRemoved | TraceOf::Case | TraceOf::Ticket => {
            of_room(rows, trace, &detail)?
        }
        TraceOf::Membership | TraceOf::MembershipRemoved | TraceOf::Read | TraceOf::Starred => {
            of_member(rows, trace, &detail)?
        }
        TraceOf::User | TraceOf::UserRemoved | TraceOf::SessionsEnded | TraceOf::RoleGiven => {
            of_user(rows, trace, &detail)?
        }
        TraceOf::Setting => match object {
            Some(id) => Some(setting(rows, id, &detail)?),
            None => None,
        },
        TraceOf::Permission => match object {
            Some(id) => {
                let grant = rows.grants()?.into_iter().find(|grant| &*grant.permission == id);
                let (roles, at) = grant.map_or_else(
                    || (detail.roles(), detail.time("at")),
                    |grant| (grant.roles, grant.updated_at),
                );
                Some(Event::Permission { id: id.into(), roles: roles.into(), at })
            }
            None => None,
        },
        TraceOf::Role => match object.map(RoleId::new) {
            Some(id) => {
                let role = rows.roles()?.into_iter().find(|role| role.id == id).map(Arc::new);
                let at = role.as_ref().map_or_else(|| detail.time("at"), |role| role.updated_at);
                Some(Event::Role { id, role, at })
            }
            None => None,
        },
        TraceOf::Team => object.map(|id| Event::Team { team: TeamId::new(id) }),
        TraceOf::Custom => object.map(|id| Event::Custom {
            kind: detail.custom(),
            id: id.into(),
            name: detail.text("name").unwrap_or_default().into(),
            removed: detail.is("removed"),
        }),
        TraceOf::Avatar => object.map(|id| {
            let tag = detail.text("tag").map(str::to_owned);
            let of = match detail.text("username") {
                Some(username) => AvatarOf::User(UserId::new(id), username.to_owned()),
                None => AvatarOf::Room(RoomId::new(id)),
            };
            Event::Avatar { of, tag }
        }),
        TraceOf::Message
        | TraceOf::MessageChanged
        | TraceOf::MessageDeleted
        | TraceOf::Purged
        | TraceOf::Skipped
        | TraceOf::Other => None,
    })
}

fn of_room(rows: &mut dyn Read, trace: &Trace, detail: &Detail) -> Result<Option<Event>> {
    let object = trace.object.as_deref().unwrap_or_default();
    Ok(match trace.of {
        TraceOf::Room => {
            let room = rows.room(&RoomId::new(object))?.map(Arc::new);
            room.map(|room| Event::Room { room, change: detail.change() })
        }
        TraceOf::RoomRemoved => {
            Some(Event::RoomRemoved { room: Arc::new(gone_room(RoomId::new(object), detail)) })
        }
        TraceOf::Case => {
            let Some(room) = &trace.room else { return Ok(None) };
            let conversation = match conversation_in(rows, room) {
                Err(Refusal::NotFound(_)) => return Ok(None),
                found => Arc::new(found?),
            };
            let first = match detail.text("first") {
                Some(id) => rows.message(&MessageId::new(id))?.map(Arc::new),
                None => None,
            };
            let by = detail.user("by").unwrap_or_else(|| UserId::new(""));
            action(object).map(|action| Event::Case { conversation, action, by, first })
        }
        _ => {
            let change = detail.fate();
            let ticket = match change {
                TicketFate::Removed => detail.text("room").map(|room| gone_ticket(object, room)),
                _ => rows.ticket_by_id(object)?,
            };
            ticket.map(|ticket| Event::Ticket { ticket: Arc::new(ticket), change })
        }
    })
}

fn of_member(rows: &mut dyn Read, trace: &Trace, detail: &Detail) -> Result<Option<Event>> {
    let object = trace.object.as_deref();
    let Some(user) = trace.whom.clone() else { return Ok(None) };
    if trace.of == TraceOf::Starred {
        let Some(message) = object else { return Ok(None) };
        let message = rows.message(&MessageId::new(message))?.map(Arc::new);
        return Ok(message.map(|message| Event::Starred { user, message, on: detail.is("on") }));
    }
    let Some(room) = trace.room.clone() else { return Ok(None) };
    Ok(match trace.of {
        TraceOf::Membership => {
            let found = match object {
                Some(id) => rows.membership_by_id(&MembershipId::new(id))?,
                None => None,
            };
            let change = detail.change();
            found.map(|membership| Event::Membership {
                membership: Arc::new(membership),
                change,
                by: detail.user("by"),
            })
        }
        TraceOf::MembershipRemoved => Some(Event::MembershipRemoved {
            id: MembershipId::new(object.unwrap_or_default()),
            kind: rows.room(&room)?.map(|room| room.kind),
            room,
            user,
            by: detail.user("by"),
        }),
        _ => Some(Event::Read {
            room,
            user,
            seq: detail.number("seq"),
            thread: object.map(MessageId::new),
            at: detail.time("at"),
            named: detail.list("named").map(MessageId::new).collect(),
        }),
    })
}

fn of_user(rows: &mut dyn Read, trace: &Trace, detail: &Detail) -> Result<Option<Event>> {
    let object = trace.object.as_deref();
    Ok(match (trace.of, trace.whom.clone()) {
        (TraceOf::User, _) => {
            let found = match object {
                Some(id) => rows.user(&UserId::new(id))?,
                None => None,
            };
            let Some(user) = found else { return Ok(None) };
            let before = detail.inner("was").map(|was| Arc::new(before(&user, &was)));
            Some(Event::User { user: Arc::new(user), change: detail.change(), before })
        }
        (TraceOf::UserRemoved, _) => {
            object.map(|id| Event::UserRemoved { user: Arc::new(gone_user(id, detail)) })
        }
        (TraceOf::SessionsEnded, Some(user)) => Some(Event::SessionsEnded {
            user,
            session: object.map(SessionId::new),
            kept: detail.text("kept").map(SessionId::new),
        }),
        (TraceOf::RoleGiven, Some(user)) => Some(Event::RoleGiven {
            user,
            username: detail.text("username").unwrap_or_default().to_owned(),
            role: RoleId::new(object.unwrap_or_default()),
            room: detail.text("room").map(RoomId::new),
            given: detail.is("given"),
        }),
        _ => None,
    })
}

/// The user before a change, as far as anybody asks: under which id and names, and with what access.
fn before(user: &User, was: &Detail) -> User {
    let text = |key: &str| was.text(key).unwrap_or_default().to_owned();
    User {
        id: was.user("id").unwrap_or_else(|| user.id.clone()),
        username: text("username"),
        name: text("name"),
        access: was.number("access"),
        ..user.clone()
    }
}

/// A setting as it is now: what was chosen, else the default. One that went with its family has none.
fn setting(rows: &mut dyn Read, id: &str, detail: &Detail) -> Result<Event> {
    let all = Settings::snapshot(rows.setting_values()?);
    let (value, at) = match all.get(id) {
        Some(setting) => (setting.value.clone(), setting.updated_at.max(detail.time("at"))),
        None => (Value::Json(Json::new("null")), detail.time("at")),
    };
    Ok(Event::Setting { id: id.into(), value, at })
}

fn action(word: &str) -> Option<CaseAction> {
    use CaseAction as A;
    let all = [
        A::Created,
        A::Claimed,
        A::Closed,
        A::Reopened,
        A::ParticipantAdded,
        A::ParticipantRemoved,
        A::Acknowledged,
        A::Noted,
    ];
    all.into_iter().find(|action| action.as_str() == word)
}

fn gone_ticket(id: &str, room: &str) -> Ticket {
    Ticket {
        room: RoomId::new(room),
        id: id.to_owned(),
        title: None,
        created_by: UserId::new(""),
        assignees: Vec::new(),
        vendor: None,
        verified_by: Vec::new(),
        category: None,
        status: String::new(),
        created_at: Default::default(),
        updated_at: Default::default(),
    }
}

/// A room that is no more: its id, its kind and its names.
fn gone_room(id: RoomId, detail: &Detail) -> Room {
    use RoomKind as K;
    let kinds = [K::Channel, K::Group, K::Direct, K::Case, K::Ticket];
    let kind = kinds.into_iter().find(|kind| *kind as i64 == detail.number("kind")).unwrap_or(K::Group);
    let text = |key: &str| detail.text(key).map(str::to_owned);
    Room { name: text("name"), title: text("title"), ..Room::blank(id, kind, UserId::new("")) }
}

/// An account that is no more: its id and its names.
fn gone_user(id: &str, detail: &Detail) -> User {
    let text = |key: &str| detail.text(key).unwrap_or_default();
    User { name: text("name").to_owned(), ..User::blank(UserId::new(id), text("username")) }
}
