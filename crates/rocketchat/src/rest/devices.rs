//! Devices that want pushes, and what the workspace counts.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, delete, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("push.token", Who::User, r#"{"type":"gcm","value":"$name","appName":"app"}"#, put),
        delete("push.token", Who::User, r#"{"token":"none"}"#, remove).answering("Token not found"),
        get("statistics", Who::Holder(&["view-statistics"]), "", statistics),
        get("statistics.list", Who::Holder(&["view-statistics"]), "", statistics_list),
    ]
}

fn wanted<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a str, Refused> {
    let text = object.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let name = if key == "value" { "token" } else { key };
    text.ok_or_else(|| {
        let code = format!("error-{name}-param-not-valid");
        Refused::meteor(&code, &format!("The required \"{key}\" body param is missing or invalid."))
    })
}

async fn put(mut call: Call) -> Outcome {
    let object = call.object().await?;
    let kind = wanted(&object, "type")?;
    if !matches!(kind, "apn" | "gcm") {
        return Err(Refused::meteor(
            "error-type-param-not-valid",
            "The required \"type\" body param is missing or invalid.",
        ));
    }
    let (value, app) = (wanted(&object, "value")?, wanted(&object, "appName")?);
    let id = object.get("id").and_then(Value::as_str);
    let kept = call.chat().put_push_token(call.actor()?, id, kind, value, app).await?;
    success(json!({ "result": {
        "_id": kept.id, "token": { (kept.kind): kept.value }, "appName": kept.app, "userId": kept.user.as_str(),
        "enabled": true, "_updatedAt": Dates::Iso.value(kept.updated_at),
    } }))
}

async fn remove(mut call: Call) -> Outcome {
    let object = call.object().await?;
    let bad = || {
        Refused::meteor(
            "error-token-param-not-valid",
            "The required \"token\" body param is missing or invalid.",
        )
    };
    let token = object.get("token").and_then(Value::as_str).filter(|t| !t.is_empty()).ok_or_else(bad)?;
    let unknown = |_| Refused::status(StatusCode::NOT_FOUND, "Token not found");
    call.chat().remove_push_token(call.actor()?, token).await.map_err(unknown)?;
    success(Value::Null)
}

async fn counted(call: &Call) -> Result<Value, Refused> {
    let refused = |refusal| match refusal {
        parlor_core::error::Refusal::NotAllowed(_) => Refused::new("error-not-allowed"),
        other => other.into(),
    };
    let now = call.chat().statistics(call.actor()?).await.map_err(refused)?;
    let uptime = std::fs::metadata("/proc/self").and_then(|m| m.modified()).ok();
    let uptime = uptime.and_then(|start| start.elapsed().ok()).unwrap_or_default().as_secs_f64();
    Ok(json!({
        "version": crate::VERSION, "totalUsers": now.users, "activeUsers": now.active_users,
        "nonActiveUsers": now.users - now.active_users.min(now.users), "onlineUsers": now.online_users,
        "totalRooms": now.rooms, "totalChannels": now.channels, "totalPrivateGroups": now.groups,
        "totalDirect": now.directs, "wizard": {}, "uniqueId": call.chat().settings().text("uniqueID"),
        "installedAt": Dates::Iso.value(call.chat().installed_at().await?),
        "deploymentFingerprintHash": call.chat().settings().text("uniqueID"),
        "deploymentFingerprintVerified": true,
        "awayUsers": now.away_users, "busyUsers": now.busy_users,
        "offlineUsers": now.active_users.saturating_sub(now.online_users),
        "totalMessages": now.messages, "totalChannelMessages": now.channel_messages,
        "totalPrivateGroupMessages": now.group_messages, "totalDirectMessages": now.direct_messages,
        "uploadsTotal": now.uploads, "uploadsTotalSize": now.upload_bytes,
        "uploadsStoredSize": now.stored_bytes,
        "uploadsQuota": { "used": now.quota.0, "limit": now.quota.1 },
        "parlor": { "version": env!("CARGO_PKG_VERSION"), "database": now.engine, "queue": now.queued },
        "totalDiscussions": now.discussions, "teams": { "totalTeams": now.teams }, "totalThreads": now.threads,
        "instanceCount": 1, "totalConnectedUsers": now.connections, "process": { "uptime": uptime },
        "createdAt": Dates::Iso.value(call.chat().now()), "_updatedAt": Dates::Iso.value(call.chat().now()),
    }))
}

async fn statistics(call: Call) -> Outcome {
    success(counted(&call).await?)
}

/// Only the present is known: one entry.
async fn statistics_list(call: Call) -> Outcome {
    let page = call.page()?;
    let all = [counted(&call).await?];
    let shown: Vec<&Value> = all.iter().skip(page.offset as usize).take(page.count as usize).collect();
    success(json!({ "statistics": shown, "count": shown.len(), "offset": page.offset, "total": 1 }))
}
