//! Settings: typed values under Rocket.Chat's ids, as one snapshot that takes effect at once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::clock::Time;

/// A setting's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A switch.
    Bool(bool),
    /// A number, whole or not.
    Number(f64),
    /// Text, also code and JSON that the client reads as text.
    Text(String),
    /// A list of texts (`multiSelect`).
    List(Vec<String>),
    /// An uploaded asset or anything structured: JSON.
    Json(crate::json::Json),
}

/// A setting as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its definition.
    pub def: &'static Definition,
    /// The value in force.
    pub value: Value,
    /// Last change.
    pub updated_at: Time,
}

/// What a setting is. The table of all definitions is `settings_table.rs`.
#[derive(Debug, PartialEq)]
pub struct Definition {
    /// Rocket.Chat's id where one exists.
    pub id: &'static str,
    /// Group shown in administration, such as `Accounts`.
    pub group: &'static str,
    /// Section within the group; may be empty.
    pub section: &'static str,
    /// Anybody may read it, also before login.
    pub public: bool,
    /// Never shown to anybody once set.
    pub secret: bool,
    /// What it is when nobody chose.
    pub default: Default,
}

/// A default value that fits a constant table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// A switch.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(&'static str),
    /// A list of texts.
    List(&'static [&'static str]),
    /// JSON text.
    Json(&'static str),
    /// One of these texts; the first is the default.
    Choice(&'static [&'static str]),
}

impl Default {
    /// As a value.
    pub fn value(self) -> Value {
        match self {
            Self::Bool(b) => Value::Bool(b),
            Self::Number(n) => Value::Number(n),
            Self::Text(t) => Value::Text(t.into()),
            Self::List(items) => Value::List(items.iter().map(|&s| s.into()).collect()),
            Self::Json(text) => Value::Json(crate::json::Json::new(text)),
            Self::Choice(choices) => Value::Text(choices.first().copied().unwrap_or_default().into()),
        }
    }
}

/// All settings, as one snapshot.
#[derive(Clone, Debug, std::default::Default)]
pub struct Settings {
    /// By id. Every definition has an entry.
    pub by_id: FxHashMap<&'static str, Arc<Setting>>,
}

impl Settings {
    /// A setting by its id.
    pub fn get(&self, id: &str) -> Option<&Arc<Setting>> {
        self.by_id.get(id)
    }
    /// A switch; `false` when there is none of that id.
    pub fn is_on(&self, id: &str) -> bool {
        matches!(self.get(id).map(|s| &s.value), Some(Value::Bool(true)))
    }
    /// A number; 0 when there is none of that id.
    pub fn number(&self, id: &str) -> f64 {
        match self.get(id).map(|s| &s.value) {
            Some(Value::Number(n)) => *n,
            _ => 0.0,
        }
    }
    /// A text; empty when there is none of that id.
    pub fn text(&self, id: &str) -> &str {
        match self.get(id).map(|s| &s.value) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }
    /// A list; empty when there is none of that id.
    pub fn list(&self, id: &str) -> &[String] {
        match self.get(id).map(|s| &s.value) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }
}

impl Settings {
    /// What the definitions say, overlaid by the values that were chosen; unknown ids are left out.
    pub fn snapshot(chosen: impl IntoIterator<Item = (String, Value, Time)>) -> Self {
        let entry = |def: &'static Definition, value, updated_at| {
            (def.id, Arc::new(Setting { def, value, updated_at }))
        };
        let mut by_id: FxHashMap<_, _> = crate::settings_table::SETTINGS
            .iter()
            .map(|def| entry(def, def.default.value(), Time(0)))
            .collect();
        let mut custom = Vec::new();
        for (id, value, at) in chosen {
            if let Some(def) = crate::settings_table::SETTINGS.iter().find(|def| def.id == id) {
                by_id.extend([entry(def, value, at)]);
            } else if let Some(def) = crate::oauth_settings::definition(&id) {
                custom.push((def, value, at));
            }
        }
        let mut all = Self { by_id };
        for (def, ..) in &custom {
            if let Some(family) =
                crate::oauth_settings::service_of(def.id).and_then(crate::oauth_settings::family)
                && all.get(family[0].id).is_none()
            {
                all.add(family);
            }
        }
        all.by_id.extend(custom.into_iter().map(|(def, value, at)| entry(def, value, at)));
        all
    }

    /// Adds these with their defaults.
    pub(crate) fn add(&mut self, definitions: &'static [Definition]) {
        for def in definitions {
            let setting = Setting { def, value: def.default.value(), updated_at: Time(0) };
            self.by_id.insert(def.id, Arc::new(setting));
        }
    }
}
