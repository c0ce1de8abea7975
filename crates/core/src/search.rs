//! Full-text search: the query's operators are read here, the words go to the store's index.

use crate::{
    chat::Chat,
    clock::{DAY, Time},
    error::{Refusal, Result},
    id::{RoomId, UserId},
    messages_read::MAX_PAGE,
    session::Actor,
    store::{Found, Page, Read, Search},
};

/// Characters of a query.
pub const MAX_QUERY: usize = 1_000;
/// Words and operators of a query; further ones are ignored.
const MAX_TERMS: usize = 32;
/// Rooms searched at once.
const MAX_ROOMS: usize = 1_000;

/// Reads a query: what a fuzzer calls.
pub fn fuzz(text: &str) {
    let query = Query::read(text);
    let named = query.from.len() + query.rooms.len() + query.mentions.len() + query.has.len();
    assert!(query.words.len() + named <= MAX_TERMS, "{query:?}");
    assert!(query.words.iter().map(String::len).sum::<usize>() <= text.len(), "{query:?}");
}

/// A query, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    words: Vec<String>,
    prefix: bool,
    from: Vec<String>,
    rooms: Vec<String>,
    mentions: Vec<String>,
    has: Vec<String>,
    after: Option<Time>,
    before: Option<Time>,
}

impl Query {
    /// Reads `from:ann in:#general mention:bo has:file before:2026-01-31 after:… on:… "exact words" word`. Everything
    /// that is no operator is a word to be found; the last one may go on unless a blank or a quote ended it.
    pub(crate) fn read(text: &str) -> Self {
        let mut query = Self::default();
        let (terms, prefix) = terms(text);
        for (term, quoted) in terms {
            let operator = if quoted { None } else { term.split_once(':') };
            match operator {
                Some((name, value)) if !value.is_empty() && query.operator(name, value) => {}
                _ => query.words.push(term),
            }
        }
        query.prefix = prefix && !query.words.is_empty();
        query
    }

    /// `false` when it is no operator after all.
    fn operator(&mut self, name: &str, value: &str) -> bool {
        let plain = || value.trim_start_matches(['@', '#']).to_owned();
        match name.to_ascii_lowercase().as_str() {
            "from" => self.from.push(plain()),
            "in" => self.rooms.push(plain()),
            "mention" | "mentions" => self.mentions.push(plain()),
            "has" if matches!(value, "file" | "link" | "image" | "pin" | "star" | "url") => {
                self.has.push(if value == "url" { "link" } else { value }.to_owned());
            }
            "is" if matches!(value, "pinned" | "starred") => {
                self.has.push(if value == "pinned" { "pin" } else { "star" }.to_owned());
            }
            "before" => return day(value).map(|day| self.before = Some(day)).is_some(),
            "after" => return day(value).map(|day| self.after = Some(Time(day.millis() + DAY))).is_some(),
            "on" => {
                let Some(day) = day(value) else { return false };
                (self.after, self.before) = (Some(day), Some(Time(day.millis() + DAY)));
            }
            _ => return false,
        }
        true
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The terms with whether they were quoted, and whether the last one may go on.
fn terms(text: &str) -> (Vec<(String, bool)>, bool) {
    let mut all = Vec::new();
    let mut term = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' | '\u{201c}' | '\u{201d}' => {
                flush(&mut all, &mut term, quoted);
                quoted = !quoted;
            }
            c if c.is_whitespace() && !quoted => flush(&mut all, &mut term, false),
            c if c.is_control() => term.push(' '),
            c => term.push(c),
        }
    }
    let open = !term.trim().is_empty();
    flush(&mut all, &mut term, quoted);
    all.truncate(MAX_TERMS);
    (all, open)
}

fn flush(all: &mut Vec<(String, bool)>, term: &mut String, quoted: bool) {
    let text = std::mem::take(term);
    if !text.trim().is_empty() {
        all.push((text.trim().to_owned(), quoted));
    }
}

