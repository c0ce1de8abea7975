//! Signing in by a provider: the way out and back (`/_oauth/…`), and accounts that are linked to one.
//!
//! Clients name a credential token in `state` (base64url of `{credentialToken, loginStyle, redirectUrl, isCordova}`),
//! as Rocket.Chat's do. The page of return tells them the secret that belongs to it, each in its own way.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_core::{
    error::Refusal,
    oauth_sign_in::{ComingBack, Credential, GoingOut},
    second_factor::Ask,
};
use serde_json::{Value, json};

use super::rooms_call::Body as Fields;
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

/// Cookies of sign-ins under way begin so; the state's first characters follow.
const COOKIE: &str = "parlor_oauth_";
/// Where Rocket.Chat's application wants to be told.
const APP: &str = "rocketchat://auth";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("/_oauth/{service}", Who::Anyone, "/none", back).answering("sign"),
        get("/_oauth/{service}/authorize", Who::Anyone, "/none", out).answering("sign"),
        get("users.linkedServices", Who::User, "", linked),
        post("users.linkService", Who::User, r#"{"credentialToken":"none","credentialSecret":"none"}"#, link)
            .answering("Unauthorized"),
        post("users.unlinkService", Who::User, r#"{"service":"none"}"#, unlink).answering("error-not-found"),
    ]
}

/// How a client wants to be told.
#[derive(Clone, Debug, PartialEq)]
enum Style {
    /// A window that the page opened.
    Popup,
    /// The page itself, which goes on at this path.
    Redirect(String),
    /// A web view of the application, which reads the address's fragment.
    Fragment,
    /// The system's browser, which leads back into the application.
    App,
}

impl Style {
    /// Reads a client's `state`: its credential token, and how it wants to be told.
    fn read(state: &str) -> Option<(String, Self)> {
        if state.len() > 4096 {
            return None;
        }
        let plain = state.trim_end_matches('=').replace('+', "-").replace('/', "_");
        let state: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(plain).ok()?).ok()?;
        let token = state["credentialToken"].as_str()?.to_owned();
        let redirect = state["redirectUrl"].as_str().unwrap_or_default();
        let style = match state["loginStyle"].as_str() {
            Some("redirect") if redirect.starts_with(APP) => Self::App,
            Some("redirect") if is_path(redirect) => Self::Redirect(redirect.to_owned()),
            Some("redirect") if redirect.is_empty() => Self::Redirect("/".into()),
            Some("redirect") => return None,
            _ if state["isCordova"] == true => Self::Fragment,
            _ => Self::Popup,
        };
        Some((token, style))
    }

    fn kept(&self) -> String {
        match self {
            Self::Popup => "popup".into(),
            Self::Redirect(path) => format!("redirect {path}"),
            Self::Fragment => "fragment".into(),
            Self::App => "app".into(),
        }
    }

    fn from_kept(kept: &str) -> Self {
        match kept.split_once(' ') {
            Some(("redirect", path)) if is_path(path) => Self::Redirect(path.to_owned()),
            _ if kept == "fragment" => Self::Fragment,
            _ if kept == "app" => Self::App,
            _ => Self::Popup,
        }
    }
}

/// Whether it stays on this server: no other host, and nothing that a browser reads as one.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text[1..].starts_with(['/', '\\'])
        && text.len() <= 400
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// Sends a browser to the provider. Applications that make the provider's address by themselves are told this one.
async fn out(call: Call) -> Outcome {
    let service = call.path("service").to_owned();
    let Some((token, style)) = call.param("state").and_then(Style::read) else {
        return Ok(failed(StatusCode::BAD_REQUEST, "This sign-in was not begun by an application."));
    };
    let going = GoingOut {
        credential_token: token,
        style: style.kept(),
        redirect_uri: format!("{}/_oauth/{service}", call.door.config.root_url),
    };
    let way = match call.chat().go_out(&service, going).await {
        Ok(way) => way,
        Err(refusal) => return refused(refusal),
    };
    let secure = if call.door.config.root_url.starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!(
        "{}={}; Path=/_oauth/{service}; Max-Age=600; HttpOnly; SameSite=Lax{secure}",
        cookie_name(&way.state),
        way.note
    );
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    put(&mut response, header::LOCATION, &way.url);
    put(&mut response, header::SET_COOKIE, &cookie);
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    Ok(response)
}

fn cookie_name(state: &str) -> String {
    let start: String = state.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{COOKIE}{start}")
}

