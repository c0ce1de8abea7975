//! Refusals in Rocket.Chat's dialect, for REST and DDP alike.

use axum::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::Response,
};
use parlor_core::error::{Lock, Refusal, State, What};
use serde_json::{Map, Value, json};

use crate::{call::json_response, date::Dates};

/// Longest text of a refusal, in bytes: some quote what they were given, which can be a whole body.
const LONGEST: usize = 1_000;
/// The same for a reason, which gets its code behind it.
const LONGEST_REASON: usize = 800;

/// The text, or its beginning.
fn short(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        text.truncate(text.floor_char_boundary(longest));
        text.push('…');
    }
    text
}

/// A refusal as Rocket.Chat's clients know it.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    /// The whole text of `error`.
    error: String,
    /// `errorType` in REST, `error` in DDP.
    kind: Option<String>,
    /// `reason` in DDP.
    reason: Option<String>,
    details: Option<Value>,
}

impl Refused {
    /// 400 with this text and no type.
    pub(crate) fn new(error: impl Into<String>) -> Self {
        Self::status(StatusCode::BAD_REQUEST, error)
    }
    /// Any status with this text.
    pub(crate) fn status(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: short(error.into(), LONGEST), kind: None, reason: None, details: None }
    }
    /// 400 as Meteor errors come out: `REASON [CODE]`, type `CODE`.
    pub(crate) fn meteor(code: &str, reason: &str) -> Self {
        let reason = short(reason.to_owned(), LONGEST_REASON);
        let error = if reason.is_empty() { format!("[{code}]") } else { format!("{reason} [{code}]") };
        let mut refused = Self::new(error).kind(code);
        refused.reason = Some(reason);
        refused
    }
    /// Answers with this status.
    pub(crate) fn at(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
    /// Answers with this status instead of 400 (REST logins answer 401 to whatever is wrong).
    pub(crate) fn at_if_bad(self, status: StatusCode) -> Self {
        if self.status == StatusCode::BAD_REQUEST { self.at(status) } else { self }
    }
    /// A DDP error whose code is a number, such as 404 for an unknown method.
    pub(crate) fn meteor_number(code: u16, reason: &str) -> Self {
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
        let mut refused = Self::status(status, format!("{reason} [{code}]"));
        refused.reason = Some(short(reason.to_owned(), LONGEST_REASON));
        refused
    }
    /// Whether this is its type.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }
    /// Sets the type.
    pub(crate) fn kind(mut self, kind: &str) -> Self {
        self.kind = Some(kind.to_owned());
        self
    }
    /// The same with 404, where a route says so of what may not be known.
    pub(crate) fn not_found(self) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..self }
    }
    /// Says in which field it is so.
    pub(crate) fn within(mut self, field: &str) -> Self {
        self.error.push_str(&format!(" in field {field}"));
        self
    }
    /// Sets the details.
    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
    /// 403 `unauthorized`.
    pub(crate) fn unauthorized() -> Self {
        Self::status(StatusCode::FORBIDDEN, "unauthorized")
    }
    /// 403 of routes that declare permissions.
    pub(crate) fn no_permission() -> Self {
        Self::status(
            StatusCode::FORBIDDEN,
            "User does not have the permissions required for this action [error-unauthorized]",
        )
    }
    /// What the community edition answers where it stops.
    pub(crate) fn enterprise() -> Self {
        Self::meteor("error-action-not-allowed", "This is an enterprise feature")
    }
    /// A room that does not exist or may not be known of.
    pub(crate) fn unknown_room() -> Self {
        unknown(What::Room)
    }
    /// 401.
    pub(crate) fn not_logged_in() -> Self {
        Self::status(StatusCode::UNAUTHORIZED, "You must be logged in to do this.")
    }
    /// A schema failure.
    pub(crate) fn invalid_params(text: &str) -> Self {
        Self::new(format!("{text} [invalid-params]")).kind("invalid-params")
    }
    /// A missing key.
    pub(crate) fn missing(name: &str) -> Self {
        Self::invalid_params(&format!("must have required property '{name}'"))
    }
    /// What serde says, in the words of a JSON-schema validator.
    pub(crate) fn from_serde(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        if let Some(rest) = text.strip_prefix("missing field `") {
            return Self::missing(rest.split('`').next().unwrap_or_default());
        }
        for (word, kind) in [
            ("a string", "string"),
            ("a boolean", "boolean"),
            ("a sequence", "array"),
            ("struct", "object"),
            ("a map", "object"),
        ] {
            if text.contains(&format!("expected {word}")) {
                return Self::invalid_params(&format!("must be {kind}"));
            }
        }
        if text.contains("expected i") || text.contains("expected u") || text.contains("expected f") {
            return Self::invalid_params("must be number");
        }
        Self::invalid_params("must match the schema")
    }

    /// As an HTTP answer.
    pub(crate) fn response(self, test_mode: bool) -> Response {
        let (mut body, status) = (Map::new(), self.status);
        if status == StatusCode::UNAUTHORIZED {
            body.insert("status".into(), "error".into());
            body.insert("message".into(), self.reason.clone().unwrap_or_else(|| self.error.clone()).into());
            if let Some(kind) = self.kind {
                body.insert("error".into(), number_or_text(&kind));
            }
        } else {
            body.insert("success".into(), false.into());
            if test_mode && status == StatusCode::BAD_REQUEST {
                body.insert("stack".into(), self.error.clone().into());
            }
            body.insert("error".into(), self.error.into());
            if let Some(kind) = self.kind {
                body.insert("errorType".into(), kind.into());
            }
        }
        if let Some(details) = self.details {
            body.insert("details".into(), details);
        }
        let mut response = json_response(status, &Value::Object(body));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// The text without its code, for routes whose refusals are plain sentences.
    pub(crate) fn plain(self) -> Self {
        let text = self.reason.filter(|r| !r.is_empty()).unwrap_or(self.error);
        Self::status(self.status, text)
    }

    /// As the `error` within the answer of `method.call`: failed argument checks have Meteor's wrapping.
    pub(crate) fn method_call(&self) -> Value {
        if !self.error.starts_with("Match error") {
            return self.ddp();
        }
        json!({
            "message": self.error, "path": "", "errorType": "Match.Error",
            "sanitizedError": {
                "isClientSafe": true, "error": 400, "reason": "Match failed", "message": "Match failed [400]",
                "errorType": "Meteor.Error",
            },
        })
    }

    /// As the `error` of a DDP result or `nosub`.
    pub(crate) fn ddp(&self) -> Value {
        let code: Value = match (&self.kind, self.status) {
            (Some(kind), StatusCode::UNAUTHORIZED) if kind == "Unauthorized" => 403.into(),
            (Some(kind), _) => number_or_text(kind),
            (None, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) => "error-not-allowed".into(),
            (None, StatusCode::NOT_FOUND) => 404.into(),
            (None, StatusCode::TOO_MANY_REQUESTS) => "too-many-requests".into(),
            _ => 400.into(),
        };
        let reason = self.reason.clone().unwrap_or_else(|| self.error.clone());
        let name = code.as_str().map(str::to_owned).unwrap_or_else(|| code.to_string());
        let mut error = json!({
            "isClientSafe": true, "error": code, "reason": reason,
            "message": format!("{reason} [{name}]"), "errorType": "Meteor.Error",
        });
        if let (Some(details), Some(object)) = (&self.details, error.as_object_mut()) {
            object.insert("details".into(), details.clone());
        }
        error
    }
}

