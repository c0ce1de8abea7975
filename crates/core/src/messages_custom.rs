//! Custom fields of messages: checked against the JSON schema in `Message_CustomFields`. The part of JSON Schema that
//! flat records need: `type`, `properties`, `required`, `additionalProperties: false`, `enum`, `const`, `nullable`,
//! `minLength`, `maxLength`, `minimum`, `maximum`, `items`. Other keywords are ignored.

use serde_json::{Map, Value};

use crate::{
    error::{Refusal, Result},
    json::Json,
    setting::Settings,
};

/// Nested values are followed this deep.
const MAX_DEPTH: usize = 16;

/// Refuses fields when they are switched off or break the schema.
pub(crate) fn check(fields: &Json, settings: &Settings) -> Result<()> {
    if !settings.is_on("Message_CustomFields_Enabled") {
        return Err(Refusal::Disabled("Message_CustomFields_Enabled"));
    }
    let bad = || Refusal::invalid("custom-fields", "Invalid custom fields");
    let value: Value = serde_json::from_str(fields.as_str()).map_err(|_| bad())?;
    let schema: Value = serde_json::from_str(settings.text("Message_CustomFields")).map_err(|_| bad())?;
    if value.is_object() && fits(&value, &schema, 0) { Ok(()) } else { Err(bad()) }
}

fn fits(value: &Value, schema: &Value, depth: usize) -> bool {
    let Value::Object(schema) = schema else { return schema != &Value::Bool(false) };
    if depth > MAX_DEPTH {
        return false;
    }
    if value.is_null() && schema.get("nullable") == Some(&Value::Bool(true)) {
        return true;
    }
    of_type(value, schema.get("type"))
        && schema.get("enum").is_none_or(|all| all.as_array().is_some_and(|all| all.contains(value)))
        && schema.get("const").is_none_or(|only| only == value)
        && match value {
            Value::String(text) => within(text.chars().count() as f64, schema, "minLength", "maxLength"),
            Value::Number(n) => within(n.as_f64().unwrap_or(f64::NAN), schema, "minimum", "maximum"),
            Value::Array(items) => {
                schema.get("items").is_none_or(|each| items.iter().all(|item| fits(item, each, depth + 1)))
            }
            Value::Object(object) => object_fits(object, schema, depth),
            _ => true,
        }
}

fn object_fits(object: &Map<String, Value>, schema: &Map<String, Value>, depth: usize) -> bool {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let others = schema.get("additionalProperties") != Some(&Value::Bool(false));
    required.filter_map(Value::as_str).all(|name| object.contains_key(name))
        && object.iter().all(|(name, value)| match properties.get(name) {
            Some(schema) => fits(value, schema, depth + 1),
            None => others,
        })
}

fn within(size: f64, schema: &Map<String, Value>, least: &str, most: &str) -> bool {
    let bound = |name| schema.get(name).and_then(Value::as_f64);
    bound(least).is_none_or(|least| size >= least) && bound(most).is_none_or(|most| size <= most)
}

fn of_type(value: &Value, wanted: Option<&Value>) -> bool {
    match wanted {
        None => true,
        Some(Value::Array(any)) => any.iter().any(|one| of_type(value, Some(one))),
        Some(wanted) => match wanted.as_str() {
            Some("string") => value.is_string(),
            Some("number") => value.is_number(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("boolean") => value.is_boolean(),
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("null") => value.is_null(),
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_must_obey_the_schema() {
        let schema = json!({
            "type": "object",
            "properties": { "priority": { "type": "string", "nullable": false, "enum": ["low", "high"] } },
            "required": ["priority"], "additionalProperties": false,
        });
        assert!(fits(&json!({ "priority": "low" }), &schema, 0));
        for bad in [
            json!({}),
            json!({ "priority": null }),
            json!({ "priority": "urgent" }),
            json!({ "priority": 1 }),
        ] {
            assert!(!fits(&bad, &schema, 0), "{bad}");
        }
        assert!(!fits(&json!({ "priority": "low", "more": 1 }), &schema, 0));
    }
}
