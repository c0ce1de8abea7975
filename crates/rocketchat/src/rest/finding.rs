//! Finding people and rooms: `spotlight` and `directory`.

use parlor_core::{
    room::RoomKind,
    room::RoomView,
    rooms::Scope,
    store::{Page, RoomFilter, RoomSort, UserFilter, UserSort},
};
use serde_json::{Map, Value, json};

use crate::{
    call::{Call, success},
    date::Dates,
    method::{Answer, Invocation},
    refusal::Refused,
    route::{Outcome, Route, get},
    shape,
    who::Who,
};

/// Longest text that is looked for, in characters.
const LONGEST: usize = 200;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("spotlight", Who::User, "query=a", spotlight),
        get("directory", Who::User, "text=a&type=channels", directory),
    ]
}

/// What `spotlight` looks for.
struct Wanted {
    text: String,
    users: bool,
    rooms: bool,
    except: Vec<String>,
}

async fn spotlight(call: Call) -> Outcome {
    let text = call.need("query")?;
    let wanted = match text.chars().next() {
        Some('@') => Wanted { text: text[1..].into(), users: true, rooms: false, except: Vec::new() },
        Some('#') => Wanted { text: text[1..].into(), users: false, rooms: true, except: Vec::new() },
        _ => Wanted { text: text.into(), users: true, rooms: true, except: Vec::new() },
    };
    success(find(call.chat(), call.actor()?, wanted).await?)
}

/// The method: text, user names to leave out, and what is looked for.
pub(crate) async fn spotlight_method(call: Invocation) -> Answer {
    let kind = |name: &str| {
        let chosen = call.param(2).and_then(Value::as_object);
        chosen.is_none_or(|kinds| kinds.get(name).and_then(Value::as_bool).unwrap_or(false))
    };
    let except = call.param(1).and_then(Value::as_array);
    let except =
        except.into_iter().flatten().filter_map(Value::as_str).take(100).map(str::to_owned).collect();
    let wanted =
        Wanted { text: call.text(0)?.to_owned(), users: kind("users"), rooms: kind("rooms"), except };
    find(call.chat(), call.actor()?, wanted).await
}

async fn find(
    chat: &parlor_core::chat::Chat,
    actor: &parlor_core::session::Actor,
    wanted: Wanted,
) -> Result<Value, Refused> {
    if wanted.text.chars().count() > LONGEST {
        return Err(Refused::invalid_params("query must be shorter"));
    }
    let settings = chat.settings();
    let count = (settings.number("Number_of_users_autocomplete_suggestions") as u64).clamp(1, 50);
    let page = Page { offset: 0, count };
    let (mut users, mut rooms) = (Vec::new(), Vec::new());
    if wanted.users {
        let filter = UserFilter {
            text: wanted.text.clone(),
            active: Some(true),
            except: wanted.except,
            ..UserFilter::default()
        };
        let found = chat.list_users(actor, filter, page).await?;
        users = found.items.iter().map(|user| shape::user::member(user, chat.status_of(&user.id))).collect();
    }
    if wanted.rooms {
        let filter = RoomFilter {
            kinds: vec![RoomKind::Channel, RoomKind::Group],
            text: wanted.text,
            ..RoomFilter::default()
        };
        let found = chat.list_rooms(actor, Scope::Visible, filter, page).await?;
        rooms = found.items.iter().map(brief).collect();
    }
    Ok(json!({ "users": users, "rooms": rooms }))
}

fn brief(view: &RoomView) -> Value {
    let room = &view.room;
    let mut object = json!({
        "_id": room.id.as_str(), "name": room.name, "fname": room.shown_name(), "t": shape::room::letter(room.kind),
    });
    if room.team_main {
        object["teamMain"] = true.into();
    }
    if let Some(tag) = &room.avatar {
        object["avatarETag"] = tag.as_str().into();
    }
    object
}

