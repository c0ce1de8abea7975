//! Accounts as administrators keep them.

use parlor_testkit::{Cast, Server};
use serde_json::json;

#[tokio::test]
async fn idle_accounts_are_switched_off_and_less_than_no_days_is_not_everybody() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let administrator = &cast.administrator.rest;
    let idle = |days: f64| administrator.post("users.deactivateIdle", json!({ "daysIdle": days }));
    let _ = cast.member.rest.post("users.deactivateIdle", json!({ "daysIdle": 0 })).await.refused(403);
    for days in [-1.0, -0.5] {
        assert_eq!(idle(days).await.refused(400)["errorType"], "invalid-params", "{days}");
    }
    assert_eq!(idle(1.0).await.ok()["count"], 0, "everybody has just come");
    let _ = cast.member.rest.get("me", &[]).await.ok();
    // Owners of rooms stay; the others who logged in are switched off.
    let _ = cast.owner.group("kept", &[]).await;
    assert!(idle(0.0).await.ok()["count"].as_u64().is_some_and(|count| count >= 2));
    let _ = cast.owner.rest.get("me", &[]).await.ok();
    let _ = administrator.get("me", &[]).await.ok();
    assert_eq!(cast.member.rest.get("me", &[]).await.status, 401);
}

#[tokio::test]
async fn who_asks_for_what_changed_since_time_began_gets_everything() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let rest = &cast.member.rest;
    let all = rest.get("permissions.listAll", &[]).await.ok()["update"].clone();
    assert!(all.as_array().is_some_and(|all| all.len() > 150));
    let since = async |text: &str| {
        let told = rest.get("permissions.listAll", &[("updatedSince", text)]).await;
        told.ok()["update"].clone()
    };
    assert_eq!(since("1970-01-01T00:00:00.000Z").await, all);
    assert_eq!(since("2100-01-01T00:00:00.000Z").await, json!([]));
    let epoch = json!([{ "$date": 0 }]);
    let mut socket = cast.member.socket(&server).await;
    for (method, least) in [("permissions/get", 150), ("public-settings/get", 100)] {
        let told = socket.method(method, epoch.clone()).await.expect("whoever is logged in may");
        assert!(told["update"].as_array().is_some_and(|all| all.len() >= least), "{method}: {told}");
    }
    let roles = rest.get("roles.sync", &[("updatedSince", "1970-01-01T00:00:00.000Z")]).await.ok();
    assert!(roles["roles"]["update"].as_array().is_some_and(|all| !all.is_empty()));
}

#[tokio::test]
async fn a_preference_has_the_kind_of_value_that_clients_rely_on() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let rest = &cast.member.rest;
    let choose =
        async |data: serde_json::Value| rest.post("users.setPreferences", json!({ "data": data })).await;
    for (wrong, problem) in [
        (json!({ "useEmojis": "yes" }), "must be boolean"),
        (json!({ "idleTimeLimit": "300" }), "must be number"),
        (json!({ "language": { "$ne": "" } }), "must be string"),
    ] {
        let refused = choose(wrong).await.refused(400);
        assert_eq!(
            (&refused["errorType"], &refused["error"]),
            (&json!("invalid-params"), &json!(format!("{problem} [invalid-params]")))
        );
    }
    let data = json!({ "useEmojis": false, "idleTimeLimit": 60, "featuresPreview": [], "ofOurOwn": [1] });
    let chosen = choose(data.clone()).await.ok();
    assert_eq!(chosen["user"]["settings"]["preferences"], data);
    let none = choose(json!({ "useEmojis": null })).await.ok();
    assert_eq!(none["user"]["settings"]["preferences"]["useEmojis"], json!(null));
}