/// Takes a browser back from the provider.
async fn back(call: Call) -> Outcome {
    let service = call.path("service").to_owned();
    let (state, code) = (call.param("state").unwrap_or_default(), call.param("code").unwrap_or_default());
    if code.is_empty() || code.len() > 4096 || state.is_empty() {
        let denied = call.param("error").is_some();
        let text =
            if denied { "The provider did not sign you in." } else { "There is nothing to sign in by." };
        return Ok(failed(StatusCode::BAD_REQUEST, text));
    }
    // Google's applications add this, and the provider compares addresses letter by letter.
    let close = if call.has_param("close") { "?close" } else { "" };
    let redirect_uri = format!("{}/_oauth/{service}{close}", call.door.config.root_url);
    let done = match (call.cookie(&cookie_name(state)), Style::read(state)) {
        (Some(note), _) => {
            let back =
                ComingBack { code: code.into(), state: state.into(), note: note.to_owned(), redirect_uri };
            call.chat().come_back(&service, back).await
        }
        (None, Some((token, style @ (Style::Fragment | Style::App)))) => {
            let returned = (code.to_owned(), redirect_uri);
            call.chat().come_back_to_app(&service, returned, token, style.kept()).await
        }
        (None, _) => Err(Refusal::BadCredentials),
    };
    let mut response = match done {
        Ok(credential) => told(&credential, &call.chat().new_token()),
        Err(refusal) => return refused(refusal),
    };
    let spent = format!("{}=; Path=/_oauth/{service}; Max-Age=0; HttpOnly; SameSite=Lax", cookie_name(state));
    put(&mut response, header::SET_COOKIE, &spent);
    Ok(response)
}

fn refused(refusal: Refusal) -> Outcome {
    Ok(match refusal {
        Refusal::NotFound(_) => failed(StatusCode::NOT_FOUND, "Nobody can sign in by this service."),
        Refusal::Unavailable => {
            failed(StatusCode::BAD_GATEWAY, "The provider can't be reached to sign you in. Please try again.")
        }
        Refusal::Invalid { .. } => {
            failed(StatusCode::BAD_REQUEST, "This sign-in was not begun by an application.")
        }
        _ => failed(StatusCode::FORBIDDEN, "This sign-in could not be proved. Please begin it again."),
    })
}

fn failed(status: StatusCode, text: &str) -> Response {
    page(status, &format!("<p role=\"alert\">{text}</p>"), None)
}

/// The page of return: what it does is all in its script; what it knows is in `config`, as in Rocket.Chat's.
fn told(credential: &Credential, nonce: &str) -> Response {
    let style = Style::from_kept(&credential.style);
    let (how, to) = match &style {
        Style::Popup => ("popup", ""),
        Style::Redirect(path) => ("redirect", path.as_str()),
        Style::Fragment => ("fragment", ""),
        Style::App => ("app", APP),
    };
    let config = json!({
        "setCredentialToken": true, "credentialToken": credential.token, "credentialSecret": credential.secret,
        "storagePrefix": "parlor.oauth.", "isCordova": style == Style::Fragment, "how": how, "to": to,
    });
    // Within a script nothing may look like the end of one.
    let config = config.to_string().replace('<', "\\u003c");
    let body = format!(
        "<p id=\"completedText\">You may close this window.</p>\
         <script type=\"application/json\" id=\"config\">{config}</script><script nonce=\"{nonce}\">{SCRIPT}</script>"
    );
    page(StatusCode::OK, &body, Some(nonce))
}

const SCRIPT: &str = r#"
const c = JSON.parse(document.getElementById("config").textContent);
const both = { credentialToken: c.credentialToken, credentialSecret: c.credentialSecret };
if (c.how === "fragment") location.hash = JSON.stringify(both);
else if (c.how === "app") location.replace(c.to + "?" + new URLSearchParams(both));
else if (c.how === "redirect") {
  sessionStorage.setItem(c.storagePrefix + "back", JSON.stringify(both));
  location.replace(c.to);
} else {
  try { localStorage.setItem(c.storagePrefix + c.credentialToken, c.credentialSecret); } catch {}
  if (opener) opener.postMessage({ parlor: "oauth", ...both }, location.origin);
  close();
}
"#;