/// Meteor's own codes are numbers.
fn number_or_text(kind: &str) -> Value {
    kind.parse::<u16>().map_or_else(|_| kind.into(), Value::from)
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let status = |status, text: &str| Self::status(status, text);
        match refusal {
            Refusal::NotFound(what) => unknown(what),
            Refusal::NotAllowed(_) => Self::unauthorized(),
            Refusal::NotLoggedIn => Self::not_logged_in(),
            Refusal::Deactivated => {
                status(StatusCode::UNAUTHORIZED, "User is not activated").kind("error-user-is-not-activated")
            }
            Refusal::NotMember => Self::meteor("error-not-allowed", "Not allowed"),
            Refusal::Invalid { field: "user-registration-custom-field", problem } => {
                Self::meteor("error-user-registration-custom-field", &problem)
            }
            Refusal::Invalid { field: "file-infected", problem } => {
                Self::meteor("error-file-infected", &problem)
            }
            Refusal::Invalid { field: "ts", problem } => {
                Self::meteor("error-message-ts-out-of-sync", &problem)
            }
            Refusal::Invalid { field, problem } => Self::meteor(&format!("error-invalid-{field}"), &problem),
            Refusal::Taken { what, value } => taken(what, &value),
            Refusal::Reserved(name) => {
                Self::meteor("error-blocked-username", &format!("{name} is blocked and can't be used!"))
            }
            Refusal::TooLarge { what: "message", limit } => {
                Self::meteor("error-message-size-exceeded", "Message size exceeds Message_MaxAllowedSize")
                    .details(json!({ "limit": limit }))
            }
            Refusal::TooLarge { what: "files of a user", limit } => {
                let text = format!("Your files may have {limit} bytes in all");
                Self::meteor("error-file-quota-exceeded", &text).details(json!({ "limit": limit }))
            }
            Refusal::TooLarge { what: "files of the workspace", .. } => {
                Self::meteor("error-file-quota-exceeded", "The workspace has no room for more files")
            }
            Refusal::TooLarge { what: "file", limit } => {
                Self::meteor("error-file-too-large", "File is too large").details(json!({ "limit": limit }))
            }
            Refusal::TooLarge { what, limit } => {
                let (first, rest) = what.split_at(1);
                let sentence = format!("{}{rest} size exceeds {limit} characters", first.to_uppercase());
                Self::meteor(&format!("error-{}-size-exceeded", what.replace(' ', "-")), &sentence)
            }
            Refusal::WeakPassword(faults) => {
                let faults: Vec<Value> =
                    faults.iter().map(|f| json!({ "error": f.code(), "message": f.message() })).collect();
                Self::meteor(
                    "error-password-policy-not-met",
                    "The password does not meet the server's password policy.",
                )
                .details(faults.into())
            }
            Refusal::State(state) => standing_in_the_way(state),
            Refusal::Disabled(setting) => {
                Self::meteor("error-action-not-allowed", &format!("Switched off by {setting}"))
            }
            Refusal::TokenExpired => Self::not_logged_in(),
            Refusal::BadCredentials => {
                let mut refused = status(StatusCode::UNAUTHORIZED, "Unauthorized").kind("Unauthorized");
                refused.reason = Some("Incorrect password".to_owned());
                refused
            }
            Refusal::SecondFactor(factor) => {
                let code = if factor.wrong { "totp-invalid" } else { "totp-required" };
                let reason = if factor.wrong { "TOTP Invalid" } else { "TOTP Required" };
                let mut details = json!({
                    "method": factor.method, "codeGenerated": factor.sent.is_some(),
                    "availableMethods": factor.available,
                });
                if let Some(until) = factor.sent {
                    details["codeCount"] = 1.into();
                    details["codeExpires"] = json!([until.millis()]);
                }
                Self::meteor(code, reason).details(details)
            }
            Refusal::LockedOut { by, until } => {
                let code = match by {
                    Lock::User => "error-login-blocked-for-user",
                    Lock::Address => "error-login-blocked-for-ip",
                };
                status(StatusCode::UNAUTHORIZED, "Login has been temporarily blocked")
                    .kind(code)
                    .details(json!({ "time": Dates::Iso.value(until) }))
            }
            Refusal::RateLimited { retry_after } => {
                let text = format!(
                    "Error, too many requests. Please slow down. You must wait {} seconds before trying this endpoint again. [error-too-many-requests]",
                    retry_after.div_ceil(1000)
                );
                status(StatusCode::TOO_MANY_REQUESTS, &text)
            }
            Refusal::IdConflict => Self::meteor("error-message-id-taken", "This message id is taken"),
            Refusal::Storage => Self::meteor(
                "error-file-storage-unavailable",
                "The store for files can't be reached. Please try again later.",
            ),
            Refusal::Stale | Refusal::Unavailable => {
                status(StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Please try again.")
            }
            Refusal::Internal(reference) => {
                status(StatusCode::INTERNAL_SERVER_ERROR, &format!("Internal server error {reference}"))
            }
        }
    }
}

