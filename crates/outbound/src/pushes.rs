//! Pushes on their way: to browsers through their push services, sealed for them alone; to phones through a gateway.

use std::{sync::Arc, time::Duration};

use parlor_core::{
    chat::Chat,
    error::{Refusal, Result},
    fetch::{Fetch, Fetched, Request, Unfetched},
    notices_open::{Push, Told},
    push_tokens::Vapid,
    store::{Delivery, DeliveryState, Way},
};
use parlor_push::{Browser, Key, seal};

use crate::{keys::push_key, phones::Own, push_payload, queue};

/// Pushes under way at a time.
const AT_ONCE: usize = 16;
/// Attempts for one push: after five seconds, twenty, eighty.
const ATTEMPTS: u32 = 4;
/// How long after the first attempt that failed.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// How long a push service may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of its answer is read.
const ANSWER: usize = 2 * 1024;
/// How long a push service keeps a push for a browser that is away, in seconds.
const KEPT: &str = "86400";
/// How long a proof of this server is good, in seconds.
const PROOF: i64 = 12 * 3_600;

/// How a push ended.
pub(crate) enum Ended {
    Done,
    /// The device does not want any more.
    Gone,
    /// Why, and whether trying again is of no use.
    Failed(String, bool),
}

/// The worker. One a server.
pub struct Pushes {
    chat: Arc<Chat>,
    fetch: Arc<dyn Fetch>,
    own: Own,
}

impl Pushes {
    /// A worker that is not running yet.
    pub fn new(chat: Arc<Chat>, fetch: Arc<dyn Fetch>, own: Own) -> Self {
        Self { chat, fetch, own }
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        queue::run(&self.chat, Way::Push, || self.step()).await;
    }

    async fn step(&self) -> Result<Duration> {
        let key = match push_key(&self.chat).await {
            Ok(key) => Some(key),
            // Sealed with another server key: browsers can't be told, phones can.
            Err(Refusal::Internal(_)) => None,
            Err(refusal) => return Err(refusal),
        };
        queue::drain(&self.chat, Way::Push, AT_ONCE, |delivery| self.attempt(key.as_ref(), delivery)).await
    }

    async fn attempt(&self, key: Option<&Vapid>, mut delivery: Delivery) -> Result<()> {
        delivery.attempts += 1;
        delivery.updated_at = self.chat.now();
        let Some(push) = self.chat.push(&delivery).await? else {
            delivery.state = DeliveryState::Failed;
            delivery.problem = "nobody wants it any more".to_owned();
            return self.chat.delivery_tried(delivery).await;
        };
        let ended = match push.device.kind.as_str() {
            "web" => self.to_browser(key, &push).await,
            _ => self.to_phone(&push).await,
        };
        match ended {
            Ended::Gone => return self.chat.device_gone(&push.device).await,
            Ended::Done => {
                delivery.problem.clear();
                delivery.state = DeliveryState::Done;
            }
            Ended::Failed(problem, for_good) => {
                queue::failed(&self.chat, &mut delivery, problem, for_good, FIRST_WAIT, ATTEMPTS);
            }
        }
        self.chat.delivery_tried(delivery).await
    }

    async fn to_browser(&self, key: Option<&Vapid>, push: &Push) -> Ended {
        let payload = push_payload::web(&self.chat, push);
        let (p256dh, auth) = push.device.keys.split_once(' ').unwrap_or_default();
        // Keys that are none will not become some.
        let Ok(browser) = Browser::read(p256dh, auth) else { return Ended::Gone };
        let Ok(body) = seal(&browser, payload.as_bytes()) else {
            return Ended::Failed("the push is too long".to_owned(), true);
        };
        let Some(signing) = key.and_then(|key| Key::read(&key.private)) else {
            return Ended::Failed("the key for web pushes can't be read".to_owned(), true);
        };
        let endpoint = &push.device.value;
        let expires = self.chat.now().millis() / 1000 + PROOF;
        let proof = signing.authorization(&origin(endpoint), &subject(&self.chat), expires);
        let urgency = if matches!(push.told, Told::Read(_)) { "low" } else { "high" };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = Request {
            headers: vec![
                header("content-type", "application/octet-stream"),
                header("content-encoding", "aes128gcm"),
                header("ttl", KEPT),
                header("urgency", urgency),
                header("authorization", &proof),
            ],
            ..post(endpoint, body)
        };
        ended(self.fetch.fetch(request).await, &[404, 410])
    }

    /// By one's own credentials where there are some for the phone's kind; else through the gateway of the settings,
    /// which holds those of the app's makers.
    async fn to_phone(&self, push: &Push) -> Ended {
        let settings = self.chat.settings();
        let gateway = settings.text("Push_gateway").trim().trim_end_matches('/').to_owned();
        let off = || Ended::Failed("pushes to phones are switched off".to_owned(), true);
        if !settings.is_on("Push_enable") {
            return off();
        }
        // Phones are told of messages; taking one back is for those who can hide it.
        if matches!(push.told, Told::Read(_)) {
            return Ended::Done;
        }
        let service = if push.device.kind == "apn" { "apn" } else { "gcm" };
        match (service, &self.own.apple, &self.own.google) {
            ("apn", Some(apple), _) => return apple.send(&self.chat, &*self.fetch, push).await,
            ("gcm", _, Some(google)) => return google.send(&self.chat, &*self.fetch, push).await,
            _ => {}
        }
        if !settings.is_on("Push_enable_gateway") || gateway.is_empty() {
            return off();
        }
        let body = push_payload::phone(&self.chat, push).into_bytes();
        let request = Request {
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            ..post(&format!("{gateway}/push/{service}/send"), body)
        };
        // 406: the gateway knows that the app is gone from the phone. 404 and 410 are said by a gateway that is gone
        // itself, or was never there.
        ended(self.fetch.fetch(request).await, &[406])
    }
}

pub(crate) fn post(url: &str, body: Vec<u8>) -> Request {
    Request { within: PATIENCE, at_most: ANSWER, cut_long: true, ..Request::post_json(url, body) }
}

pub(crate) fn ended(outcome: std::result::Result<Fetched, Unfetched>, gone: &[u16]) -> Ended {
    match outcome {
        Ok(fetched) if fetched.is_success() => Ended::Done,
        Ok(fetched) if gone.contains(&fetched.status) => Ended::Gone,
        Ok(fetched) => {
            // Too many at once, and faults of theirs, pass.
            let passes = fetched.status == 429 || fetched.status >= 500;
            Ended::Failed(format!("HTTP {}", fetched.status), !passes)
        }
        Err(why) => {
            let for_good = matches!(why, Unfetched::BadUrl | Unfetched::Forbidden);
            Ended::Failed(why.to_string(), for_good)
        }
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    format!("{scheme}://{}", rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// Whom the operators of a push service write to when something is wrong with this server.
fn subject(chat: &Chat) -> String {
    let settings = chat.settings();
    let from = settings.text("From_Email").trim();
    let address = from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end_matches('>'));
    match address.contains('@') {
        true => format!("mailto:{address}"),
        false => settings.text("Site_Url").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_for_the_origin_alone() {
        assert_eq!(origin("https://push.example.org:8443/send/abc?x=1"), "https://push.example.org:8443");
        assert_eq!(origin("http://127.0.0.1:90"), "http://127.0.0.1:90");
    }
}
