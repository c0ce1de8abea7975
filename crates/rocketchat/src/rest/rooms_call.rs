//! What the endpoints of rooms share: reading bodies, finding the room that a call names, answering with it.

use std::sync::Arc;

use parlor_core::{
    error::{Refusal, State, What},
    id::UserId,
    room::{Room, RoomKind},
    rooms::RoomRef,
    store::{RoomFilter, RoomSort},
    user::User,
};
use serde_json::{Map, Value, json};

use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::Outcome,
    shape,
};

/// The object in a request's body.
pub(crate) struct Body(pub(crate) Map<String, Value>);

impl Body {
    pub(crate) async fn of(call: &mut Call) -> Result<Self, Refused> {
        Ok(Self(call.object().await?))
    }

    /// A value; `null` counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// A text, if it is there.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>, Refused> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::invalid_params("must be string")),
        }
    }

    /// A text that must be there.
    pub(crate) fn need(&self, key: &'static str) -> Result<&str, Refused> {
        self.text(key)?.ok_or_else(|| Refused::missing(key))
    }

    /// A switch; forms and old clients send it as text.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, Refused> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(*on)),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1") => Ok(Some(true)),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "0") => Ok(Some(false)),
            Some(_) => Err(Refused::invalid_params("must be boolean")),
        }
    }

    /// A list of texts.
    pub(crate) fn list(&self, key: &str) -> Result<Option<Vec<String>>, Refused> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(items)) => texts(items).map(Some),
            Some(_) => Err(Refused::invalid_params("must be array")),
        }
    }
}

/// Texts of a JSON array, nothing else among them.
pub(crate) fn texts(items: &[Value]) -> Result<Vec<String>, Refused> {
    let text = |item: &Value| item.as_str().map(str::to_owned);
    items.iter().map(text).collect::<Option<_>>().ok_or_else(|| Refused::invalid_params("must be string"))
}

/// Channels or groups: the same endpoints under two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Channels,
    Groups,
}

impl Family {
    pub(crate) fn path(self, name: &str) -> String {
        format!("{}.{name}", self.plural())
    }
    /// The key of a list.
    pub(crate) fn plural(self) -> &'static str {
        self.pick("channels", "groups")
    }
    /// The key of one room.
    pub(crate) fn key(self) -> &'static str {
        self.pick("channel", "group")
    }
    /// The word in texts.
    pub(crate) fn word(self) -> &'static str {
        self.pick("channel", "private group")
    }
    pub(crate) fn kind(self) -> RoomKind {
        self.pick(RoomKind::Channel, RoomKind::Group)
    }
    pub(crate) fn pick<T>(self, channels: T, groups: T) -> T {
        match self {
            Self::Channels => channels,
            Self::Groups => groups,
        }
    }

    fn not_found(self) -> Refused {
        let word = self.pick("channel", "group");
        let text =
            format!("The required \"roomId\" or \"roomName\" param provided does not match any {word}");
        Refused::meteor("error-room-not-found", &text)
    }

    /// The room of this family that the ids name.
    pub(crate) async fn find(
        self,
        call: &Call,
        id: Option<&str>,
        name: Option<&str>,
    ) -> Result<Arc<Room>, Refused> {
        let wanted = match (id.filter(|t| !t.is_empty()), name.filter(|t| !t.is_empty())) {
            (Some(id), _) => RoomRef::Id(id),
            (None, Some(name)) => RoomRef::Name(name),
            (None, None) => {
                let code = self.pick("error-roomid-param-not-provided", "error-room-param-not-provided");
                return Err(Refused::meteor(code, "The parameter \"roomId\" or \"roomName\" is required"));
            }
        };
        let actor = call.actor()?;
        let found = match self {
            Self::Channels => call.chat().find_known_room(actor, wanted).await,
            Self::Groups => call.chat().find_room(actor, wanted).await,
        };
        match found {
            Ok(room) if shape::room::letter(room.kind) == self.pick("c", "p") => Ok(room),
            Ok(_) | Err(Refusal::NotFound(_)) => Err(self.not_found()),
            Err(other) => Err(other.into()),
        }
    }

    /// The room that the query names.
    pub(crate) async fn asked(self, call: &Call) -> Result<Arc<Room>, Refused> {
        self.find(call, call.param("roomId"), call.param("roomName")).await
    }

    /// The room that the body names.
    pub(crate) async fn named(self, call: &Call, body: &Body) -> Result<Arc<Room>, Refused> {
        self.find(call, body.text("roomId")?, body.text("roomName")?).await
    }

    /// As [`Family::named`]; an archived room is refused.
    pub(crate) async fn living(self, call: &Call, body: &Body) -> Result<Arc<Room>, Refused> {
        let room = self.named(call, body).await?;
        if !room.archived {
            return Ok(room);
        }
        let text = format!("The {}, {}, is archived", self.word(), room.shown_name());
        Err(Refused::meteor("error-room-archived", &text))
    }

    /// Answers with the room as it is now.
    pub(crate) async fn answer(self, call: &Call, room: &Arc<Room>) -> Outcome {
        success(
            json!({ self.key(): shape::room::current(call.chat(), call.actor()?, room, Dates::Iso).await? }),
        )
    }
}

