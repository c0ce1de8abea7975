//! `moderation.*`: what people reported, and what moderators do about it; and the audit log.

use parlor_core::{
    audit::AuditFilter,
    chat::Chat,
    error::{Refusal, What},
    id::{MessageId, UserId},
    room::Room,
    store::{Page, Report, ReportFilter},
    user::User,
};
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let viewers = Who::May(&["view-moderation-console"]);
    let actors = Who::May(&["manage-moderation-actions"]);
    vec![
        post("moderation.reportUser", Who::User, r#"{"userId":"$user","description":"noise"}"#, report_user),
        get("moderation.reportsByUsers", viewers, "", |call| groups(call, true)),
        get("moderation.userReports", viewers, "", |call| groups(call, false)),
        get("moderation.user.reportedMessages", viewers, "userId=$user", reported_messages),
        get("moderation.user.reportsByUserId", viewers, "userId=$user", user_reports),
        get("moderation.reports", viewers, "msgId=$message", reports),
        get("moderation.reportInfo", viewers, "reportId=none", info).answering("error-report-not-found"),
        post("moderation.dismissReports", actors, r#"{"userId":"$user"}"#, dismiss),
        post("moderation.dismissUserReports", actors, r#"{"userId":"$user"}"#, dismiss_user),
        post("moderation.user.deleteReportedMessages", actors, r#"{"userId":"$user"}"#, remove_reported)
            .answering("No reported messages"),
        post("retention.apply", Who::May(&["edit-privileged-setting"]), "", prune),
        get("audit.log", Who::May(&["can-audit-log"]), "", audit),
    ]
}

async fn report_user(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (user, reason) = (user_id(body.need("userId")?)?, body.need("description")?);
    call.chat().report_user(call.actor()?, &user, reason).await.map_err(|refusal| match refusal {
        Refusal::NotFound(What::User) => Refused::new("Invalid user id provided."),
        other => other.into(),
    })?;
    success(Value::Null)
}

fn user_id(text: &str) -> Result<UserId, Refused> {
    UserId::parse(text).ok_or_else(|| Refused::new("Invalid user id provided."))
}

fn message_id(text: &str) -> Result<MessageId, Refused> {
    MessageId::parse(text).ok_or_else(|| Refused::new("Message not found [error-message-not-found]"))
}

/// A person as the console shows it; one that is gone has only an id.
async fn person(chat: &Chat, id: &UserId) -> Result<Value, Refused> {
    let found = if id.is_empty() { None } else { chat.user(id).await? };
    Ok(match found {
        Some(user) => short(&user),
        None => json!({ "_id": id.as_str(), "username": "", "name": "" }),
    })
}

fn short(user: &User) -> Value {
    let emails = user.emails.iter().map(|e| json!({ "address": e.address, "verified": e.verified }));
    json!({
        "_id": user.id.as_str(), "username": user.username, "name": user.name,
        "createdAt": Dates::Iso.value(user.created_at), "emails": emails.collect::<Vec<_>>(),
        "roles": user.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), "active": user.active,
    })
}

/// The little that a moderator sees of a room without being in it.
fn room(found: Option<&Room>, id: Option<&str>) -> Value {
    match found {
        Some(room) => json!({
            "_id": room.id.as_str(), "t": shape::room::letter(room.kind), "name": room.name, "fname": room.title,
        }),
        None => json!({ "_id": id }),
    }
}

async fn room_of(call: &Call, report: &Report) -> Result<Value, Refused> {
    let Some(id) = &report.room else { return Ok(Value::Null) };
    let found = call.chat().reported_room(call.actor()?, id).await?;
    Ok(room(found.as_deref(), Some(id)))
}

async fn shown(call: &Call, report: &Report) -> Result<Value, Refused> {
    let mut answer = json!({
        "_id": report.id, "description": report.reason, "ts": Dates::Iso.value(report.at),
        "reportedBy": person(call.chat(), &report.reporter).await?,
    });
    if report.room.is_some() {
        answer["room"] = room_of(call, report).await?;
    } else {
        answer["reportedUser"] = person(call.chat(), &report.reported).await?;
    }
    Ok(answer)
}

fn span(call: &Call, filter: &mut ReportFilter) -> Result<(), Refused> {
    filter.from = call.since("oldest")?;
    filter.to = call.since("latest")?;
    Ok(())
}

fn answer(key: &str, items: Vec<Value>, page: Page, total: u64) -> Value {
    json!({ key: items, "count": items.len(), "offset": page.offset, "total": total })
}

async fn groups(call: Call, of_messages: bool) -> Outcome {
    let page = call.page()?;
    let mut filter = ReportFilter { of_messages, ..ReportFilter::default() };
    span(&call, &mut filter)?;
    let found = call.chat().report_groups(call.actor()?, filter, page).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for group in &found.items {
        let (last, ts) = (&group.last, Dates::Iso.value(group.last.at));
        let who = person(call.chat(), &last.reported).await?;
        items.push(if of_messages {
            json!({
                "count": group.count, "ts": ts, "message": last.text, "msgId": last.message.as_deref(),
                "userId": last.reported.as_str(), "username": who["username"], "name": who["name"],
                "isUserDeleted": last.reported.is_empty(), "rooms": [room_of(&call, last).await?],
            })
        } else {
            json!({ "count": group.count, "ts": ts, "reportedUser": who })
        });
    }
    success(answer("reports", items, page, found.total))
}

async fn reported_messages(call: Call) -> Outcome {
    let page = call.page()?;
    let user = user_id(call.need("userId")?)?;
    let filter = ReportFilter { reported: Some(user.clone()), of_messages: true, ..ReportFilter::default() };
    let found = call.chat().reports(call.actor()?, filter, page).await?;
    let who = person(call.chat(), &user).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for report in &found.items {
        let rid = report.room.as_deref().unwrap_or_default();
        let message = json!({
            "_id": report.message.as_deref(), "rid": rid, "msg": report.text, "u": who,
            "ts": Dates::Iso.value(report.at), "_updatedAt": Dates::Iso.value(report.at), "urls": [],
            "mentions": [], "channels": [],
        });
        items.push(json!({
            "_id": report.id, "ts": Dates::Iso.value(report.at), "message": message,
            "room": room_of(&call, report).await?,
        }));
    }
    let mut all = answer("messages", items, page, found.total);
    all["user"] = who;
    success(all)
}

async fn user_reports(call: Call) -> Outcome {
    let page = call.page()?;
    let user = user_id(call.need("userId")?)?;
    let filter = ReportFilter { reported: Some(user.clone()), ..ReportFilter::default() };
    let found = call.chat().reports(call.actor()?, filter, page).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for report in &found.items {
        items.push(shown(&call, report).await?);
    }
    let mut all = answer("reports", items, page, found.total);
    all["user"] = person(call.chat(), &user).await?;
    success(all)
}

async fn reports(call: Call) -> Outcome {
    let page = call.page()?;
    let message = message_id(call.need("msgId")?)?;
    let filter = ReportFilter { message: Some(message), of_messages: true, ..ReportFilter::default() };
    let found = call.chat().reports(call.actor()?, filter, page).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for report in &found.items {
        items.push(shown(&call, report).await?);
    }
    success(answer("reports", items, page, found.total))
}

async fn info(call: Call) -> Outcome {
    let found = call.chat().report(call.actor()?, call.need("reportId")?).await;
    let report = found.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::new("error-report-not-found"),
        other => other.into(),
    })?;
    let mut one = shown(&call, &report).await?;
    if let Some(id) = &report.message {
        one["message"] = json!({ "_id": id.as_str(), "msg": report.text });
    }
    success(json!({ "report": one }))
}

