//! `settings`, `settings/ID`, `settings.public`, `settings.oauth`, `service.configurations`.

use parlor_core::{
    error::{Refusal, What},
    setting::Setting,
    store::Page,
};
use serde_json::{Value, json};

use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("settings", Who::User, "", list),
        get("settings/{id}", Who::May(&["view-privileged-setting"]), "/Site_Name", one),
        post(
            "settings/{id}",
            Who::May(&["edit-privileged-setting"]),
            r#"/Site_Name {"value":"Parlor"}"#,
            set,
        )
        .grave(),
        post(
            "settings",
            Who::May(&["edit-privileged-setting"]),
            r#"{"settings":[{"_id":"Site_Name","value":"Parlor"}]}"#,
            set_many,
        )
        .grave(),
        get("settings.public", Who::Anyone, "", public),
        get("settings.oauth", Who::Anyone, "", oauth),
        get("service.configurations", Who::Anyone, "", configurations),
        post(
            "settings.addCustomOAuth",
            Who::May(&["add-oauth-service"]),
            r#"{"name":"Walked"}"#,
            add_service,
        )
        .grave(),
        post(
            "settings.removeCustomOAuth",
            Who::May(&["add-oauth-service"]),
            r#"{"name":"Unheard"}"#,
            remove_service,
        )
        .grave()
        .answering("error-invalid-setting"),
    ]
}

/// Whoever may not read the others gets the public ones.
async fn list(call: Call) -> Outcome {
    let page = call.page()?;
    let all = call.chat().may_read_settings(call.actor()?).await?;
    let wanted = wanted(&call)?;
    let settings = call.chat().settings();
    let mut found: Vec<_> =
        settings.by_id.values().filter(|s| (all || s.def.public) && wanted.has(s)).collect();
    found.sort_unstable_by_key(|s| s.def.id);
    let shown: Vec<Value> =
        cut(&found, page).iter().map(|s| shape::setting::private(s, Dates::Iso)).collect();
    success(json!({ "count": shown.len(), "offset": page.offset, "total": found.len(), "settings": shown }))
}

async fn one(call: Call) -> Outcome {
    let settings = call.chat().settings();
    let setting = settings.get(call.path("id")).ok_or_else(unknown)?;
    let shown = shape::setting::private(setting, Dates::Iso);
    success(json!({ "_id": setting.def.id, "value": shown["value"] }))
}

async fn set(mut call: Call) -> Outcome {
    let mut body = call.object().await?;
    let settings = call.chat().settings();
    let setting = settings.get(call.path("id")).ok_or_else(unknown)?;
    // Colours come with an editor beside the value; buttons only say that they were pressed.
    let value = body.remove("value").ok_or_else(|| Refused::missing("value"))?;
    let value = shape::setting::read(setting, value)?;
    call.chat().set_setting(call.actor()?, setting.def.id, value).await.map_err(refused)?;
    success(Value::Null)
}

/// Gives several settings their values, all or none: objects of `_id` and `value`.
pub(crate) async fn save(
    chat: &parlor_core::chat::Chat,
    actor: &parlor_core::session::Actor,
    wanted: &[serde_json::Map<String, Value>],
) -> Result<(), Refused> {
    let settings = chat.settings();
    let mut changes = Vec::with_capacity(wanted.len());
    for item in wanted {
        let id = item.get("_id").and_then(Value::as_str).ok_or_else(|| Refused::missing("_id"))?;
        let setting = settings.get(id).ok_or_else(unknown)?;
        let value = item.get("value").cloned().ok_or_else(|| Refused::missing("value"))?;
        changes.push((id.to_owned(), shape::setting::read(setting, value)?));
    }
    chat.set_settings(actor, changes).await.map_err(refused)
}

/// Settings changed by one call at most.
const MANY: usize = 1_000;

