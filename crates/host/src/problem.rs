//! Refusals as the host applications' contracts write them: one list of codes for REST and sockets alike.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parlor_core::{
    clock::Time,
    error::{Refusal, State, What},
};
use serde_json::{Map, Value, json};

/// One field that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `body`, `query` or `path`.
    pub place: &'static str,
    /// Its name as the client writes it.
    pub field: String,
    /// What is wrong, as a sentence fragment without the value.
    pub problem: String,
    /// It is not there at all.
    pub missing: bool,
}

impl Fault {
    /// A field of the body that breaks a rule.
    pub fn body(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: "body", field: field.into(), problem: problem.into(), missing: false }
    }
    /// A query parameter that breaks a rule.
    pub fn query(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: "query", ..Self::body(field, problem) }
    }
}

/// Why a request is refused, in the contracts' words. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code: what clients compare.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// More, where it is useful.
    pub detail: Option<Value>,
    /// Which fields, for `validation_failed`.
    pub faults: Vec<Fault>,
    /// Seconds to wait, at least 1.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A refusal with this status, code and sentence.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            // All statuses here are constants of this crate and its doors.
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            code,
            message: message.into(),
            detail: None,
            faults: Vec::new(),
            retry_after: None,
        }
    }

    /// With a `detail`.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }

    /// 404: unknown, or not to be known of. `what` such as `Room`.
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("{what} not found"))
    }
    /// 403 for those who can see the object.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "forbidden", message)
    }
    /// 403 for what the application's key can't do.
    pub fn user_required() -> Self {
        Self::new(403, "user_required", "This needs a user's token")
    }
    /// 401 without a token.
    pub fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "A token is required")
    }
    /// 401 for a token that proves nothing.
    pub fn invalid_token() -> Self {
        Self::new(401, "invalid_token", "Invalid token")
    }
    /// 401 for a token whose time is over.
    pub fn token_expired() -> Self {
        Self::new(401, "token_expired", "Token expired")
    }
    /// 401 for an account that is switched off.
    pub fn user_inactive() -> Self {
        Self::new(401, "user_inactive", "The user is deactivated")
    }
    /// 400 (422 on the paths of the rooms contract) with what is wrong in each field.
    pub fn validation(faults: Vec<Fault>) -> Self {
        let message = match faults.as_slice() {
            [one] => format!("{} {}", one.field, one.problem),
            _ => "Some fields are not valid".to_owned(),
        };
        Self { faults, ..Self::new(400, "validation_failed", message) }
    }
    /// [`Problem::validation`] of one field of the body.
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::validation(vec![Fault::body(field, problem)])
    }
    /// [`Problem::validation`] of one query parameter.
    pub fn invalid_query(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::validation(vec![Fault::query(field, problem)])
    }
    /// 400 for what is no JSON object.
    pub fn bad_json(message: &str) -> Self {
        Self::new(400, "bad_json", message)
    }
    /// 400 for a cursor that was never given out, or names nothing in this list.
    pub fn bad_cursor() -> Self {
        Self::new(400, "bad_cursor", "The cursor is not valid")
    }
    /// 404 for users that are not known, by their ids.
    pub fn unknown_users(ids: &[String]) -> Self {
        Self::new(404, "unknown_users", format!("Unknown users: {}", ids.join(", ")))
            .detail(json!({ "unknown_ids": ids }))
    }
    /// 413.
    pub fn too_large(message: &str) -> Self {
        Self::new(413, "payload_too_large", message)
    }
    /// 415.
    pub fn unsupported_type(message: &str) -> Self {
        Self::new(415, "unsupported_media_type", message)
    }
    /// 403 for a page of another origin.
    pub fn origin_not_allowed() -> Self {
        Self::new(403, "origin_not_allowed", "This origin is not allowed")
    }
    /// 429; `millis` until the next try.
    pub fn rate_limited(millis: u64) -> Self {
        let mut problem = Self::new(429, "rate_limited", "Too many requests, slow down");
        problem.retry_after = Some(millis.div_ceil(1000).max(1));
        problem
    }

    /// A refusal of the core; `now` tells how long a lock-out lasts.
    pub fn of(refusal: Refusal, now: Time) -> Self {
        match refusal {
            Refusal::LockedOut { until, .. } => {
                let wait = until.millis().saturating_sub(now.millis());
                Self::rate_limited(u64::try_from(wait).unwrap_or_default())
            }
            other => other.into(),
        }
    }

    /// As a refused token: what is wrong with the token rather than with a login.
    pub fn of_token(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadCredentials | Refusal::NotFound(_) => Self::invalid_token(),
            other => other.into(),
        }
    }

    /// The plain body: `error`, `message`, `detail` where there is one.
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("error".into(), self.code.into());
        body.insert("message".into(), self.message.as_str().into());
        if let Some(detail) = self.plain_detail() {
            body.insert("detail".into(), detail);
        }
        Value::Object(body)
    }

    /// `detail` as the plain dress and sockets show it.
    pub fn plain_detail(&self) -> Option<Value> {
        let fault = |fault: &Fault| json!({ "field": fault.field, "problem": fault.problem });
        match self.faults.as_slice() {
            [] => self.detail.clone(),
            faults => Some(faults.iter().map(fault).collect()),
        }
    }

    /// The body of the rooms contract: `detail` is always there.
    pub fn rooms_body(&self) -> Value {
        let fault = |fault: &Fault| {
            let kind = if fault.missing { "missing" } else { "value_error" };
            json!({ "loc": [fault.place, fault.field], "msg": fault.problem, "type": kind })
        };
        let detail = match self.faults.as_slice() {
            [] => self.detail.clone().unwrap_or_else(|| self.message.as_str().into()),
            faults => faults.iter().map(fault).collect(),
        };
        json!({ "error": self.code, "message": self.message, "detail": detail })
    }

    /// The status of the rooms contract: 422 where the others say 400.
    pub fn rooms_status(&self) -> StatusCode {
        if self.status == StatusCode::BAD_REQUEST { StatusCode::UNPROCESSABLE_ENTITY } else { self.status }
    }

    fn respond(&self, status: StatusCode, body: &Value) -> Response {
        let mut response = json_response(status, body);
        let busy = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        if let Some(seconds) = self.retry_after.or(busy) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A JSON answer with the headers that all have.
pub fn json_response(status: StatusCode, body: &impl serde::Serialize) -> Response {
    // Writing into memory can't fail, and all maps have texts as keys.
    let text = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.respond(self.status, &self.body());
        // Kept beside the answer, so that a layer can dress it anew.
        response.extensions_mut().insert(self);
        response
    }
}

