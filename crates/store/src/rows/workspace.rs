//! What belongs to the workspace as a whole: roles, grants, settings, emoji, push tokens, documents.

use parlor_core::{
    clock::Time,
    error::Result,
    event::CustomKind,
    id::{RoleId, RoomId, UserId},
    json::Json,
    role::{Grant, Role, RoleScope},
    setting::Value,
    store::{Custom, Document, Page, Paged, PushToken, ReadWorkspace, WriteWorkspace},
};

use super::users::{joined, split};
use crate::{
    params,
    sql::{Param, Row, SqlError, SqlTx},
};

fn custom_code(kind: CustomKind) -> i64 {
    match kind {
        CustomKind::Emoji => 0,
        CustomKind::Sound => 1,
        CustomKind::Status => 2,
    }
}

/// A setting's value as JSON: structured ones are wrapped, because plain JSON of the other kinds would look alike.
fn value_text(value: &Value) -> String {
    let json = match value {
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => (*n).into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.clone().into(),
        Value::Json(json) => serde_json::json!({ "json": json.as_str() }),
    };
    serde_json::Value::to_string(&json)
}

fn read_value(text: &str) -> Option<Value> {
    use serde_json::Value as J;
    Some(match serde_json::from_str(text).ok()? {
        J::Bool(b) => Value::Bool(b),
        J::Number(n) => Value::Number(n.as_f64()?),
        J::String(text) => Value::Text(text),
        J::Array(items) => Value::List(items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect()),
        J::Object(map) => Value::Json(Json::new(map.get("json")?.as_str()?)),
        J::Null => return None,
    })
}

fn read_document(row: &Row<'_>) -> std::result::Result<Document, SqlError> {
    Ok(Document { id: row.get(0)?, key: row.get(1)?, body: row.get(2)?, updated_at: row.get(3)? })
}

impl ReadWorkspace for SqlTx<'_> {
    fn roles(&mut self) -> Result<Vec<Role>> {
        let sql = "SELECT id, name, description, scope, protected, mandatory_2fa, updated_at FROM roles ORDER BY id";
        Ok(self.query(sql, &[], |row| {
            let scope = if row.get::<bool>(3)? { RoleScope::Room } else { RoleScope::Workspace };
            Ok(Role {
                id: row.get(0)?,
                name: row.get(1)?,
                description: row.get(2)?,
                scope,
                protected: row.get(4)?,
                mandatory_2fa: row.get(5)?,
                updated_at: row.get(6)?,
            })
        })?)
    }
    fn grants(&mut self) -> Result<Vec<Grant>> {
        Ok(self.query(
            "SELECT permission, roles, updated_at FROM grants ORDER BY permission",
            &[],
            |row| Ok(Grant { permission: row.get(0)?, roles: split(row.text(1)?), updated_at: row.get(2)? }),
        )?)
    }
    fn setting_values(&mut self) -> Result<Vec<(String, Value, Time)>> {
        let rows = self.query("SELECT id, value, updated_at FROM settings ORDER BY id", &[], |row| {
            Ok((row.get::<String>(0)?, read_value(row.text(1)?), row.get::<Time>(2)?))
        })?;
        Ok(rows.into_iter().filter_map(|(id, value, at)| Some((id, value?, at))).collect())
    }
    fn customs(&mut self, kind: CustomKind, removed_too: bool) -> Result<Vec<Custom>> {
        let sql = "SELECT id, name, aliases, extension, upload, tag, updated_at, removed FROM customs \
                   WHERE kind = $1 AND removed <= $2 ORDER BY name, id LIMIT 10000";
        Ok(self.query(sql, params![custom_code(kind), removed_too], |row| {
            Ok(Custom {
                kind,
                id: row.get(0)?,
                name: row.get(1)?,
                aliases: row.text(2)?.split_ascii_whitespace().map(str::to_owned).collect(),
                extension: row.get(3)?,
                upload: row.get(4)?,
                tag: row.get(5)?,
                updated_at: row.get(6)?,
                removed: row.get(7)?,
            })
        })?)
    }
    fn push_tokens(&mut self, user: &UserId) -> Result<Vec<PushToken>> {
        super::devices::of_user(self, user)
    }
    fn push_token(&mut self, id: &str) -> Result<Option<PushToken>> {
        super::devices::by_id(self, id)
    }
    fn any_push_token(&mut self) -> Result<bool> {
        Ok(self.opt("SELECT 1 FROM push_tokens LIMIT 1", &[], |row| row.get::<i64>(0))?.is_some())
    }
    fn any_keyword(&mut self) -> Result<bool> {
        Ok(self.opt("SELECT 1 FROM highlights LIMIT 1", &[], |row| row.get::<i64>(0))?.is_some())
    }
    fn keen_members(&mut self, room: &RoomId, words: &[String], limit: u64) -> Result<Vec<UserId>> {
        super::devices::keen(self, room, words, limit)
    }
    fn document(&mut self, collection: &'static str, id: &str) -> Result<Option<Document>> {
        let sql =
            "SELECT id, look_up, body, updated_at FROM documents WHERE collection = $1 AND id = $2 {lock}";
        Ok(self.opt(sql, params![*collection, *id], read_document)?)
    }
    fn documents(
        &mut self,
        collection: &'static str,
        key: Option<&str>,
        page: Page,
    ) -> Result<Paged<Document>> {
        // Two statements, each with an index of its own: with one for both, every list would go through all documents.
        let (mine, mut given) = match &key {
            None => ("FROM documents WHERE collection = $1", vec![Param::Text(collection)]),
            Some(key) => {
                let mine = "FROM documents WHERE collection = $1 AND look_up = $2";
                (mine, vec![Param::Text(collection), Param::Text(key)])
            }
        };
        let total = self.one(&format!("SELECT COUNT(*) {mine}"), &given, |row| row.get(0))?;
        let n = given.len();
        let sql = format!(
            "SELECT id, look_up, body, updated_at {mine} ORDER BY id LIMIT ${} OFFSET ${}",
            n + 1,
            n + 2
        );
        given.extend(params![page.count, page.offset]);
        let items = self.query(&sql, &given, read_document)?;
        Ok(Paged { items, total })
    }
}

