//! How often somebody may call.

use parlor_testkit::{Person, Server, server::ADMINISTRATOR};
use serde_json::json;

#[tokio::test]
async fn who_calls_too_often_is_told_when_to_come_back_and_nobody_else_notices() {
    let calls = ("API_Enable_Rate_Limiter_Limit_Calls_Default", "5");
    let server = Server::setup().env("TEST_MODE", "false").setting(calls.0, calls.1).start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let member = administrator.make(&server, "member", "Mina Member").await;
    let other = administrator.make(&server, "other", "Otto Other").await;
    let first = member.rest.get("me", &[]).await;
    assert_eq!((first.status, &first.headers["x-ratelimit-limit"]), (200, &"5".parse().expect("a number")));
    assert_eq!(first.headers["x-ratelimit-remaining"], "4");
    let mut refused = None;
    for _ in 0..20 {
        let answer = member.rest.get("me", &[]).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("twenty calls at once are too many");
    assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
    assert!(
        refused.headers.contains_key("retry-after") && refused.text().contains("error-too-many-requests")
    );
    let _ = other.rest.get("me", &[]).await.ok();
    // Administrators hold `api-bypass-rate-limit`.
    for _ in 0..8 {
        let _ = administrator.rest.get("me", &[]).await.ok();
    }
    let off = json!({ "value": false });
    let _ = administrator.rest.post("settings/API_Enable_Rate_Limiter", off).await.ok();
    let free = member.rest.get("me", &[]).await;
    assert_eq!((free.status, free.headers.contains_key("x-ratelimit-limit")), (200, false));
}
