//! All users, to start direct messages and groups with.

use parlor_core::{store::PeopleFilter, user::Status};
use parlor_host::{
    call::{Answer, Call, answer},
    page::{Cursor, Habit, PageAsked, Seek},
    problem::Problem,
};
use serde_json::{Value, json};

use crate::shape;

/// The letter of cursors in the list of users.
const IN_USERS: char = 'u';

/// `GET /api/users`.
pub(crate) async fn list(call: Call) -> Answer {
    let with_email = call.caller()?.may_push();
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let after = match &asked.seek {
        Seek::After(cursor) => Some(Cursor::read(IN_USERS, cursor).ok_or_else(Problem::bad_cursor)?),
        Seek::Before(_) => return Err(Problem::invalid_query("before", "is not known here: use after")),
        _ => None,
    };
    let prefix = call.query.get("q").unwrap_or_default().to_owned();
    let filter = PeopleFilter { prefix, after, limit: asked.limit + 1 };
    let chat = call.host.chat();
    let mut found = chat.people(filter).await?;
    let more = found.len() as u64 > asked.limit;
    found.truncate(usize::try_from(asked.limit).unwrap_or(usize::MAX));
    let next = found.last().map(|user| Cursor::make(IN_USERS, &user.username));
    let users: Vec<Value> = found
        .iter()
        .map(|user| shape::user(user, chat.status_of(&user.id) != Status::Offline, with_email))
        .collect();
    answer(200, &json!({ "success": true, "users": users, "pagination": asked.told(more, next, None) }))
}