/// Parameters come by themselves (today's clients) or within `query` (older ones).
async fn directory(call: Call) -> Outcome {
    let query = call.json_param("query")?.unwrap_or_default();
    let query = query.as_object().cloned().unwrap_or_default();
    let text_of = |name: &str| -> Result<String, Refused> {
        match query.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(Refused::invalid_params(&format!("{name} must be string"))),
            None => Ok(call.param(name).unwrap_or_default().to_owned()),
        }
    };
    let (text, kind) = (text_of("text")?, text_of("type")?);
    let sort = call.json_param("sort")?.unwrap_or_default();
    let sort = sort.as_object().cloned().unwrap_or_default();
    if sort.len() > 1 {
        return Err(Refused::meteor(
            "error-invalid-params",
            "This method support only one \"sort\" parameter",
        ));
    }
    let page = call.page()?;
    let (result, total) = match kind.as_str() {
        "users" => users(&call, text, &sort, page).await?,
        "" | "channels" | "teams" => rooms(&call, text, kind == "teams", &sort, page).await?,
        _ => return Err(Refused::meteor("error-invalid-params", "Invalid type")),
    };
    success(json!({ "result": result, "count": result.len(), "offset": page.offset, "total": total }))
}

fn falls(sort: &Map<String, Value>) -> bool {
    sort.values().next().and_then(Value::as_i64) == Some(-1)
}

async fn users(
    call: &Call,
    text: String,
    sort: &Map<String, Value>,
    page: Page,
) -> Result<(Vec<Value>, u64), Refused> {
    let by = match sort.keys().next().map(String::as_str) {
        Some("createdAt") => UserSort::CreatedAt,
        Some("username") => UserSort::Username,
        _ => UserSort::Name,
    };
    let filter = UserFilter {
        text,
        search_email: true,
        active: Some(true),
        sort: by,
        descending: falls(sort),
        ..UserFilter::default()
    };
    let found = call.chat().list_users(call.actor()?, filter, page).await?;
    let all = call.sees_all().await?;
    let shown = |user: &parlor_core::user::User| {
        let mut object = json!({
            "_id": user.id.as_str(), "username": user.username, "name": user.name, "nickname": user.nickname,
            "bio": user.bio, "createdAt": Dates::Iso.value(user.created_at), "avatarETag": user.avatar,
        });
        if all {
            let emails = user.emails.iter().map(|e| json!({ "address": e.address, "verified": e.verified }));
            object["emails"] = emails.collect();
        }
        object
    };
    Ok((found.items.iter().map(shown).collect(), found.total))
}

async fn rooms(
    call: &Call,
    text: String,
    teams: bool,
    sort: &Map<String, Value>,
    page: Page,
) -> Result<(Vec<Value>, u64), Refused> {
    let by = match sort.keys().next().map(String::as_str) {
        Some("usersCount") => RoomSort::Members,
        Some("ts" | "createdAt") => RoomSort::CreatedAt,
        Some("lastMessage") => RoomSort::LastMessage,
        _ => RoomSort::Name,
    };
    let kinds = if teams { vec![RoomKind::Channel, RoomKind::Group] } else { vec![RoomKind::Channel] };
    let filter = RoomFilter {
        kinds,
        text,
        team_main: teams.then_some(true),
        sort: by,
        descending: falls(sort),
        ..RoomFilter::default()
    };
    let found = call.chat().list_rooms(call.actor()?, Scope::Visible, filter, page).await?;
    let shown = |view: &RoomView| {
        let room = &view.room;
        let mut object = brief(view);
        object["usersCount"] = room.members.into();
        object["ts"] = Dates::Iso.value(room.created_at);
        object["default"] = room.default.into();
        for (key, text) in [("topic", &room.topic), ("description", &room.description)] {
            if !text.is_empty() {
                object[key] = text.as_str().into();
            }
        }
        if let Some(team) = &room.team {
            object["teamId"] = team.as_str().into();
        }
        object
    };
    let mut all: Vec<Value> = found.items.iter().map(shown).collect();
    if teams {
        for (view, object) in found.items.iter().zip(&mut all) {
            object["roomsCount"] = rooms_of(call, view).await?.into();
        }
    }
    Ok((all, found.total))
}

/// How many rooms of a team the caller sees, without its main room.
async fn rooms_of(call: &Call, view: &RoomView) -> Result<u64, Refused> {
    let filter = RoomFilter { team: view.room.team.clone(), team_main: Some(false), ..RoomFilter::default() };
    let one = Page { offset: 0, count: 1 };
    Ok(call.chat().list_rooms(call.actor()?, Scope::Visible, filter, one).await?.total)
}
