//! What clients send to log in, over REST and DDP alike.

use axum::http::StatusCode;
use parlor_core::{
    accounts::{Code, Proof},
    credentials::Password,
    error::{Refusal, What},
    users_change::Secret,
};
use serde_json::{Map, Value};

use crate::{method::mismatch, refusal::Refused};

/// Longest name, password, token or code that is looked at, in bytes.
const LONGEST: usize = 4096;
/// Ways to log in that this workspace does not offer, and what is said of them.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("crowd", "CROWD is not enabled"),
    ("saml", "SAML is not enabled"),
    ("cas", "CAS is not enabled"),
    ("iframe", "Iframe login is not enabled"),
];

/// Reads any of the login forms: password (plain or digest), `resume`, and either within `totp`.
///
/// # Errors
/// 400 for a value of the wrong type, 403 for a way to log in that is not offered.
pub(crate) fn read(value: &Value) -> Result<(Proof, Option<Code>), Refused> {
    let object = value.as_object().ok_or_else(|| mismatch("object", Some(value)))?;
    if let Some(wrapped) = given(object, "totp") {
        let wrapped = wrapped.as_object().ok_or_else(|| mismatch("object", Some(wrapped)))?;
        let inner = wrapped.get("login").and_then(Value::as_object).ok_or_else(unrecognized)?;
        return Ok((proof(inner)?, code(wrapped)?));
    }
    Ok((proof(object)?, code(object)?))
}

/// A refusal of a login as DDP and REST clients know it: error 403, with a text by which a client that tried to resume
/// knows that its token is gone for good.
pub(crate) fn refused(refusal: Refusal, resume: bool) -> Refused {
    match refusal {
        Refusal::BadCredentials if resume => {
            Refused::meteor("403", "You've been logged out by the server. Please log in again.")
                .at(StatusCode::UNAUTHORIZED)
        }
        Refusal::Taken { what: What::Email | What::Username, .. } => Refused::meteor(
            "error-account-exists",
            "There is an account with this address. Sign in to it, then link this service to it.",
        )
        .at(StatusCode::FORBIDDEN),
        Refusal::Disabled("LDAP_Enable") => {
            Refused::meteor("service-disabled", "LDAP is not enabled").at(StatusCode::FORBIDDEN)
        }
        Refusal::Disabled("Accounts_Registration_AuthenticationServices_Enabled") => {
            Refused::meteor("registration-disabled", "New accounts can't be made by this service")
                .at(StatusCode::FORBIDDEN)
        }
        other => Refused::from(other).at_if_bad(StatusCode::UNAUTHORIZED),
    }
}

fn given<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|v| !v.is_null())
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, Refused> {
    match given(object, key) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= LONGEST => Ok(Some(text)),
        Some(Value::String(_)) => Err(Refused::new(format!("Match error: {key} is too long"))),
        other => Err(mismatch("string", other)),
    }
}

fn proof(object: &Map<String, Value>) -> Result<Proof, Refused> {
    if let Some(token) = text(object, "resume")? {
        return Ok(Proof::Token(token.to_owned()));
    }
    if let Some(oauth) = given(object, "oauth") {
        return credential(oauth);
    }
    if given(object, "ldap").is_some_and(|v| *v != Value::Bool(false)) {
        let (name, password) = (text(object, "username")?, text(object, "ldapPass")?);
        let (Some(name), Some(password)) = (name, password) else { return Err(unrecognized()) };
        return Ok(Proof::Directory { name: name.to_owned(), password: Secret(password.to_owned()) });
    }
    if let Some(service) = text(object, "serviceName")? {
        // An access token alone could be made for anybody; the identity token says for whom it is.
        let sentence = "An idToken of this service is needed";
        let token = text(object, "idToken")?.or(text(object, "identityToken")?);
        let token =
            token.ok_or_else(|| Refused::meteor("service-disabled", sentence).at(StatusCode::FORBIDDEN))?;
        return Ok(Proof::IdToken { service: service.to_owned(), token: token.to_owned() });
    }
    for (key, sentence) in UNSUPPORTED {
        if given(object, key).is_some_and(|v| *v != Value::Bool(false)) {
            return Err(Refused::meteor("service-disabled", sentence).at(StatusCode::FORBIDDEN));
        }
    }
    let (Some(name), Some(password)) = (name(object)?, password(object)?) else { return Err(unrecognized()) };
    Ok(Proof::Password { name: name.to_owned(), password })
}

/// What the page of return told.
fn credential(oauth: &Value) -> Result<Proof, Refused> {
    let oauth = oauth.as_object().ok_or_else(|| mismatch("object", Some(oauth)))?;
    let (token, secret) = (text(oauth, "credentialToken")?, text(oauth, "credentialSecret")?);
    match (token, secret) {
        (Some(token), Some(secret)) if token.len() + secret.len() < 500 => {
            Ok(Proof::Credential { token: token.to_owned(), secret: secret.to_owned() })
        }
        _ => Err(Refused::meteor("400", "Invalid credential")),
    }
}

