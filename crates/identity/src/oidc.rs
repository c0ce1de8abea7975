//! Signing in by a provider's word: OAuth 2 codes with PKCE, OpenID discovery, and identity tokens.
//!
//! Nothing that a browser carried is believed by itself: a code is exchanged with the provider directly, and an
//! identity token must be signed by a key that the issuer publishes, for this client, now, and for the very request.

use crate::idtoken;
use crate::jwks::{KeySet, MAX_DOCUMENT};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use parlor_core::blobs::Boxed;
use parlor_core::clock::Clock;
use parlor_core::error::{Refusal, Result};
use parlor_core::fetch::{Fetch, Request};
use parlor_core::oauth::{Asking, MAX_CLAIM, MAX_ROLES, Outsider, Place, Providers, Returned, Service};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long an issuer's addresses are believed before it is asked again.
const BELIEVED: Duration = Duration::from_secs(10 * 60);
/// Issuers that are remembered at most.
const MAX_ISSUERS: usize = 100;
/// Longest answer of a provider, in bytes, and how long it may take.
const MAX_ANSWER: usize = 256 * 1024;
const WITHIN: Duration = Duration::from_secs(10);
/// Where issuers publish what they are.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Why somebody is not who a provider is said to say; for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// The provider can't be asked.
    #[error("the provider can't be asked: {0}")]
    Away(String),
    /// It was asked, and what it says proves nothing.
    #[error("not proved: {0}")]
    Refused(&'static str),
}

/// An issuer as it publishes itself.
pub(crate) struct Issuer {
    pub(crate) name: String,
    authorize: String,
    token: String,
    userinfo: Option<String>,
    /// The secret goes into a header (RFC 6749's own way) and not into the body.
    basic: bool,
    pub(crate) keys: KeySet,
}

/// The providers of the settings.
pub struct Oidc {
    fetch: Arc<dyn Fetch>,
    pub(crate) clock: Arc<dyn Clock>,
    issuers: Mutex<HashMap<String, (Duration, Arc<Issuer>)>>,
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Oidc")
    }
}

type Claims = Map<String, Value>;
pub(crate) type Proved<T> = std::result::Result<T, Unproved>;

