//! Families of Rocket.Chat's API that this server does not have: each says so, in Rocket.Chat's form.

use axum::{
    http::{Method, StatusCode},
    response::Response,
};

use crate::refusal::Refused;

/// How the names of a family begin, and what it is.
const FAMILIES: &[(&str, &str)] = &[
    ("abac/", "Attribute-based access control"),
    ("apps/", "Apps"),
    ("audit/", "Auditing by the enterprise edition"),
    ("calendar-events.", "The calendar"),
    ("canned-responses", "Canned responses"),
    ("cloud.", "The cloud of another vendor"),
    ("contact-chats", "Omnichannel"),
    ("downloadP", "Imports over the API"),
    ("email-inbox", "Inboxes for e-mail"),
    ("engagement-dashboard/", "The engagement dashboard"),
    ("federation/", "Federation"),
    ("getCurrentImport", "Imports over the API"),
    ("getImport", "Imports over the API"),
    ("getLatestImport", "Imports over the API"),
    ("import", "Imports over the API"),
    ("licenses.validate", "Licences"),
    ("livechat/", "Omnichannel"),
    ("loginCode.", "Signing in by a code from another device"),
    ("media-calls", "Voice calls"),
    ("omnichannel/", "Omnichannel"),
    ("startImport", "Imports over the API"),
    ("twoFactorChallenges.", "Challenges without a sign-in"),
    ("uploadImport", "Imports over the API"),
    ("voip", "Voice calls"),
];

/// What a path gets that is in no table: 404, with the reason where the path is one of Rocket.Chat's.
pub(crate) fn answer(method: &Method, path: &str) -> Response {
    let name = path.strip_prefix("/api/v1/").or(path.strip_prefix("/api/")).unwrap_or_default();
    let family = FAMILIES.iter().find(|(start, _)| name.starts_with(start));
    let refused = match family {
        _ if method == Method::OPTIONS => Refused::status(StatusCode::NOT_FOUND, ""),
        Some((_, what)) => {
            let text = format!("{what}: not part of this server");
            Refused::meteor("error-endpoint-not-available", &text).at(StatusCode::NOT_FOUND)
        }
        None => Refused::status(StatusCode::NOT_FOUND, "API endpoint not found"),
    };
    refused.response(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_says_so_and_what_nobody_knows_is_not_found() {
        for (path, status) in [("/api/v1/livechat/rooms", 404), ("/api/v1/nonsense", 404), ("/nowhere", 404)]
        {
            let answer = answer(&Method::GET, path);
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers()["content-type"], "application/json");
        }
    }
}
