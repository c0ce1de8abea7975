//! The calls of outgoing integrations: worked out from the journal, kept, tried until the other side took them or the
//! attempts are used up.

use std::{sync::Arc, time::Duration};

use parlor_core::{
    chat::Chat,
    error::Result,
    fetch::{Fetch, Fetched, Request, Unfetched},
    id::RoomId,
    integration::Integration,
    integrations_out::wanted,
    store::{Delivery, DeliveryState, Way},
};

use crate::{payload, queue, signature, silent::Silent};

/// Calls under way at a time.
const AT_ONCE: usize = 8;
/// How long the other side may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read and kept.
const ANSWER: usize = 4 * 1024;

/// The worker. One a server.
pub struct Webhooks {
    chat: Arc<Chat>,
    fetch: Arc<dyn Fetch>,
    silent: Silent,
}

impl Webhooks {
    /// A worker that is not running yet.
    pub fn new(chat: Arc<Chat>, fetch: Arc<dyn Fetch>) -> Self {
        Self { chat, fetch, silent: Silent::default() }
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        queue::run(&self.chat, Way::Call, || self.step()).await;
    }

    /// Works out new calls and tries the due ones; how long there is nothing more to do.
    async fn step(&self) -> Result<Duration> {
        let integrations = self.chat.outgoing().await?;
        while !integrations.is_empty() && !self.work_out(&integrations).await? {}
        queue::drain(&self.chat, Way::Call, AT_ONCE, |delivery| self.attempt(delivery)).await
    }

    /// A stretch of the journal; whether its end was reached.
    async fn work_out(&self, integrations: &[Integration]) -> Result<bool> {
        let found = self.chat.occasions().await?;
        let mut calls = Vec::new();
        for occasion in &found.items {
            for integration in integrations {
                let Some(word) = wanted(integration, occasion) else { continue };
                if !self.chat.may_be_told(integration, occasion.room.as_ref()).await? {
                    continue;
                }
                let body = payload::body(&self.chat, occasion, word.as_deref());
                let urls = integration.calls.iter().flat_map(|calls| &calls.urls);
                calls
                    .extend(urls.map(|url| self.chat.new_delivery(integration, occasion, url, body.clone())));
            }
        }
        let nothing_new = calls.is_empty() && found.items.is_empty() && found.at_end;
        if !nothing_new {
            self.chat.keep_deliveries(calls, found.upto).await?;
        }
        Ok(found.at_end)
    }

    async fn attempt(&self, mut delivery: Delivery) -> Result<()> {
        if let Some(until) = self.silent.rests(&delivery.integration, self.chat.now()) {
            return self.chat.put_off(&delivery.integration, until).await;
        }
        let Some(integration) = self.chat.integration_of(&delivery).await? else {
            delivery.state = DeliveryState::Failed;
            delivery.problem = "the integration is switched off".to_owned();
            return self.chat.delivery_tried(delivery).await;
        };
        // One that was sealed with another server key must not hold up the calls behind it.
        let Ok(token) = self.chat.outgoing_token(&integration) else {
            delivery.state = DeliveryState::Failed;
            delivery.problem = "the integration's token can't be opened: set it anew".to_owned();
            return self.chat.delivery_tried(delivery).await;
        };
        let body = payload::with_token(delivery.body.as_str(), &token);
        let seconds = self.chat.now().millis() / 1000;
        let signed = signature::headers(&token, &delivery.id, seconds, &body);
        let mut request = Request {
            within: PATIENCE,
            at_most: ANSWER,
            cut_long: true,
            ..Request::post_json(&delivery.url, body)
        };
        request.headers.extend(signed);
        let outcome = self.fetch.fetch(request).await;
        let silent = matches!(outcome, Err(Unfetched::TimedOut));
        self.silent.note(&integration.id, silent, self.chat.now());
        self.note(&integration, &mut delivery, &outcome);
        let done = delivery.state == DeliveryState::Done;
        self.chat.delivery_tried(delivery.clone()).await?;
        if let (true, Ok(fetched), Some(room)) = (done, outcome, &delivery.room) {
            self.say(&integration, room, &fetched).await;
        }
        Ok(())
    }

    /// Writes down how an attempt went, and when the next one is.
    fn note(&self, integration: &Integration, delivery: &mut Delivery, outcome: &Outcome) {
        let now = self.chat.now();
        delivery.attempts += 1;
        delivery.updated_at = now;
        (delivery.status, delivery.problem, delivery.answer) = match outcome {
            Ok(fetched) => {
                let answer = String::from_utf8_lossy(&fetched.body).replace('\0', "");
                let problem =
                    if fetched.is_success() { String::new() } else { format!("HTTP {}", fetched.status) };
                (Some(fetched.status), problem, answer)
            }
            Err(why) => (None, why.to_string(), String::new()),
        };
        if delivery.problem.is_empty() {
            delivery.state = DeliveryState::Done;
            return;
        }
        let again = integration.calls.as_ref().filter(|calls| {
            // The other side said that it will never want this.
            let gone = delivery.status == Some(410) || matches!(outcome, Err(Unfetched::BadUrl));
            calls.retry && !gone && delivery.attempts <= calls.retries
        });
        match again {
            Some(calls) => delivery.due_at = now.after(calls.backoff.wait(delivery.attempts)),
            None => delivery.state = DeliveryState::Failed,
        }
    }

    /// The other side may answer a call with something to say, there and as the integration's user.
    async fn say(&self, integration: &Integration, room: &str, fetched: &Fetched) {
        let Some((text, cards)) = payload::answer(&fetched.body) else { return };
        let room = RoomId::from(room);
        if let Err(refusal) = self.chat.post_answer(integration, &room, text, cards).await {
            tracing::info!(%refusal, integration = integration.name, "an answer of a webhook is not posted");
        }
    }
}

/// How an attempt went.
type Outcome = std::result::Result<Fetched, Unfetched>;
