//! Groups and teams.

use std::sync::Arc;

use parlor_core::{
    error::{Refusal, What},
    id::UserId,
    inbox_places::team_name,
    room::Room,
    user::User,
};
use parlor_host::{
    call::{Answer, Call, answer},
    caller::Caller,
    fields::{Fields, Text},
    page::{Habit, PageAsked},
    problem::Problem,
};
use serde_json::{Value, json};

use crate::{
    acting::{Acting, Known, Unknown, acting, application, people},
    inbox::{room_cursor, rooms_page},
    send::{is_application, renamed},
    shape,
};

/// People in one call.
const MAX_MEMBERS: usize = 1_000;

/// `POST /api/chat/groups`.
pub(crate) async fn create(mut call: Call) -> Answer {
    call.caller()?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let name = fields.need_text("name", Text::new(1, 120));
    let creator = fields.text("created_by", Text::ID);
    let members = fields.texts("members", MAX_MEMBERS).unwrap_or_default();
    fields.done()?;
    let who =
        acting(&call, "body", "created_by", creator.as_deref(), Unknown::Made, Known::default()).await?;
    let who = who.ok_or_else(|| Problem::not_found("User"))?;
    let members = people(&call, "members", &members).await?;
    let chat = call.host.chat();
    match chat.create_named_group(&who.actor, &name, &members).await {
        Ok(room) => {
            let group = shape::group(&call.host, &room).await?;
            answer(201, &json!({ "success": true, "group": group }))
        }
        Err(Refusal::Taken { what: What::RoomName, value }) => Err(taken(&call, &who, &value).await),
        Err(refusal) => Err(renamed(refusal.into())),
    }
}

/// Which group has the name is told to its members only.
async fn taken(call: &Call, who: &Acting, name: &str) -> Problem {
    let problem = Problem::new(409, "name_taken", format!("The name '{name}' is already in use"));
    match call.host.chat().group_of(&who.actor, name).await {
        Ok(room) => problem.detail(json!({ "room_id": room.id.as_str() })),
        Err(_) => problem,
    }
}

/// `GET /api/chat/groups/<username>`.
pub(crate) async fn list(call: Call) -> Answer {
    let name = call.path("username").to_owned();
    let who = acting(&call, "path", "username", Some(&name), Unknown::Left, Known::default()).await?;
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let Some(who) = who else {
        let page = asked.told(false, None, None);
        let body =
            json!({ "success": true, "username": name, "known": false, "groups": [], "pagination": page });
        return answer(200, &body);
    };
    let (page, backwards) = rooms_page(&asked.seek, asked.limit, true)?;
    let found = call.host.chat().inbox(&who.actor, page).await?;
    let edge = if backwards { found.rooms.first() } else { found.rooms.last() };
    let next = edge.map(|room| room_cursor(&room.activity));
    let mut groups = Vec::with_capacity(found.rooms.len());
    for room in &found.rooms {
        let mut group = shape::group(&call.host, &room.room).await?;
        group.insert("unread".into(), room.unread.into());
        groups.push(Value::Object(group));
    }
    let body = json!({
        "success": true,
        "username": who.user.username,
        "known": true,
        "groups": groups,
        "pagination": asked.told(found.more, next, None),
    });
    answer(200, &body)
}

/// `POST /api/chat/groups/{name or id}/members`.
pub(crate) async fn add_members(mut call: Call) -> Answer {
    call.caller()?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let username = fields.text("username", Text::ID);
    if fields.value("members").is_none() {
        fields.missing("members");
    }
    let members = fields.texts("members", MAX_MEMBERS).unwrap_or_default();
    fields.done()?;
    let (chat, wanted) = (call.host.chat(), call.path("username"));
    // For the application the name is optional, and decides nothing.
    let (actor, room) = if is_application(&call) && username.is_none() {
        let actor = application();
        let room = chat.group_named(&actor, wanted).await?;
        (actor, room)
    } else {
        let who =
            acting(&call, "body", "username", username.as_deref(), Unknown::Left, Known::default()).await?;
        let who = who.ok_or_else(|| Problem::not_found("Room"))?;
        let room = chat.group_of(&who.actor, wanted).await?;
        let actor = if is_application(&call) { application() } else { who.actor };
        (actor, room)
    };
    if !chat.may_add_to(&actor, &room).await? {
        return Err(Problem::forbidden("Only admins of the group can do this"));
    }
    let room = add(&call, &actor, room, &people(&call, "members", &members).await?).await?;
    answer(200, &json!({ "success": true, "group": shape::group(&call.host, &room).await? }))
}

async fn add(
    call: &Call,
    actor: &parlor_core::session::Actor,
    room: Arc<Room>,
    people: &[Arc<User>],
) -> Result<Arc<Room>, Problem> {
    if people.is_empty() {
        return Ok(room);
    }
    let ids: Vec<UserId> = people.iter().map(|user| user.id.clone()).collect();
    let added = call.host.chat().add_members(actor, &room.id, &ids).await;
    added.map_err(|refusal| renamed(refusal.into()))
}

/// `POST /api/chat/teams`.
pub(crate) async fn team(mut call: Call) -> Answer {
    match call.caller()? {
        Caller::User(me) if !me.user.is("ADMIN") => {
            return Err(Problem::forbidden("Only the application and administrators can do this"));
        }
        _ => {}
    }
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let team = fields.need_text("team", Text::new(1, 64));
    let members = fields.texts("members", MAX_MEMBERS).unwrap_or_default();
    fields.done()?;
    if team.eq_ignore_ascii_case("support") {
        return Err(Problem::invalid("team", "is no team: cases are opened by writing to it"));
    }
    team_name(&team)?;
    let people = people(&call, "members", &members).await?;
    let actor = application();
    let (room, new) = call.host.chat().team_channel(&actor, &team).await?;
    let room = add(&call, &actor, room, &people).await?;
    let body = json!({
        "success": true,
        "team": {
            "id": room.id.as_str(),
            "name": room.name,
            "type": "channel",
            "members": shape::members(&call.host, &room).await?,
        },
    });
    answer(if new { 201 } else { 200 }, &body)
}
