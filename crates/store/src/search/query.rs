//! A query as each engine reads it. Whatever somebody types is only ever a word: the tokens hold letters, digits
//! and marks, and nothing that either engine reads as an operator.

use super::tokens::{Phrase, query_tokens};

/// Words that are looked at; more than this is no query.
const MOST_WORDS: usize = 32;
/// A prefix shorter than this is a whole word: every other word begins with it.
const SHORTEST_PREFIX: usize = 2;

/// What has to stand in a text: all of these.
#[derive(Debug)]
pub(crate) struct Query {
    phrases: Vec<Phrase>,
}

impl Query {
    /// Reads the words of a query; `None` if there is nothing in them to look for.
    pub(crate) fn new(words: &[String], last_may_go_on: bool) -> Option<Self> {
        let mut phrases: Vec<Phrase> = words
            .iter()
            .take(MOST_WORDS)
            .map(|word| query_tokens(word))
            .filter(|phrase| !phrase.tokens.is_empty())
            .collect();
        let last = phrases.last_mut()?;
        let long = last.tokens.last().is_some_and(|token| token.chars().count() >= SHORTEST_PREFIX);
        last.prefix |= last_may_go_on && long;
        Some(Query { phrases })
    }

    /// Whether a text's tokens hold all of it.
    pub(crate) fn matches(&self, text: &[String]) -> bool {
        self.phrases.iter().all(|phrase| phrase.stands_in(text))
    }

    /// As FTS5 reads it, in these rooms if there are any.
    pub(crate) fn fts5(&self, rooms: &[i64]) -> String {
        let phrases: Vec<String> = self
            .phrases
            .iter()
            .map(|phrase| {
                let star = if phrase.prefix { " *" } else { "" };
                format!("\"{}\"{star}", phrase.tokens.join(" "))
            })
            .collect();
        let body = format!("body : ({})", phrases.join(" AND "));
        if rooms.is_empty() {
            return body;
        }
        let rooms: Vec<String> = rooms.iter().map(|room| format!("\"{room}\"")).collect();
        format!("room : ({}) AND {body}", rooms.join(" OR "))
    }

    /// As PostgreSQL reads it (`tsquery`).
    pub(crate) fn tsquery(&self) -> String {
        let phrases: Vec<String> = self
            .phrases
            .iter()
            .map(|phrase| {
                let last = phrase.tokens.len() - 1;
                let tokens: Vec<String> = (0..)
                    .zip(&phrase.tokens)
                    .map(|(n, token)| {
                        let star = if phrase.prefix && n == last { ":*" } else { "" };
                        format!("'{token}'{star}")
                    })
                    .collect();
                format!("({})", tokens.join(" <-> "))
            })
            .collect();
        phrases.join(" & ")
    }
}

/// Turns words into what each engine reads, and has SQLite read it: what a fuzzer calls.
pub(crate) fn fuzz(text: &str) {
    thread_local! {
        static INDEX: rusqlite::Connection = {
            let index = rusqlite::Connection::open_in_memory().expect("memory takes a database");
            let table = "CREATE VIRTUAL TABLE words USING fts5(room, body)";
            index.execute_batch(table).expect("FTS5 is built in");
            index
        };
    }
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let Some(query) = Query::new(&words, text.len() % 2 == 1) else { return };
    let (fts5, tsquery) = (query.fts5(&[1, 2]), query.tsquery());
    let inside = tsquery.split('\'').skip(1).step_by(2);
    assert!(inside.clone().all(|token| !token.is_empty() && !token.contains('\\')), "{tsquery}");
    INDEX.with(|index| {
        let mut found = index.prepare_cached("SELECT rowid FROM words WHERE words MATCH $1").expect("SQL");
        let rows = found.query([&fts5]).and_then(|mut rows| rows.next().map(|row| row.is_some()));
        assert_eq!(rows.ok(), Some(false), "{fts5}");
    });
}

/// A text's tokens as PostgreSQL takes them (`tsvector`), with their places. It keeps places up to 16,383 and
/// 255 of them a word; what is beyond is left out of phrases only.
pub(crate) fn tsvector(tokens: &[String]) -> String {
    let words: Vec<String> =
        (1..).zip(tokens).map(|(place, token)| format!("'{token}':{}", place.min(16_383))).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(words: &[&str], prefix: bool) -> Query {
        Query::new(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), prefix).unwrap()
    }

    #[test]
    fn words_must_all_stand_there_and_the_last_may_go_on() {
        let q = query(&["Hello", "wor"], true);
        assert_eq!(q.fts5(&[]), "body : (\"hello\" AND \"wor\" *)");
        assert_eq!(q.fts5(&[3, 7]), "room : (\"3\" OR \"7\") AND body : (\"hello\" AND \"wor\" *)");
        assert_eq!(q.tsquery(), "('hello') & ('wor':*)");
        assert_eq!(query(&["a-b"], false).tsquery(), "('a' <-> 'b')");
        assert_eq!(query(&["x"], true).fts5(&[]), "body : (\"x\")");
    }

    #[test]
    fn operators_are_only_words() {
        for nasty in
            ["NEAR(a b)", "a OR b", "\"", "'", "a:b", "-x", "a*", "^a", "{a b}", "a & !b", "a\\", "(", "\0a"]
        {
            let q = query(&[nasty, "end"], false);
            for text in [q.fts5(&[]), q.tsquery()] {
                let inside: Vec<&str> = text.split(['"', '\'']).skip(1).step_by(2).collect();
                let plain = |c: char| c.is_alphanumeric() || c == ' ';
                assert!(inside.iter().all(|token| token.chars().all(plain)), "{nasty}: {text}");
            }
        }
        assert!(Query::new(&["***".into(), "%_".into()], true).is_none());
    }
}
