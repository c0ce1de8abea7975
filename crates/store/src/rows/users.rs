//! Users and their secrets.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{RoleId, UserId},
    store::{Page, Paged, PeopleFilter, Secrets, UserFilter, UserSort},
    user::{Email, Status, User, UserKind},
};
use serde::{Deserialize, Serialize};

use super::users_host;
use crate::{
    params,
    sql::{AsParam, Param, Row, SqlError, SqlTx},
};

const COLUMNS: &str = "u.id, u.username, u.name, u.kind, u.emails, u.active, u.roles, u.status_default, u.status_text, u.bio, \
     u.nickname, u.avatar, u.language, u.utc_offset, u.custom_fields, u.preferences, u.require_password_change, \
     u.has_password, u.created_at, u.updated_at, u.last_login, u.access, u.host";

#[derive(Serialize, Deserialize)]
struct StoredEmail {
    address: String,
    verified: bool,
}

const NEW_EMAIL: &str = "INSERT INTO user_emails (address_key, whom) SELECT $1, key FROM users WHERE id = $2 ON CONFLICT DO NOTHING";
/// How many values a list in a filter may have.
const MOST: usize = 1000;

pub(crate) fn joined(items: &[RoleId]) -> String {
    items.iter().map(RoleId::as_str).collect::<Vec<_>>().join(" ")
}

pub(crate) fn split(text: &str) -> Vec<RoleId> {
    text.split_ascii_whitespace().map(RoleId::from).collect()
}

fn status_code(status: Status) -> i64 {
    match status {
        Status::Offline => 0,
        Status::Online => 1,
        Status::Away => 2,
        Status::Busy => 3,
    }
}

fn status_from(code: i64) -> Status {
    match code {
        1 => Status::Online,
        2 => Status::Away,
        3 => Status::Busy,
        _ => Status::Offline,
    }
}

fn read(row: &Row<'_>) -> std::result::Result<User, SqlError> {
    let emails: Vec<StoredEmail> = serde_json::from_str(row.text(4)?).unwrap_or_default();
    let kind = match row.get::<i64>(3)? {
        1 => UserKind::Bot,
        2 => UserKind::App,
        _ => UserKind::Person,
    };
    Ok(User {
        id: row.get(0)?,
        username: row.get(1)?,
        name: row.get(2)?,
        kind,
        emails: emails.into_iter().map(|e| Email { address: e.address, verified: e.verified }).collect(),
        active: row.get(5)?,
        roles: split(row.text(6)?),
        status_default: status_from(row.get(7)?),
        status_text: row.get(8)?,
        bio: row.get(9)?,
        nickname: row.get(10)?,
        avatar: row.get(11)?,
        language: row.get(12)?,
        utc_offset: row.get(13)?,
        custom_fields: row.get(14)?,
        preferences: row.get(15)?,
        require_password_change: row.get(16)?,
        has_password: row.get(17)?,
        created_at: row.get(18)?,
        updated_at: row.get(19)?,
        last_login: row.get(20)?,
        access: row.get(21)?,
        host: users_host::decode(if row.is_null(22)? { None } else { Some(row.text(22)?) }),
    })
}

fn emails_text(user: &User) -> String {
    let emails: Vec<_> = user
        .emails
        .iter()
        .map(|e| StoredEmail { address: e.address.clone(), verified: e.verified })
        .collect();
    serde_json::to_string(&emails).unwrap_or_else(|_| "[]".into())
}

fn kind_code(kind: UserKind) -> i64 {
    match kind {
        UserKind::Person => 0,
        UserKind::Bot => 1,
        UserKind::App => 2,
    }
}

pub(super) fn by_id(tx: &mut SqlTx<'_>, id: &UserId) -> Result<Option<User>> {
    Ok(by_ids(tx, &[id])?.pop().flatten())
}

