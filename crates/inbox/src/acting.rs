//! For whom a call acts: the application for any user name, an administrator for any that there is, everybody else
//! for himself.

use std::sync::Arc;

use parlor_core::{
    bootstrap::ROCKET_CAT, id::UserId, inbox_places::is_user_name, session::Actor, user::User,
};
use parlor_host::{
    Host,
    call::Call,
    caller::Caller,
    problem::{Fault, Problem},
};

/// Whoever a call acts for.
pub(crate) struct Acting {
    /// What the core is asked as.
    pub(crate) actor: Actor,
    /// The account.
    pub(crate) user: Arc<User>,
}

/// Whether names that nobody has become users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They do, if it is the application that names them.
    Made,
    /// They don't.
    Left,
}

/// What is known of somebody who is about to be made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
}

/// The server's own actor: the application's arm where no user is named.
pub(crate) fn application() -> Actor {
    Actor::system(UserId::new(ROCKET_CAT))
}

/// Refuses what is no user name. `place`: `body`, `query` or `path`.
pub(crate) fn check_name(place: &'static str, field: &str, text: &str) -> Result<(), Problem> {
    if is_user_name(text) {
        return Ok(());
    }
    let fault = Fault { place, ..Fault::body(field, "must be 1 to 64 of A-Z a-z 0-9 _ . -") };
    Err(Problem::validation(vec![fault]))
}

/// Whoever the call acts for. `None`: the application reads for a name that nobody has.
///
/// # Errors
/// 400 for no name or what is none, 403 for another's name, 404 for an administrator's unknown name.
pub(crate) async fn acting(
    call: &Call,
    place: &'static str,
    field: &str,
    name: Option<&str>,
    unknown: Unknown,
    known: Known<'_>,
) -> Result<Option<Acting>, Problem> {
    let caller = call.caller()?;
    if let Some(name) = name {
        check_name(place, field, name)?;
    }
    match (caller, name) {
        (Caller::App, None) => {
            let fault = Fault { place, missing: true, ..Fault::body(field, "is required") };
            Err(Problem::validation(vec![fault]))
        }
        (Caller::App, Some(name)) => for_application(&call.host, name, unknown, known).await,
        (Caller::User(me), None) => Ok(Some(Acting { actor: me.actor.clone(), user: me.user.clone() })),
        (Caller::User(me), Some(name)) if me.user.username.eq_ignore_ascii_case(name) => {
            Ok(Some(Acting { actor: me.actor.clone(), user: me.user.clone() }))
        }
        (Caller::User(me), Some(name)) if me.user.is("ADMIN") => {
            match call.host.chat().user_of_name(name).await? {
                Some(user) => Ok(Some(as_user(user)?)),
                None => Err(Problem::not_found("User")),
            }
        }
        (Caller::User(_), Some(_)) => Err(Problem::forbidden("You can act for yourself only")),
    }
}

async fn for_application(
    host: &Host,
    name: &str,
    unknown: Unknown,
    known: Known<'_>,
) -> Result<Option<Acting>, Problem> {
    if unknown == Unknown::Made {
        return Ok(Some(on_behalf(host_user(host, name, known).await?)?));
    }
    match host.chat().user_of_name(name).await? {
        Some(user) => Ok(Some(on_behalf(user)?)),
        None => Ok(None),
    }
}

async fn host_user(host: &Host, name: &str, known: Known<'_>) -> Result<Arc<User>, Problem> {
    Ok(host.chat().user_by_name_only(&application(), name, known.name, known.email).await?)
}

/// Whoever a webhook speaks for; made if nobody has the name.
pub(crate) async fn for_webhook(host: &Host, name: &str, known: Known<'_>) -> Result<Acting, Problem> {
    on_behalf(host_user(host, name, known).await?)
}

/// A user for whom the application acts.
pub(crate) fn on_behalf(user: Arc<User>) -> Result<Acting, Problem> {
    check_active(&user)?;
    Ok(Acting { actor: Actor::on_behalf(user.id.clone()), user })
}

/// A user for whom an administrator acts, with that user's rights.
fn as_user(user: Arc<User>) -> Result<Acting, Problem> {
    check_active(&user)?;
    Ok(Acting { actor: Actor::user(user.id.clone(), None), user })
}

fn check_active(user: &User) -> Result<(), Problem> {
    if user.active { Ok(()) } else { Err(Problem::forbidden("The user is deactivated")) }
}

/// The users of these names, each once; unknown ones are made if it is the application that names them.
///
/// # Errors
/// 400 for what is no name, 404 `not_found` with the unknown names in `detail`.
pub(crate) async fn people(call: &Call, field: &str, names: &[String]) -> Result<Vec<Arc<User>>, Problem> {
    for name in names {
        check_name("body", field, name)?;
    }
    let is_application = matches!(call.caller()?, Caller::App);
    let (mut found, mut unknown) = (Vec::<Arc<User>>::new(), Vec::new());
    for name in names {
        let user = match call.host.chat().user_of_name(name).await? {
            None if is_application => Some(host_user(&call.host, name, Known::default()).await?),
            user => user,
        };
        match user {
            Some(user) if found.iter().all(|other| other.id != user.id) => found.push(user),
            Some(_) => {}
            None => unknown.push(name.clone()),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    Err(Problem::not_found("User").detail(serde_json::json!({ "unknown_usernames": unknown })))
}
