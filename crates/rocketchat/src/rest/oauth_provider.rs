//! Parlor as an OAuth 2 provider: `/oauth/authorize` (the page that asks), `/oauth/token`, `/oauth/userinfo`.
//!
//! The page that asks is told who is signed in by its own script, and sends that token along with the answer: no cookie
//! speaks for anybody, so no other page can answer for a person.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parlor_core::{
    error::Refusal,
    oauth_apps::OAuthApp,
    oauth_grants::{Consent, Exchange, NotGranted},
};
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("/oauth/authorize", Who::Anyone, "client_id=none", ask).answering("application"),
        post("/oauth/authorize", Who::Anyone, r#"{"client_id":"none"}"#, answer).answering("application"),
        post("/oauth/token", Who::Anyone, r#"{"grant_type":"authorization_code"}"#, token)
            .answering("invalid_"),
        get("/oauth/userinfo", Who::User, "", user_info),
        post("/oauth/userinfo", Who::User, "", user_info),
    ]
}

/// What an application asks for.
struct Asked {
    app: OAuthApp,
    redirect_uri: String,
    state: Option<String>,
    challenge: Option<[u8; 32]>,
}

/// Why it can't be asked: on a page, because nobody may be sent anywhere yet; or by sending the person back.
enum Amiss {
    Here(StatusCode, &'static str),
    There(String),
}

impl Asked {
    async fn read(call: &Call, fields: &(dyn Fn(&str) -> Option<String> + Sync)) -> Result<Self, Amiss> {
        let here = |text| Amiss::Here(StatusCode::BAD_REQUEST, text);
        let unknown = "This application is not known here.";
        let client = fields("client_id").ok_or(here(unknown))?;
        let app = match call.chat().oauth_app(&client).await {
            Ok(app) if app.active && app.client_id == client => app,
            Err(Refusal::Unavailable) => return Err(Amiss::Here(StatusCode::SERVICE_UNAVAILABLE, unknown)),
            _ => return Err(Amiss::Here(StatusCode::NOT_FOUND, unknown)),
        };
        let redirect_uri = app.address(fields("redirect_uri").as_deref()).map(str::to_owned);
        let redirect_uri = redirect_uri.ok_or(here("This application has no such address."))?;
        let state = fields("state").filter(|state| state.len() <= 2_000);
        let back =
            |error: &str| Amiss::There(with_query(&redirect_uri, &[("error", error)], state.as_deref()));
        if fields("response_type").as_deref() != Some("code") {
            return Err(back("unsupported_response_type"));
        }
        let challenge = match (fields("code_challenge"), fields("code_challenge_method").as_deref()) {
            (None, None) => None,
            (Some(challenge), Some("S256")) => {
                let bytes = URL_SAFE_NO_PAD.decode(challenge).ok().and_then(|b| b.try_into().ok());
                Some(bytes.ok_or_else(|| back("invalid_request"))?)
            }
            // Without a method it would be the verifier itself, which proves nothing.
            _ => return Err(back("invalid_request")),
        };
        Ok(Self { app, redirect_uri, state, challenge })
    }
}

async fn ask(call: Call) -> Outcome {
    let asked = Asked::read(&call, &|name| call.param(name).map(str::to_owned)).await;
    let asked = match asked {
        Ok(asked) => asked,
        Err(amiss) => return Ok(told(amiss)),
    };
    let nonce = call.chat().new_token();
    let language =
        call.headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let words = if language.trim_start().to_ascii_lowercase().starts_with("fr") { &FRENCH } else { &ENGLISH };
    let mut fields = vec![
        ("client_id", asked.app.client_id.clone()),
        ("response_type", "code".to_owned()),
        ("redirect_uri", asked.redirect_uri.clone()),
    ];
    fields.extend(asked.state.clone().map(|state| ("state", state)));
    fields.extend(asked.challenge.map(|c| ("code_challenge", URL_SAFE_NO_PAD.encode(c))));
    fields.extend(asked.challenge.map(|_| ("code_challenge_method", "S256".to_owned())));
    let hidden: String = fields
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)))
        .collect();
    let html = CONSENT
        .replace("{lang}", words.language)
        .replace("{title}", words.title)
        .replace("{asks}", words.asks)
        .replace("{means}", words.means)
        .replace("{as}", words.signed_in_as)
        .replace("{allow}", words.allow)
        .replace("{deny}", words.deny)
        .replace("{nonce}", &nonce)
        .replace("{host}", &escaped(host(&asked.redirect_uri)))
        .replace("{hidden}", &hidden)
        .replace("{app}", &escaped(&asked.app.name));
    // Browsers hold the answer's redirect to this as well.
    let goes = format!("'self' {}", origin(&asked.redirect_uri));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         form-action {goes}; base-uri 'none'; frame-ancestors 'none'"
    );
    Ok(page(StatusCode::OK, html, &policy))
}

