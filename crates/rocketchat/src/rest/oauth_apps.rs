//! `oauth-apps.*`: applications that may ask people for access. Secrets are told once, when they are made.

use parlor_core::{
    error::Refusal,
    oauth_apps::{OAuthApp, WantedApp},
};
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    call::{Call, bare, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let keepers = Who::May(&["manage-oauth-apps"]);
    let change = r#"{"appId":"none","name":"$name","redirectUri":"https://app.example/cb","active":true}"#;
    vec![
        get("oauth-apps.list", keepers, "", list),
        get("oauth-apps.get", Who::User, "clientId=none", one).answering("OAuth app not found"),
        post(
            "oauth-apps.create",
            keepers,
            r#"{"name":"$name","redirectUri":"https://app.example/cb","active":true}"#,
            create,
        )
        .grave(),
        post("oauth-apps.update", keepers, change, update).grave().answering("error-application-not-found"),
        post("oauth-apps.delete", keepers, r#"{"appId":"none"}"#, remove)
            .grave()
            .answering("error-application-not-found"),
    ]
}

fn shown(app: &OAuthApp) -> Value {
    json!({
        "_id": app.id, "name": app.name, "active": app.active, "clientId": app.client_id,
        "redirectUri": app.redirect_uris.join(","), "_createdAt": Dates::Iso.value(app.created_at),
        "_updatedAt": Dates::Iso.value(app.updated_at),
        "_createdBy": { "_id": app.created_by.0.as_str(), "username": app.created_by.1 },
    })
}

/// With its secret, this once.
fn told(app: &OAuthApp, secret: Option<String>) -> Value {
    let mut all = shown(app);
    if let Some(secret) = secret {
        all["clientSecret"] = secret.into();
    }
    all
}

async fn list(call: Call) -> Outcome {
    let all = call.chat().oauth_apps(call.actor()?).await?;
    success(json!({ "oauthApps": all.iter().map(shown).collect::<Vec<_>>() }))
}

async fn one(call: Call) -> Outcome {
    let names = ["clientId", "_id", "appId"];
    // `_id[$ne]=x` is an object to whoever reads queries so.
    if call
        .query
        .keys()
        .any(|key| names.iter().any(|n| key.strip_prefix(n).is_some_and(|r| r.starts_with('['))))
    {
        return Err(Refused::invalid_params("must be string\n must match exactly one schema in oneOf"));
    }
    let id = names.into_iter().find_map(|name| call.param(name));
    let id = id.ok_or_else(|| {
        Refused::invalid_params(
            "must have required property '_id'\n must have required property 'clientId'\n must have required \
             property 'appId'\n must match exactly one schema in oneOf",
        )
    })?;
    let app = call.chat().oauth_app(id).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::new("OAuth app not found."),
        other => other.into(),
    })?;
    success(json!({ "oauthApp": shown(&app) }))
}

fn wanted(body: &Body) -> Result<WantedApp, Refused> {
    let redirect = match body.get("redirectUri") {
        Some(Value::Array(all)) => super::rooms_call::texts(all)?.join("\n"),
        _ => body.need("redirectUri")?.to_owned(),
    };
    Ok(WantedApp {
        name: body.need("name")?.trim().to_owned(),
        active: body.flag("active")?.ok_or_else(|| Refused::missing("active"))?,
        redirect_uri: redirect,
    })
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-application-not-found", "Application not found"),
        other => other.into(),
    }
}

async fn create(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (app, secret) = call.chat().make_oauth_app(call.actor()?, wanted(&body)?).await?;
    success(json!({ "application": told(&app, Some(secret)) }))
}

/// `resetSecret` asks for another secret.
async fn update(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.need("appId")?;
    let anew = body.flag("resetSecret")?.unwrap_or_default();
    let changed = call.chat().change_oauth_app(call.actor()?, id, wanted(&body)?, anew).await;
    let (app, secret) = changed.map_err(refused)?;
    success(told(&app, secret))
}

async fn remove(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.chat().remove_oauth_app(call.actor()?, body.need("appId")?).await.map_err(refused)?;
    bare(&true.into())
}
