//! Settings as Rocket.Chat writes them.

use parlor_core::setting::{Setting, Value as Kept};
use serde_json::{Value, json};

use crate::date::Dates;

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
