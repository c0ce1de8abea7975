//! The tickets door over REST: tickets as the host application tells of them, and their chat. The same contract over
//! Socket.IO lies with the other events of that endpoint. Translates; the core decides. See the README beside this crate.

mod chat;
mod facts;
mod openapi;
mod upload;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, patch, post},
};
use parlor_core::{error::Refusal, error::What, id::UserId, session::Actor, tickets::SYSTEM_USER};
use parlor_host::{Call, Caller, Host, Problem, problem};

pub use self::openapi::openapi;

/// The door as HTTP routes.
pub fn router(host: &Host) -> Router {
    Router::new()
        .route("/api/tickets", get(facts::list))
        .route("/api/tickets/{ticketId}", get(facts::one).put(facts::put).delete(facts::remove))
        .route("/api/tickets/{ticketId}/chat", get(chat::messages).post(chat::send))
        .route("/api/tickets/{ticketId}/chat/participants", get(chat::participants))
        .route("/api/tickets/{ticketId}/chat/read", post(chat::read))
        .route(
            "/api/tickets/{ticketId}/chat/upload",
            // The bytes go to disk as they come, and the core knows how many there may be.
            post(upload::upload).layer(DefaultBodyLimit::disable()),
        )
        .route("/api/tickets/{ticketId}/chat/{messageId}", patch(chat::edit).delete(chat::remove))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(host.clone())
}

/// A refusal of the core in this contract's words.
fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotFound(What::Room) => Problem::not_found("Ticket"),
        Refusal::TooLarge { what: "message", limit } => {
            Problem::invalid("message", format!("must have at most {limit} characters"))
        }
        Refusal::Invalid { field: "text", problem } => Problem::invalid("message", problem),
        other => other.into(),
    }
}

/// Who tells of tickets: the application itself, or an administrator.
fn teller(call: &Call) -> Result<Actor, Problem> {
    let caller = call.caller()?;
    match caller {
        Caller::App => Ok(Actor::system(UserId::from(SYSTEM_USER))),
        Caller::User(admitted) if caller.may_push() => Ok(admitted.actor.clone()),
        Caller::User(_) => Err(Problem::forbidden("Only the application and administrators may do this")),
    }
}

/// Who looks: a user, or the application, which sees all tickets.
fn viewer(call: &Call) -> Result<Actor, Problem> {
    Ok(match call.caller()? {
        Caller::App => Actor::system(UserId::from(SYSTEM_USER)),
        Caller::User(admitted) => admitted.actor.clone(),
    })
}
