//! DDP methods over HTTP: `method.call/NAME` and, without login, `method.callAnon/NAME`.

use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    call::{Call, success},
    method::{Invocation, Reply},
    refusal::Refused,
    route::{Outcome, Route, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post(
            "method.call/{method}",
            Who::User,
            r#"/getRoomRoles {"message":"{\"msg\":\"method\",\"id\":\"1\",\"method\":\"permissions/get\",\"params\":[]}"}"#,
            run,
        ),
        post(
            "method.callAnon/{method}",
            Who::Anyone,
            r#"/x {"message":"{\"msg\":\"method\",\"id\":\"1\",\"method\":\"public-settings/get\",\"params\":[]}"}"#,
            run,
        ),
    ]
}

async fn run(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let message = body.get("message").and_then(Value::as_str).ok_or_else(|| Refused::missing("message"))?;
    let message: Value = serde_json::from_str(message).map_err(|_| bad_message())?;
    let named = message.get("method").and_then(Value::as_str).map(str::to_owned);
    let name = named.unwrap_or_else(|| call.path("method").replace(':', "/"));
    let params = match message.get("params") {
        Some(Value::Array(params)) => params.clone(),
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return Err(bad_message()),
    };
    if call.chat().settings().is_on("Log_Trace_Methods") {
        tracing::info!("method {name}, headers: {{ {} }}", traced(&call.headers));
    }
    let mut answer = Answered { error: None, id: message.get("id"), msg: "result", result: None };
    match invoke(&call, &name, params).await {
        Ok(Reply::Value(Value::Null)) => {}
        Ok(result) => answer.result = Some(result),
        Err(refused) => answer.error = Some(refused.method_call()),
    }
    // There is nothing in it that can't be written.
    success(json!({ "message": serde_json::to_string(&answer).unwrap_or_default() }))
}

/// Headers for the log, without what lets anybody in.
fn traced(headers: &HeaderMap) -> String {
    let shown = headers.iter().take(50).map(|(name, value)| {
        let value = match name.as_str() {
            "x-auth-token" | "authorization" | "x-2fa-code" => "[redacted]".to_owned(),
            "cookie" => {
                let names = String::from_utf8_lossy(value.as_bytes()).into_owned();
                let names = names.split(';').filter_map(|one| Some(one.split_once('=')?.0.trim().to_owned()));
                names.map(|name| format!("{name}=[redacted]")).collect::<Vec<_>>().join("; ")
            }
            _ => value.to_str().unwrap_or_default().chars().take(200).collect(),
        };
        format!("'{name}': '{value}'")
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// A method's answer as DDP has it, carried as text.
#[derive(Serialize)]
struct Answered<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    msg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Reply>,
}

async fn invoke(call: &Call, name: &str, params: Vec<Value>) -> Result<Reply, Refused> {
    let unknown = || Refused::meteor("404", &format!("Method '{name}' not found"));
    let method = call.door.method(name).ok_or_else(unknown)?;
    let (door, actor) = (call.door.clone(), call.actor_if_any().cloned());
    let invocation = Invocation { door, actor, params, origin: 0, code: call.code() };
    method.call(invocation).await
}

fn bad_message() -> Refused {
    Refused::meteor("error-invalid-params", "The message must be a DDP method call as JSON text")
}
