//! What the REST paths take and give, as an OpenAPI document.

use serde_json::{Value, json};

/// The paths of this door.
pub fn openapi() -> Value {
    json!({})
}