/// `user` as text or `{username}` / `{email}`, or `username` / `email` beside it.
fn name(object: &Map<String, Value>) -> Result<Option<&str>, Refused> {
    match given(object, "user") {
        Some(Value::String(_)) => text(object, "user"),
        Some(Value::Object(user)) => Ok(text(user, "username")?.or(text(user, "email")?)),
        Some(other) => Err(mismatch("string", Some(other))),
        None => Ok(text(object, "username")?.or(text(object, "email")?)),
    }
}

fn password(object: &Map<String, Value>) -> Result<Option<Password>, Refused> {
    let hex = |digest: &str| digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    match given(object, "password") {
        Some(Value::Object(inner)) => match (text(inner, "digest")?, text(inner, "algorithm")?) {
            (Some(digest), Some("sha-256")) if hex(digest) => {
                Ok(Some(Password::Digest(digest.to_ascii_lowercase())))
            }
            _ => Err(Refused::new("Match error: Expected a sha-256 digest in field password")),
        },
        _ => Ok(text(object, "password")?.map(|plain| Password::Plain(plain.to_owned()))),
    }
}

/// A password as `{digest, algorithm}`.
pub(crate) fn digest(value: &Value) -> Result<Password, Refused> {
    let wrapped = Map::from_iter([("password".to_owned(), value.clone())]);
    password(&wrapped)?.ok_or_else(|| mismatch("string", Some(value)))
}

fn code(object: &Map<String, Value>) -> Result<Option<Code>, Refused> {
    let code = match given(object, "code") {
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => text(object, "code")?.map(str::to_owned),
    };
    let method = text(object, "method")?.map(str::to_owned);
    Ok(code.filter(|c| !c.is_empty()).map(|code| Code { code, method }))
}

fn unrecognized() -> Refused {
    Refused::meteor("400", "Unrecognized options for login request")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(value: Value) -> (String, Password) {
        match read(&value) {
            Ok((Proof::Password { name, password }, None)) => (name, password),
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn every_way_to_write_name_and_password_is_understood() {
        let plain = Password::Plain("p".into());
        for form in [
            json!({ "user": "ann", "password": "p" }),
            json!({ "username": "ann", "password": "p", "code": "" }),
            json!({ "user": { "username": "ann" }, "password": "p" }),
            json!({ "user": { "username": "ann", "email": null }, "password": "p" }),
        ] {
            assert!(named(form) == ("ann".into(), plain.clone()));
        }
        assert_eq!(named(json!({ "user": { "email": "a@b.c" }, "password": "p" })).0, "a@b.c");
        assert_eq!(named(json!({ "email": "a@b.c", "password": "p" })).0, "a@b.c");
        let digest = "AB".repeat(32);
        let form = json!({ "user": "ann", "password": { "digest": digest, "algorithm": "sha-256" } });
        assert!(named(form).1 == Password::Digest("ab".repeat(32)));
    }

    #[test]
    fn a_code_comes_beside_the_password_or_around_the_form() {
        let beside = json!({ "user": "ann", "password": "p", "code": "123456" });
        let around = json!({ "totp": { "code": "123456", "login": { "resume": "t" } } });
        for form in [beside, around] {
            let (_, code) = read(&form).unwrap_or_else(|r| panic!("{r:?}"));
            assert_eq!(code.map(|c| c.code).as_deref(), Some("123456"));
        }
    }

    #[test]
    fn objects_where_texts_are_meant_are_refused() {
        for form in [
            json!({ "user": { "username": { "$ne": null } }, "password": "p" }),
            json!({ "user": "ann", "password": { "$gt": "" } }),
            json!({ "user": ["ann"], "password": "p" }),
            json!({ "resume": { "$ne": null } }),
            json!({ "totp": "123456" }),
            json!({ "user": "ann" }),
            json!({}),
            json!([]),
        ] {
            assert!(read(&form).is_err(), "{form}");
        }
    }

    #[test]
    fn ways_that_are_not_offered_are_named() {
        let refused = read(&json!({ "crowd": true, "username": "ann", "crowdPassword": "p" }));
        let error = refused.err().map(|r| r.ddp());
        assert_eq!(
            error.and_then(|e| e["reason"].as_str().map(str::to_owned)).as_deref(),
            Some("CROWD is not enabled")
        );
        let form = json!({ "ldap": true, "username": "ann", "ldapPass": "p", "ldapOptions": {} });
        assert!(matches!(read(&form), Ok((Proof::Directory { .. }, None))));
        assert!(read(&json!({ "ldap": false, "user": "ann", "password": "p" })).is_ok());
    }
}
