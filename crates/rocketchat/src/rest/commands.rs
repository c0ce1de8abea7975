//! Slash commands: words that clients send for the server to act on. Each is an ordinary verb, judged as such.

use std::sync::Arc;

use parlor_core::{
    error::Refusal,
    id::{MessageId, RoomId, UserId},
    messages::Draft,
    presence::NewStatus,
    room::{Room, RoomKind},
    room_settings::RoomChange,
    rooms::RoomRef,
    rooms_create::NewRoom,
    session::Actor,
    store::{MemberFilter, Page},
    users_find::Whom,
};
use serde_json::{Map, Value, json};

use crate::{
    call::{Call, success},
    method::{Answer, Invocation},
    refusal::Refused,
    rest::{chat_draft, rooms_call::refuse},
    route::{Outcome, Route, get, post},
    who::Who,
};

/// Name, parameters, what it does, and whether clients do it themselves.
const COMMANDS: &[(&str, &str, &str, bool)] = &[
    ("archive", "#channel", "Archive", false),
    ("ban", "@username", "Ban_user_from_room", false),
    ("create", "#channel --private", "Create_A_New_Channel", false),
    ("gimme", "your_message_optional", "Slash_Gimme_Description", false),
    ("help", "", "Show_the_keyboard_shortcut_list", false),
    ("hide", "#room", "Hide_the_room", false),
    ("invite", "@username", "Invite_user_to_join_channel", false),
    ("invite-all-from", "#room", "Invite_user_to_join_channel_all_from", false),
    ("invite-all-to", "#room", "Invite_user_to_join_channel_all_to", false),
    ("jitsi", "title", "Start_a_video_call", false),
    ("join", "#channel", "Join_the_given_channel", false),
    ("kick", "@username", "Remove_someone_from_room", false),
    ("leave", "", "Leave_the_current_channel", false),
    ("lennyface", "your_message_optional", "Slash_LennyFace_Description", false),
    ("me", "your_message", "Displays_action_text", false),
    ("msg", "@username <message>", "Direct_message_someone", false),
    ("mute", "@username", "Mute_someone_in_room", false),
    ("open", "room_name", "Opens_a_channel_group_or_direct_message", true),
    ("part", "", "Leave_the_current_channel", false),
    ("shrug", "your_message_optional", "Slash_Shrug_Description", false),
    ("status", "Slash_Status_Params", "Slash_Status_Description", false),
    ("tableflip", "your_message_optional", "Slash_Tableflip_Description", false),
    ("topic", "Slash_Topic_Params", "Slash_Topic_Description", false),
    ("unban", "@username", "Unban_user_from_room", false),
    ("unarchive", "#channel", "Unarchive", false),
    ("unflip", "your_message_optional", "Slash_TableUnflip_Description", false),
    ("unmute", "@username", "Unmute_someone_in_room", false),
];

/// People that an invitation may name.
const MOST_NAMED: usize = 50;
/// People that one command brings into a room at most.
const MOST_INVITED: u64 = 1_000;

/// Longest parameters, in characters.
const LONGEST: usize = 5_000;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("commands.list", Who::User, "", list),
        get("commands.get", Who::User, "command=me", one),
        post("commands.run", Who::Member, r#"{"command":"shrug","roomId":"$private","params":""}"#, run),
    ]
}

fn shape(&(name, params, description, client): &(&str, &str, &str, bool)) -> Value {
    json!({
        "command": name, "params": params, "description": description, "clientOnly": client,
        "providesPreview": false,
    })
}

async fn list(call: Call) -> Outcome {
    let page = call.page()?;
    let shown: Vec<Value> =
        COMMANDS.iter().skip(page.offset as usize).take(page.count as usize).map(shape).collect();
    success(
        json!({ "commands": shown, "count": shown.len(), "offset": page.offset, "total": COMMANDS.len() }),
    )
}

fn known(name: &str) -> Result<&'static str, Refused> {
    let found = COMMANDS.iter().find(|c| c.0 == name.to_lowercase());
    found.map(|c| c.0).ok_or_else(|| Refused::new("The command provided does not exist (or is disabled)."))
}

async fn one(call: Call) -> Outcome {
    let missing = || Refused::new("The query param \"command\" must be provided.");
    let name = call.param("command").ok_or_else(missing)?;
    let found = COMMANDS.iter().find(|c| c.0 == name.to_lowercase()).map(shape);
    let unknown = || Refused::new(format!("There is no command in the system by the name of: {name}"));
    success(json!({ "command": found.ok_or_else(unknown)? }))
}

async fn run(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let text = |key: &str, problem: &str| match body.get(key) {
        Some(Value::String(text)) => Ok(text.as_str()),
        _ => Err(Refused::new(problem)),
    };
    let name = text("command", "You must provide a command to run.")?;
    let params = match body.get("params") {
        None | Some(Value::Null) => "",
        Some(Value::String(params)) => params,
        Some(_) => return Err(Refused::new("The parameters for the command must be a single string.")),
    };
    let room =
        text("roomId", "The room's id where to execute this command must be provided and be a string.")?;
    let thread = match body.get("tmid") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.as_str()).filter(|id| !id.is_empty()),
        Some(_) => return Err(Refused::new("The tmid parameter when provided must be a string.")),
    };
    let name = known(name)?;
    let room = RoomId::parse(room).ok_or_else(Refused::unauthorized)?;
    let thread = match thread {
        Some(id) => Some(thread_of(&call, &room, id).await?),
        None => None,
    };
    act(call.chat(), call.actor()?, Order { name, params, room, thread }).await?;
    success(json!({ "result": null }))
}

