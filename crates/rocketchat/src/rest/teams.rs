//! `teams.*`: making, finding and ending teams; `channels.convertToTeam` and its twin.

use parlor_core::{
    error::{Refusal, State, What},
    id::{RoomId, UserId},
    rooms_create::NewRoom,
    store::Team,
    teams::{NewTeam, TeamRef, TeamView},
};
use serde_json::{Value, json};

use super::rooms_call::{Body, Family, refuse};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape::{
        room::{People, letter},
        team::team,
    },
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let mut all = vec![
        post("teams.create", Who::May(&["create-team"]), r#"{"name":"$name","type":0}"#, create),
        post("teams.delete", Who::Holder(&["delete-team"]), r#"{"teamId":"$team"}"#, |call| end(call, false)),
        post("teams.convertToChannel", Who::Holder(&["convert-team"]), r#"{"teamId":"$team"}"#, |call| {
            end(call, true)
        }),
        post(
            "teams.update",
            Who::Holder(&["edit-team"]),
            r#"{"teamId":"$team","data":{"name":"$name"}}"#,
            update,
        ),
        get("teams.info", Who::Reader, "teamId=$team", info),
        get("teams.list", Who::User, " ", |call| list(call, false)),
        get("teams.listAll", Who::May(&["view-all-teams"]), " ", |call| list(call, true)),
        get("teams.autocomplete", Who::User, "name=x", complete),
        get("users.listTeams", Who::User, "userId=$user", of_user),
    ];
    for f in [Family::Channels, Family::Groups] {
        let sample = f.pick(r#"{"channelId":"$public"}"#, r#"{"roomId":"$private"}"#);
        let who = Who::MayInRoom(&["edit-room"]);
        all.push(post(&f.path("convertToTeam"), who, sample, move |call| convert(f, call)));
    }
    all
}

fn unknown() -> Refused {
    Refused::new("team-does-not-exist")
}

/// A team as a call names it.
pub(crate) fn team_ref<'a>(id: Option<&'a str>, name: Option<&'a str>) -> Result<TeamRef<'a>, Refused> {
    match (id.filter(|t| !t.is_empty()), name.filter(|t| !t.is_empty())) {
        (Some(id), _) => Ok(TeamRef::Id(id)),
        (None, Some(name)) => Ok(TeamRef::Name(name)),
        (None, None) => {
            let text = "must have required property 'teamId'\n must have required property 'teamName'\n must match exactly one schema in oneOf";
            Err(Refused::invalid_params(text))
        }
    }
}

/// The team that the ids name.
pub(crate) async fn find(call: &Call, id: Option<&str>, name: Option<&str>) -> Result<Team, Refused> {
    let found = call.chat().find_team(call.actor()?, team_ref(id, name)?).await;
    found.map_err(no_team)
}

/// Why a team was not found: a private one is closed to others. Its name is taken for everybody, and so no secret.
pub(crate) fn no_team(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Team) => unknown(),
        other => other.into(),
    }
}

/// The team that the body names.
pub(crate) async fn named(call: &Call, body: &Body) -> Result<Team, Refused> {
    find(call, body.text("teamId")?, body.text("teamName")?).await
}

/// A refusal as team endpoints say it: what is not allowed is a 403.
pub(crate) fn refuse_team(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed(_) | Refusal::NotMember | Refusal::NotFound(What::Room) => {
            Refused::unauthorized()
        }
        Refusal::NotFound(What::User) => Refused::new("invalid-user"),
        Refusal::State(State::LastOwner) => Refused::new("last-owner-can-not-be-removed"),
        other => refuse(other),
    }
}

async fn create(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let wanted = new_team(&body)?;
    let made = call.chat().create_team(call.actor()?, wanted).await.map_err(|refusal| match refusal {
        Refusal::Taken { what: What::TeamName, .. } => Refused::new("team-name-already-exists"),
        Refusal::Taken { what: What::RoomName, .. } => Refused::new("room-name-already-exists"),
        Refusal::Invalid { field: "room-name", .. } => Refused::new("error-team-creation"),
        Refusal::Invalid { field: "sidepanel", .. } => Refused::new("error-invalid-sidepanel"),
        other => refuse_team(other),
    })?;
    success(json!({ "team": written(&call, &made).await? }))
}

fn new_team(body: &Body) -> Result<NewTeam, Refused> {
    let name = body.need("name")?.trim().to_owned();
    let private = match body.get("type").and_then(Value::as_i64) {
        Some(0) => false,
        Some(1) => true,
        Some(_) => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
        None => return Err(Refused::missing("type")),
    };
    let kind = if private { Family::Groups.kind() } else { Family::Channels.kind() };
    let mut room = NewRoom::new(kind, &*name);
    if let Some(Value::Object(object)) = body.get("room") {
        let object = Body(object.clone());
        room.read_only = object.flag("readOnly")?.unwrap_or_default();
        let extra = match object.get("extraData") {
            Some(Value::Object(extra)) => Body(extra.clone()),
            _ => Body(Default::default()),
        };
        room.topic = extra.text("topic")?.unwrap_or_default().to_owned();
        room.broadcast = extra.flag("broadcast")?.unwrap_or_default();
        room.encrypted = extra.flag("encrypted")?;
    }
    let owner = body.text("owner")?.map(str::to_owned);
    let sidepanel = sidepanel(body)?.unwrap_or_default();
    Ok(NewTeam { name, private, members: body.list("members")?.unwrap_or_default(), owner, room, sidepanel })
}