fn unknown(what: What) -> Refused {
    let (code, reason) = match what {
        What::Room => (
            "error-room-not-found",
            "The required \"roomId\" or \"roomName\" param provided does not match any room",
        ),
        What::User | What::Username => (
            "error-invalid-user",
            "The required \"userId\" or \"username\" param provided does not match any users",
        ),
        What::Message => {
            ("error-message-not-found", "The required \"msgId\" param provided does not match any message")
        }
        What::Team => ("team-does-not-exist", "The team does not exist"),
        What::Role => ("error-invalid-roleId", "This role does not exist"),
        What::Permission => ("error-invalid-permission", "Invalid permission"),
        What::Setting => ("error-invalid-setting", "Invalid setting"),
        What::Upload => ("invalid-file", "File not found"),
        What::Invite => ("error-invalid-token", "The invite token is invalid."),
        What::Command => ("invalid-command", "The command provided does not exist"),
        What::Token => ("error-token-does-not-exists", "Token does not exist"),
        _ => ("error-not-found", "Not found"),
    };
    Refused::meteor(code, reason)
}

fn taken(what: What, value: &str) -> Refused {
    match what {
        What::RoomName => {
            Refused::meteor("error-duplicate-channel-name", &format!("A channel with name '{value}' exists"))
        }
        What::TeamName => Refused::meteor("team-name-already-exists", ""),
        What::Username => {
            Refused::meteor("error-field-unavailable", &format!("{value} is already in use :("))
        }
        What::Email => Refused::meteor("error-field-unavailable", &format!("{value} is already in use :(")),
        other => Refused::meteor("error-duplicated", &format!("{other} '{value}' already exists")),
    }
}