/// Users by their ids, or by aliases of them.
pub(super) fn by_ids(
    tx: &mut SqlTx<'_>,
    ids: &[&UserId],
) -> std::result::Result<Vec<Option<User>>, SqlError> {
    let rows: Vec<[Param<'_>; 1]> = ids.iter().map(|id| [id.as_param()]).collect();
    let mut all =
        tx.opt_all(&format!("SELECT {COLUMNS} FROM users u WHERE u.id = $1 {{lock}}"), &rows, read)?;
    let missing: Vec<usize> = (0..ids.len()).filter(|place| all[*place].is_none()).collect();
    let rows: Vec<[Param<'_>; 1]> = missing.iter().map(|place| rows[*place]).collect();
    let by_alias = "FROM users u JOIN user_aliases a ON a.whom = u.key WHERE a.id = $1";
    let found = tx.opt_all(&format!("SELECT {COLUMNS} {by_alias}"), &rows, read)?;
    for (place, user) in missing.into_iter().zip(found) {
        all[place] = user;
    }
    Ok(all)
}

pub(super) fn by_username(tx: &mut SqlTx<'_>, username: &str) -> Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.username_key = $1");
    Ok(tx.opt(&sql, params![username.to_lowercase()], read)?)
}

pub(super) fn by_email(tx: &mut SqlTx<'_>, email: &str) -> Result<Option<User>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM users u JOIN user_emails e ON e.whom = u.key WHERE e.address_key = $1"
    );
    Ok(tx.opt(&sql, params![email.to_lowercase()], read)?)
}

/// Active people by user name, from a name on.
pub(super) fn people(tx: &mut SqlTx<'_>, filter: &PeopleFilter) -> Result<Vec<User>> {
    let like = format!("{}%", escaped(&filter.prefix));
    let after = filter.after.as_deref().unwrap_or_default().to_lowercase();
    let sql = format!(
        "SELECT {COLUMNS} FROM users u WHERE u.active = 1 AND u.kind = 0 AND u.username_key > $1
            AND (u.username_key LIKE $2 ESCAPE '!' OR u.name_key LIKE $2 ESCAPE '!') ORDER BY u.username_key LIMIT $3"
    );
    Ok(tx.query(&sql, params![after.replace('\0', ""), like, filter.limit], read)?)
}

/// A text that a pattern with `ESCAPE '!'` finds literally, letter case aside.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.replace('\0', "\u{fffd}").to_lowercase().chars() {
        if "%_!".contains(c) {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern
}

/// The WHERE of a filter and its values; values are owned, so that they live as long as the statement.
struct Condition {
    sql: String,
    values: Vec<Owned>,
}

enum Owned {
    Text(String),
    Int(i64),
}

impl Condition {
    fn value(&mut self, value: Owned) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
    fn and(&mut self, sql: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
    }
    fn among(&mut self, column: &str, not: bool, values: impl Iterator<Item = String>) {
        let places: Vec<String> = values.take(MOST).map(|v| self.value(Owned::Text(v))).collect();
        let word = if not { "NOT IN" } else { "IN" };
        match places.is_empty() {
            true if not => {}
            true => self.and("1 = 0"),
            false => self.and(&format!("{column} {word} ({})", places.join(", "))),
        }
    }
    fn params(&self) -> Vec<Param<'_>> {
        let param = |value| match value {
            &Owned::Int(number) => Param::Int(number),
            Owned::Text(text) => Param::Text(text.as_str()),
        };
        self.values.iter().map(param).collect()
    }
}