/// `2026-01-31` or `2026/1/31`, as its first moment in UTC.
fn day(text: &str) -> Option<Time> {
    let mut parts = text.split(['-', '/']);
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (year, month, day) = (number()?, number()?, number()?);
    if parts.next().is_some() || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest =
        [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Days since 1970, counting years from March so that the leap day comes last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    Some(Time(days * DAY))
}

impl Chat {
    /// Searches messages, newest first: in one room, or (`None`) in all rooms of the actor. What the actor may not
    /// read is never found. What would take very long is answered in part, and says so.
    pub async fn search_messages(
        &self,
        actor: &Actor,
        room: Option<&RoomId>,
        text: &str,
        page: Page,
    ) -> Result<Found> {
        if text.chars().count() > MAX_QUERY {
            return Err(Refusal::TooLarge { what: "query", limit: MAX_QUERY as u64 });
        }
        let inside = match room {
            Some(room) => Some(self.readable_room(actor, room).await?.id.clone()),
            None => None,
        };
        self.active_user(actor).await?;
        let query = Query::read(text);
        let page = Page { count: page.count.min(MAX_PAGE), ..page };
        if query.is_empty() || page.count == 0 {
            return Ok(Found::default());
        }
        let user = actor.user.clone();
        self.store()
            .reading(move |rows| match looked_up(rows, &query, &user, inside)? {
                Some(search) => rows.search(&search, page),
                None => Ok(Found::default()),
            })
            .await
    }
}

/// The query with its names looked up; `None` when one of them names nothing, so nothing can be found.
fn looked_up(
    rows: &mut dyn Read,
    query: &Query,
    user: &UserId,
    inside: Option<RoomId>,
) -> Result<Option<Search>> {
    let mut search = Search {
        words: query.words.clone(),
        prefix: query.prefix,
        after: query.after,
        before: query.before,
        has: query.has.clone(),
        viewer: Some(user.clone()),
        ..Search::default()
    };
    for (names, ids) in [(&query.from, &mut search.from), (&query.mentions, &mut search.mentioning)] {
        for name in names {
            match if name == "me" { rows.user(user)? } else { rows.user_by_username(name)? } {
                Some(found) => ids.push(found.id),
                None => return Ok(None),
            }
        }
    }
    search.rooms = match inside {
        Some(room) => vec![room],
        None => rows.memberships_of(user, None)?.into_iter().take(MAX_ROOMS).map(|m| m.room).collect(),
    };
    for name in &query.rooms {
        let room = rows.room_by_name(name)?.map(|room| room.id);
        search.rooms.retain(|id| Some(id) == room.as_ref());
    }
    Ok((!search.rooms.is_empty()).then_some(search))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_told_from_words() {
        let query =
            Query::read("from:@ann in:#general has:file has:nothing hello \"two words\" http://x wor");
        assert_eq!(query.from, ["ann"]);
        assert_eq!(query.rooms, ["general"]);
        assert_eq!(query.has, ["file"]);
        assert_eq!(query.words, ["has:nothing", "hello", "two words", "http://x", "wor"]);
        assert!(query.prefix);
        assert!(!Query::read("word ").prefix);
        assert!(Query::read("  \" ").is_empty());
    }

    #[test]
    fn days_are_read_and_impossible_ones_are_words() {
        assert_eq!(day("1970-01-01"), Some(Time(0)));
        assert_eq!(day("2024-02-29"), Some(Time(1_709_164_800_000)));
        assert_eq!(day("2026/1/5"), day("2026-01-05"));
        for bad in ["2023-02-29", "2026-13-01", "2026-00-01", "2026-01", "tomorrow", "2026-01-01-01"] {
            assert_eq!(day(bad), None, "{bad}");
        }
        let on = Query::read("on:2026-01-05");
        assert_eq!(on.before.map(Time::millis), on.after.map(|t| t.millis() + DAY));
        assert_eq!(Query::read("after:never").words, ["after:never"]);
    }

    #[test]
    fn a_query_has_a_bounded_number_of_terms() {
        assert_eq!(Query::read(&"word ".repeat(1000)).words.len(), MAX_TERMS);
    }
}
