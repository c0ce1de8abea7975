//! Settings as Rocket.Chat writes them.

use parlor_core::{
    json::Json,
    setting::{Setting, Value as Kept},
};
use serde_json::{Value, json};

use crate::{date::Dates, refusal::Refused};

/// A number: whole ones without a decimal point, as JavaScript writes them.
pub(crate) fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { (number as i64).into() } else { number.into() }
}

/// A setting's value.
pub(crate) fn value(value: &Kept) -> Value {
    match value {
        Kept::Bool(on) => (*on).into(),
        Kept::Number(n) => number(*n),
        Kept::Text(text) => text.as_str().into(),
        Kept::List(items) => items.clone().into(),
        Kept::Json(json) => serde_json::from_str(json.as_str()).unwrap_or(Value::Null),
    }
}

/// Reads a value that somebody wants to give to a setting.
pub(crate) fn read(setting: &Setting, value: Value) -> Result<Kept, Refused> {
    use parlor_core::setting::Default;
    Ok(match (setting.def.default, value) {
        (Default::Json(_), value @ (Value::Object(_) | Value::Array(_))) => {
            Kept::Json(Json::new(value.to_string()))
        }
        (_, Value::Bool(on)) => Kept::Bool(on),
        (_, Value::Number(n)) => Kept::Number(n.as_f64().unwrap_or(f64::NAN)),
        (_, Value::String(text)) => Kept::Text(text),
        (_, Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>();
            Kept::List(texts.ok_or_else(|| bad("a list of texts"))?)
        }
        (_, Value::Object(object)) => match object.get("$InfNaN").and_then(Value::as_i64) {
            Some(which) => return Err(not_finite(which)),
            None => return Err(bad("a plain value")),
        },
        (_, Value::Null) => return Err(bad("a value")),
    })
}

fn bad(wanted: &str) -> Refused {
    Refused::meteor("error-invalid-setting-value", &format!("Invalid setting value: {wanted} is needed"))
}

/// EJSON's numbers that are none.
fn not_finite(which: i64) -> Refused {
    let name = match which {
        1 => "Infinity",
        -1 => "-Infinity",
        _ => "NaN",
    };
    Refused::meteor(&format!("Invalid setting value {name}"), "")
}

/// Rocket.Chat's word for the sort of value.
pub(crate) fn kind(setting: &Setting) -> &'static str {
    use parlor_core::setting::Default;
    match setting.def.default {
        _ if setting.def.secret => "password",
        Default::Bool(_) => "boolean",
        Default::Number(n) if n.fract() != 0.0 => "float",
        Default::Number(_) => "int",
        Default::Text(_) => "string",
        Default::List(_) => "multiSelect",
        Default::Json(_) => "asset",
        Default::Choice(_) => "select",
    }
}

/// As anybody may see it.
pub(crate) fn public(setting: &Setting) -> Value {
    json!({ "_id": setting.def.id, "value": value(&setting.value), "enterprise": false })
}

/// As administrators see it; what is secret is told only to be there.
pub(crate) fn private(setting: &Setting, dates: Dates) -> Value {
    let def = setting.def;
    let shown = if def.secret { hidden(&setting.value) } else { value(&setting.value) };
    let mut all = json!({
        "_id": def.id, "value": shown, "type": kind(setting), "group": def.group, "section": def.section,
        "public": def.public, "secret": def.secret, "enterprise": false, "hidden": false, "blocked": false,
        "packageValue": value(&def.default.value()), "i18nLabel": def.id,
        "_updatedAt": dates.value(setting.updated_at),
    });
    if let (parlor_core::setting::Default::Choice(choices), Some(object)) = (def.default, all.as_object_mut())
    {
        let values: Vec<Value> = choices.iter().map(|c| json!({ "key": c, "i18nLabel": c })).collect();
        object.insert("values".into(), values.into());
    }
    all
}

fn hidden(kept: &Kept) -> Value {
    match kept {
        Kept::Text(text) if text.is_empty() => "".into(),
        _ => "********".into(),
    }
}