/// The room that `roomId` or `roomName` names, of whatever kind; unknown and unreadable ones alike are refused.
pub(crate) async fn any_room(
    call: &Call,
    id: Option<&str>,
    name: Option<&str>,
) -> Result<Arc<Room>, Refused> {
    let wanted = match (id.filter(|t| !t.is_empty()), name.filter(|t| !t.is_empty())) {
        (Some(id), _) => RoomRef::Id(id),
        (None, Some(name)) => RoomRef::Name(name),
        (None, None) => {
            let text = "The parameter \"roomId\" or \"roomName\" is required";
            return Err(Refused::meteor("error-roomid-param-not-provided", text));
        }
    };
    let found = call.chat().find_room(call.actor()?, wanted).await;
    found.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Family::Channels.not_found(),
        other => other.into(),
    })
}

/// The user that `userId`, `username` or `user` names.
pub(crate) async fn user_of(call: &Call, body: &Body) -> Result<Arc<User>, Refused> {
    let (id, name) = (body.text("userId")?, body.text("username")?.or(body.text("user")?));
    user(call, id, name).await
}

/// A user by id or name.
pub(crate) async fn user(call: &Call, id: Option<&str>, name: Option<&str>) -> Result<Arc<User>, Refused> {
    let unknown = || {
        let text = "The required \"userId\" or \"username\" param provided does not match any users";
        Refused::meteor("error-invalid-user", text)
    };
    let found = match (id, name) {
        (Some(id), _) => match UserId::parse(id) {
            Some(id) => call.chat().user(&id).await?,
            None => None,
        },
        (None, Some(name)) => match call.chat().user_named(name).await {
            Err(Refusal::NotFound(_)) => None,
            found => Some(found?),
        },
        (None, None) => {
            let text = "The required \"userId\" or \"username\" param was not provided";
            return Err(Refused::meteor("error-user-param-not-provided", text));
        }
    };
    found.ok_or_else(unknown)
}

/// A refusal as the room endpoints say it: what is not allowed there is a 400.
pub(crate) fn refuse(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed(_) | Refusal::NotMember => Refused::meteor("error-not-allowed", "Not allowed"),
        Refusal::NotFound(What::Membership) => {
            Refused::meteor("error-user-not-in-room", "User is not in this room")
        }
        Refusal::NotFound(What::Username) => Refused::meteor("error-invalid-user", "Invalid user"),
        Refusal::State(State::DirectRoom) => Refused::meteor("error-not-allowed", "Not allowed"),
        Refusal::TooLarge { what: "direct-message-users", limit } => Refused::meteor(
            "error-direct-message-max-user-exceeded",
            &format!("You cannot add more than {limit} users to a direct message"),
        ),
        other => other.into(),
    }
}

/// Reads `sort` (one of name, ts, usersCount, lm and msgs count) and the few shapes of `query` that clients send.
pub(crate) fn list_filter(call: &Call) -> Result<RoomFilter, Refused> {
    let mut filter = RoomFilter::default();
    if let Some(Value::Object(sort)) = call.json_param("sort")?
        && let Some((key, way)) = sort.iter().next()
    {
        filter.descending = way.as_f64().is_some_and(|way| way < 0.0);
        filter.sort = match key.as_str() {
            "ts" | "_createdAt" => RoomSort::CreatedAt,
            "usersCount" => RoomSort::Members,
            "lm" | "lastMessage" | "_updatedAt" => RoomSort::LastMessage,
            _ => RoomSort::Name,
        };
    }
    if let Some(Value::Object(query)) = call.json_param("query")? {
        refuse_operators(&query, 0)?;
        match query.get("name").or(query.get("fname")) {
            Some(Value::String(name)) => filter.name = Some(name.clone()),
            Some(Value::Object(object)) => {
                let pattern = object.get("$regex").and_then(Value::as_str).unwrap_or_default();
                filter.text = pattern.trim_start_matches('^').trim_end_matches('$').to_owned();
            }
            _ => {}
        }
        if let Some(Value::String(id)) = query.get("_id") {
            filter.ids = Some(vec![id.as_str().into()]);
        }
    }
    Ok(filter)
}

/// Of a query's operators only these are known; any other is refused, not ignored.
const OPERATORS: [&str; 6] = ["$or", "$and", "$regex", "$options", "$exists", "$in"];

/// Refuses a query with operators that are not known, or nested too deep.
pub(crate) fn refuse_operators(query: &Map<String, Value>, depth: usize) -> Result<(), Refused> {
    for (key, value) in query {
        let known = !key.starts_with('$') || OPERATORS.contains(&key.as_str());
        if !known || depth > 5 {
            let text = format!("Invalid query parameter provided: \"{key}\"");
            return Err(Refused::meteor("error-invalid-query", &text));
        }
        let inner: Vec<&Value> = match value {
            Value::Object(_) => vec![value],
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        for value in inner {
            if let Value::Object(object) = value {
                refuse_operators(object, depth + 1)?;
            }
        }
    }
    Ok(())
}

/// Keeps only the keys that `fields={"name":1}` asks for (and `_id`).
pub(crate) fn projected(call: &Call, mut value: Value) -> Result<Value, Refused> {
    let Some(Value::Object(fields)) = call.json_param("fields")? else { return Ok(value) };
    let wanted: Vec<_> = fields.iter().filter(|(_, on)| on.as_f64() == Some(1.0)).map(|(k, _)| k).collect();
    if let (false, Value::Object(object)) = (wanted.is_empty(), &mut value) {
        object.retain(|key, _| key == "_id" || wanted.contains(&key));
    }
    Ok(value)
}
