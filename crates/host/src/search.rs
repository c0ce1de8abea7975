//! Searches in messages, as every door asks for them.

use parlor_core::{
    chat::Chat,
    error::Result,
    id::RoomId,
    message::Message,
    session::Actor,
    store::{Found, Page},
};
use serde_json::Value;

use crate::{call::Query, page::Counted, problem::Problem};

/// Longest search text, in characters.
const LONGEST: usize = 200;

/// What to search for: `q` of a query, without the white space around it.
///
/// # Errors
/// `validation_failed`.
pub fn wanted(query: &Query) -> std::result::Result<&str, Problem> {
    let text = query.get("q").unwrap_or_default().trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(Problem::invalid_query("q", "must have 1 to 200 characters"));
    }
    Ok(text)
}

/// The newest messages that say this, the oldest of the page first, and its `pagination`: of one room, or of all that the
/// actor may read. `partial` in it says that time ran out, and older ones may say it too.
///
/// # Errors
/// As [`Chat::search_messages`].
pub async fn found(
    chat: &Chat,
    actor: &Actor,
    room: Option<&RoomId>,
    text: &str,
    asked: &Counted<'_>,
) -> Result<(Vec<Message>, Value)> {
    let Page { offset, count } = asked.page();
    // One more tells whether there are more.
    let page = Page { offset, count: count + 1 };
    let Found { messages: mut found, partial } = chat.search_messages(actor, room, text, page).await?;
    let more = found.len() as u64 > count;
    found.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    found.retain(Message::is_for_hosts);
    found.reverse();
    let mut pagination = asked.told_uncounted(more);
    if partial {
        pagination["partial"] = true.into();
    }
    Ok((found, pagination))
}