/// The root that a command answers to, which must be of its room.
async fn thread_of(call: &Call, room: &RoomId, id: &str) -> Result<MessageId, Refused> {
    let (chat, actor) = (call.chat(), call.actor()?);
    // Whoever can't see the room can't ask about its messages either.
    chat.find_room(actor, RoomRef::Id(room)).await.map_err(|_| Refused::unauthorized())?;
    let invalid = || Refused::new("Invalid thread.");
    let id = MessageId::parse(id).ok_or_else(invalid)?;
    let root = chat.message(actor, &id).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => invalid(),
        other => other.into(),
    })?;
    if root.room == *room { Ok(id) } else { Err(invalid()) }
}

/// The method of older clients.
pub(crate) async fn method(call: Invocation) -> Answer {
    let empty = Map::new();
    let order = call.object(0)?;
    let message = order.get("msg").and_then(Value::as_object).unwrap_or(&empty);
    let text = |object: &Map<String, Value>, key: &str| {
        object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (name, params, room) = (text(order, "cmd"), text(order, "params"), text(message, "rid"));
    let room = RoomId::parse(&room).ok_or_else(Refused::unauthorized)?;
    let order = Order {
        name: known(&name)?,
        params: &params,
        room,
        thread: MessageId::parse(&text(message, "tmid")),
    };
    act(call.chat(), call.actor()?, order).await?;
    Ok(Value::Null)
}

struct Order<'a> {
    name: &'static str,
    params: &'a str,
    room: RoomId,
    thread: Option<MessageId>,
}

type Chat = parlor_core::chat::Chat;

async fn act(chat: &Chat, actor: &Actor, order: Order<'_>) -> Result<(), Refused> {
    let params = order.params.trim();
    if params.chars().count() > LONGEST {
        return Err(Refused::new("The parameters are too long."));
    }
    // Whoever can't see the room can't do anything in it.
    let room = chat.find_room(actor, RoomRef::Id(&order.room)).await.map_err(|_| Refused::unauthorized())?;
    let decorated = |before: &str, after: &str| format!("{before}{params}{after}").trim().to_owned();
    let said = match order.name {
        "shrug" => decorated("", " ¯\\_(ツ)_/¯"),
        "tableflip" => decorated("", " (╯°□°）╯︵ ┻━┻"),
        "unflip" => decorated("", " ┬─┬ ノ( ゜-゜ノ)"),
        "lennyface" => decorated("", " ( ͡° ͜ʖ ͡°)"),
        "gimme" => decorated("༼ つ ◕_◕ ༽つ ", ""),
        "me" if params.is_empty() => return Ok(()),
        "me" => format!("_{params}_"),
        _ => return change(chat, actor, &order, params, &room).await,
    };
    let draft = Draft { thread: order.thread, ..Draft::text(order.room, said) };
    chat.post(actor, draft).await.map_err(chat_draft::refused)?;
    Ok(())
}

/// Who is meant; whoever gives the order is told when there is nobody of that name.
async fn named(chat: &Chat, actor: &Actor, order: &Order<'_>, name: &str) -> Result<Option<UserId>, Refused> {
    let name = name.trim_start_matches('@');
    match chat.find_user(actor, Whom::Username(name)).await {
        Ok(user) => Ok(Some(user.id.clone())),
        Err(Refusal::NotFound(_)) => {
            tell(chat, actor, order, &format!("No user exists by the name of `@{name}`."));
            Ok(None)
        }
        Err(other) => Err(other.into()),
    }
}

/// Says something to whoever gave the order, and to nobody else.
fn tell(chat: &Chat, actor: &Actor, order: &Order<'_>, text: &str) {
    chat.whisper(&actor.user, &order.room, text, order.thread.clone());
}

/// Brings in whoever is named, and says who is unknown or there already.
async fn invite(
    chat: &Chat,
    actor: &Actor,
    order: &Order<'_>,
    room: &Arc<Room>,
    params: &str,
) -> Result<(), Refused> {
    let mut users = Vec::new();
    let names = params.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty());
    for name in names.take(MOST_NAMED) {
        let Some(user) = named(chat, actor, order, name).await? else { continue };
        if chat.is_member(actor, room, &user).await.map_err(refuse)? {
            let name = name.trim_start_matches('@');
            tell(chat, actor, order, &format!("`@{name}` is already in here."));
        } else if !users.contains(&user) {
            users.push(user);
        }
    }
    if !users.is_empty() {
        chat.add_members(actor, &room.id, &users).await.map_err(refuse)?;
    }
    Ok(())
}