async fn set_many(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let Some(Value::Array(items)) = body.get("settings") else { return Err(Refused::missing("settings")) };
    if items.len() > MANY {
        return Err(Refused::invalid_params("must NOT have more than 1000 items"));
    }
    let items: Option<Vec<_>> = items.iter().map(|item| item.as_object().cloned()).collect();
    let items = items.ok_or_else(|| Refused::invalid_params("must be object"))?;
    save(call.chat(), call.actor()?, &items).await?;
    success(Value::Null)
}

/// A value that a setting can't take.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Invalid { problem, .. } => {
            Refused::meteor("error-invalid-setting-value", &format!("Invalid setting value: {problem}"))
        }
        other => other.into(),
    }
}

fn unknown() -> Refused {
    Refused::from(Refusal::NotFound(What::Setting))
}

async fn public(call: Call) -> Outcome {
    let page = call.page()?;
    let wanted = wanted(&call)?;
    let settings = call.chat().settings();
    let mut found: Vec<_> = settings.by_id.values().filter(|s| s.def.public && wanted.has(s)).collect();
    found.sort_unstable_by_key(|s| s.def.id);
    let total = found.len();
    let shown: Vec<Value> = cut(&found, page).iter().map(|s| shape::setting::public(s)).collect();
    success(json!({ "count": shown.len(), "offset": page.offset, "total": total, "settings": shown }))
}

/// A page of a list that is in memory.
pub(crate) fn cut<T>(all: &[T], page: Page) -> &[T] {
    let start = usize::try_from(page.offset).unwrap_or(usize::MAX).min(all.len());
    let rest = &all[start..];
    &rest[..usize::try_from(page.count).unwrap_or(usize::MAX).min(rest.len())]
}

/// Which settings a request is about.
pub(crate) enum Wanted {
    All,
    These(Vec<String>),
}

impl Wanted {
    pub(crate) fn has(&self, setting: &Setting) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.iter().any(|id| id == setting.def.id),
        }
    }
}

/// `_id=a,b`, or `query={"_id": "a"}` or `{"_id": {"$in": ["a", "b"]}}`.
pub(crate) fn wanted(call: &Call) -> Result<Wanted, Refused> {
    let ids = call.list("_id");
    if !ids.is_empty() {
        return Ok(Wanted::These(ids));
    }
    let Some(query) = call.json_param("query")? else { return Ok(Wanted::All) };
    let listed = |list: &Value| {
        let items = list.as_array()?.iter();
        items.map(|id| id.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    match query.get("_id") {
        None => Ok(Wanted::All),
        Some(Value::String(id)) => Ok(Wanted::These(vec![id.clone()])),
        Some(id) => match id.get("$in").and_then(listed) {
            Some(ids) => Ok(Wanted::These(ids)),
            None => Err(Refused::meteor("error-invalid-query", "Invalid query")),
        },
    }
}

/// The services that people may sign in by, whose buttons are shown.
fn services(call: &Call) -> Vec<Value> {
    let root = &call.door.config.root_url;
    let all = call.chat().outside_services();
    all.iter().filter(|s| s.button.shown).map(|s| super::oauth_sign_in::shown(s, root)).collect()
}

async fn oauth(call: Call) -> Outcome {
    success(json!({ "services": services(&call) }))
}

/// Administrators who set a service up look here for it before it has an id.
async fn configurations(call: Call) -> Outcome {
    let mut all = services(&call);
    let begun = call.chat().unfinished_services();
    all.extend(begun.into_iter().map(|name| json!({ "service": name, "clientId": "" })));
    success(json!({ "configurations": all }))
}

/// Adds a custom service, to be described and switched on by its settings.
async fn add_service(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let missing = || Refused::meteor("error-name-param-not-provided", "The parameter \"name\" is required");
    let name = body.get("name").and_then(Value::as_str).map(str::trim).filter(|n| !n.is_empty());
    call.chat().add_outside_service(call.actor()?, name.ok_or_else(missing)?).await?;
    success(Value::Null)
}

async fn remove_service(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let name = body.get("name").and_then(Value::as_str).ok_or_else(|| Refused::missing("name"))?;
    call.chat().remove_outside_service(call.actor()?, name).await?;
    success(Value::Null)
}