/// A layer's last step (`axum::middleware::map_response`) on the paths of the rooms contract: the same problems in
/// that contract's dress.
pub async fn dress_for_rooms(mut response: Response) -> Response {
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem.respond(problem.rooms_status(), &problem.rooms_body()),
        None => response,
    }
}

/// 405 with the `Allow` that the router found, in the contracts' words: a router's `method_not_allowed_fallback`.
pub async fn method_not_allowed() -> Problem {
    Problem::new(405, "method_not_allowed", "This method is not allowed here")
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(what) => Self::not_found(name_of(what)),
            // Only rooms that the caller can see need a membership.
            Refusal::NotMember => Self::forbidden("Only members can do this"),
            Refusal::NotAllowed("user-token") => Self::user_required(),
            Refusal::NotAllowed(_) => Self::forbidden("You are not allowed to do this"),
            Refusal::NotLoggedIn => Self::unauthorized(),
            Refusal::Deactivated => Self::user_inactive(),
            Refusal::Invalid { field, problem } => Self::invalid(field, problem),
            Refusal::Taken { what, value } => taken(what, &value),
            Refusal::Reserved(_) => Self::invalid("username", "is reserved"),
            Refusal::TooLarge { what: "file", limit } => {
                Self::too_large(&format!("A file may have {limit} bytes"))
            }
            Refusal::TooLarge { what: "files of a user", limit } => {
                Self::too_large(&format!("Your files may have {limit} bytes in all"))
            }
            Refusal::TooLarge { what: "files of the workspace", .. } => {
                Self::too_large("The workspace has no room for more files")
            }
            Refusal::TooLarge { what, limit } => Self::invalid(what, format!("must not exceed {limit}")),
            Refusal::WeakPassword(faults) => {
                let text = faults.first().map_or("is too weak", |fault| fault.message());
                Self::invalid("password", text)
            }
            Refusal::State(state) => standing_in_the_way(state),
            Refusal::Disabled("FileUpload_MediaTypeWhiteList") => {
                Self::unsupported_type("Files of this type are not allowed")
            }
            Refusal::Disabled(_) => Self::forbidden("This is switched off here"),
            Refusal::BadCredentials => {
                Self::new(401, "invalid_credentials", "User name or password is wrong")
            }
            Refusal::TokenExpired => Self::token_expired(),
            Refusal::SecondFactor(_) => Self::new(401, "totp_required", "A second factor is required"),
            Refusal::LockedOut { .. } => Self::rate_limited(60_000),
            Refusal::RateLimited { retry_after } => Self::rate_limited(retry_after),
            Refusal::IdConflict => {
                Self::new(409, "client_id_conflict", "This client_id was used for another message")
            }
            Refusal::Storage => {
                Self::new(503, "unavailable", "The store for files can't be reached, try again later")
            }
            Refusal::Stale | Refusal::Unavailable => {
                Self::new(503, "unavailable", "The server is busy, try again")
            }
            Refusal::Internal(reference) => {
                Self::new(500, "internal", "Internal server error").detail(reference.into())
            }
        }
    }
}