async fn answer(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let field = |name: &str| text(&body, name).or_else(|| call.param(name).map(str::to_owned));
    let asked = match Asked::read(&call, &field).await {
        Ok(asked) => asked,
        Err(amiss) => return Ok(told(amiss)),
    };
    let state = asked.state.as_deref();
    if text(&body, "allow").as_deref() != Some("yes") {
        return Ok(gone_to(&with_query(&asked.redirect_uri, &[("error", "access_denied")], state)));
    }
    let Some(token) = text(&body, "token").or_else(|| text(&body, "access_token")) else {
        return Ok(json_answer(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" })));
    };
    let consent = Consent {
        client_id: asked.app.client_id.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        challenge: asked.challenge,
    };
    match call.chat().grant_access(&token, consent).await {
        Ok(code) => Ok(gone_to(&with_query(&asked.redirect_uri, &[("code", &code)], state))),
        Err(Refusal::Unavailable) => Err(Refusal::Unavailable.into()),
        Err(_) => Ok(json_answer(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" }))),
    }
}

async fn token(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let error = |status, error: &str| Ok(json_answer(status, &json!({ "error": error })));
    let basic = basic(call.headers.get(header::AUTHORIZATION));
    let pair = basic.or_else(|| Some((text(&body, "client_id")?, text(&body, "client_secret")?)));
    let shown = match text(&body, "grant_type").as_deref() {
        Some("authorization_code") => text(&body, "code").map(|code| Exchange::Code {
            code,
            redirect_uri: text(&body, "redirect_uri").unwrap_or_default(),
            verifier: text(&body, "code_verifier"),
        }),
        Some("refresh_token") => text(&body, "refresh_token").map(Exchange::Refresh),
        Some(_) => return error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        None => None,
    };
    let Some(shown) = shown else { return error(StatusCode::BAD_REQUEST, "invalid_request") };
    let Some((client, secret)) = pair else { return error(StatusCode::UNAUTHORIZED, "invalid_client") };
    match call.chat().exchange((&client, &secret), shown).await {
        Ok(granted) => Ok(json_answer(
            StatusCode::OK,
            &json!({
                "token_type": "Bearer", "access_token": granted.access_token, "expires_in": granted.expires_in,
                "refresh_token": granted.refresh_token,
            }),
        )),
        Err(NotGranted::Client) => error(StatusCode::UNAUTHORIZED, "invalid_client"),
        Err(NotGranted::Grant) => error(StatusCode::BAD_REQUEST, "invalid_grant"),
        Err(NotGranted::Refused(refusal)) => Err(refusal.into()),
    }
}

async fn user_info(call: Call) -> Outcome {
    let user = call.chat().active_user(call.actor()?).await?;
    let mail = user.emails.first();
    Ok(json_answer(
        StatusCode::OK,
        &json!({
            "sub": user.id.as_str(), "name": user.name, "preferred_username": user.username,
            "email": mail.map(|e| e.address.as_str()).unwrap_or_default(),
            "email_verified": mail.is_some_and(|e| e.verified), "updated_at": user.updated_at.millis() / 1000,
            "picture": format!("{}/avatar/{}", call.door.config.root_url, user.username),
        }),
    ))
}

fn text(body: &Map<String, Value>, name: &str) -> Option<String> {
    body.get(name)?.as_str().filter(|text| !text.is_empty() && text.len() <= 4_096).map(str::to_owned)
}

/// Client id and secret in a header; both are form-encoded within.
fn basic(header: Option<&HeaderValue>) -> Option<(String, String)> {
    let pair = header?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (client, secret) = pair.split_once(':')?;
    let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(|t| t.into_owned());
    Some((plain(client).ok()?, plain(secret).ok()?))
}

/// What stays as it is in a query.
const QUERY: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn with_query(address: &str, pairs: &[(&str, &str)], state: Option<&str>) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    let encoded = |text| percent_encoding::utf8_percent_encode(text, QUERY);
    let all = pairs.iter().copied().chain(state.map(|state| ("state", state)));
    let all: Vec<String> = all.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("{address}{joint}{}", all.join("&"))
}

/// What a policy calls the place of an address.
fn origin(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            format!("{scheme}://{}", rest.split(['/', '?']).next().unwrap_or_default())
        }
        _ => format!("{}:", address.split(':').next().unwrap_or_default()),
    }
}

/// What people are shown of an address.
fn host(address: &str) -> &str {
    match address.split_once("://") {
        Some(("http" | "https", rest)) => rest.split(['/', '?']).next().unwrap_or_default(),
        _ => address.split(':').next().unwrap_or_default(),
    }
}

fn told(amiss: Amiss) -> Response {
    match amiss {
        Amiss::There(address) => gone_to(&address),
        Amiss::Here(status, text) => {
            let html = format!(
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Parlor</title><p role=\"alert\">{text}</p>"
            );
            page(status, html, "default-src 'none'; frame-ancestors 'none'")
        }
    }
}

fn gone_to(address: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    put(&mut response, header::LOCATION, address);
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

fn page(status: StatusCode, html: String, policy: &str) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    put(&mut response, header::CONTENT_SECURITY_POLICY, policy);
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Suites compare this content type as a whole too, and here it has a charset.
fn json_answer(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, "application/json; charset=utf-8");
    put(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

fn put(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Text within HTML. The page's own marks must not come out of a name either.
fn escaped(text: &str) -> String {
    html_escape::encode_quoted_attribute(text).replace('{', "&#123;")
}

struct Words {
    language: &'static str,
    title: &'static str,
    asks: &'static str,
    means: &'static str,
    signed_in_as: &'static str,
    allow: &'static str,
    deny: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    title: "Allow access?",
    asks: "asks for access to your account.",
    means: "It will be able to read and write in your name until you sign out everywhere. You will be sent to",
    signed_in_as: "Signed in as",
    allow: "Allow",
    deny: "Deny",
};

const FRENCH: Words = Words {
    language: "fr",
    title: "Autoriser l’accès ?",
    asks: "demande l’accès à votre compte.",
    means: "Elle pourra lire et écrire en votre nom jusqu’à ce que vous vous déconnectiez partout. Vous serez dirigé vers",
    signed_in_as: "Connecté en tant que",
    allow: "Autoriser",
    deny: "Refuser",
};

const CONSENT: &str = include_str!("oauth_consent.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_added_to_an_address_and_encoded() {
        let to = with_query("https://a.example/cb?x=1", &[("code", "c/1")], Some("a b&c"));
        assert_eq!(to, "https://a.example/cb?x=1&code=c%2F1&state=a%20b%26c");
        assert_eq!(origin("https://a.example:8/cb"), "https://a.example:8");
        assert_eq!(origin("com.example:/cb"), "com.example:");
    }

    #[test]
    fn names_of_applications_are_no_markup() {
        assert_eq!(escaped("<b onx='\"{nonce}&"), "&lt;b onx=&#x27;&quot;&#123;nonce}&amp;");
    }
}