impl Oidc {
    /// With the guarded client.
    pub fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>) -> Self {
        Self { fetch, clock, issuers: Mutex::default() }
    }

    async fn json(&self, request: Request) -> Proved<Value> {
        let away = |what: String| Unproved::Away(what);
        let answer = self.fetch.fetch(request).await.map_err(|why| away(why.to_string()))?;
        if (500..600).contains(&answer.status) || answer.status == 429 {
            return Err(away(format!("status {}", answer.status)));
        }
        if !answer.is_success() {
            return Err(Unproved::Refused("the provider says no"));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Unproved::Refused("an answer that is no JSON"))
    }

    /// The issuer, asked for its addresses when they are not known or old. Two may ask at once, which harms nobody.
    async fn issuer(&self, name: &str) -> Proved<Arc<Issuer>> {
        let now = self.clock.monotonic();
        let known = self.issuers.lock().get(name).cloned();
        if let Some((at, issuer)) = &known
            && now.saturating_sub(*at) < BELIEVED
        {
            return Ok(issuer.clone());
        }
        let found = match self.json(get(&format!("{}{WELL_KNOWN}", name.trim_end_matches('/')))).await {
            Ok(document) => Arc::new(self.read_issuer(name, &document)?),
            // What was true ten minutes ago is likely true still.
            Err(Unproved::Away(_)) if known.is_some() => return known.map(|(_, i)| i).ok_or_else(impossible),
            Err(why) => return Err(why),
        };
        let mut all = self.issuers.lock();
        if all.len() >= MAX_ISSUERS {
            all.clear();
        }
        all.insert(name.to_owned(), (now, found.clone()));
        Ok(found)
    }

    fn read_issuer(&self, name: &str, document: &Value) -> Proved<Issuer> {
        let text = |key: &str| document[key].as_str().map(str::to_owned);
        let need = |key: &'static str| text(key).ok_or(Unproved::Refused("an issuer without its addresses"));
        if need("issuer")? != name {
            return Err(Unproved::Refused("an issuer that calls itself otherwise"));
        }
        let (address, fetch) = (need("jwks_uri")?, self.fetch.clone());
        let read = move || -> crate::jwks::JwksFuture {
            let request = Request { at_most: MAX_DOCUMENT + 1, ..get(&address) };
            let fetching = fetch.fetch(request);
            Box::pin(async move {
                match fetching.await {
                    Ok(answer) if answer.is_success() => Ok(answer.body),
                    Ok(answer) => Err(format!("status {}", answer.status)),
                    Err(why) => Err(why.to_string()),
                }
            })
        };
        let ways = document["token_endpoint_auth_methods_supported"].as_array();
        let names = |way: &str| ways.is_some_and(|all| all.iter().any(|w| w == way));
        Ok(Issuer {
            name: name.to_owned(),
            authorize: need("authorization_endpoint")?,
            token: need("token_endpoint")?,
            userinfo: text("userinfo_endpoint"),
            basic: ways.is_none() || names("client_secret_basic") || !names("client_secret_post"),
            keys: KeySet::new(Arc::new(read)),
        })
    }

    async fn send(&self, service: &Service, asking: &Asking) -> Proved<String> {
        let (address, nonce) = match &service.place {
            Place::Issuer(name) => (self.issuer(name).await?.authorize.clone(), Some(asking.nonce.as_str())),
            Place::Paths { base, authorize, .. } => (whole(base, authorize), None),
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(asking.verifier.as_bytes()));
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", &service.client_id),
            ("redirect_uri", &asking.redirect_uri),
            ("scope", &service.scope),
            ("state", &asking.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.extend(nonce.map(|nonce| ("nonce", nonce)));
        let joint = if address.contains('?') { '&' } else { '?' };
        Ok(format!("{address}{joint}{}", form(&pairs)))
    }

    /// The tokens for a code.
    async fn exchange(&self, service: &Service, back: &Returned, token: &str, basic: bool) -> Proved<Value> {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", &back.code),
            ("redirect_uri", &back.redirect_uri),
        ];
        pairs.extend(back.verifier.as_deref().map(|verifier| ("code_verifier", verifier)));
        let mut request = get(token);
        if basic {
            // Both halves are form-encoded first, says RFC 6749.
            let pair = format!("{}:{}", encoded(&service.client_id), encoded(&service.secret.0));
            request.headers.push(("authorization".into(), format!("Basic {}", STANDARD.encode(pair))));
        } else {
            pairs.extend([("client_id", service.client_id.as_str()), ("client_secret", &service.secret.0)]);
        }
        request.method = "POST";
        request.headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
        request.body = form(&pairs).into_bytes();
        let tokens = self.json(request).await?;
        // GitHub says 200 to what it refuses.
        if tokens.get("error").is_some() { Err(Unproved::Refused("the code")) } else { Ok(tokens) }
    }

    async fn person(&self, service: &Service, back: &Returned) -> Proved<Outsider> {
        match &service.place {
            Place::Issuer(name) => {
                let issuer = self.issuer(name).await?;
                let tokens = self.exchange(service, back, &issuer.token, issuer.basic).await?;
                let claims = self.claims(service, &issuer, &tokens, back.nonce.as_deref()).await?;
                Ok(outsider(service, &claims, None))
            }
            Place::Paths { base, token, identity, emails, parameter, .. } => {
                let tokens = self.exchange(service, back, &whole(base, token), false).await?;
                let access = access_token(&tokens)?;
                let claims = self.identity(&whole(base, identity), access, parameter.as_deref()).await?;
                let addresses = match emails {
                    // A provider that keeps the list to itself vouches for no address.
                    Some(emails) => self.json(bearing(emails, access)).await.ok(),
                    None => None,
                };
                Ok(outsider(service, &claims, addresses.as_ref()))
            }
        }
    }

    /// What the identity token and the issuer's own address for it say of the person.
    async fn claims(
        &self,
        service: &Service,
        issuer: &Issuer,
        tokens: &Value,
        nonce: Option<&str>,
    ) -> Proved<Claims> {
        let token = tokens["id_token"].as_str();
        let mut claims = match (token, nonce) {
            (Some(token), _) => idtoken::verify(self, issuer, &service.client_id, token, nonce).await?,
            // Without a nonce an application asked by itself, perhaps not for such a token.
            (None, None) => Claims::new(),
            (None, Some(_)) => return Err(Unproved::Refused("no identity token")),
        };
        let mut more = match &issuer.userinfo {
            Some(userinfo) => self.identity(userinfo, access_token(tokens)?, None).await?,
            None => Claims::new(),
        };
        let (said, more_said) = (claims.get("sub").cloned(), more.get("sub").cloned());
        if said.is_some() && more_said.is_some() && said != more_said {
            return Err(Unproved::Refused("two persons"));
        }
        // An address and its proof belong together: what one of the two says vouches for no address of the other.
        if claims.get("email").is_none() {
            claims.remove("email_verified");
        } else if claims.get("email") != more.get("email") {
            more.remove("email_verified");
        }
        for (key, value) in more {
            claims.entry(key).or_insert(value);
        }
        Ok(claims)
    }

    async fn identity(&self, address: &str, access: &str, parameter: Option<&str>) -> Proved<Claims> {
        let request = match parameter {
            Some(name) => {
                let joint = if address.contains('?') { '&' } else { '?' };
                get(&format!("{address}{joint}{}", form(&[(name, access)])))
            }
            None => bearing(address, access),
        };
        match self.json(request).await? {
            Value::Object(claims) => Ok(claims),
            _ => Err(Unproved::Refused("an identity that is no object")),
        }
    }
}

