//! What the server does by itself: settings that the operator forces, and sweeping what has run out.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    json::Json,
    setting::{Default as Fallback, Value},
    store::Lane,
};

/// How long the journal is kept, in milliseconds: 30 days.
const JOURNAL_KEPT: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Reads a text as a value of the setting's type.
///
/// # Errors
/// `Invalid` when it is not one.
pub fn read_value(default: Fallback, text: &str) -> Result<Value> {
    let invalid = |problem: &str| Refusal::invalid("setting", problem);
    Ok(match default {
        Fallback::Bool(_) => match text.trim() {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => return Err(invalid("must be true or false")),
        },
        Fallback::Number(_) => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            Value::Number(number.ok_or_else(|| invalid("must be a number"))?)
        }
        Fallback::Text(_) => Value::Text(text.to_owned()),
        Fallback::Choice(choices) if choices.contains(&text) => Value::Text(text.to_owned()),
        Fallback::Choice(_) => return Err(invalid("is not one of the choices")),
        Fallback::List(_) => {
            Value::List(text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect())
        }
        Fallback::Json(_) => Value::Json(Json::new(text)),
    })
}

impl Chat {
    /// Puts the operator's settings in force, and the public address where none was chosen; a workspace without an id
    /// of its own gets one. An unknown id or a value of the wrong type stops the start, so that it is noticed.
    pub async fn overwrite_settings(&self, wanted: &BTreeMap<String, String>, root_url: &str) -> Result<()> {
        let now = self.settings();
        let mut changes = Vec::new();
        for (id, text) in wanted {
            let def = now.get(id).map(|s| s.def).or_else(|| crate::oauth_settings::definition(id));
            let def = def.ok_or(Refusal::NotFound(What::Setting))?;
            changes.push((def.id, self.sealed(def, read_value(def.default, text)?)?));
        }
        if !wanted.contains_key("Site_Url") {
            changes.push(("Site_Url", Value::Text(root_url.to_owned())));
        }
        if now.text("uniqueID").is_empty() {
            changes.push(("uniqueID", Value::Text(self.new_id())));
        }
        changes.retain(|(id, value)| now.get(id).is_none_or(|s| s.value != *value));
        if changes.is_empty() {
            return Ok(());
        }
        let changes = Arc::new(changes);
        self.store()
            .writing(Lane::Verbs, move |tx| {
                for (id, value) in changes.iter() {
                    crate::settings_admin::store(tx, id, value)?;
                }
                Ok(())
            })
            .await
    }

    /// Removes what has run out: sessions, and uploads that no message ever used. In pieces, in the bulk lane. What
    /// can't be done now keeps nothing else from being done; the first refusal is the answer.
    pub async fn sweep(&self) -> Result<()> {
        [
            self.sweep_removed_rooms().await,
            self.sweep_audit().await,
            self.sweep_sign_ins().await,
            self.sweep_grants().await,
            self.sweep_retention().await.map(drop),
            self.sweep_files().await,
            self.sweep_journal().await,
            self.sweep_orphans().await,
        ]
        .into_iter()
        .collect()
    }

    /// Takes out of the journal what nobody can ask for any more.
    async fn sweep_journal(&self) -> Result<()> {
        let before = Time(self.now().millis() - JOURNAL_KEPT);
        while self.store().writing(Lane::Bulk, move |tx| tx.prune_journal(before)).await? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        assert_eq!(read_value(Fallback::Bool(false), "true"), Ok(Value::Bool(true)));
        assert!(read_value(Fallback::Bool(false), "yes please").is_err());
        for none in ["many", "NaN", "inf"] {
            assert!(read_value(Fallback::Number(1.0), none).is_err(), "{none}");
        }
        assert!(read_value(Fallback::Choice(&["a", "b"]), "c").is_err());
    }
}
