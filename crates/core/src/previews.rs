//! What links lead to: looked at once by the server for all readers, after their message is stored and never before.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::{
    backlog::Backlog,
    chat::Chat,
    error::{Refusal, Result},
    event::{Change, Event},
    id::MessageId,
    json::Json,
    message::{Link, Message},
    messages::store_changed,
    session::Actor,
    store::{Lane, Tx},
};

/// The setting by which links are looked at. Off unless somebody switches it on: the server calls nobody by itself.
pub(crate) const SETTING: &str = "API_Embed";
/// Messages and questions that wait at a time; beyond it the oldest message goes without previews.
const WAITING: usize = 1_000;
/// Attempts when a message changes meanwhile.
const TRIES: usize = 3;

/// Links that nobody has looked at.
#[derive(Debug)]
pub enum Unseen {
    /// Those of a message.
    Message(MessageId, Vec<String>),
    /// One that a client asks for.
    Asked(String, oneshot::Sender<Json>),
}

/// What waits to be looked at.
pub(crate) struct Links(Backlog<Unseen>);

impl Default for Links {
    fn default() -> Self {
        Self(Backlog::new(WAITING))
    }
}

impl Links {
    /// Takes in what was committed; quick, for the committing thread.
    pub(crate) fn committed(&self, event: &Event) {
        let Event::Message { message, change: Change::Made | Change::Changed, .. } = event else { return };
        let urls: Vec<String> =
            message.links.iter().filter(|it| is_unseen(it)).map(|it| it.url.clone()).collect();
        if !urls.is_empty() {
            self.0.push(Unseen::Message(message.id.clone(), urls));
        }
    }
}

fn is_unseen(link: &Link) -> bool {
    link.preview.is_none() && !link.no_preview
}

impl Chat {
    /// Links that wait to be looked at; waits for them. None come while `API_Embed` is off.
    pub async fn next_links(&self) -> Unseen {
        self.links.0.next().await
    }

    /// Messages that went without previews because too many waited, since the start.
    pub fn unseen_links(&self) -> u64 {
        self.links.0.dropped()
    }

    /// Keeps what links of a message lead to, where they still stand in it and nobody looked at them meanwhile.
    ///
    /// # Errors
    /// The store's. A message that is gone is none.
    pub async fn keep_previews(&self, id: &MessageId, found: Vec<(String, Json)>) -> Result<()> {
        let (id, found) = (id.clone(), Arc::new(found));
        for _ in 0..TRIES {
            let (id, found) = (id.clone(), found.clone());
            let store = move |tx: &mut dyn Tx| {
                let Some(mut message) = tx.message(&id)?.filter(|it| !it.deleted) else { return Ok(()) };
                if put(&mut message, &found) {
                    store_changed(tx, message)?;
                }
                Ok(())
            };
            match self.store().writing(Lane::Bulk, store).await {
                Err(Refusal::Stale) => {}
                done => return done,
            }
        }
        Ok(())
    }

    /// What an address leads to: a JSON object with `meta` and `headers`; empty while `API_Embed` is off.
    ///
    /// # Errors
    /// `NotLoggedIn`, `Deactivated`.
    pub async fn preview(&self, actor: &Actor, url: &str) -> Result<Json> {
        self.active_user(actor).await?;
        if !self.settings().is_on(SETTING) {
            return Ok(Json::object());
        }
        let (answer, found) = oneshot::channel();
        self.links.0.push(Unseen::Asked(url.to_owned(), answer));
        Ok(found.await.unwrap_or_else(|_| Json::object()))
    }
}

fn put(message: &mut Message, found: &[(String, Json)]) -> bool {
    let mut changed = false;
    for link in message.links.iter_mut().filter(|link| is_unseen(link)) {
        if let Some((_, preview)) = found.iter().find(|(url, _)| *url == link.url) {
            link.preview = Some(preview.clone());
            changed = true;
        }
    }
    changed
}
