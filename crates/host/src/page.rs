//! Pages: what clients ask for, opaque cursors, and what they are told.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parlor_core::store::Page;
use serde_json::{Map, Value, json};

use crate::{
    call::Query,
    fields::Fields,
    problem::{Fault, Problem},
};

/// Items on a page that does not say.
pub const USUAL: u64 = 50;
/// Items on a page at most; more is treated as this.
pub const MOST: u64 = 100;
/// Items that a page may pass over: what the stores can count by far.
const MOST_SKIPPED: u64 = 1 << 48;
/// Longest cursor, in bytes.
const LONGEST: usize = 400;

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seek {
    /// The newest (or first) part.
    Start,
    /// Just older than this cursor or message id.
    Before(String),
    /// Just newer than this.
    After(String),
    /// Page mode: this page, from 1.
    Page(u64),
    /// Page mode by items passed over.
    Skip(u64),
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAsked {
    /// 1 to [`MOST`].
    pub limit: u64,
    /// Where.
    pub seek: Seek,
    /// Where it was asked for, as a refusal names it: `query` or `body`.
    place: &'static str,
}

/// Which old habits of page mode a door keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// None: cursors only.
    Cursors,
    /// `page` + `page_size` (or `limit`).
    Pages,
    /// `skip` + `limit`.
    Skips,
}

impl PageAsked {
    /// What nobody asked for: the beginning of a list.
    pub fn start(limit: u64) -> Self {
        Self { limit, seek: Seek::Start, place: "query" }
    }

    /// The same with smaller pages, where they would be larger.
    #[must_use]
    pub fn at_most(self, items: u64) -> Self {
        Self { limit: self.limit.min(items), ..self }
    }

    /// Reads it from a query.
    ///
    /// # Errors
    /// `validation_failed`.
    pub fn of_query(query: &Query, habit: Habit) -> Result<Self, Problem> {
        read(|name| query.get(name).map(str::to_owned), "query", habit)
    }

    /// Reads it from a payload, where numbers are numbers (texts of digits are taken too).
    ///
    /// # Errors
    /// `validation_failed`.
    pub fn of_fields(fields: &Fields<'_>, habit: Habit) -> Result<Self, Problem> {
        for name in ["before", "after"] {
            if fields.value(name).is_some_and(|value| !value.is_string()) {
                return Err(wrong("body", name, "must be a string"));
            }
        }
        let text = |name: &str| {
            fields.value(name).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        read(text, "body", habit)
    }

    /// How many items lie before this page in page mode.
    pub fn offset(&self) -> Option<u64> {
        match self.seek {
            Seek::Page(page) => Some((page - 1).saturating_mul(self.limit).min(MOST_SKIPPED)),
            Seek::Skip(items) => Some(items),
            _ => None,
        }
    }

    /// The page of a list whose cursors (of this kind) count what came before. Such lists go on with `before` alone.
    ///
    /// # Errors
    /// `bad_cursor`; `validation_failed` for `after`.
    pub fn counted(&self, kind: char) -> Result<Counted<'_>, Problem> {
        let skipped = match &self.seek {
            Seek::Before(cursor) => {
                let text = Cursor::read(kind, cursor).ok_or_else(Problem::bad_cursor)?;
                text.parse().map_err(|_| Problem::bad_cursor())?
            }
            Seek::After(_) => return Err(wrong(self.place, "after", "is not known here: use before")),
            _ => 0,
        };
        Ok(Counted { asked: self, kind, skipped })
    }

    /// The `pagination` of an answer.
    pub fn told(&self, has_more: bool, next_cursor: Option<String>, total: Option<u64>) -> Value {
        let mut told = Map::new();
        told.insert("limit".into(), self.limit.into());
        told.insert("has_more".into(), has_more.into());
        told.insert("next_cursor".into(), next_cursor.filter(|_| has_more).into());
        if let Some(total) = total {
            told.insert("total".into(), total.into());
        }
        if let Some(offset) = self.offset() {
            let page = offset / self.limit + 1;
            let pages = total.unwrap_or_default().div_ceil(self.limit);
            let more = json!({ "page": page, "page_size": self.limit, "total_pages": pages });
            told.extend(more.as_object().cloned().unwrap_or_default());
        }
        Value::Object(told)
    }
}

/// A page of a list that is counted from its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    asked: &'a PageAsked,
    kind: char,
    skipped: u64,
}

impl Counted<'_> {
    /// What to ask the core for.
    pub fn page(&self) -> Page {
        Page { offset: self.skipped, count: self.asked.limit }
    }

    /// The `pagination` where so many are shown, of so many in all.
    pub fn told(&self, shown: usize, total: u64) -> Value {
        let so_far = self.skipped.saturating_add(shown as u64);
        self.asked.told(so_far < total, Some(self.behind(so_far)), Some(total))
    }

    /// The `pagination` where nobody counts them all.
    pub fn told_uncounted(&self, has_more: bool) -> Value {
        let so_far = self.skipped.saturating_add(self.asked.limit);
        self.asked.told(has_more, Some(self.behind(so_far)), None)
    }

    fn behind(&self, so_far: u64) -> String {
        Cursor::make(self.kind, &so_far.to_string())
    }
}

fn wrong(place: &'static str, field: &str, problem: &str) -> Problem {
    Problem::validation(vec![Fault { place, ..Fault::body(field, problem) }])
}

