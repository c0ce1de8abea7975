//! User statuses to choose from: `custom-user-status.*` and their methods.

use parlor_core::{
    error::{Refusal, What},
    event::CustomKind,
    user::Status,
};
use serde_json::{Value, json};

use super::{emoji::page_of, rooms_call::Body};
use crate::{
    call::{Call, success},
    date::Dates,
    method::{Answer, Invocation, Method, method, mismatch},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

const MANAGERS: Who = Who::May(&["manage-user-status"]);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("custom-user-status.list", Who::User, "", |call| async move {
            page_of(&call, CustomKind::Status, "statuses").await
        }),
        post("custom-user-status.create", MANAGERS, r#"{"name":"$name","statusType":"busy"}"#, create),
        post(
            "custom-user-status.update",
            MANAGERS,
            r#"{"_id":"$status","name":"$name","statusType":"away"}"#,
            update,
        ),
        post("custom-user-status.delete", MANAGERS, r#"{"customUserStatusId":"$status"}"#, delete),
    ]
}

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method("listCustomUserStatus", Who::User, "[]", list_all),
        method("insertOrUpdateUserStatus", MANAGERS, r#"[{"name":"$name","statusType":"away"}]"#, insert),
        method("deleteCustomUserStatus", MANAGERS, r#"["$status"]"#, remove),
    ]
}

fn read_type(text: Option<&str>) -> Result<Option<Status>, Refused> {
    let bad = |text: &str| {
        Refused::meteor("error-input-is-not-a-valid-field", &format!("{text} is not a valid status type"))
    };
    text.filter(|t| !t.is_empty()).map(|t| Status::from_word(t).ok_or_else(|| bad(t))).transpose()
}

async fn create(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (name, kind) = (body.need("name")?, read_type(body.text("statusType")?)?);
    let made = call.chat().put_status(call.actor()?, None, name, kind).await.map_err(refused)?;
    success(json!({ "customUserStatus": shape::custom::custom(&made, Dates::Iso) }))
}

async fn update(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (id, kind) = (body.need("_id")?.to_owned(), read_type(body.text("statusType")?)?);
    let all = call.chat().customs(CustomKind::Status).await?;
    let before = all.iter().find(|c| c.id == id).ok_or_else(|| none(&id))?;
    let name = body.text("name")?.unwrap_or(&before.name);
    let made = call.chat().put_status(call.actor()?, Some(id), name, kind).await.map_err(refused)?;
    success(json!({ "customUserStatus": shape::custom::custom(&made, Dates::Iso) }))
}

fn none(id: &str) -> Refused {
    Refused::new(format!("No custom user status found with the id of \"{id}\"."))
}

async fn delete(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.text("customUserStatusId")?.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Refused::new("The \"customUserStatusId\" params is required!"))?;
    call.chat().remove_custom(call.actor()?, CustomKind::Status, id).await.map_err(refused)?;
    success(Value::Null)
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Taken { .. } => Refused::meteor(
            "Custom_User_Status_Error_Name_Already_In_Use",
            "The custom user status name is already in use",
        ),
        Refusal::NotFound(What::Status) => {
            Refused::meteor("Custom_User_Status_Error_Invalid_User_Status", "Invalid user status")
        }
        Refusal::Invalid { problem, .. } => Refused::meteor("error-input-is-not-a-valid-field", &problem),
        other => other.into(),
    }
}

async fn list_all(invocation: Invocation) -> Answer {
    let all = invocation.chat().customs(CustomKind::Status).await?;
    Ok(all.iter().map(|c| shape::custom::custom(c, Dates::Ejson)).collect::<Vec<_>>().into())
}

async fn insert(invocation: Invocation) -> Answer {
    let wanted = invocation.object(0)?;
    let text = |key: &str| match wanted.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        other => Err(mismatch("string", other)),
    };
    let id = text("_id")?.filter(|id| !id.is_empty()).map(str::to_owned);
    let (name, kind) = (text("name")?.unwrap_or_default(), read_type(text("statusType")?)?);
    let made = invocation.chat().put_status(invocation.actor()?, id, name, kind).await.map_err(refused)?;
    Ok(made.id.into())
}

async fn remove(invocation: Invocation) -> Answer {
    let id = invocation.text(0)?;
    invocation.chat().remove_custom(invocation.actor()?, CustomKind::Status, id).await.map_err(refused)?;
    Ok(true.into())
}