fn page(status: StatusCode, body: &str, nonce: Option<&str>) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Sign in</title><body>{body}</body></html>"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let script = nonce.map(|nonce| format!("script-src 'nonce-{nonce}'; ")).unwrap_or_default();
    let policy =
        format!("default-src 'none'; {script}base-uri 'none'; frame-ancestors 'none'; form-action 'none'");
    put(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    put(&mut response, header::CONTENT_SECURITY_POLICY, &policy);
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn put(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().append(name, value);
    }
}

async fn linked(call: Call) -> Outcome {
    let services = call.chat().outside_links(call.actor()?).await?;
    success(json!({ "services": services }))
}

async fn link(mut call: Call) -> Outcome {
    let body = Fields::of(&mut call).await?;
    let (token, secret) = (body.need("credentialToken")?, body.need("credentialSecret")?);
    call.confirm(Ask::Lately).await?;
    let service = call.chat().link_outside(call.actor()?, token, secret).await.map_err(refused_link)?;
    success(json!({ "service": service }))
}

async fn unlink(mut call: Call) -> Outcome {
    let body = Fields::of(&mut call).await?;
    let service = body.need("service")?;
    call.confirm(Ask::Lately).await?;
    call.chat().unlink_outside(call.actor()?, service).await.map_err(refused_link)?;
    success(Value::Null)
}

fn refused_link(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Taken { .. } => {
            Refused::meteor("error-service-already-linked", "Another account is linked to this one")
        }
        Refusal::NotAllowed("password") => {
            Refused::meteor("error-no-password", "Set a password before you unlink the last service")
        }
        Refusal::BadCredentials => Refused::meteor("Unauthorized", "The credential is not valid"),
        other => other.into(),
    }
}

/// A service as `settings.oauth` and `service.configurations` list it.
pub(crate) fn shown(service: &parlor_core::oauth::Service, root: &str) -> Value {
    let id = URL_SAFE_NO_PAD.encode(&service.name);
    if !service.custom {
        return json!({
            "_id": id, "name": service.name, "service": service.name, "clientId": service.client_id,
            "buttonLabelText": service.button.label, "buttonColor": service.button.colour,
            "buttonLabelColor": service.button.label_colour, "custom": false,
        });
    }
    // Applications put the provider's address together by themselves. They are sent by way of this server, which adds
    // what proves the answer: a nonce, a challenge, and a note for the browser.
    json!({
        "_id": id, "name": service.name, "service": service.name, "clientId": service.client_id, "custom": true,
        "serverURL": root, "authorizePath": format!("/_oauth/{}/authorize", service.name), "tokenPath": "",
        "identityPath": "", "scope": service.scope, "loginStyle": if service.redirects { "redirect" } else { "popup" },
        "buttonLabelText": service.button.label, "buttonColor": service.button.colour,
        "buttonLabelColor": service.button.label_colour, "showButton": service.button.shown,
        "usernameField": service.fields.username, "emailField": service.fields.email,
        "nameField": service.fields.name, "mergeUsers": service.linking.merge, "accessTokenParam": "access_token",
        "tokenSentVia": "header", "identityTokenSentVia": "default",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(value: Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    #[test]
    fn a_state_says_how_the_client_wants_to_be_told() {
        let read = |mut value: Value| {
            value["credentialToken"] = json!("t");
            Style::read(&state(value)).map(|(_, style)| style)
        };
        assert_eq!(read(json!({ "loginStyle": "popup" })), Some(Style::Popup));
        assert_eq!(read(json!({ "loginStyle": "popup", "isCordova": true })), Some(Style::Fragment));
        let app = json!({ "loginStyle": "redirect", "isCordova": true, "redirectUrl": "rocketchat://auth" });
        assert_eq!(read(app), Some(Style::App));
        let path = json!({ "loginStyle": "redirect", "redirectUrl": "/login?to=%2F" });
        assert_eq!(read(path), Some(Style::Redirect("/login?to=%2F".into())));
    }

    #[test]
    fn nobody_is_sent_to_another_place_with_a_credential() {
        for to in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a b"]
        {
            let value = json!({ "credentialToken": "t", "loginStyle": "redirect", "redirectUrl": to });
            assert_eq!(Style::read(&state(value)), None, "{to}");
        }
        for junk in ["", "e30", "x.y", &"A".repeat(5000)] {
            assert_eq!(Style::read(junk), None);
        }
    }

    #[test]
    fn what_is_kept_of_a_style_reads_as_the_same_style() {
        for style in [Style::Popup, Style::Fragment, Style::App, Style::Redirect("/home".into())] {
            assert_eq!(Style::from_kept(&style.kept()), style);
        }
    }
}
