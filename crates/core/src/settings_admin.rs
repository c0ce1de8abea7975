//! Changing settings: typed, checked, in force before the answer.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    event::Event,
    session::Actor,
    setting::{Default, Definition, Setting, Value},
    store::{Lane, Tx},
};

/// Longest text of a setting, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// Most items of a list.
const MAX_ITEMS: usize = 1_000;

impl Chat {
    /// Whether the actor may read settings that are not public.
    pub async fn may_read_settings(&self, actor: &Actor) -> Result<bool> {
        for permission in ["view-privileged-setting", "edit-privileged-setting", "manage-selected-settings"] {
            if self.may(actor, permission, None).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives a setting a value; needs `edit-privileged-setting`. In force on this node before the answer.
    ///
    /// # Errors
    /// `NotFound(Setting)`, `Invalid` of field `setting` for a value of the wrong kind, `TooLarge`.
    pub async fn set_setting(&self, actor: &Actor, id: &str, value: Value) -> Result<Arc<Setting>> {
        self.set_settings(actor, vec![(id.to_owned(), value)]).await?;
        self.settings().get(id).cloned().ok_or(Refusal::NotFound(What::Setting))
    }

    /// Gives several settings their values, all or none of them.
    pub async fn set_settings(&self, actor: &Actor, wanted: Vec<(String, Value)>) -> Result<()> {
        self.require(actor, "edit-privileged-setting", None).await?;
        let settings = self.settings();
        let mut changes = Vec::with_capacity(wanted.len());
        for (id, value) in wanted {
            let def = settings.get(&id).ok_or(Refusal::NotFound(What::Setting))?.def;
            let value = as_wanted(def, value);
            check(def, &value)?;
            changes.push((def.id, self.sealed(def, value)?));
        }
        let ids: Vec<&str> = changes.iter().map(|(id, _)| *id).collect();
        let entry = self.audit_entry(actor, "setting.changed", &ids.join(" ")).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                for (id, value) in &changes {
                    store(tx, id, value)?;
                }
                Ok(())
            })
            .await
    }

    /// A setting that is kept sealed, in clear; empty when it is not set. For the server's own use alone.
    pub fn secret_setting(&self, id: &str) -> Result<String> {
        let settings = self.settings();
        match settings.text(id) {
            "" => Ok(String::new()),
            sealed => self.ports.credentials.open(sealed),
        }
    }

    /// What is secret is kept sealed.
    pub(crate) fn sealed(&self, def: &Definition, value: Value) -> Result<Value> {
        match value {
            Value::Text(text) if def.secret && !text.is_empty() => {
                Ok(Value::Text(self.ports.credentials.seal(&text)?))
            }
            value => Ok(value),
        }
    }
}

/// Stores a setting's value and tells it.
pub(crate) fn store(tx: &mut dyn Tx, id: &str, value: &Value) -> Result<()> {
    let at = tx.put_setting(id, Some(value))?;
    tx.record(None, Event::Setting { id: id.into(), value: value.clone(), at })
}

/// A list may come as one text, as Rocket.Chat keeps some: an entry a line, or between commas.
pub(crate) fn as_wanted(def: &Definition, value: Value) -> Value {
    match (def.default, value) {
        (Default::List(_), Value::Text(text)) => {
            let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
            Value::List(entries.map(Into::into).collect())
        }
        (_, value) => value,
    }
}

/// Whether the value is of the definition's kind and within bounds.
pub(crate) fn check(def: &Definition, value: &Value) -> Result<()> {
    let bad = |problem: &str| Err(Refusal::invalid("setting", format!("{} {problem}", def.id)));
    match (def.default, value) {
        (Default::Bool(_), Value::Bool(_)) | (Default::Json(_), Value::Json(_)) => Ok(()),
        (Default::Number(_), Value::Number(n)) if n.is_finite() => Ok(()),
        (Default::Text(_), Value::Text(text)) if text.len() <= MAX_TEXT => Ok(()),
        (Default::Choice(choices), Value::Text(text)) if choices.contains(&text.as_str()) => Ok(()),
        (Default::List(_), Value::List(items)) if items.len() <= MAX_ITEMS => {
            if items.iter().map(String::len).sum::<usize>() > MAX_TEXT { bad("is too long") } else { Ok(()) }
        }
        (Default::Choice(choices), Value::Text(_)) => bad(&format!("must be one of {}", choices.join(", "))),
        (Default::Bool(_), _) => bad("must be true or false"),
        (Default::Number(_), _) => bad("must be a number"),
        (Default::Text(_), Value::Text(_)) | (Default::List(_), Value::List(_)) => bad("is too long"),
        (Default::Text(_) | Default::Choice(_), _) => bad("must be text"),
        (Default::List(_), _) => bad("must be a list of texts"),
        (Default::Json(_), _) => bad("must be an object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(default: Default, value: Value) -> bool {
        let def = Definition { id: "X", group: "", section: "", public: false, secret: false, default };
        check(&def, &value).is_ok()
    }

    #[test]
    fn a_value_must_be_of_its_settings_kind() {
        let text = |t: &str| Value::Text(t.into());
        assert!(fits(Default::Bool(true), Value::Bool(false)));
        assert!(!fits(Default::Bool(true), text("true")));
        assert!(fits(Default::Number(1.0), Value::Number(0.05)));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!fits(Default::Number(1.0), Value::Number(bad)));
        }
        assert!(fits(Default::Choice(&["a", "b"]), text("b")));
        assert!(!fits(Default::Choice(&["a", "b"]), text("c")));
        assert!(fits(Default::List(&[]), Value::List(vec!["uj".into()])));
        assert!(!fits(Default::List(&[]), Value::List(vec!["x".into(); MAX_ITEMS + 1])));
        assert!(!fits(Default::Text(""), text(&"x".repeat(MAX_TEXT + 1))));
    }
}