impl Providers for Oidc {
    fn address<'a>(&'a self, service: &'a Service, asking: &'a Asking) -> Boxed<'a, String> {
        Box::pin(async move {
            self.send(service, asking).await.map_err(|why| {
                tracing::warn!(service = service.name, %why, "nobody can sign in by this service");
                Refusal::Unavailable
            })
        })
    }

    fn redeem<'a>(&'a self, service: &'a Service, returned: &'a Returned) -> Boxed<'a, Outsider> {
        Box::pin(async move { told(service, self.person(service, returned).await) })
    }

    fn vouched<'a>(&'a self, service: &'a Service, id_token: &'a str) -> Boxed<'a, Outsider> {
        Box::pin(async move {
            let Place::Issuer(name) = &service.place else { return Err(Refusal::BadCredentials) };
            let found = async {
                let issuer = self.issuer(name).await?;
                idtoken::verify(self, &issuer, &service.client_id, id_token, None).await
            };
            told(service, found.await.map(|claims| outsider(service, &claims, None)))
        })
    }
}

fn told(service: &Service, found: Proved<Outsider>) -> Result<Outsider> {
    let found = found.and_then(|person| match person.subject.is_empty() {
        true => Err(Unproved::Refused("nobody in particular")),
        false => Ok(person),
    });
    found.map_err(|why| {
        tracing::warn!(service = service.name, %why, "somebody could not sign in");
        match why {
            Unproved::Away(_) => Refusal::Unavailable,
            Unproved::Refused(_) => Refusal::BadCredentials,
        }
    })
}

fn impossible() -> Unproved {
    Unproved::Away(String::new())
}

fn get(address: &str) -> Request {
    let headers = vec![("accept".to_owned(), "application/json".to_owned())];
    Request { headers, within: WITHIN, at_most: MAX_ANSWER, ..Request::get(address) }
}

fn bearing(address: &str, access: &str) -> Request {
    let mut request = get(address);
    request.headers.push(("authorization".into(), format!("Bearer {access}")));
    request
}

fn access_token(tokens: &Value) -> Proved<&str> {
    tokens["access_token"].as_str().ok_or(Unproved::Refused("no access token"))
}

/// A path below a base, or a whole address as it is.
fn whole(base: &str, path: &str) -> String {
    if path.starts_with("https://") || path.starts_with("http://") {
        path.to_owned()
    } else {
        format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{}={}", encoded(k), encoded(v))).collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().fold(String::with_capacity(text.len()), |mut all, b| {
        if plain(b) {
            all.push(char::from(b))
        } else {
            all.push_str(&format!("%{b:02X}"))
        }
        all
    })
}

/// A claim by its path of dots.
fn claim<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('.');
    let first = claims.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(step))
}

fn text(claims: &Claims, paths: &[&str]) -> Option<String> {
    let found = paths.iter().filter(|p| !p.is_empty()).filter_map(|path| match claim(claims, path)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let mut found = found.filter(|text| !text.is_empty() && text.chars().count() <= MAX_CLAIM);
    found.next()
}

/// The person that claims speak of.
fn outsider(service: &Service, claims: &Claims, addresses: Option<&Value>) -> Outsider {
    let fields = &service.fields;
    let mut email = text(claims, &[&fields.email, "email"]);
    let said = claims.get("email_verified").is_some_and(|said| *said == true || said == "true");
    // It is said of `email`, not of another claim that an administrator chose.
    let mut email_verified = said && text(claims, &["email"]) == email;
    if let Some(all) = addresses.and_then(Value::as_array) {
        let main = all.iter().find(|a| a["primary"] == true && a["verified"] == true);
        email_verified = main.is_some();
        email = main.and_then(|a| a["email"].as_str()).map(str::to_owned).or(email);
    }
    let roles = claim(claims, if fields.roles.is_empty() { "roles" } else { &fields.roles });
    let roles = roles.and_then(Value::as_array).map(|all| {
        all.iter()
            .filter_map(Value::as_str)
            .take(MAX_ROLES)
            .map(|r| r.chars().take(MAX_CLAIM).collect())
            .collect()
    });
    let subjects: &[&str] = match service.place {
        Place::Issuer(_) => &["sub"],
        Place::Paths { .. } => &["sub", "id", "_id", "user_id", "userid", "uid", "ID"],
    };
    Outsider {
        subject: text(claims, subjects).unwrap_or_default(),
        username: text(claims, &[&fields.username, "preferred_username", "username", "login", "nickname"]),
        email,
        email_verified,
        name: text(claims, &[&fields.name, "name", "displayName", "cn"]),
        roles,
    }
}

#[cfg(test)]
#[path = "oidc_tests.rs"]
mod tests;
