//! Phones by one's own credentials: Firebase Cloud Messaging (HTTP v1) and Apple's push service (tokens, HTTP/2).

use std::sync::Arc;

use parlor_core::{
    chat::Chat,
    fetch::{Fetch, Fetched},
    notices_open::Push,
};
use parlor_push::{Key, ServiceAccount};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{
    push_payload,
    pushes::{Ended, ended, post},
};

/// Google's messages and Apple's devices.
const FCM: &str = "https://fcm.googleapis.com";
const APNS: &str = "https://api.push.apple.com";
/// Apple refuses proofs that are older than an hour or renewed more than once in twenty minutes, in seconds.
const APNS_PROOF: i64 = 40 * 60;
/// An access token is renewed so long before its end, in seconds.
const EARLY: i64 = 60;
/// An access token's answer is at most so long.
const TOKEN_ANSWER: usize = 16 * 1024;
/// Apple keeps a push for a phone that is away so long, in seconds.
const KEPT: i64 = 86_400;

/// Credentials of the makers of an app for Android.
#[derive(Debug)]
pub struct Google {
    account: ServiceAccount,
    base: String,
    /// The access token and when it ends.
    token: Mutex<Option<(String, i64)>>,
}

/// Credentials of the makers of an app for iOS.
#[derive(Debug)]
pub struct Apple {
    key: Key,
    key_id: String,
    team: String,
    topic: String,
    base: String,
    /// The proof and when it was made.
    proof: Mutex<Option<(String, i64)>>,
}

/// What this server may send by itself; for the rest there is the gateway.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// For Android.
    pub google: Option<Arc<Google>>,
    /// For iOS.
    pub apple: Option<Arc<Apple>>,
}

impl Google {
    /// `base` is Google's unless it is given.
    pub fn new(account: ServiceAccount, base: Option<String>) -> Self {
        let base = base.unwrap_or_else(|| FCM.to_owned());
        Self { account, base: base.trim_end_matches('/').to_owned(), token: Mutex::default() }
    }

    pub(crate) async fn send(&self, chat: &Chat, fetch: &dyn Fetch, push: &Push) -> Ended {
        let token = match self.access(chat, fetch).await {
            Ok(token) => token,
            Err(ended) => return ended,
        };
        let url = format!("{}/v1/projects/{}/messages:send", self.base, self.account.project());
        let mut request = post(&url, push_payload::google(chat, push).into_bytes());
        request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        let outcome = fetch.fetch(request).await;
        if let Ok(fetched) = &outcome {
            if fetched.status == 401 {
                *self.token.lock().await = None;
                return Ended::Failed("HTTP 401: the access token is asked for anew".to_owned(), false);
            }
            // 404 is also said of a project that is not there; only this is about the phone.
            if said(fetched).contains("UNREGISTERED") {
                return Ended::Gone;
            }
        }
        ended(outcome, &[])
    }

    /// The access token, asked for when there is none that still counts. One call at a time asks.
    async fn access(&self, chat: &Chat, fetch: &dyn Fetch) -> Result<String, Ended> {
        let mut kept = self.token.lock().await;
        let now = chat.now().millis() / 1000;
        if let Some((token, _)) = kept.as_ref().filter(|(_, until)| now < until - EARLY) {
            return Ok(token.clone());
        }
        let mut request = post(self.account.token_uri(), self.account.grant(now).into_bytes());
        request.headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        request.at_most = TOKEN_ANSWER;
        let fetched = match fetch.fetch(request).await {
            Ok(fetched) if fetched.is_success() => fetched,
            other => {
                return Err(match ended(other, &[]) {
                    Ended::Failed(why, for_good) => {
                        Ended::Failed(format!("no access token: {why}"), for_good)
                    }
                    other => other,
                });
            }
        };
        let answer: Value = serde_json::from_slice(&fetched.body).unwrap_or_default();
        let Some(token) = answer["access_token"].as_str().filter(|text| header_safe(text)) else {
            return Err(Ended::Failed("no access token: the answer has none".to_owned(), false));
        };
        let lives = answer["expires_in"].as_i64().unwrap_or(0);
        *kept = Some((token.to_owned(), now.saturating_add(lives)));
        Ok(token.to_owned())
    }
}

impl Apple {
    /// `key` with its id and the team's id, as Apple's developer pages show them; `topic` is the app's bundle id where the
    /// phone did not say one. `base` is Apple's unless it is given.
    pub fn new(key: Key, key_id: String, team: String, topic: String, base: Option<String>) -> Self {
        let base = base.unwrap_or_else(|| APNS.to_owned());
        let base = base.trim_end_matches('/').to_owned();
        Self { key, key_id, team, topic, base, proof: Mutex::default() }
    }

    pub(crate) async fn send(&self, chat: &Chat, fetch: &dyn Fetch, push: &Push) -> Ended {
        // It becomes a part of the address: anything but a token of Apple's is none.
        let device = &push.device.value;
        if device.is_empty() || device.len() > 200 || !device.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ended::Gone;
        }
        let now = chat.now().millis() / 1000;
        let proof = self.proof(now).await;
        let app = push.device.app.as_str();
        let topic = if app.is_empty() { &self.topic } else { app };
        let header = |name: &str, value: String| (name.to_owned(), value);
        let mut request =
            post(&format!("{}/3/device/{device}", self.base), push_payload::apple(chat, push).into_bytes());
        request.headers.extend([
            header("authorization", format!("bearer {proof}")),
            header("apns-topic", topic.to_owned()),
            header("apns-push-type", "alert".to_owned()),
            header("apns-priority", "10".to_owned()),
            header("apns-expiration", (now + KEPT).to_string()),
        ]);
        let outcome = fetch.fetch(request).await;
        if let Ok(fetched) = &outcome {
            let said = said(fetched);
            if fetched.status == 403 && said.contains("ExpiredProviderToken") {
                *self.proof.lock().await = None;
                return Ended::Failed("HTTP 403: the proof is made anew".to_owned(), false);
            }
            if fetched.status == 400
                && ["BadDeviceToken", "DeviceTokenNotForTopic"].iter().any(|w| said.contains(w))
            {
                return Ended::Gone;
            }
        }
        ended(outcome, &[410])
    }

    async fn proof(&self, now: i64) -> String {
        let mut kept = self.proof.lock().await;
        match kept.as_ref().filter(|(_, made)| (0..APNS_PROOF).contains(&(now - made))) {
            Some((proof, _)) => proof.clone(),
            None => {
                let proof = self.key.token(Some(&self.key_id), &json!({ "iss": self.team, "iat": now }));
                *kept = Some((proof.clone(), now));
                proof
            }
        }
    }
}

/// The beginning of what was answered.
fn said(fetched: &Fetched) -> String {
    String::from_utf8_lossy(&fetched.body).into_owned()
}

fn header_safe(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}