fn name_of(what: What) -> &'static str {
    match what {
        What::User | What::Username => "User",
        What::Room | What::RoomName | What::Membership => "Room",
        What::Message => "Message",
        What::Upload => "File",
        What::Team | What::TeamName => "Team",
        _ => "Object",
    }
}

fn taken(what: What, value: &str) -> Problem {
    match what {
        What::Username => {
            Problem::new(409, "username_taken", format!("The user name '{value}' is already in use"))
        }
        What::Email => Problem::new(409, "email_taken", "The e-mail address is already in use"),
        _ => Problem::new(409, "name_taken", format!("The name '{value}' is already in use")),
    }
}

fn standing_in_the_way(state: State) -> Problem {
    match state {
        State::Muted => Problem::new(403, "muted", "You are muted in this room"),
        State::Deleted => Problem::new(409, "message_deleted", "The message is deleted"),
        State::DirectRoom => Problem::new(409, "direct_room", "Not possible in a direct room"),
        State::AlreadyClosed | State::CaseClosed => {
            Problem::new(409, "conversation_closed", "The conversation is closed")
        }
        State::HasMessages => Problem::new(409, "user_has_messages", "The user has written messages"),
        State::FieldToField => {
            Problem::new(403, "field_to_field", "Field staff can't be in a room among themselves")
        }
        other => Problem::forbidden(sentence(&other.to_string())),
    }
}

/// With a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_problem_has_two_dresses() {
        let problem = Problem::invalid("content", "must be a string");
        assert_eq!(
            problem.body(),
            json!({"error": "validation_failed", "message": "content must be a string",
                "detail": [{"field": "content", "problem": "must be a string"}]})
        );
        assert_eq!(problem.rooms_status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            problem.rooms_body()["detail"],
            json!([{"loc": ["body", "content"], "msg": "must be a string", "type": "value_error"}])
        );
        assert_eq!(Problem::not_found("Room").rooms_body()["detail"], "Room not found");
        assert!(Problem::not_found("Room").body().get("detail").is_none());
    }

    #[test]
    fn a_retry_is_at_least_a_second_away() {
        assert_eq!(Problem::rate_limited(1).retry_after, Some(1));
        assert_eq!(Problem::rate_limited(1001).retry_after, Some(2));
    }
}
