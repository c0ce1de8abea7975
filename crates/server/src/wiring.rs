//! How the parts come together: store, chat, publisher, doors.

use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use anyhow::{Context, Result};
use parlor_core::{
    blobs::Blobs,
    chat::{CacheSizes, Chat, Ports},
    clock::System,
    permission_table,
    publisher::Publisher,
    setting::Settings,
    store::Store,
};
use parlor_host::Host;
use parlor_identity::{Identity, Oidc, SecretKey};
use parlor_live::{CapLimits, Live};
use parlor_rocketchat::Door;
use parlor_store::{Engine, Location, Options, Sink, Turn, blobs::LocalBlobs, s3::S3Blobs};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    chores,
    config::Config,
    metrics::Metrics,
    nodes::{self, Joined, Joining, once},
    telling::{self, Telling, ToTell},
};

/// How often the publisher looks for holes when nothing is committed.
/// How often presence is told and marks are written.
const SECOND: Duration = Duration::from_secs(1);
/// Every so many seconds it is written when members last wrote.
const REPLIES: u64 = 10;
/// Seconds between writings of when devices were last used.
const USES: u64 = 60;
/// How often what has run out is swept.
const SWEEP: Duration = Duration::from_secs(600);

/// A running chat and its doors.
pub struct Parts {
    /// The chat.
    pub chat: Arc<Chat>,
    /// All live connections.
    pub live: Arc<Live>,
    /// The Rocket.Chat door.
    pub rocketchat: Arc<Door>,
    /// What the doors for host applications share.
    pub host: Host,
    /// What `/metrics` shows.
    pub metrics: Arc<Metrics>,
    engine: Arc<Engine>,
    publisher: Option<std::thread::JoinHandle<()>>,
    chores: Vec<JoinHandle<()>>,
    others: Option<Joined>,
}

/// The chat alone, as the commands need it.
pub struct Core {
    /// The chat.
    pub chat: Arc<Chat>,
    /// The store below it.
    pub engine: Arc<Engine>,
    facts: ToTell,
    file_key: [u8; 32],
    /// What the other nodes are joined with, where there are any.
    joining: Option<Joining>,
}

/// Opens the store and makes the chat on it.
pub async fn open(config: &Config) -> Result<Core> {
    open_as(config, false).await
}

/// As [`open`], only to read what is there, also beside a server that runs on it.
pub async fn look(config: &Config) -> Result<Core> {
    if let Location::Sqlite(path) = location(config) {
        anyhow::ensure!(path.exists(), "there is no workspace in {}", config.data.display());
    }
    open_as(config, true).await
}

async fn open_as(config: &Config, looks: bool) -> Result<Core> {
    let data = &config.data;
    std::fs::create_dir_all(data)
        .with_context(|| format!("can't make the data directory {}", data.display()))?;
    let system = Arc::new(System::new());
    let key = SecretKey::load(data, std::env::var("PARLOR_SECRET_KEY").ok().as_deref(), &*system)?;
    let file_key = key.derive("file addresses");
    let mark = hex::encode(key.derive("nodes"));
    let identity = Identity::new(key, system.clone(), system.clone());
    let (telling, facts) = telling::queue();
    let chat_cell: Arc<OnceLock<Weak<Chat>>> = Arc::default();
    let several = config.redis.is_some().then(|| telling.clone());
    let sink = sink(chat_cell.clone(), telling);
    let location = location(config);
    let options = Options { several: several.is_some(), looks, ..Options::new(system.clone(), sink) };
    let engine = tokio::task::spawn_blocking(move || Engine::open(&location, options)).await??;
    let engine = Arc::new(engine);
    let store: Arc<dyn Store> = engine.clone();
    let joining = match several {
        // Before anything is read that another node may change.
        Some(telling) => {
            let since = store.reading(|rows| rows.horizon()).await.context("can't read the journal")?;
            Some(Joining { since, mark, telling })
        }
        None => None,
    };
    let (roles, settings) = load(&*store).await?;
    let blobs = blobs(config)?;
    let fetch = Arc::new(outgoing(chat_cell.clone())?);
    let ports = Ports {
        store,
        blobs,
        media: Arc::new(parlor_media::Pictures::default()),
        credentials: Arc::new(identity),
        directory: Arc::new(parlor_directory::OverLdap),
        providers: Arc::new(Oidc::new(fetch.clone(), system.clone())),
        fetch,
        host_tokens: Arc::new(crate::host::tokens(&config.host, system.clone()).await?),
        clock: system.clone(),
        random: system,
    };
    let chat = Arc::new(Chat::new(ports, CacheSizes::default(), roles, settings));
    chat_cell.set(Arc::downgrade(&chat)).map_err(|_| anyhow::anyhow!("the chat was made twice"))?;
    Ok(Core { chat, engine, facts, file_key, joining })
}

/// Where the database is.
pub fn location(config: &Config) -> Location {
    match &config.database {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::Sqlite(config.data.join("parlor.sqlite")),
    }
}

