//! `rooms.*`: lists for administrators and for completing names.

use std::sync::Arc;

use parlor_core::{
    room::{Room, RoomKind, RoomView},
    rooms::{RoomRef, Scope},
    store::{Page, RoomFilter},
};
use serde_json::{Value, json};

use super::{
    channels::answer_list,
    rooms_call::{list_filter, refuse},
};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get},
    shape,
    who::Who,
};

/// How many names a completion offers.
const OFFERED: Page = Page { offset: 0, count: 10 };

pub(crate) fn routes() -> Vec<Route> {
    let admin = Who::Holder(&["view-room-administration"]);
    vec![
        get("rooms.adminRooms", admin, "", admin_rooms),
        get("rooms.adminRooms.getRoom", admin, "rid=$private", admin_room),
        get("rooms.adminRooms.members", admin, "rid=$private", admin_members),
        get(
            "rooms.autocomplete.adminRooms",
            Who::May(&["view-room-administration"]),
            r#"selector={"name":"x"}"#,
            complete_admin,
        ),
        get("rooms.autocomplete.availableForTeams", Who::User, "name=x", complete_for_teams),
        get("rooms.autocomplete.channelAndPrivate", Who::User, r#"selector={"name":"x"}"#, complete),
        get(
            "rooms.autocomplete.channelAndPrivate.withPagination",
            Who::User,
            r#"selector={"name":"x"}"#,
            complete_pages,
        ),
    ]
}

fn refuse_admin(refusal: parlor_core::error::Refusal) -> Refused {
    match refusal {
        parlor_core::error::Refusal::NotAllowed(_) => {
            Refused::new("error-not-authorized").kind("error-not-authorized")
        }
        other => refuse(other),
    }
}

async fn admin_rooms(call: Call) -> Outcome {
    let mut filter = list_filter(&call)?;
    filter.text = call.param("filter").unwrap_or_default().trim().to_owned();
    by_types(&mut filter, &call.list("types"));
    let page = call.page()?;
    let found =
        call.chat().list_rooms(call.actor()?, Scope::All, filter, page).await.map_err(refuse_admin)?;
    answer_list(&call, "rooms", page.offset, &found).await
}

/// `types` are letters, `discussions` and `teams`; discussions are listed when they are asked for, and a letter alone
/// leaves teams out as well.
fn by_types(filter: &mut RoomFilter, types: &[String]) {
    if types.is_empty() {
        filter.discussion = Some(false);
        return;
    }
    let asked = |word: &str| types.iter().any(|t| t == word);
    filter.kinds = types.iter().flat_map(|t| shape::room::kinds(t)).copied().collect();
    let named = !filter.kinds.is_empty();
    match (asked("discussions"), asked("teams")) {
        (false, false) => {
            filter.discussion = Some(false);
            filter.team_main = Some(false);
        }
        (true, false) if !named => filter.discussion = Some(true),
        (false, true) if !named => filter.team_main = Some(true),
        (true, false) => filter.team_main = Some(false),
        (false, true) => filter.discussion = Some(false),
        (true, true) => {}
    }
    if !named && !asked("discussions") && !asked("teams") {
        filter.ids = Some(Vec::new());
    }
}

async fn admin_room(call: Call) -> Outcome {
    let room = administered(&call).await?;
    let mut shown = shape::room::current(call.chat(), call.actor()?, &room, Dates::Iso).await?;
    // Whoever administers rooms without being able to edit them does without it.
    if let Ok(Some(rule)) = super::rooms::retention(&call, &room).await {
        shown["retention"] = rule;
    }
    success(shown)
}

/// The room that `rid` names, for those who administer rooms.
async fn administered(call: &Call) -> Result<Arc<Room>, Refused> {
    let id = call.need("rid")?;
    call.chat().require(call.actor()?, "view-room-administration", None).await.map_err(refuse_admin)?;
    let found = call.chat().find_known_room(call.actor()?, RoomRef::Id(id)).await;
    found.map_err(|_| Refused::new("not-found").kind("not-found"))
}

/// Beyond Rocket.Chat: who is in a room that one administers and need not be in, owners first. Takes
/// `view-members-list-all-rooms` as well.
async fn admin_members(call: Call) -> Outcome {
    let room = administered(&call).await?;
    super::rooms::answer_by_role(&call, &room).await
}

/// The name in the JSON of `selector`.
fn selected(call: &Call) -> Result<String, Refused> {
    let selector = call.json_param("selector")?;
    let selector = selector.ok_or_else(|| Refused::new("The 'selector' param is required"))?;
    match selector.get("name") {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(name)) => Ok(name.clone()),
        Some(_) => Err(Refused::invalid_params("must be string")),
    }
}

async fn complete_admin(call: Call) -> Outcome {
    let filter = RoomFilter { text: selected(&call)?, ..channels_and_groups() };
    let found =
        call.chat().list_rooms(call.actor()?, Scope::All, filter, OFFERED).await.map_err(refuse_admin)?;
    success(json!({ "items": found.items.iter().map(brief).collect::<Vec<_>>() }))
}

async fn complete_for_teams(call: Call) -> Outcome {
    let text = call.param("name").unwrap_or_default().to_owned();
    let filter = RoomFilter { text, discussion: Some(false), ..channels_and_groups() };
    let page = Page { offset: 0, count: 100 };
    let found = call.chat().list_rooms(call.actor()?, Scope::Mine, filter, page).await?;
    let free = found.items.iter().filter(|view| view.room.team.is_none() && !view.room.default).take(10);
    success(json!({ "items": free.map(brief).collect::<Vec<_>>() }))
}

fn channels_and_groups() -> RoomFilter {
    RoomFilter { kinds: vec![RoomKind::Channel, RoomKind::Group], ..RoomFilter::default() }
}

async fn complete(call: Call) -> Outcome {
    let filter = RoomFilter { text: selected(&call)?, discussion: Some(false), ..channels_and_groups() };
    let found = call.chat().list_rooms(call.actor()?, Scope::Mine, filter, OFFERED).await?;
    success(json!({ "items": found.items.iter().map(brief).collect::<Vec<_>>() }))
}

async fn complete_pages(call: Call) -> Outcome {
    let filter = RoomFilter { text: selected(&call)?, discussion: Some(false), ..channels_and_groups() };
    let page = call.page()?;
    let found = call.chat().list_rooms(call.actor()?, Scope::Mine, filter, page).await?;
    success(json!({ "items": found.items.iter().map(brief).collect::<Vec<_>>(), "total": found.total }))
}

/// A room as completions offer it.
pub(crate) fn brief(view: &RoomView) -> Value {
    let room = &view.room;
    let mut value = json!({
        "_id": room.id.as_str(), "name": room.name, "fname": room.shown_name(),
        "t": shape::room::letter(room.kind),
    });
    for (key, text) in [("avatarETag", room.avatar.as_deref()), ("teamId", room.team.as_deref())] {
        if let Some(text) = text {
            value[key] = text.into();
        }
    }
    value
}
