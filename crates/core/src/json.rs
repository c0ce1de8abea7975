//! JSON that the core carries but does not read: custom fields, preferences, free-form cards.

use std::{fmt, sync::Arc};

/// A JSON text, checked by the door that took it (at most 64 KiB, 32 levels unless the field says less).
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    /// Wraps a text that is known to be JSON.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
    /// `{}`.
    pub fn object() -> Self {
        Self("{}".into())
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether it is the empty object.
    pub fn is_empty(&self) -> bool {
        &*self.0 == "{}"
    }
}

impl Default for Json {
    fn default() -> Self {
        Self::object()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