async fn change(
    chat: &Chat,
    actor: &Actor,
    order: &Order<'_>,
    params: &str,
    room: &Arc<Room>,
) -> Result<(), Refused> {
    let first = params.split_whitespace().next().unwrap_or_default();
    let here = RoomRef::Id(&order.room);
    let aimed = match first.trim_start_matches('#') {
        "" => here,
        name => RoomRef::Name(name),
    };
    match order.name {
        "archive" | "unarchive" => archive(chat, actor, aimed, order.name == "archive").await?,
        "topic" => {
            chat.change_room(actor, here, &[RoomChange::Topic(params.to_owned())]).await.map_err(refuse)?;
        }
        "jitsi" => {
            let started = chat.start_call(actor, &room.id, params, true).await;
            drop(started.map_err(super::calls::refused)?);
        }
        "join" => drop(chat.join(actor, aimed, None).await.map_err(refuse)?),
        "leave" | "part" => drop(chat.leave(actor, &room.id).await.map_err(refuse)?),
        "invite" => invite(chat, actor, order, room, params).await?,
        "create" => {
            let (flags, names): (Vec<&str>, Vec<&str>) =
                params.split_whitespace().partition(|word| word.starts_with("--"));
            let private = flags.contains(&"--private") || matches!(names[..], ["private", _]);
            let named = names.last().map_or("", |name| name.trim_start_matches('#'));
            let kind = if private { RoomKind::Group } else { RoomKind::Channel };
            chat.create_room(actor, NewRoom::new(kind, named)).await.map_err(refuse)?;
        }
        "hide" => {
            let found = chat.find_room(actor, aimed).await.map_err(refuse)?;
            chat.open_room(actor, &found.id, false).await.map_err(refuse)?;
        }
        "invite-all-to" | "invite-all-from" => invite_all(chat, actor, order, aimed, room).await?,
        "ban" | "unban" | "kick" | "mute" | "unmute" => {
            let Some(user) = named(chat, actor, order, first).await? else { return Ok(()) };
            let done = match order.name {
                "ban" => chat.ban(actor, &room.id, &user).await,
                "unban" => chat.unban(actor, &room.id, &user).await,
                "kick" => chat.kick(actor, &room.id, &user).await.map(drop),
                name => chat.mute(actor, &room.id, &user, name == "mute").await.map(drop),
            };
            done.map_err(refuse)?;
        }
        "msg" => {
            let text =
                params.split_once(char::is_whitespace).map(|(_, text)| text.trim()).unwrap_or_default();
            if named(chat, actor, order, first).await?.is_none() {
                return Ok(());
            }
            let name = first.trim_start_matches('@').to_owned();
            let (direct, _) = chat.direct_room(actor, &[name], false).await.map_err(refuse)?;
            chat.post(actor, Draft::text(direct.id.clone(), text)).await.map_err(chat_draft::refused)?;
        }
        "status" => {
            let new = NewStatus { status: None, text: Some(params.to_owned()) };
            chat.set_status(actor, None, new).await?;
        }
        _ => {
            let names: Vec<String> = COMMANDS.iter().map(|c| format!("/{}", c.0)).collect();
            chat.whisper(&actor.user, &room.id, &names.join(" "), order.thread.clone());
        }
    }
    Ok(())
}

async fn archive(chat: &Chat, actor: &Actor, aimed: RoomRef<'_>, on: bool) -> Result<(), Refused> {
    let done = chat.change_room(actor, aimed, &[RoomChange::Archived(on)]).await;
    done.map(drop).map_err(|refusal| match refusal {
        Refusal::NotAllowed(_) | Refusal::NotMember => {
            Refused::meteor("error-not-authorized", "Not authorized")
        }
        other => refuse(other),
    })
}

/// Brings everybody of another room in here, or of here in there.
async fn invite_all(
    chat: &Chat,
    actor: &Actor,
    order: &Order<'_>,
    aimed: RoomRef<'_>,
    room: &Arc<Room>,
) -> Result<(), Refused> {
    let other = match chat.find_room(actor, aimed).await {
        Err(Refusal::NotFound(_)) => {
            tell(chat, actor, order, "There is no such channel.");
            return Ok(());
        }
        found => found.map_err(refuse)?,
    };
    let (from, to) = if order.name == "invite-all-to" { (room, &other) } else { (&other, room) };
    everybody(chat, actor, from, to).await
}

/// Adds the members of one room to another, in pages.
async fn everybody(chat: &Chat, actor: &Actor, from: &Room, to: &Room) -> Result<(), Refused> {
    let from = chat.find_room(actor, RoomRef::Id(&from.id)).await.map_err(refuse)?;
    let mut offset = 0;
    loop {
        let page = Page { offset, count: 100 };
        let found = chat.members(actor, &from, MemberFilter::default(), &[], page).await.map_err(refuse)?;
        let users: Vec<UserId> = found.items.iter().map(|m| m.user.id.clone()).collect();
        if users.is_empty() {
            return Ok(());
        }
        chat.add_members(actor, &to.id, &users).await.map_err(refuse)?;
        offset += users.len() as u64;
        if offset >= found.total || offset >= MOST_INVITED {
            return Ok(());
        }
    }
}
