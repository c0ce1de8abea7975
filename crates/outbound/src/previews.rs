//! Looks at what links lead to, for the messages that hold them and for clients that ask.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use encoding_rs::{Encoding, UTF_8};
use parlor_core::{
    chat::Chat,
    fetch::{Fetch, Fetched, Request},
    json::Json,
    previews::Unseen,
    setting::Settings,
};
use quick_cache::sync::Cache;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use url::Url;

use crate::page;

/// Addresses that are looked at at a time.
const AT_ONCE: usize = 4;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of a page is read: its head is near its beginning.
const ENOUGH: usize = 256 * 1024;
/// Addresses whose answers are kept, and for how long.
const KEPT: usize = 1_000;
const KEPT_FOR: Duration = Duration::from_secs(15 * 60);

/// The worker. One a server.
pub struct Previews {
    chat: Arc<Chat>,
    fetch: Arc<dyn Fetch>,
    kept: Arc<Cache<String, (Instant, Json)>>,
    turns: Arc<Semaphore>,
}

impl Previews {
    /// A worker that is not running yet.
    pub fn new(chat: Arc<Chat>, fetch: Arc<dyn Fetch>) -> Self {
        let (kept, turns) = (Arc::new(Cache::new(KEPT)), Arc::new(Semaphore::new(AT_ONCE)));
        Self { chat, fetch, kept, turns }
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        let this = Arc::new(self);
        loop {
            let Ok(turn) = this.turns.clone().acquire_owned().await else { return };
            let unseen = this.chat.next_links().await;
            let this = this.clone();
            tokio::spawn(async move {
                this.look_at(unseen).await;
                drop(turn);
            });
        }
    }

    async fn look_at(&self, unseen: Unseen) {
        match unseen {
            Unseen::Asked(url, answer) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.look(&url).await);
            }
            Unseen::Message(id, urls) => {
                let mut found = Vec::with_capacity(urls.len());
                for url in urls {
                    let preview = self.look(&url).await;
                    found.push((url, preview));
                }
                if let Err(refusal) = self.chat.keep_previews(&id, found).await {
                    tracing::warn!(%refusal, "a preview could not be kept");
                }
            }
        }
    }

    /// What an address leads to. One that leads nowhere has a preview too, an empty one, and is left alone.
    async fn look(&self, url: &str) -> Json {
        if let Some((at, kept)) = self.kept.get(url)
            && at.elapsed() < KEPT_FOR
        {
            return kept;
        }
        let found = self.ask(url).await;
        let preview = Json::new(Value::from(found).to_string());
        self.kept.insert(url.to_owned(), (Instant::now(), preview.clone()));
        preview
    }

    async fn ask(&self, url: &str) -> Map<String, Value> {
        let mut found = Map::from_iter([("meta".to_owned(), json!({}))]);
        let Ok(parsed) = Url::parse(url) else { return found };
        found.insert("parsedUrl".to_owned(), parts(&parsed));
        if !is_wanted(&parsed, &self.chat.settings()) {
            return found;
        }
        let accept = ("accept".to_owned(), "text/html,image/*;q=0.8,*/*;q=0.5".to_owned());
        let request = Request {
            headers: vec![accept],
            within: PATIENCE,
            at_most: ENOUGH,
            cut_long: true,
            ..Request::get(url)
        };
        match self.fetch.fetch(request).await {
            Ok(answer) if answer.is_success() => read(&answer, &mut found),
            Ok(answer) => tracing::debug!(status = answer.status, "a link leads to nothing to show"),
            Err(why) => tracing::debug!(%why, "a link could not be looked at"),
        }
        found
    }
}

/// Whether the workspace lets this address be looked at, beside what the client for the outside allows.
fn is_wanted(url: &Url, settings: &Settings) -> bool {
    let split = |text: &str| text.split(',').map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>();
    let port = url.port_or_known_default().unwrap_or_default().to_string();
    let ports = split(settings.text("API_EmbedSafePorts"));
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let ignored = split(settings.text("API_EmbedIgnoredHosts"));
    let is_ignored = |entry: &String| match entry.strip_prefix("*.") {
        Some(domain) => host == domain || host.ends_with(&format!(".{domain}")),
        None => *entry == host,
    };
    ports.contains(&port) && !ignored.iter().any(is_ignored)
}

fn read(answer: &Fetched, found: &mut Map<String, Value>) {
    let kind = answer.header("content-type").unwrap_or_default();
    let mut headers = json!({ "contentType": kind });
    if let Some(length) = answer.header("content-length") {
        headers["contentLength"] = length.into();
    }
    found.insert("headers".to_owned(), headers);
    let html = kind.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
    if let (true, Ok(from)) = (html, Url::parse(&answer.url)) {
        let (text, ..) = charset(kind).decode(&answer.body);
        found.insert("meta".to_owned(), page::meta(&text, &from).into());
    }
}

/// As the header says; UTF-8 otherwise.
fn charset(kind: &str) -> &'static Encoding {
    let label = kind.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset="));
    label.and_then(|label| Encoding::for_label(label.trim_matches('"').as_bytes())).unwrap_or(UTF_8)
}

fn parts(url: &Url) -> Value {
    json!({
        "host": url.host_str(),
        "hash": url.fragment(),
        "pathname": url.path(),
        "protocol": format!("{}:", url.scheme()),
        "port": url.port().map(|port| port.to_string()),
        "query": url.query(),
        "search": url.query().map(|query| format!("?{query}")),
    })
}
