//! Roles, permissions, settings and integrations.

use anyhow::Result;
use parlor_core::{
    bootstrap::ROCKET_CAT,
    id::{RoleId, UserId},
    integration::{Backoff, Calls, Direction, Integration, Trigger},
    moving::Moved,
    role::{Role, RoleScope},
    setting::Value as Chosen,
};
use serde_json::Value;

use super::{
    Importer,
    kind::{INTEGRATIONS, PERMISSIONS, ROLES, SETTINGS},
};
use crate::doc::{Doc, carried};

/// Settings that speak of the other server's own machinery, by how their ids begin.
const NOT_OURS: [&str; 16] = [
    "Cloud_",
    "Enterprise_",
    "Register_Server",
    "FileUpload_Storage_Type",
    "FileUpload_S3",
    "FileUpload_GoogleStorage",
    "FileUpload_Webdav",
    "FileUpload_FileSystem",
    "Oplog",
    "MongoDB",
    "Log_",
    "Update_",
    "Organization_",
    "Push_gateway",
    "Push_enable_gateway",
    "Apps_",
];

impl Importer<'_> {
    /// Takes in a role.
    pub(crate) async fn role(&mut self, doc: Doc) -> Result<()> {
        self.tally.read(ROLES);
        let moved = match RoleId::parse(&doc.id()) {
            None => Moved::Left("its id can't be one here".to_owned()),
            Some(id) => {
                let in_room = doc.words("scope") == "Subscriptions";
                let role = Role {
                    name: doc.text("name").unwrap_or_else(|| id.to_string()),
                    id,
                    description: doc.words("description"),
                    scope: if in_room { RoleScope::Room } else { RoleScope::Workspace },
                    protected: false,
                    mandatory_2fa: doc.is("mandatory2fa"),
                    updated_at: doc.time("_updatedAt").unwrap_or_default(),
                };
                self.chat.move_role(&self.actor, role, self.dry).await?
            }
        };
        self.tally.done(ROLES, &doc.id(), &moved);
        Ok(())
    }

    /// Takes in who holds a permission.
    pub(crate) async fn permission(&mut self, doc: Doc) -> Result<()> {
        self.tally.read(PERMISSIONS);
        let holders = doc.texts("roles").iter().filter_map(|role| RoleId::parse(role)).collect();
        let moved = self.chat.move_grant(&self.actor, &doc.id(), holders, self.dry).await?;
        self.tally.done(PERMISSIONS, &doc.id(), &moved);
        Ok(())
    }

    /// Takes in a setting that somebody changed there and that exists here.
    pub(crate) async fn setting(&mut self, doc: Doc) -> Result<()> {
        self.tally.read(SETTINGS);
        let id = doc.id();
        let moved = match self.chosen(&doc) {
            Ok(value) => self.chat.move_setting(&self.actor, &id, value, self.dry).await?,
            Err(reason) => Moved::Left(reason.to_owned()),
        };
        self.tally.done(SETTINGS, &id, &moved);
        Ok(())
    }

    fn chosen(&self, doc: &Doc) -> Result<Chosen, &'static str> {
        let id = doc.id();
        if NOT_OURS.iter().any(|start| id.starts_with(start)) {
            return Err("it is about the other server's own machinery");
        }
        if self.chat.settings().get(&id).is_none() {
            return Err("no such setting here");
        }
        let value = doc.at("value").ok_or("it has no value")?;
        if doc.at("packageValue") == Some(value) {
            return Err("nobody changed it there");
        }
        match value {
            Value::Bool(on) => Ok(Chosen::Bool(*on)),
            Value::Number(number) => Ok(Chosen::Number(number.as_f64().unwrap_or_default())),
            Value::String(text) if !text.contains('\0') => Ok(Chosen::Text(text.clone())),
            Value::Array(_) => Ok(Chosen::List(doc.texts("value"))),
            Value::Object(_) => carried(value).map(Chosen::Json).ok_or("its value is too large"),
            _ => Err("its value can't be one here"),
        }
    }

    /// Takes in an integration.
    pub(crate) async fn integration(&mut self, doc: Doc) -> Result<()> {
        self.tally.read(INTEGRATIONS);
        let moved = match self.moved_integration(&doc) {
            Ok(wanted) => {
                let token = doc.words("token");
                self.chat.move_integration(&self.actor, wanted, &token, self.dry).await?
            }
            Err(reason) => Moved::Left(reason.to_owned()),
        };
        self.tally.done(INTEGRATIONS, &doc.words("name"), &moved);
        Ok(())
    }

    fn moved_integration(&self, doc: &Doc) -> Result<Integration, &'static str> {
        let direction = Direction::parse(&doc.words("type")).ok_or("it is of no known type")?;
        let id = doc.id();
        let good = |c: char| c.is_ascii_alphanumeric() || "_.:@-".contains(c);
        if id.is_empty() || id.len() > 128 || !id.chars().all(good) {
            return Err("its id can't be one here");
        }
        if direction == Direction::Incoming && doc.text("token").is_none() {
            return Err("it has no token");
        }
        let username = doc.words("username");
        let by = self.people.get(&doc.words("userId")).or_else(|| self.person_named(&username));
        let user = by.map_or(UserId::new(ROCKET_CAT), |person| person.id.clone());
        let maker = self.people.get(&doc.words("_createdBy._id"));
        let maker = maker.map_or((user.clone(), username.clone()), |p| (p.id.clone(), p.username.clone()));
        let created_at = doc.time("_createdAt").unwrap_or_default();
        Ok(Integration {
            id,
            direction,
            name: doc.words("name"),
            enabled: doc.flag("enabled").unwrap_or(true),
            user,
            username,
            alias: doc.words("alias"),
            avatar: doc.words("avatar"),
            emoji: doc.words("emoji"),
            channels: channels(doc),
            free_channel: doc.is("overrideDestinationChannelEnabled"),
            script: doc.words("script"),
            script_enabled: doc.is("scriptEnabled"),
            token: String::new(),
            calls: if direction == Direction::Outgoing { Some(calls(doc)?) } else { None },
            created_by: maker,
            created_at,
            updated_at: doc.time("_updatedAt").unwrap_or(created_at),
        })
    }
}

fn channels(doc: &Doc) -> Vec<String> {
    match doc.at("channel") {
        Some(Value::String(text)) => {
            text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        }
        _ => doc.texts("channel"),
    }
}

fn calls(doc: &Doc) -> Result<Calls, &'static str> {
    Ok(Calls {
        trigger: Trigger::parse(&doc.words("event")).ok_or("its trigger is not known")?,
        urls: doc
            .texts("urls")
            .iter()
            .map(|url| url.trim().to_owned())
            .filter(|url| !url.is_empty())
            .collect(),
        words: doc.texts("triggerWords").into_iter().filter(|word| !word.is_empty()).collect(),
        anywhere: doc.is("triggerWordAnywhere"),
        on_edits: doc.flag("runOnEdits").unwrap_or(true),
        retry: doc.flag("retryFailedCalls").unwrap_or(true),
        retries: doc.number("retryCount").map_or(6, |count| count.clamp(0.0, 100.0) as u32),
        backoff: Backoff::parse(&doc.words("retryDelay")).unwrap_or(Backoff::PowersOfTen),
        since: 0,
    })
}
