//! Other nodes: several processes that serve one database.
//!
//! What is true stands in the database, and each node follows it there (`follow.rs`): every change that another node
//! commits is a row of the journal, read by a snapshot that misses none and repeats none. Redis only says that there is
//! something to read, so that it is read at once and not with the next look ([`Meeting::look`]); and it carries what is
//! never stored: typing, answers of commands, who is connected where (`bus.rs`, in the words of `wire.rs`). So nothing is
//! lost with Redis or with one of its letters but time: sends are acknowledged without it, and other nodes hear of them
//! with the next look.

mod bus;
mod follow;
mod wire;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use parlor_core::{
    chat::Chat,
    event::{Event, Fact},
    nodes::Relay,
    presence::NodeId,
    store::Horizon,
};
use thiserror::Error;
use tokio::sync::{Notify, mpsc};

use self::wire::Said;

/// What waits to be told to other nodes at most; beyond it passing events are dropped, as they are anywhere.
const WAITING: usize = 10_000;
/// How long Redis may take to be reached, and for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why there is no relay.
#[derive(Debug, Error)]
pub enum RelayError {
    /// The URL is none of Redis's.
    #[error("PARLOR_REDIS_URL is not a redis:// URL: {0}")]
    Url(String),
    /// The file of authorities can't be read.
    #[error("PARLOR_REDIS_URL: no authorities in {0}: {1}")]
    Authorities(String, std::io::Error),
    /// There is no answer.
    #[error("Redis does not answer: {0}")]
    Silent(String),
}

/// Facts on their way.
pub type Delivered = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Hands facts to the caches and the publisher; may wait.
pub type Deliver = Arc<dyn Fn(Vec<Fact>) -> Delivered + Send + Sync>;

/// Where nodes meet.
#[derive(Clone, Debug)]
pub struct Meeting {
    /// Redis, as `redis://[user:password@]host[:port][/number]`, `rediss://…` for TLS (with `?sslrootcert=FILE` where an
    /// authority of one's own signed its certificate), or `redis+unix:///path`.
    pub url: String,
    /// The workspace's id: several may share a Redis.
    pub workspace: String,
    /// A node that was not heard of for so long is gone, with its people.
    pub silence: Duration,
    /// How often what others committed is looked for without a hint.
    pub look: Duration,
}

/// The way to other nodes, before it runs.
pub struct Nodes {
    client: redis::Client,
    channel: String,
    silence: Duration,
    look: Duration,
    node: NodeId,
    desk: Arc<Desk>,
    said: mpsc::Receiver<Said>,
}

/// Where the chat leaves what is to be told.
struct Desk {
    /// Something was committed here.
    committed: Notify,
    said: mpsc::Sender<Said>,
}

impl Relay for Desk {
    fn committed(&self) {
        self.committed.notify_one();
    }

    fn passed(&self, event: &Event) {
        if let Some(said) = Said::of(event) {
            // Full only while Redis is away or far behind; what passes may be lost.
            let _ = self.said.try_send(said);
        }
    }
}

/// What the tasks share.
struct Shared {
    chat: Arc<Chat>,
    channel: String,
    node: NodeId,
    client: redis::Client,
    silence: Duration,
    look: Duration,
    /// Another node has committed something.
    news: Notify,
    /// Everything about the people here is to be told.
    whole: Notify,
    /// Others are to tell everything.
    greet: Notify,
}

impl Nodes {
    /// The way by this meeting; `node` is a random number.
    ///
    /// # Errors
    /// `Url`.
    pub fn new(meeting: &Meeting, node: u64) -> Result<Self, RelayError> {
        let client = open(&meeting.url)?;
        let (sender, said) = mpsc::channel(WAITING);
        let desk = Arc::new(Desk { committed: Notify::new(), said: sender });
        // The upper bit marks connections of other nodes.
        let node = NodeId(node & (u64::MAX >> 1));
        let (channel, silence) = (format!("parlor:{}", meeting.workspace), meeting.silence);
        Ok(Self { client, channel, silence, look: meeting.look, node, desk, said })
    }

    /// Tells and hears until it is dropped. `since`: up to where the caches know what was committed.
    pub async fn run(self, chat: Arc<Chat>, since: Horizon, deliver: Deliver) {
        let Self { client, channel, silence, look, node, desk, said } = self;
        chat.relay_by(desk.clone());
        let shared = Arc::new(Shared {
            chat,
            channel,
            node,
            client,
            silence,
            look,
            news: Notify::new(),
            whole: Notify::new(),
            greet: Notify::new(),
        });
        tokio::join!(
            follow::follow(&shared, since, deliver),
            bus::hear(&shared),
            bus::tell(&shared, &desk.committed, said),
        );
    }

    /// Tells other nodes that this one goes, so that its people do not seem to be there any longer.
    pub async fn farewell(meeting: &Meeting, node: u64) {
        let Ok(nodes) = Self::new(meeting, node) else { return };
        let node = nodes.node;
        let text = wire::letter(node, &[Said::Bye]);
        if let Ok(mut connection) = bus::connect(&nodes.client).await {
            bus::publish(&mut connection, &nodes.channel, &text).await.ok();
        }
    }
}

/// Whether Redis answers, for whoever looks after the server.
///
/// # Errors
/// Why not.
pub async fn check(url: &str) -> Result<(), RelayError> {
    let client = open(url)?;
    let silent = |error: redis::RedisError| RelayError::Silent(error.to_string());
    let mut connection = bus::connect(&client).await.map_err(silent)?;
    redis::cmd("PING").query_async::<()>(&mut connection).await.map_err(silent)
}

fn open(url: &str) -> Result<redis::Client, RelayError> {
    let bad = |error: redis::RedisError| RelayError::Url(error.to_string());
    if !url.starts_with("rediss://") {
        return redis::Client::open(url).map_err(bad);
    }
    // The client takes the process's own provider. If there is one already, it is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some((url, file)) = url.split_once("?sslrootcert=") else {
        return redis::Client::open(url).map_err(bad);
    };
    let read = std::fs::read(file).map_err(|error| RelayError::Authorities(file.to_owned(), error))?;
    let trusted = redis::TlsCertificates { client_tls: None, root_cert: Some(read) };
    redis::Client::build_with_tls(url, trusted).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_of_redis_or_names_no_authorities_is_refused_at_the_start() {
        for good in ["redis://h", "redis://u:p@h:1/2", "redis+unix:///run/redis", "rediss://h:6380"] {
            assert!(open(good).is_ok(), "{good}");
        }
        assert!(matches!(open("http://h"), Err(RelayError::Url(_))));
        assert!(matches!(open("rediss://h?sslrootcert=/no/file"), Err(RelayError::Authorities(..))));
    }
}
