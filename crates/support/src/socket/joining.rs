//! Joining a conversation: listen first, then read, so that nothing falls in between.

use std::sync::Arc;

use parlor_core::{case::Conversation, id::RoomId, listening::Held, session::Actor};
use parlor_host::{PageAsked, Problem, Seek};
use serde_json::{Map, Value, json};

use super::{
    ears::{JoinedEar, Wire},
    session::ear,
};
use crate::acts::{Acts, problem};

/// A conversation that the connection listens to from now on, and the answer that goes before what it hears.
pub(super) struct Join {
    pub(super) room: RoomId,
    pub(super) ear: Arc<JoinedEar>,
    pub(super) subscription: Held,
    /// Everything up to here is known to the client or can be read.
    pub(super) position: i64,
    pub(super) keys: Map<String, Value>,
}

/// Joins a conversation; the messages after a place, when one is given, come with the answer.
pub(super) async fn join(
    wire: &Arc<Wire>,
    actor: &Actor,
    room: RoomId,
    asked: PageAsked,
) -> Result<Join, Problem> {
    let host = &wire.door.host;
    let acts = Acts { host, actor };
    let ear = ear(wire, &room);
    let subscription = host.chat().listen_room(actor, &room, ear.clone()).await.map_err(problem)?;
    let subscription = Held::new(host.chat(), subscription);
    let read = async {
        let conversation = acts.one(&room).await?;
        let position = conversation.head.position;
        let mut keys = acts.told(&conversation);
        keys.insert("conversation_id".into(), room.as_str().into());
        let page = match &asked.seek {
            Seek::After(_) => acts.messages(&room, &asked).await?,
            _ => Map::from_iter([
                ("messages".to_owned(), json!([])),
                ("pagination".to_owned(), asked.told(false, None, None)),
            ]),
        };
        keys.extend(page);
        // What came between the two readings is heard.
        if let Some(Value::Array(messages)) = keys.get_mut("messages") {
            messages.retain(|message| message["seq"].as_i64().is_none_or(|seq| seq <= position));
        }
        Ok::<_, Problem>((position, keys))
    };
    let (position, keys) = read.await?;
    Ok(Join { room, ear, subscription, position, keys })
}

/// Joins a conversation that was just read, along with an answer about it.
pub(super) async fn join_read(
    wire: &Arc<Wire>,
    actor: &Actor,
    conversation: &Conversation,
    keys: Map<String, Value>,
) -> Result<Join, Problem> {
    let room = conversation.room.id.clone();
    let ear = ear(wire, &room);
    let chat = wire.door.host.chat();
    let subscription = chat.listen_room(actor, &room, ear.clone()).await.map_err(problem)?;
    let subscription = Held::new(chat, subscription);
    // Whatever was stored between the reading and the listening is to be read by the client: nothing is heard of it.
    let position = match chat.conversation(actor, &room).await {
        Ok(now) if now.head.position == conversation.head.position => now.head.position,
        _ => conversation.head.position,
    };
    Ok(Join { room, ear, subscription, position, keys })
}
