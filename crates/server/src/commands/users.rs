//! `parlor user …` and `parlor token …`: what an operator does without a client.

use std::io::BufRead;

use anyhow::{Context, Result, bail};
use parlor_core::{
    bootstrap::ROCKET_CAT,
    id::{RoleId, UserId},
    session::{Actor, SessionKind},
    store::{Page, UserFilter},
    users_change::{Secret, UserChange},
    users_create::NewUser,
    users_find::Whom,
};

use crate::{
    cli::{Place, TokenCommand, UserCommand},
    wiring::Core,
};

/// Accounts listed at most.
const LISTED: u64 = 10_000;

impl UserCommand {
    pub(super) fn place(&self) -> &Place {
        match self {
            Self::Create { place, .. }
            | Self::List { place }
            | Self::Password { place, .. }
            | Self::Deactivate { place, .. }
            | Self::Activate { place, .. }
            | Self::ResetTotp { place, .. } => place,
        }
    }
}

impl TokenCommand {
    pub(super) fn place(&self) -> &Place {
        match self {
            Self::Create { place, .. } | Self::List { place, .. } | Self::Revoke { place, .. } => place,
        }
    }
}

/// The operator acts as the server itself. Who `changes` something finds what every workspace has.
async fn operator(core: &Core, changes: bool) -> Result<Actor> {
    if changes {
        core.chat.ensure_bot().await?;
        core.chat.ensure_general(&UserId::new(ROCKET_CAT)).await?;
    }
    Ok(Actor::system(UserId::new(ROCKET_CAT)))
}

fn password_from_stdin() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("can't read the password")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!("give the password on standard input, for example: echo 'the password' | parlor user …");
    }
    Ok(password)
}

pub(super) async fn run(core: &Core, command: &UserCommand) -> Result<()> {
    let changes = !matches!(command, UserCommand::List { .. });
    let (chat, actor) = (&core.chat, operator(core, changes).await?);
    let find = async |name: &str| -> Result<UserId> {
        let found = chat.find_user(&actor, Whom::Username(name)).await;
        Ok(found.with_context(|| format!("no account is called '{name}'"))?.id.clone())
    };
    match command {
        UserCommand::Create { username, name, email, admin, .. } => {
            let mut roles = vec![RoleId::new("user")];
            roles.extend(admin.then(|| RoleId::new("admin")));
            let wanted = NewUser {
                username: username.clone(),
                name: name.clone().unwrap_or_else(|| username.clone()),
                email: email.clone(),
                email_verified: true,
                password: Some(password_from_stdin()?),
                roles: Some(roles),
                ..NewUser::default()
            };
            let user = chat.create_user(&actor, wanted).await?;
            println!("{} {}", user.id, user.username);
        }
        UserCommand::List { .. } => {
            let page = Page { offset: 0, count: LISTED };
            for user in chat.list_users(&actor, UserFilter::default(), page).await?.items {
                let roles: Vec<&str> = user.roles.iter().map(|r| r.as_str()).collect();
                let state = if user.active { "active" } else { "deactivated" };
                println!("{}\t{}\t{state}\t{}", user.id, user.username, roles.join(","));
            }
        }
        UserCommand::Password { username, .. } => {
            let id = find(username).await?;
            let change =
                UserChange { password: Some(Secret(password_from_stdin()?)), ..UserChange::default() };
            chat.change_user(&actor, &id, change).await?;
            println!("the password of {username} is changed, its sessions are ended");
        }
        UserCommand::Deactivate { username, .. } => {
            chat.set_active(&actor, &find(username).await?, false, true).await?;
            println!("{username} is deactivated");
        }
        UserCommand::Activate { username, .. } => {
            chat.set_active(&actor, &find(username).await?, true, false).await?;
            println!("{username} is active");
        }
        UserCommand::ResetTotp { username, .. } => {
            chat.reset_totp(&actor, &find(username).await?).await?;
            println!("the second factor of {username} is off");
        }
    }
    Ok(())
}

pub(super) async fn tokens(core: &Core, command: &TokenCommand) -> Result<()> {
    let changes = !matches!(command, TokenCommand::List { .. });
    let (chat, operator) = (&core.chat, operator(core, changes).await?);
    let acting = async |name: &str| -> Result<Actor> {
        let found = chat.find_user(&operator, Whom::Username(name)).await;
        Ok(Actor::system(found.with_context(|| format!("no account is called '{name}'"))?.id.clone()))
    };
    match command {
        TokenCommand::Create { username, name, .. } => {
            println!("{}", chat.make_personal_token(&acting(username).await?, name, None, false).await?);
        }
        TokenCommand::List { username, .. } => {
            for token in chat.personal_tokens(&acting(username).await?).await? {
                if let SessionKind::PersonalToken { name, last_six, .. } = token.kind {
                    println!("{name}\t…{last_six}");
                }
            }
        }
        TokenCommand::Revoke { username, name, .. } => {
            chat.remove_personal_token(&acting(username).await?, name).await?;
            println!("the token {name} of {username} is revoked");
        }
    }
    Ok(())
}