impl SqlTx<'_> {
    /// The time of a change that follows one at this time.
    fn after(&self, before: Option<Time>) -> Time {
        before.map_or(self.time(), |before| self.time().max(Time(before.millis() + 1)))
    }
}

impl WriteWorkspace for SqlTx<'_> {
    fn prune_journal(&mut self, before: Time) -> Result<bool> {
        Ok(super::journal::prune(self, before)?)
    }
    fn put_role(&mut self, role: &Role) -> Result<Time> {
        Ok(self.one(
            "INSERT INTO roles AS t (id, name, description, scope, protected, mandatory_2fa, updated_at) \
             VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             description = excluded.description, scope = excluded.scope, protected = excluded.protected, \
             mandatory_2fa = excluded.mandatory_2fa, updated_at = CASE WHEN excluded.updated_at > t.updated_at \
             THEN excluded.updated_at ELSE t.updated_at + 1 END RETURNING updated_at",
            params![
                role.id,
                role.name,
                role.description,
                role.scope == RoleScope::Room,
                role.protected,
                role.mandatory_2fa,
                role.updated_at
            ],
            |row| row.get(0),
        )?)
    }
    fn remove_role(&mut self, id: &RoleId) -> Result<Time> {
        let sql = "DELETE FROM roles WHERE id = $1 RETURNING updated_at";
        let before = self.opt(sql, params![id], |row| row.get(0))?;
        Ok(self.after(before))
    }
    fn put_grant(&mut self, grant: &Grant) -> Result<Time> {
        Ok(self.one(
            "INSERT INTO grants AS t (permission, roles, updated_at) VALUES ($1,$2,$3) \
             ON CONFLICT (permission) DO UPDATE SET roles = excluded.roles, updated_at = CASE \
             WHEN excluded.updated_at > t.updated_at THEN excluded.updated_at ELSE t.updated_at + 1 END \
             RETURNING updated_at",
            params![grant.permission, joined(&grant.roles), grant.updated_at],
            |row| row.get(0),
        )?)
    }
    fn put_setting(&mut self, id: &str, value: Option<&Value>) -> Result<Time> {
        let Some(value) = value else {
            let sql = "DELETE FROM settings WHERE id = $1 RETURNING updated_at";
            let before = self.opt(sql, params![*id], |row| row.get(0))?;
            return Ok(self.after(before));
        };
        Ok(self.one(
            "INSERT INTO settings AS t (id, value, updated_at) VALUES ($1,$2,$3) ON CONFLICT (id) DO UPDATE \
             SET value = excluded.value, updated_at = CASE WHEN excluded.updated_at > t.updated_at \
             THEN excluded.updated_at ELSE t.updated_at + 1 END RETURNING updated_at",
            params![*id, value_text(value), self.time()],
            |row| row.get(0),
        )?)
    }
    fn put_custom(&mut self, custom: &Custom) -> Result<()> {
        self.exec(
            "INSERT INTO customs (id, kind, name, aliases, extension, upload, tag, updated_at, removed) \
             VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, \
             aliases = excluded.aliases, extension = excluded.extension, upload = excluded.upload, \
             tag = excluded.tag, updated_at = excluded.updated_at, removed = excluded.removed",
            params![
                custom.id,
                custom_code(custom.kind),
                custom.name,
                custom.aliases.join(" "),
                custom.extension,
                custom.upload,
                custom.tag,
                custom.updated_at,
                custom.removed
            ],
        )?;
        Ok(())
    }
    fn put_push_token(&mut self, token: &PushToken) -> Result<()> {
        super::devices::put(self, token)
    }
    fn remove_push_token(&mut self, user: &UserId, value: &str) -> Result<bool> {
        super::devices::remove(self, user, value)
    }
    fn put_push_shown(&mut self, device: &str, room: &str) -> Result<()> {
        let sql = "INSERT INTO pushes_shown (device, room) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.exec(sql, params![*device, *room])?;
        Ok(())
    }
    fn take_pushes_shown(&mut self, room: &RoomId, user: &UserId) -> Result<Vec<String>> {
        super::devices::take_shown(self, room, user)
    }
    fn put_highlights(&mut self, user: &UserId, phrases: &[(String, String)]) -> Result<()> {
        super::devices::put_highlights(self, user, phrases)
    }
    fn put_document(&mut self, collection: &'static str, document: &Document) -> Result<()> {
        self.exec(
            "INSERT INTO documents (collection, id, look_up, body, updated_at) VALUES ($1,$2,$3,$4,$5) \
             ON CONFLICT (collection, id) DO UPDATE SET look_up = excluded.look_up, body = excluded.body, \
             updated_at = excluded.updated_at",
            params![*collection, document.id, document.key, document.body, document.updated_at],
        )?;
        Ok(())
    }
    fn remove_document(&mut self, collection: &'static str, id: &str) -> Result<bool> {
        Ok(self.exec("DELETE FROM documents WHERE collection = $1 AND id = $2", params![*collection, *id])?
            > 0)
    }
}
