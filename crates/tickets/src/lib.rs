//! The tickets door over REST: tickets as the host application tells of them, and their chat. The same contract over
//! Socket.IO lies with the other events of that endpoint. Translates; the core decides. See the README beside this crate.

mod chat;
mod facts;
mod send;
mod upload;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, patch, post},
};
use parlor_core::{error::Refusal, error::What, id::UserId, session::Actor, tickets::SYSTEM_USER};
use parlor_host::{Call, Caller, Host, Problem, problem};

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

/// What the routes are, for the OpenAPI document: method, path, what it does.
pub const ROUTES: &[(&str, &str, &str)] = &[
    ("get", "/api/tickets", "Tickets that the caller may enter"),
    ("get", "/api/tickets/{ticketId}", "A ticket's facts"),
    ("put", "/api/tickets/{ticketId}", "Tells of a ticket (application key or ADMIN)"),
    ("delete", "/api/tickets/{ticketId}", "Removes a ticket with its chat (application key or ADMIN)"),
    ("get", "/api/tickets/{ticketId}/chat", "A page of messages"),
    ("post", "/api/tickets/{ticketId}/chat", "Sends a message"),
    ("get", "/api/tickets/{ticketId}/chat/participants", "Who takes part"),
    ("post", "/api/tickets/{ticketId}/chat/read", "Marks messages as read"),
    ("post", "/api/tickets/{ticketId}/chat/upload", "Uploads a file for a later message"),
    ("patch", "/api/tickets/{ticketId}/chat/{messageId}", "Edits one's own message"),
    ("delete", "/api/tickets/{ticketId}/chat/{messageId}", "Removes one's own message (ADMIN: anybody's)"),
];

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
