//! `parlor explain USER PERMISSION [ROOM]`: which rule allows or denies.

use anyhow::{Context, Result};
use parlor_core::{
    bootstrap::ROCKET_CAT,
    id::{RoleId, UserId},
    rooms::RoomRef,
    session::Actor,
    users_find::Whom,
};

use crate::{cli::ExplainArgs, wiring::Core};

pub(super) async fn run(core: &Core, args: &ExplainArgs) -> Result<()> {
    let chat = &core.chat;
    let actor = Actor::system(UserId::new(ROCKET_CAT));
    let user = chat.find_user(&actor, Whom::Username(&args.user)).await;
    let user = user.with_context(|| format!("no account is called '{}'", args.user))?;
    let room = match &args.room {
        None => None,
        Some(name) => {
            let name = name.trim_start_matches('#');
            let found = match chat.find_known_room(&actor, RoomRef::Name(name)).await {
                Ok(room) => Ok(room),
                Err(_) => chat.find_known_room(&actor, RoomRef::Id(name)).await,
            };
            Some(found.with_context(|| format!("no room is called '{name}'"))?)
        }
    };
    let told = chat.explain(&actor, &user.id, &args.permission, room.as_ref().map(|r| &r.id)).await;
    let told = told.with_context(|| format!("no permission is called '{}'", args.permission))?;
    let list = |roles: &[RoleId]| {
        let names: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    println!("{}: {}", args.permission, if told.allowed { "allowed" } else { "denied" });
    println!("  roles of {}: {}", user.username, list(&told.roles));
    if told.member.is_some() {
        println!("  roles in the room: {}", list(&told.room_roles));
        println!("  may read the room: {}", if told.reads == Some(true) { "yes" } else { "no" });
    }
    let place = if told.own_rule { "held by, in this room's own rule" } else { "held by" };
    println!("  {place}: {}", list(&told.holders));
    match &told.by {
        _ if !told.active => println!("  the account is deactivated"),
        Some(role) => println!("  through the role: {role}"),
        None => println!("  none of the roles holds it"),
    }
    Ok(())
}