fn standing_in_the_way(state: State) -> Refused {
    let (code, reason) = match state {
        State::ReadOnly => return Refused::new("You can't send messages because the room is readonly."),
        State::Muted => return Refused::new("You_have_been_muted"),
        State::LastOwner => {
            return Refused::meteor(
                "error-you-are-last-owner",
                "You are the last owner. Please set new owner before leaving the room.",
            );
        }
        State::Archived => ("error-room-archived", "The room is archived"),
        State::NotArchived => ("error-room-not-archived", "The room is not archived"),
        State::Blocked => ("error-not-allowed", "Blocked"),
        State::LastAdmin => {
            ("error-action-not-allowed", "Leaving the app without an active admin is not allowed")
        }
        State::AlreadyMember => ("error-user-already-in-room", "The user is already in the room"),
        State::HasRole => ("error-user-already-owner", "User already has this role"),
        State::LacksRole => ("error-user-not-owner", "User does not have this role"),
        State::CodeRequired => ("error-code-required", "Code required"),
        State::WrongCode => ("error-code-invalid", "Code invalid"),
        State::AlreadyClosed => ("error-already-closed", "Already closed"),
        State::AlreadyOpen => ("error-already-open", "Already open"),
        State::TooLate => ("error-action-not-allowed", "The time for this is over"),
        State::Deleted => ("error-message-not-found", "The message is deleted"),
        State::DirectRoom => ("error-direct-message-room", "Not possible in a direct message room"),
        State::DefaultRoom => ("error-action-not-allowed", "Not possible for the default room"),
        State::InviteOver => ("error-invalid-room", "Invalid or expired invite"),
        State::Protected => ("error-role-protected", "Cannot change a protected role"),
        State::InUse => ("error-role-in-use", "Cannot delete a role that is in use"),
        State::SecondFactorOn => ("error-two-factor-enabled", "Two factor is already enabled"),
        State::FieldToField => ("error-not-allowed", "Field staff can't be in a room among themselves"),
        State::CaseClosed => ("error-not-allowed", "The conversation is closed"),
        State::Unverified => ("error-invalid-email", "Invalid email"),
        State::HasMessages => ("error-action-not-allowed", "The user has written messages"),
        State::Encrypted => ("error-not-allowed", "Unencrypted messages are not allowed in this room"),
    };
    Refused::meteor(code, reason)
}
