//! Small answers about the workspace, and plain refusals of what it does not have.

use axum::{body::Body as Bytes, http::HeaderValue, http::header, response::Response};
use parlor_core::{second_factor::Ask, setting::Settings};
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    Door,
    call::{Call, bare, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let admins = Who::May(&["access-permissions"]);
    let settings = Who::May(&["edit-privileged-setting"]);
    let cloud = Who::May(&["manage-cloud"]);
    vec![
        get("pw.getPolicy", Who::Anyone, "", policy),
        get("pw.getPolicyReset", Who::Anyone, "token=none", policy_reset).answering("unauthorized"),
        get("shield.svg", Who::Anyone, "", shield),
        get("instances.get", Who::May(&["view-statistics"]), "", instances),
        get("cloud.registrationStatus", cloud, "", |_| async {
            success(json!({ "registrationStatus": { "workspaceRegistered": false } }))
        }),
        post("cloud.manualRegister", Who::May(&["register-on-cloud"]), r#"{"cloudBlob":"x"}"#, |call| {
            no_cloud(call, &["cloudBlob"])
        })
        .answering("not part of this server"),
        post("cloud.createRegistrationIntent", cloud, r#"{"email":"a@b.example","resend":false}"#, |call| {
            no_cloud(call, &["email", "resend"])
        })
        .answering("not part of this server"),
        get("cloud.confirmationPoll", cloud, "deviceCode=x", |call| async move {
            call.need("deviceCode")?;
            Err(not_here("The cloud"))
        })
        .answering("not part of this server"),
        post("cloud.connectWorkspace", cloud, "", |_| async { Err(not_here("The cloud")) })
            .answering("not part of this server"),
        post("dns.resolve.srv", admins, "", |_| async { Err(not_here("Federation")) })
            .answering("not part of this server"),
        post("dns.resolve.txt", admins, "", |_| async { Err(not_here("Federation")) })
            .answering("not part of this server"),
        post("ldap.syncNow", Who::May(&["sync-auth-services-users"]), "", ldap_sync)
            .answering("totp-required"),
        post("ldap.testConnection", Who::May(&["test-admin-options"]), "", ldap_connection)
            .answering("LDAP_disabled"),
        post("ldap.testSearch", Who::May(&["test-admin-options"]), r#"{"username":"x"}"#, ldap_search)
            .answering("LDAP_disabled"),
        get("webdav.getMyAccounts", Who::User, "", |_| async { success(json!({ "accounts": [] })) }),
        post("webdav.removeWebdavAccount", Who::User, r#"{"accountId":"none"}"#, remove_webdav)
            .answering("error-invalid-account"),
        get("licenses.get", Who::May(&["view-privileged-setting"]), "", |_| async {
            success(json!({ "licenses": [] }))
        }),
        post("licenses.add", settings, "", |_| async {
            Err(Refused::meteor("invalid-license", "Invalid license"))
        })
        .answering("Invalid license"),
        get("licenses.maxActiveUsers", Who::May(&["view-user-administration"]), "", active_users),
        get("calendar-events.list", Who::User, "date=2026-01-01", |_| async {
            success(json!({ "data": [] }))
        }),
        get("getLatestImportOperations", Who::May(&["view-import-operations"]), "", |_| async {
            bare(&json!([]))
        }),
        post(
            "fingerprint",
            Who::May(&["manage-cloud"]),
            r#"{"setDeploymentAs":"new-workspace"}"#,
            fingerprint,
        ),
        get("/api/apps/actionButtons", Who::Anyone, "", |_| async { bare(&json!([])) }),
        get("apps/actionButtons", Who::Anyone, "", |_| async { bare(&json!([])) }),
        get("commands.preview", Who::User, "", no_preview).answering("command provided does not exist"),
        post("commands.preview", Who::User, "", no_preview).answering("command provided does not exist"),
    ]
}