/// Where files lie: in a bucket if one is named, else in the data directory. A bucket that is away now may come later.
fn blobs(config: &Config) -> Result<Arc<dyn Blobs>> {
    let local = config.data.join("files");
    Ok(match &config.s3 {
        Some(place) => Arc::new(S3Blobs::new(place, local).context("the store for files")?),
        None => Arc::new(LocalBlobs::open(local).context("can't make the directory for files")?),
    })
}

/// The outgoing client: it reaches what is public and what `SSRF_Allowlist` opens.
fn outgoing(chat: Arc<OnceLock<Weak<Chat>>>) -> Result<parlor_http::Client> {
    let opened = move || {
        let settings = chat.get().and_then(Weak::upgrade).map(|chat| chat.settings());
        let entries = settings.iter().flat_map(|s| s.list("SSRF_Allowlist")).map(String::as_str);
        parlor_http::Allowed::read(entries).unwrap_or_else(|bad| {
            tracing::warn!(
                entry = bad.0,
                "SSRF_Allowlist has an entry that means nothing; the list is not in force"
            );
            parlor_http::Allowed::default()
        })
    };
    parlor_http::Client::new(Arc::new(opened)).map_err(|why| anyhow::anyhow!("no TLS: {why}"))
}

/// What the committing thread does with facts: first the caches, so that nobody is answered before they are right,
/// then the queue to the publisher.
fn sink(chat: Arc<OnceLock<Weak<Chat>>>, telling: Telling) -> Sink {
    Arc::new(move |facts| {
        if let Some(chat) = chat.get().and_then(Weak::upgrade) {
            chat.committed(&facts);
        }
        telling.send(facts);
    })
}

async fn load(store: &(dyn Store + 'static)) -> Result<(parlor_core::role::Roles, Settings)> {
    let read = store.reading(|rows| Ok((rows.roles()?, rows.grants()?, rows.setting_values()?)));
    let (roles, grants, values) = read.await.context("can't read roles and settings")?;
    Ok((permission_table::snapshot(roles, grants), Settings::snapshot(values)))
}

impl Core {
    /// Without anybody to publish to: what is committed is not kept for listeners.
    pub fn alone(mut self) -> Self {
        (self.facts, self.joining) = (telling::queue().1, None);
        self
    }

    /// Waits for its turn to make what every workspace has, where several processes may start at once. It lasts until
    /// what is given back is dropped.
    pub async fn turn(&mut self, config: &Config) -> Result<Option<Turn>> {
        let Some(joining) = &mut self.joining else { return Ok(None) };
        let turn = nodes::turn(config).await?;
        nodes::catch_up(joining, &self.chat).await?;
        Ok(turn)
    }

    /// Starts the publisher and the doors.
    pub async fn start(self, config: &Config) -> Result<Parts> {
        let Self { chat, engine, facts, file_key, joining } = self;
        let publisher = Arc::new(chat.publisher().context("there is a publisher already")?);
        let thread = facts.publish(publisher.clone(), chat.clone())?;
        let live = Live::new(CapLimits::default());
        let rocketchat = Door::new(
            chat.clone(),
            &live,
            parlor_rocketchat::Config {
                root_url: config.root_url.clone(),
                version: config.announced_version.clone(),
                test_mode: config.test_mode,
                create_tokens_secret: std::env::var("CREATE_TOKENS_FOR_USERS_SECRET")
                    .ok()
                    .map(parlor_core::users_change::Secret),
            },
        );
        let host = Host::new(chat.clone(), live.clone(), crate::host::options(config, file_key));
        chat.runs_in(Arc::new(crate::machine::Here::new(config)));
        let metrics = Metrics::new(engine.clone(), live.clone(), chat.clone());
        let others = match joining {
            Some(joining) => nodes::join(config, joining, &chat).await?,
            None => None,
        };
        let mut chores = of_each_node(&chat, publisher);
        chores.extend(of_one_node(&chat, config, others.as_ref().map(Joined::lead))?);
        Ok(Parts { chat, live, rocketchat, host, metrics, engine, publisher: Some(thread), chores, others })
    }
}

/// What every node does by itself, for those who are connected to it and for what it commits.
fn of_each_node(chat: &Arc<Chat>, publisher: Arc<Publisher>) -> Vec<JoinHandle<()>> {
    /// A chore that needs nothing but the chat.
    fn keep<F: Future<Output = ()> + Send + 'static>(
        name: &'static str,
        chat: &Arc<Chat>,
        begin: impl Fn(Arc<Chat>) -> F + Send + Sync + 'static,
    ) -> JoinHandle<()> {
        let chat = chat.clone();
        chores::keep(name, move || begin(chat.clone()))
    }
    vec![
        keep("every second", chat, move |chat| every_second(publisher.clone(), chat)),
        keep("notifying", chat, |chat| async move { chat.notify_forever().await }),
        keep("discussions", chat, |chat| async move { chat.tell_discussions_forever().await }),
        keep("previews", chat, |chat| {
            let outside = chat.outside();
            parlor_outbound::Previews::new(chat, outside).run()
        }),
    ]
}