fn read(
    get: impl Fn(&str) -> Option<String>,
    place: &'static str,
    habit: Habit,
) -> Result<PageAsked, Problem> {
    let wrong = |field: &str, problem: &str| wrong(place, field, problem);
    let number = |name: &str, least: u64| match get(name) {
        None => Ok(None),
        Some(text) => match whole(&text) {
            Some(number) if number >= least => Ok(Some(number)),
            _ => Err(wrong(name, &format!("must be an integer, at least {least}"))),
        },
    };
    let mut limit = number("limit", 1)?;
    let (before, after) = (get("before"), get("after"));
    let mut paged = None;
    if habit == Habit::Pages {
        let size = number("page_size", 1)?;
        limit = size.or(limit);
        paged = number("page", 1)?.or(size.map(|_| 1)).map(Seek::Page);
    } else if habit == Habit::Skips {
        paged = number("skip", 0)?.map(Seek::Skip);
    }
    let seek = match (paged, before, after) {
        (Some(seek), None, None) => seek,
        (None, Some(cursor), None) => Seek::Before(cursor),
        (None, None, Some(cursor)) => Seek::After(cursor),
        (None, None, None) => Seek::Start,
        (Some(paged), ..) => {
            let name = if matches!(paged, Seek::Skip(_)) { "skip" } else { "page" };
            return Err(wrong(name, "can't be mixed with cursors"));
        }
        (None, Some(_), Some(_)) => return Err(wrong("before", "can't be mixed with after")),
    };
    Ok(PageAsked { limit: limit.unwrap_or(USUAL).min(MOST), seek, place })
}

/// A whole number; more than [`MOST_SKIPPED`] is as much.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(MOST_SKIPPED).min(MOST_SKIPPED))
}

/// Opaque cursors: a letter for the kind of list, and where in it.
pub struct Cursor;

impl Cursor {
    /// Makes one.
    pub fn make(kind: char, place: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{kind}:{place}"))
    }

    /// Reads one of this kind; `None` for anything else.
    pub fn read(kind: char, cursor: &str) -> Option<String> {
        if cursor.len() > LONGEST {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let place = text.strip_prefix(kind)?.strip_prefix(':')?;
        Some(place.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str, habit: Habit) -> Result<PageAsked, Problem> {
        PageAsked::of_query(&Query::read(query), habit)
    }

    #[test]
    fn limits_are_clamped_above_and_refused_below() {
        assert_eq!(asked("", Habit::Cursors).unwrap().limit, 50);
        assert_eq!(asked("limit=1000", Habit::Cursors).unwrap().limit, 100);
        assert_eq!(asked("limit=99999999999999999999999", Habit::Cursors).unwrap().limit, 100);
        for bad in ["limit=0", "limit=-1", "limit=%2B1", "limit=x", "limit=1.5", "before=a&after=b"] {
            assert_eq!(asked(bad, Habit::Cursors).unwrap_err().code, "validation_failed", "{bad}");
        }
    }

    #[test]
    fn page_mode_knows_its_place_and_is_not_mixed() {
        let page = asked("page=3&page_size=20", Habit::Pages).unwrap();
        assert_eq!((page.offset(), page.limit), (Some(40), 20));
        assert_eq!(asked("page=2&limit=10", Habit::Pages).unwrap().offset(), Some(10));
        let told = page.told(true, None, Some(131));
        assert_eq!((&told["page"], &told["total_pages"]), (&json!(3), &json!(7)));
        for bad in ["page=0", "page=1&before=x", "page_size=0"] {
            assert!(asked(bad, Habit::Pages).is_err(), "{bad}");
        }
        assert_eq!(asked("skip=7", Habit::Skips).unwrap().offset(), Some(7));
        assert_eq!(asked("skip=7", Habit::Cursors).unwrap().seek, Seek::Start);
    }

    #[test]
    fn a_counted_list_goes_on_behind_what_was_shown() {
        let first = asked("limit=2", Habit::Cursors).unwrap();
        let first = first.counted('b').unwrap();
        assert_eq!(first.page(), Page { offset: 0, count: 2 });
        let told = first.told(2, 3);
        assert_eq!((&told["has_more"], &told["total"]), (&json!(true), &json!(3)));
        let next = told["next_cursor"].as_str().unwrap();
        let second = asked(&format!("limit=2&before={next}"), Habit::Cursors).unwrap();
        let second = second.counted('b').unwrap();
        assert_eq!(second.page().offset, 2);
        assert_eq!(second.told(1, 3)["next_cursor"], Value::Null);
        assert!(second.told_uncounted(true)["next_cursor"].is_string());
        assert_eq!(second.told_uncounted(true).get("total"), None);
    }

    #[test]
    fn a_counted_list_knows_its_own_cursors_and_one_direction() {
        let other = Cursor::make('s', "2");
        for bad in [other, Cursor::make('b', "-1"), "x".to_owned()] {
            let asked = asked(&format!("before={bad}"), Habit::Cursors).unwrap();
            assert_eq!(asked.counted('b').unwrap_err().code, "bad_cursor", "{bad}");
        }
        let after = json!({ "after": "x" });
        let fields = Fields::new(after.as_object().unwrap());
        for (asked, place) in [
            (asked("after=x", Habit::Cursors).unwrap(), "query"),
            (PageAsked::of_fields(&fields, Habit::Cursors).unwrap(), "body"),
        ] {
            let refused = asked.counted('b').unwrap_err();
            assert_eq!((refused.code, refused.faults[0].place), ("validation_failed", place));
        }
    }

    #[test]
    fn a_cursor_is_of_one_kind() {
        let cursor = Cursor::make('m', "42");
        assert_eq!(cursor, "bTo0Mg");
        assert_eq!(Cursor::read('m', &cursor).as_deref(), Some("42"));
        assert_eq!(Cursor::read('r', &cursor), None);
        assert_eq!(Cursor::read('m', "nonsense!"), None);
    }
}
