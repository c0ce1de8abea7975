//! The accounts' port: users (see `users.rs`) and sessions.

use parlor_core::{
    clock::Time,
    error::Result,
    id::{SessionId, UserId},
    session::{Session, SessionKind},
    store::{Page, Paged, ReadAccounts, Secrets, UserFilter, WriteAccounts},
    user::User,
};

use super::users;
use crate::{
    params,
    sql::{Row, SqlError, SqlTx},
};

const SESSION: &str = "SELECT s.id, u.id, s.token_hash, s.kind, s.name, s.last_six, s.bypass, s.created_at, s.expires_at, \
     s.user_agent, s.address, COALESCE(s.used_at, s.created_at) FROM sessions s JOIN users u ON u.key = s.whom";

fn read_session(row: &Row<'_>) -> std::result::Result<Session, SqlError> {
    let kind = match row.get::<i64>(3)? {
        0 => SessionKind::Login,
        2 => SessionKind::Application { app: row.get::<Option<String>>(5)?.unwrap_or_default() },
        3 => SessionKind::Ended,
        _ => SessionKind::PersonalToken {
            name: row.get::<Option<String>>(4)?.unwrap_or_default(),
            last_six: row.get::<Option<String>>(5)?.unwrap_or_default(),
            bypass: row.get(6)?,
        },
    };
    Ok(Session {
        id: row.get(0)?,
        user: row.get(1)?,
        token_hash: row.get(2)?,
        kind,
        created_at: row.get(7)?,
        expires_at: row.get(8)?,
        user_agent: row.get(9)?,
        address: row.get(10)?,
        used_at: row.get(11)?,
    })
}

impl ReadAccounts for SqlTx<'_> {
    fn user(&mut self, id: &UserId) -> Result<Option<User>> {
        users::by_id(self, id)
    }
    fn user_by_username(&mut self, username: &str) -> Result<Option<User>> {
        users::by_username(self, username)
    }
    fn user_by_email(&mut self, email: &str) -> Result<Option<User>> {
        users::by_email(self, email)
    }
    fn users(&mut self, filter: &UserFilter, page: Page) -> Result<Paged<User>> {
        users::list(self, filter, page)
    }
    fn count_users(&mut self, filter: &UserFilter) -> Result<u64> {
        users::count(self, filter)
    }
    fn secrets(&mut self, id: &UserId) -> Result<Secrets> {
        users::secrets(self, id)
    }
    fn session_by_token(&mut self, hash: &[u8; 32]) -> Result<Option<Session>> {
        Ok(self.opt(&format!("{SESSION} WHERE s.token_hash = $1"), params![hash[..]], read_session)?)
    }
    fn log_in(&mut self, id: &SessionId) -> Result<Option<Session>> {
        Ok(self.opt(&format!("{SESSION} WHERE s.id = $1 AND s.kind = 0"), params![id], read_session)?)
    }
    fn log_ins(&mut self, page: Page) -> Result<Paged<Session>> {
        let total = self.one("SELECT COUNT(*) FROM sessions WHERE kind = 0", &[], |row| row.get(0))?;
        let sql =
            format!("{SESSION} WHERE s.kind = 0 ORDER BY s.created_at DESC, s.id DESC LIMIT $1 OFFSET $2");
        Ok(Paged { items: self.query(&sql, params![page.count, page.offset], read_session)?, total })
    }
    fn sessions(&mut self, user: &UserId) -> Result<Vec<Session>> {
        let sql = format!("{SESSION} WHERE u.id = $1 ORDER BY s.created_at, s.id LIMIT 1000");
        Ok(self.query(&sql, params![user], read_session)?)
    }
}

impl WriteAccounts for SqlTx<'_> {
    fn insert_user(&mut self, user: &User) -> Result<()> {
        users::insert(self, user)?;
        self.put_vendor(user)
    }
    fn update_user(&mut self, user: &User) -> Result<()> {
        users::update(self, user)?;
        self.put_vendor(user)
    }
    fn rename_user(&mut self, old: &UserId, new: &UserId) -> Result<()> {
        super::users_rename::rename(self, old, new)
    }
    fn remove_user(&mut self, id: &UserId) -> Result<()> {
        users::remove(self, id)
    }
    fn put_secrets(&mut self, id: &UserId, secrets: &Secrets) -> Result<()> {
        users::put_secrets(self, &[(id, secrets)])
    }
    fn insert_session(&mut self, session: &Session) -> Result<()> {
        let (kind, name, last_six, bypass) = match &session.kind {
            SessionKind::Login => (0, None, None, false),
            // Names are unique for a user, and one may grant the same application access twice.
            SessionKind::Application { app } => (2, None, Some(app), false),
            SessionKind::PersonalToken { name, last_six, bypass } => (1, Some(name), Some(last_six), *bypass),
            SessionKind::Ended => (3, None, None, false),
        };
        self.exec(
            "INSERT INTO sessions (id, whom, token_hash, kind, name, last_six, bypass, created_at, expires_at, \
             user_agent, address) SELECT $1, key, $3, CAST($4 AS BIGINT), $5, $6, CAST($7 AS BIGINT), \
             CAST($8 AS BIGINT), CAST($9 AS BIGINT), $10, $11 FROM users WHERE id = $2",
            params![
                session.id,
                session.user,
                session.token_hash[..],
                kind,
                name,
                last_six,
                bypass,
                session.created_at,
                session.expires_at,
                session.user_agent,
                session.address
            ],
        )?;
        Ok(())
    }
    fn put_session_use(&mut self, id: &SessionId, at: Time) -> Result<()> {
        self.exec(
            "UPDATE sessions SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)",
            params![id, at],
        )?;
        Ok(())
    }
    fn remove_session(&mut self, id: &SessionId) -> Result<bool> {
        Ok(self.exec("DELETE FROM sessions WHERE id = $1", params![id])? > 0)
    }
    fn remove_sessions(&mut self, user: &UserId, keep: Option<&SessionId>, personal: bool) -> Result<u64> {
        let kinds = if personal { "" } else { " AND kind <> 1" };
        let sql = format!(
            "DELETE FROM sessions WHERE whom = (SELECT key FROM users WHERE id = $1) AND id <> $2{kinds}"
        );
        let none = SessionId::new("");
        Ok(self.exec(&sql, params![user, keep.unwrap_or(&none)])?)
    }
    fn remove_expired_sessions(&mut self, before: Time) -> Result<u64> {
        Ok(self.exec(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 LIMIT 1000)",
            params![before],
        )?)
    }
}
