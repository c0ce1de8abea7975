//! Redis between the nodes: one channel, on which each tells and all hear. Either side reconnects by itself; whoever was
//! away says so and is told everything anew.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use parlor_core::presence::NodeId;
use redis::{AsyncConnectionConfig, RedisResult, aio::MultiplexedConnection};
use tokio::sync::{Notify, mpsc};

use crate::{
    PATIENCE, Shared,
    wire::{self, Said},
};

/// How often a node says that it is there, and who came and went.
const ALIVE: Duration = Duration::from_secs(1);
/// Whoever does not even hear itself for so long asks Redis anew.
const DEAF: Duration = Duration::from_secs(5);
/// Between two attempts to reach Redis.
const PAUSE: Duration = Duration::from_millis(250);
/// Words of one letter.
const WORDS: usize = 256;

pub(crate) async fn connect(client: &redis::Client) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    client.get_multiplexed_async_connection_with_config(&config).await
}

pub(crate) async fn publish(
    connection: &mut MultiplexedConnection,
    channel: &str,
    text: &str,
) -> RedisResult<()> {
    redis::cmd("PUBLISH").arg(channel).arg(text).query_async::<()>(connection).await
}

/// Tells the others, for ever.
pub(crate) async fn tell(shared: &Shared, committed: &Notify, mut said: mpsc::Receiver<Said>) {
    let mut trouble = false;
    loop {
        let ended = match connect(&shared.client).await {
            Ok(connection) => {
                if std::mem::take(&mut trouble) {
                    tracing::info!("Redis answers again: other nodes are told at once");
                }
                // What was said meanwhile is over; who is here is told as a whole.
                while said.try_recv().is_ok() {}
                shared.whole.notify_one();
                tell_by(shared, connection, committed, &mut said).await
            }
            Err(error) => error,
        };
        if !std::mem::replace(&mut trouble, true) {
            tracing::warn!(error = %ended, "Redis is away: other nodes hear of changes a little later");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells by this connection until it fails.
async fn tell_by(
    shared: &Shared,
    mut connection: MultiplexedConnection,
    committed: &Notify,
    said: &mut mpsc::Receiver<Said>,
) -> redis::RedisError {
    let mut alive = tokio::time::interval(ALIVE);
    let mut words = vec![Said::News];
    loop {
        if !words.is_empty()
            && let Err(error) =
                publish(&mut connection, &shared.channel, &wire::letter(shared.node, &words)).await
        {
            return error;
        }
        words.clear();
        tokio::select! {
            biased;
            () = shared.whole.notified() => {
                let (people, open) = shared.chat.people_here();
                // What moved is in it.
                drop(shared.chat.people_moved());
                words.push(wire::all(&people, open));
            }
            _ = alive.tick() => {
                let moved = wire::people(&shared.chat.people_moved());
                words.push(if moved.is_empty() { Said::Alive } else { Said::People(moved) });
            }
            () = shared.greet.notified() => words.push(Said::Hello),
            () = committed.notified() => words.push(Said::News),
            Some(word) = said.recv() => words.push(word),
        }
        while words.len() < WORDS
            && let Ok(word) = said.try_recv()
        {
            words.push(word);
        }
    }
}

/// Hears the others, for ever.
pub(crate) async fn hear(shared: &Shared) {
    let mut known = HashMap::new();
    loop {
        // Why it ended is said by whoever tells.
        let _ = hear_by(shared, &mut known).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Hears by one connection until it fails.
async fn hear_by(shared: &Shared, known: &mut HashMap<NodeId, Instant>) -> RedisResult<()> {
    let opening = async {
        let mut ears = shared.client.get_async_pubsub().await?;
        ears.subscribe(&shared.channel).await?;
        RedisResult::Ok(ears)
    };
    let Ok(opened) = tokio::time::timeout(PATIENCE, opening).await else { return Ok(()) };
    let mut ears = opened?;
    // Something may have been said before.
    shared.news.notify_one();
    shared.greet.notify_one();
    // While Redis was away nobody was heard; that is nobody's fault.
    known.values_mut().for_each(|heard| *heard = Instant::now());
    let mut letters = ears.on_message();
    loop {
        let letter = match tokio::time::timeout(DEAF, letters.next()).await {
            Ok(Some(letter)) => letter,
            Ok(None) | Err(_) => return Ok(()),
        };
        if let Some((from, said)) = wire::open(letter.get_payload_bytes())
            && from != shared.node
        {
            if known.insert(from, Instant::now()).is_none() {
                // It may have told of its people before.
                shared.greet.notify_one();
            }
            said.into_iter().for_each(|word| take(shared, known, from, word));
        }
        // One's own letters come here too, at least once a second.
        let late: Vec<NodeId> = known
            .iter()
            .filter(|(_, heard)| heard.elapsed() > shared.silence)
            .map(|(node, _)| *node)
            .collect();
        for node in late {
            known.remove(&node);
            shared.chat.node_gone(node);
            tracing::warn!("another node has fallen silent: its people count as gone");
        }
    }
}

fn take(shared: &Shared, known: &mut HashMap<NodeId, Instant>, from: NodeId, word: Said) {
    match word {
        Said::News => shared.news.notify_one(),
        Said::Hello => shared.whole.notify_one(),
        Said::Bye => {
            known.remove(&from);
            shared.chat.node_gone(from);
        }
        Said::People(people) => shared.chat.people_elsewhere(from, &wire::shared(people)),
        Said::All(people, open) => {
            shared.chat.all_people_elsewhere(from, &wire::shared(people), wire::opened(open));
        }
        Said::Alive => {}
        word => {
            if let Some(event) = word.event() {
                shared.chat.passed_elsewhere(from, event);
            }
        }
    }
}