/// A plain word for what this server does not have.
pub(crate) fn not_here(what: &str) -> Refused {
    Refused::meteor("error-not-allowed", &format!("{what}: not part of this server"))
}

/// There is no other vendor's cloud to register with, whatever a well-formed call asks.
async fn no_cloud(mut call: Call, needed: &[&str]) -> Outcome {
    let body = call.object().await?;
    match needed.iter().find(|name| body.get(**name).is_none_or(Value::is_null)) {
        Some(name) => Err(Refused::missing(name)),
        None => Err(not_here("The cloud")),
    }
}

/// The password policy as its rules' names, some with a number.
fn rules(settings: &Settings) -> Vec<Value> {
    let mut rules = Vec::new();
    if !settings.is_on("Accounts_Password_Policy_Enabled") {
        return rules;
    }
    let number = |id: &str| settings.number(&format!("Accounts_Password_Policy_{id}"));
    for (id, key) in [("MinLength", "minLength"), ("MaxLength", "maxLength")] {
        if number(id) > 0.0 {
            rules.push(json!([format!("get-password-policy-{key}"), { key: crate::shape::setting::number(number(id)) }]));
        }
    }
    if settings.is_on("Accounts_Password_Policy_ForbidRepeatingCharacters") {
        let count = crate::shape::setting::number(number("ForbidRepeatingCharactersCount"));
        rules.push(json!(["get-password-policy-forbidRepeatingCharacters"]));
        rules.push(json!([
            "get-password-policy-forbidRepeatingCharactersCount", { "forbidRepeatingCharactersCount": count }
        ]));
    }
    for (id, rule) in [
        ("AtLeastOneLowercase", "mustContainAtLeastOneLowercase"),
        ("AtLeastOneUppercase", "mustContainAtLeastOneUppercase"),
        ("AtLeastOneNumber", "mustContainAtLeastOneNumber"),
        ("AtLeastOneSpecialCharacter", "mustContainAtLeastOneSpecialCharacter"),
    ] {
        if settings.is_on(&format!("Accounts_Password_Policy_{id}")) {
            rules.push(json!([format!("get-password-policy-{rule}")]));
        }
    }
    rules
}

async fn policy(call: Call) -> Outcome {
    let settings = call.chat().settings();
    let enabled = settings.is_on("Accounts_Password_Policy_Enabled");
    success(json!({ "enabled": enabled, "policy": rules(&settings) }))
}

/// Only for whoever holds a link for a new password; no such links are out while no mail is sent.
async fn policy_reset(call: Call) -> Outcome {
    call.need("token")?;
    Err(Refused::unauthorized())
}

/// Largest text on a shield, in characters.
const SHIELD_TEXT: usize = 40;

/// A badge for web pages: `?type=online|channel|user&channel=…&name=…`.
async fn shield(call: Call) -> Outcome {
    let settings = call.chat().settings();
    if !settings.is_on("API_Enable_Shields") {
        return Err(Refused::meteor("error-endpoint-disabled", "This endpoint is disabled"));
    }
    let text = match call.param("type").unwrap_or("channel") {
        "online" => format!("{} online", call.chat().online_users(10_000).len()),
        "user" => "CHAT".to_owned(),
        _ => match call.param("channel") {
            Some(channel) => format!("#{channel}"),
            None => "JOIN CHAT".to_owned(),
        },
    };
    let name = call.param("name").unwrap_or("Parlor");
    let svg = badge(name, &text);
    let mut answer = Response::new(Bytes::from(svg));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml;charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let sandbox = HeaderValue::from_static("sandbox; default-src 'none'; style-src 'unsafe-inline'");
    headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
    Ok(answer)
}