/// All reports of a user's messages, or of one message.
async fn dismiss(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (user, message) = (body.text("userId")?, body.text("msgId")?);
    if user.is_some() == message.is_some() {
        let text = "must have required property 'userId'\n must match exactly one schema in oneOf";
        return Err(Refused::invalid_params(text));
    }
    let filter = ReportFilter {
        message: message.map(message_id).transpose()?,
        reported: user.map(user_id).transpose()?,
        of_messages: true,
        ..ReportFilter::default()
    };
    call.chat().dismiss_reports(call.actor()?, filter).await?;
    success(Value::Null)
}

async fn dismiss_user(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let filter = ReportFilter { reported: Some(user_id(body.need("userId")?)?), ..ReportFilter::default() };
    call.chat().dismiss_reports(call.actor()?, filter).await?;
    success(Value::Null)
}

async fn remove_reported(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let user = user_id(body.need("userId")?)?;
    let removed = call.chat().remove_reported(call.actor()?, &user).await?;
    if removed == 0 {
        return Err(Refused::new("No reported messages found for the user."));
    }
    success(Value::Null)
}

/// Removes now what the retention rules would remove within the hour.
async fn prune(call: Call) -> Outcome {
    let removed = call.chat().prune_now(call.actor()?).await?;
    success(json!({ "count": removed }))
}

/// Who of those with power did what: `userId` of one person, `action` as it begins, `text` in what it was about or in
/// the user name, between `oldest` and `latest`. With any of the last four, among the newest 20,000.
async fn audit(call: Call) -> Outcome {
    let page = call.page()?;
    let filter = AuditFilter {
        of: call.param("userId").map(user_id).transpose()?,
        act: call.param("action").unwrap_or_default().to_owned(),
        text: call.param("text").unwrap_or_default().trim().to_owned(),
        from: call.since("oldest")?,
        to: call.since("latest")?,
    };
    let found = call.chat().audit(call.actor()?, filter, page).await?;
    let items = found.items.iter().map(|entry| {
        json!({
            "_id": entry.id, "ts": Dates::Iso.value(entry.at), "action": entry.act, "about": entry.about,
            "u": { "_id": entry.actor.as_str(), "username": entry.username },
        })
    });
    success(answer("entries", items.collect(), page, found.total))
}