/// What one node does by itself, for all.
fn of_one_node(
    chat: &Arc<Chat>,
    config: &Config,
    lead: Option<watch::Receiver<bool>>,
) -> Result<Vec<JoinHandle<()>>> {
    let keep = Led { chat, lead };
    let push = config.push.clone();
    let mut all = vec![
        keep.chore("sweeping", sweep),
        keep.chore("directory", |chat| async move { chat.sync_forever().await }),
        keep.chore("notices", |chat| parlor_outbound::Notices::new(chat).run()),
        keep.chore("pushes", move |chat| {
            let outside = chat.outside();
            parlor_outbound::Pushes::new(chat, outside, push.clone()).run()
        }),
        keep.chore("mail", |chat| parlor_outbound::Mail::new(chat).run()),
        keep.chore("webhooks", |chat| {
            let outside = chat.outside();
            parlor_outbound::Webhooks::new(chat, outside).run()
        }),
    ];
    if let Some(begin) = bridge(chat)? {
        all.push(keep.chore("bridge", move |_| begin().run()));
    }
    Ok(all)
}

/// Chores of whoever leads.
struct Led<'a> {
    chat: &'a Arc<Chat>,
    lead: Option<watch::Receiver<bool>>,
}

impl Led<'_> {
    fn chore<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: &'static str,
        begin: impl Fn(Arc<Chat>) -> F + Send + Sync + 'static,
    ) -> JoinHandle<()> {
        let chat = self.chat.clone();
        once(name, self.lead.clone(), move || begin(chat.clone()))
    }
}

/// The bridge to a Rocket.Chat that is kept, when `PARLOR_BRIDGE_URL` and an administrator's credentials there are set.
fn bridge(chat: &Arc<Chat>) -> Result<Option<impl Fn() -> parlor_bridge::Bridge + Send + Sync + 'static>> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(url) = set("PARLOR_BRIDGE_URL") else { return Ok(None) };
    let by_token = set("PARLOR_BRIDGE_USER_ID").zip(set("PARLOR_BRIDGE_TOKEN"));
    let by_password = set("PARLOR_BRIDGE_USER").zip(set("PARLOR_BRIDGE_PASSWORD"));
    let login = match (by_token, by_password) {
        (Some((user, token)), _) => parlor_bridge::Login::Token(user, token),
        (None, Some((user, password))) => parlor_bridge::Login::Password(user, password),
        (None, None) => anyhow::bail!(
            "PARLOR_BRIDGE_URL needs PARLOR_BRIDGE_USER and PARLOR_BRIDGE_PASSWORD, or PARLOR_BRIDGE_USER_ID and PARLOR_BRIDGE_TOKEN"
        ),
    };
    // The operator names that server himself, so it may be anywhere.
    let client =
        parlor_http::Client::only_to(&url).map_err(|why| anyhow::anyhow!("PARLOR_BRIDGE_URL: {why}"))?;
    let (chat, client) = (chat.clone(), Arc::new(client));
    Ok(Some(move || parlor_bridge::Bridge::new(chat.clone(), client.clone(), &url, login.clone())))
}

async fn every_second(publisher: Arc<Publisher>, chat: Arc<Chat>) {
    let mut tick = tokio::time::interval(SECOND);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for second in 0_u64.. {
        tick.tick().await;
        publisher.every_second().await;
        if let Err(refusal) = chat.flush_marks().await {
            tracing::warn!(%refusal, "read marks are written a second later");
        }
        if second % REPLIES == 0
            && let Err(refusal) = chat.flush_replies().await
        {
            tracing::warn!(%refusal, "when members last wrote is written later");
        }
        if second % USES == 0
            && let Err(refusal) = chat.flush_sessions().await
        {
            tracing::warn!(%refusal, "when some devices were last used is not written");
        }
    }
}

async fn sweep(chat: Arc<Chat>) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tick.tick().await;
        if let Err(refusal) = chat.sweep().await {
            tracing::warn!(%refusal, "sweeping what has run out was put off");
        }
    }
}

impl Parts {
    /// Ends everything in order: connections are told to come back, what was accepted is finished, the store is
    /// closed last.
    pub async fn stop(mut self, within: Duration) {
        self.live.finish_all(parlor_live::Close::restart());
        if tokio::time::timeout(within, self.live.ended()).await.is_err() {
            tracing::warn!("some connections did not end in time and are cut");
        }
        self.chores.iter().for_each(JoinHandle::abort);
        if let Some(others) = self.others.take() {
            others.leave().await;
        }
        if let Err(refusal) = self.chat.flush_marks().await {
            tracing::warn!(%refusal, "read marks of the last second could not be written");
        }
        if let Err(refusal) = self.chat.flush_replies().await {
            tracing::warn!(%refusal, "when members last wrote could not be written");
        }
        if let Err(refusal) = self.chat.flush_sessions().await {
            tracing::warn!(%refusal, "when some devices were last used could not be written");
        }
        let engine = self.engine.clone();
        // Joins the store's threads, which finish what is queued.
        let _ = tokio::task::spawn_blocking(move || engine.close()).await;
        drop(self.publisher.take());
    }
}