fn badge(left: &str, right: &str) -> String {
    let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(SHIELD_TEXT).collect::<String>();
    let (left, right) = (cut(left), cut(right));
    let width = |text: &str| 14 + 7 * text.chars().count();
    let (first, second) = (width(&left), width(&right));
    let escape = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let whole = first + second;
    let (x, y) = (first / 2, first + second / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\">\
         <rect width=\"{first}\" height=\"20\" fill=\"#555\"/>\
         <rect x=\"{first}\" width=\"{second}\" height=\"20\" fill=\"#4c1\"/>\
         <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"sans-serif\" font-size=\"11\">\
         <text x=\"{x}\" y=\"14\">{}</text><text x=\"{y}\" y=\"14\">{}</text></g></svg>",
        escape(&left),
        escape(&right)
    )
}

/// This server, as Rocket.Chat lists the processes of a workspace.
pub(crate) fn instance(door: &Door) -> Value {
    let now = Dates::Iso.value(door.chat.now());
    let root = crate::shape::user::root(door).to_owned();
    let host = root.split("://").nth(1).unwrap_or_default().to_owned();
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.to_owned()),
        None => (host, String::new()),
    };
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    json!({
        "address": host,
        "currentStatus": { "connected": true, "lastHeartbeatTime": 0, "local": true },
        "instanceRecord": {
            "_id": door.chat.settings().text("uniqueID"), "name": "rocket.chat", "pid": std::process::id(),
            "_createdAt": now, "_updatedAt": now,
            "extraInformation": {
                "host": host, "port": port, "nodeVersion": "", "conns": door.chat.live_connections(),
                "os": {
                    "type": std::env::consts::OS, "platform": std::env::consts::OS,
                    "arch": std::env::consts::ARCH, "release": "", "uptime": 0, "loadavg": [0, 0, 0],
                    "totalmem": 0, "freemem": 0, "cpus": cpus,
                },
            },
        },
        "broadcastAuth": false,
    })
}

async fn instances(call: Call) -> Outcome {
    success(json!({ "instances": [instance(&call.door)] }))
}

/// What a question to the directory is refused with.
fn ldap_refused(refusal: parlor_core::error::Refusal) -> Refused {
    use parlor_core::error::Refusal;
    match refusal {
        Refusal::Disabled("LDAP_Enable") => Refused::new("LDAP_disabled"),
        Refusal::Unavailable => {
            Refused::meteor("Connection_failed", "The directory can't be asked; the log says why")
        }
        other => other.into(),
    }
}

/// Always asks for the second factor first, as every grave act on accounts does.
async fn ldap_sync(call: Call) -> Outcome {
    call.confirm(Ask::Always).await?;
    let done = call.chat().sync_directory(call.actor()?).await.map_err(ldap_refused)?;
    success(json!({
        "message": "Sync_in_progress", "found": done.found, "made": done.made, "deactivated": done.ended,
    }))
}

async fn ldap_connection(call: Call) -> Outcome {
    call.chat().check_directory(call.actor()?).await.map_err(ldap_refused)?;
    success(json!({ "message": "LDAP_Connection_successful" }))
}

async fn ldap_search(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let found =
        call.chat().is_in_directory(call.actor()?, body.need("username")?).await.map_err(ldap_refused)?;
    if found { success(json!({ "message": "LDAP_User_Found" })) } else { Err(Refused::new("User not found")) }
}

async fn remove_webdav(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    body.need("accountId")?;
    Err(Refused::meteor("error-invalid-account", "Invalid WebDAV Account"))
}

async fn active_users(call: Call) -> Outcome {
    let filter = parlor_core::store::UserFilter { active: Some(true), ..Default::default() };
    let page = parlor_core::store::Page { offset: 0, count: 1 };
    let found = call.chat().list_users(call.actor()?, filter, page).await?;
    // No licence, no limit.
    success(json!({ "maxActiveUsers": Value::Null, "activeUsers": found.total }))
}

async fn no_preview(_: Call) -> Outcome {
    Err(Refused::new("The command provided does not exist (or is disabled)."))
}

async fn fingerprint(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    match body.text("setDeploymentAs")? {
        Some("new-workspace" | "updated-configuration") => success(json!({})),
        _ => Err(Refused::new("Invalid body params").kind("error-invalid-body-params")),
    }
}