/// A pattern for LIKE in which the text's own `%`, `_` and `!` are literal (ESCAPE '!').
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars().take(200) {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn condition(filter: &UserFilter) -> Condition {
    let mut all = Condition { sql: "1 = 1".into(), values: Vec::new() };
    if !filter.text.is_empty() {
        let like = all.value(Owned::Text(containing(&filter.text)));
        let mut any = format!("(u.username_key LIKE {like} ESCAPE '!' OR u.name_key LIKE {like} ESCAPE '!'");
        if filter.search_email {
            any.push_str(&format!(" OR LOWER(u.emails) LIKE {like} ESCAPE '!'"));
        }
        any.push(')');
        all.and(&any);
    }
    if let Some(active) = filter.active {
        let active = all.value(Owned::Int(active.into()));
        all.and(&format!("u.active = {active}"));
    }
    if !filter.roles.is_empty() {
        let roles: Vec<String> =
            filter.roles.iter().take(MOST).map(|r| containing(&format!(" {r} "))).collect();
        let any: Vec<String> = roles
            .into_iter()
            .map(|role| format!("(' ' || u.roles || ' ') LIKE {} ESCAPE '!'", all.value(Owned::Text(role))))
            .collect();
        all.and(&format!("({})", any.join(" OR ")));
    }
    match filter.has_logged_in {
        Some(true) => all.and("u.last_login IS NOT NULL"),
        Some(false) => all.and("u.last_login IS NULL"),
        None => {}
    }
    if let Some(ids) = &filter.ids {
        all.among("u.id", false, ids.iter().map(|id| id.as_str().to_owned()));
    }
    if let Some(kind) = filter.kind {
        let kind = all.value(Owned::Int(kind_code(kind)));
        all.and(&format!("u.kind = {kind}"));
    }
    if let Some(other) = &filter.meets {
        let other = all.value(Owned::Text(other.as_str().to_owned()));
        let theirs = format!("(SELECT key FROM users WHERE id = {other})");
        all.and(&format!(
            "(u.key = {theirs} OR EXISTS (SELECT 1 FROM memberships a JOIN memberships b ON b.room = a.room \
             WHERE a.whom = {theirs} AND b.whom = u.key))"
        ));
    }
    if let Some(Time(since)) = filter.changed_after {
        let since = all.value(Owned::Int(since));
        all.and(&format!("u.updated_at > {since}"));
    }
    all.among("u.username_key", true, filter.except.iter().map(|name| name.to_lowercase()));
    all
}

pub(super) fn count(tx: &mut SqlTx<'_>, filter: &UserFilter) -> Result<u64> {
    let all = condition(filter);
    let sql = format!("SELECT COUNT(*) FROM users u WHERE {}", all.sql);
    Ok(tx.one(&sql, &all.params(), |row| row.get(0))?)
}

pub(super) fn list(tx: &mut SqlTx<'_>, filter: &UserFilter, page: Page) -> Result<Paged<User>> {
    let total = count(tx, filter)?;
    let mut all = condition(filter);
    let order = match filter.sort {
        UserSort::Username => "u.username_key",
        UserSort::Name => "u.name_key",
        UserSort::CreatedAt => "u.created_at",
        UserSort::LastLogin => "COALESCE(u.last_login, 0)",
    };
    let way = if filter.descending { "DESC" } else { "ASC" };
    let count = all.value(Owned::Int(i64::try_from(page.count).unwrap_or(i64::MAX)));
    let offset = all.value(Owned::Int(i64::try_from(page.offset).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT {COLUMNS} FROM users u WHERE {} ORDER BY {order} {way}, u.key {way} LIMIT {count} OFFSET {offset}",
        all.sql
    );
    Ok(Paged { items: tx.query(&sql, &all.params(), read)?, total })
}

pub(super) fn insert(tx: &mut SqlTx<'_>, user: &User) -> Result<()> {
    insert_all(tx, &[user])
}

/// A user's row, with what is derived for it.
struct Stored<'a> {
    user: &'a User,
    username_key: String,
    name_key: String,
    kind: i64,
    emails: String,
    roles: String,
    status: i64,
    host: Option<String>,
}

impl<'a> Stored<'a> {
    fn of(user: &'a User) -> Self {
        Self {
            user,
            username_key: user.username.to_lowercase(),
            name_key: user.name.to_lowercase(),
            kind: kind_code(user.kind),
            emails: emails_text(user),
            roles: joined(&user.roles),
            status: status_code(user.status_default),
            host: users_host::encode(&user.host),
        }
    }

    fn params(&self) -> [Param<'_>; 25] {
        *params![
            self.user.id,
            self.user.username,
            self.username_key,
            self.user.name,
            self.name_key,
            self.kind,
            self.emails,
            self.user.active,
            self.roles,
            self.status,
            self.user.status_text,
            self.user.bio,
            self.user.nickname,
            self.user.avatar,
            self.user.language,
            self.user.utc_offset,
            self.user.custom_fields,
            self.user.preferences,
            self.user.require_password_change,
            self.user.has_password,
            self.user.created_at,
            self.user.updated_at,
            self.user.last_login,
            self.user.access,
            self.host
        ]
    }
}

/// Stores new users, together.
pub(super) fn insert_all(tx: &mut SqlTx<'_>, users: &[&User]) -> Result<()> {
    let sql = "INSERT INTO users (id, username, username_key, name, name_key, kind, emails, active, roles, \
         status_default, status_text, bio, nickname, avatar, language, utc_offset, custom_fields, preferences, \
         require_password_change, has_password, created_at, updated_at, last_login, access, host) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25) \
         ON CONFLICT DO NOTHING";
    let stored: Vec<Stored<'_>> = users.iter().map(|user| Stored::of(user)).collect();
    let rows: Vec<_> = stored.iter().map(Stored::params).collect();
    let written = tx.exec_all(sql, &rows)?;
    if let Some((user, _)) = users.iter().zip(written).find(|(_, rows)| *rows == 0) {
        return Err(Refusal::Taken { what: What::Username, value: user.username.clone() });
    }
    let emails = users.iter().flat_map(|user| user.emails.iter().map(|email| (*user, email)));
    let emails: Vec<_> = emails.map(|(user, email)| (email.address.to_lowercase(), user)).collect();
    let rows: Vec<_> =
        emails.iter().map(|(address, user)| [address.as_param(), user.id.as_param()]).collect();
    let written = tx.exec_all(NEW_EMAIL, &rows)?;
    match emails.iter().zip(written).find(|(_, rows)| *rows == 0) {
        Some(((address, _), _)) => Err(Refusal::Taken { what: What::Email, value: address.clone() }),
        None => Ok(()),
    }
}

pub(super) fn update(tx: &mut SqlTx<'_>, user: &User) -> Result<()> {
    let other: Option<UserId> = tx.opt(
        "SELECT id FROM users WHERE username_key = $1 AND id <> $2",
        params![user.username.to_lowercase(), user.id],
        |row| row.get(0),
    )?;
    if other.is_some() {
        return Err(Refusal::Taken { what: What::Username, value: user.username.clone() });
    }
    tx.exec(
        "UPDATE users SET username = $2, username_key = $3, name = $4, name_key = $5, kind = $6, emails = $7, \
         active = $8, roles = $9, status_default = $10, status_text = $11, bio = $12, nickname = $13, avatar = $14, \
         language = $15, utc_offset = $16, custom_fields = $17, preferences = $18, require_password_change = $19, \
         has_password = $20, updated_at = $21, last_login = $22, access = $23, host = $24 WHERE id = $1",
        params![
            user.id,
            user.username,
            user.username.to_lowercase(),
            user.name,
            user.name.to_lowercase(),
            kind_code(user.kind),
            emails_text(user),
            user.active,
            joined(&user.roles),
            status_code(user.status_default),
            user.status_text,
            user.bio,
            user.nickname,
            user.avatar,
            user.language,
            user.utc_offset,
            user.custom_fields,
            user.preferences,
            user.require_password_change,
            user.has_password,
            user.updated_at,
            user.last_login,
            user.access,
            users_host::encode(&user.host)
        ],
    )?;
    put_emails(tx, user)
}

/// Keeps the addresses apart in step with the user's; a taken one is `Taken`.
fn put_emails(tx: &mut SqlTx<'_>, user: &User) -> Result<()> {
    let stored: Vec<String> = tx.query(
        "SELECT address_key FROM user_emails WHERE whom = (SELECT key FROM users WHERE id = $1)",
        params![user.id],
        |row| row.get(0),
    )?;
    let wanted: Vec<String> = user.emails.iter().map(|e| e.address.to_lowercase()).collect();
    for address in stored.iter().filter(|a| !wanted.contains(a)) {
        tx.exec("DELETE FROM user_emails WHERE address_key = $1", params![address])?;
    }
    for address in wanted.iter().filter(|a| !stored.contains(a)) {
        let written = tx.exec(NEW_EMAIL, params![address, user.id])?;
        if written == 0 {
            return Err(Refusal::Taken { what: What::Email, value: address.clone() });
        }
    }
    Ok(())
}

pub(super) fn remove(tx: &mut SqlTx<'_>, id: &UserId) -> Result<()> {
    for table in ["user_emails", "user_aliases", "secrets", "sessions", "push_tokens", "highlights"] {
        tx.exec(
            &format!("DELETE FROM {table} WHERE whom = (SELECT key FROM users WHERE id = $1)"),
            params![id],
        )?;
    }
    tx.exec("DELETE FROM users WHERE id = $1", params![id])?;
    Ok(())
}

pub(super) fn secrets(tx: &mut SqlTx<'_>, id: &UserId) -> Result<Secrets> {
    let found = tx.opt(
        "SELECT password, totp, totp_pending, totp_step, recovery, email_codes FROM secrets \
         WHERE whom = (SELECT key FROM users WHERE id = $1) {lock}",
        params![id],
        |row| {
            let recovery: Vec<[u8; 32]> = serde_json::from_str(row.text(4)?).unwrap_or_default();
            Ok(Secrets {
                password: row.get(0)?,
                totp: row.get(1)?,
                totp_pending: row.get(2)?,
                totp_step: row.get(3)?,
                recovery,
                email_codes: row.get(5)?,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

pub(super) fn put_secrets(tx: &mut SqlTx<'_>, all: &[(&UserId, &Secrets)]) -> Result<()> {
    let sql = "INSERT INTO secrets (whom, password, totp, totp_pending, totp_step, recovery, email_codes) \
         SELECT key, $2, $3, $4, CAST($5 AS BIGINT), $6, CAST($7 AS BIGINT) FROM users WHERE id = $1 \
         ON CONFLICT (whom) DO UPDATE SET password = excluded.password, totp = excluded.totp, \
         totp_pending = excluded.totp_pending, totp_step = excluded.totp_step, recovery = excluded.recovery, \
         email_codes = excluded.email_codes";
    let recovery =
        |secrets: &Secrets| serde_json::to_string(&secrets.recovery).unwrap_or_else(|_| "[]".into());
    let all: Vec<_> = all.iter().map(|(id, secrets)| (*id, *secrets, recovery(secrets))).collect();
    let rows: Vec<[Param<'_>; 7]> = all
        .iter()
        .map(|(id, secrets, recovery)| {
            [
                id.as_param(),
                secrets.password.as_param(),
                secrets.totp.as_param(),
                secrets.totp_pending.as_param(),
                secrets.totp_step.as_param(),
                recovery.as_param(),
                secrets.email_codes.as_param(),
            ]
        })
        .collect();
    tx.exec_all(sql, &rows)?;
    Ok(())
}