/// The items of `sidepanel`.
pub(crate) fn sidepanel(body: &Body) -> Result<Option<Vec<String>>, Refused> {
    let bad = || Refused::new("error-invalid-sidepanel");
    match body.get("sidepanel") {
        None => Ok(None),
        Some(Value::Object(object)) => match object.get("items") {
            Some(Value::Array(items)) if !items.is_empty() => {
                super::rooms_call::texts(items).map(Some).map_err(|_| bad())
            }
            _ => Err(bad()),
        },
        Some(_) => Err(bad()),
    }
}

async fn written(call: &Call, found: &Team) -> Result<Value, Refused> {
    let people = People::with(call.chat(), vec![found.creator.clone()]).await?;
    Ok(team(found, &people, Dates::Iso))
}

async fn with_numbers(call: &Call, view: &TeamView) -> Result<Value, Refused> {
    let mut value = written(call, &view.team).await?;
    value["rooms"] = view.rooms.into();
    value["numberOfUsers"] = view.members.into();
    Ok(value)
}

async fn convert(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (id, name) = match f {
        Family::Channels => (body.text("channelId")?, body.text("channelName")?),
        Family::Groups => (body.text("roomId")?, body.text("roomName")?),
    };
    if id.is_some() == name.is_some() {
        let keys = f.pick(["channelId", "channelName"], ["roomId", "roomName"]);
        let missing: String = if id.is_some() {
            String::new()
        } else {
            keys.iter().map(|key| format!("must have required property '{key}'\n ")).collect()
        };
        return Err(Refused::invalid_params(&format!("{missing}must match exactly one schema in oneOf")));
    }
    let room = f.find(&call, id, name).await?;
    let made =
        call.chat().convert_to_team(call.actor()?, &room.id).await.map_err(|refusal| match refusal {
            Refusal::Invalid { field: "room", .. } => Refused::new("error-room-already-on-team"),
            other => refuse_team(other),
        })?;
    success(json!({ "team": written(&call, &made).await? }))
}

async fn end(mut call: Call, keep_main: bool) -> Outcome {
    let body = Body::of(&mut call).await?;
    let team = named(&call, &body).await?;
    let remove = room_ids(&body, "roomsToRemove")?;
    call.chat().end_team(call.actor()?, &team.id, &remove, keep_main).await.map_err(refuse_team)?;
    success(Value::Null)
}

/// Room ids of a list; malformed ones are nobody's.
pub(crate) fn room_ids(body: &Body, key: &str) -> Result<Vec<RoomId>, Refused> {
    let ids = body.list(key)?.unwrap_or_default();
    Ok(ids.iter().filter_map(|id| RoomId::parse(id)).collect())
}

async fn update(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let team = named(&call, &body).await?;
    let data = match body.get("data") {
        Some(Value::Object(data)) => Body(data.clone()),
        Some(_) => return Err(Refused::invalid_params("must be object")),
        None => return Err(Refused::missing("data")),
    };
    let private = match data.get("type").map(Value::as_i64) {
        None => None,
        Some(Some(0)) => Some(false),
        Some(Some(1)) => Some(true),
        Some(_) => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    };
    let name = data.text("name")?;
    call.chat().update_team(call.actor()?, &team.id, name, private).await.map_err(refuse_team)?;
    success(Value::Null)
}

async fn info(call: Call) -> Outcome {
    let not_found = || Refused::new("Team not found");
    let (id, name) = (call.param("teamId"), call.param("teamName"));
    let named = call.has_param("teamId") || call.has_param("teamName");
    let wanted = team_ref(id, name).map_err(|refused| if named { not_found() } else { refused })?;
    let team = call.chat().find_team(call.actor()?, wanted).await.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Team) => not_found(),
        other => other.into(),
    })?;
    let view = call.chat().team_view(team).await?;
    success(json!({ "teamInfo": with_numbers(&call, &view).await? }))
}

async fn list(call: Call, everybody: bool) -> Outcome {
    let page = call.page()?;
    let found = call.chat().list_teams(call.actor()?, everybody, page).await?;
    let mut teams = Vec::with_capacity(found.items.len());
    for view in &found.items {
        teams.push(with_numbers(&call, view).await?);
    }
    success(json!({ "count": teams.len(), "teams": teams, "offset": page.offset, "total": found.total }))
}

async fn complete(call: Call) -> Outcome {
    let prefix = call.need("name")?;
    let found = call.chat().complete_team(call.actor()?, prefix).await?;
    let teams: Vec<_> = found
        .iter()
        .map(|team| {
            let kind = if team.private { Family::Groups.kind() } else { Family::Channels.kind() };
            json!({
                "_id": team.room.as_str(), "name": team.name, "fname": team.name, "t": letter(kind),
                "teamId": team.id.as_str(),
            })
        })
        .collect();
    success(json!({ "teams": teams }))
}

async fn of_user(call: Call) -> Outcome {
    let id = call.need("userId")?;
    let user = UserId::parse(id).ok_or_else(|| Refused::new("invalid-user"))?;
    let found = call.chat().teams_of(call.actor()?, &user).await?;
    let mut teams = Vec::with_capacity(found.len());
    for team in &found {
        teams.push(json!({
            "_id": team.id.as_str(), "name": team.name, "roomId": team.room.as_str(),
            "type": i32::from(team.private), "isOwner": call.chat().owns_team(team, &user).await?,
        }));
    }
    success(json!({ "teams": teams }))
}
