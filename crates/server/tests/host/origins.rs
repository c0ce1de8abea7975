//! Pages of other origins, wrong paths, wrong methods, wrong bodies.

use parlor_testkit::rest::answer;
use parlor_testkit::{HostApp, Rest};
use reqwest::Method;
use serde_json::json;

/// S3-53, S4-11, C-19: a listed page may read the answers, another may not.
#[tokio::test]
async fn s3_53_s4_11_only_listed_pages_may_read_answers() {
    let server =
        HostApp::setup().env("ALLOWED_ORIGINS", "https://app.example, https://two.example").start().await;
    let page = |origin: &str| server.rest().header("origin", origin);
    let allowed = |answer: &parlor_testkit::Answer| {
        answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    let listed = page("https://app.example").get("/api/auth/me", &[]).await;
    assert_eq!(allowed(&listed).as_deref(), Some("https://app.example"));
    assert_eq!(listed.headers["access-control-allow-credentials"], "true");
    assert!(listed.headers.get_all("vary").iter().any(|value| value == "Origin"));
    assert_eq!(allowed(&page("https://evil.example").get("/api/auth/me", &[]).await), None);

    let preflight = async |rest: Rest| {
        let request = rest.header("access-control-request-method", "PUT");
        answer(request.request(Method::OPTIONS, "/api/users/u-1")).await
    };
    let asked = preflight(page("https://two.example")).await;
    assert_eq!(asked.status, 204);
    assert!(asked.headers["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    assert_eq!(allowed(&preflight(page("https://evil.example")).await), None);
}

/// S3-64, S3-72, S4-47: each wrong request has a plain answer and never a 5xx.
#[tokio::test]
async fn s3_64_s3_72_s4_47_wrong_requests_are_told_apart() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let url = "/api/users/u-1";
    app.get("/api/chat/nothing/here", &[]).await.problem(404, "not_found");
    let wrong = answer(app.request(Method::PATCH, url)).await;
    assert!(wrong.headers["allow"].to_str().unwrap().contains("PUT"));
    wrong.problem(405, "method_not_allowed");
    let put = |kind: &str, body: String| {
        let request = app.request(Method::PUT, url).header("content-type", kind.to_owned()).body(body);
        answer(request)
    };
    put("text/plain", "{}".into()).await.problem(415, "unsupported_media_type");
    put("application/json", "{".into()).await.problem(400, "bad_json");
    put("application/json", "[]".into()).await.problem(400, "validation_failed");
    put("application/json", format!("{{\"a\":{}}}", "[".repeat(100))).await.problem(400, "bad_json");
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
    put("application/json", large).await.problem(413, "payload_too_large");
    let good = put("application/json; charset=utf-8", json!({"username": "one"}).to_string()).await;
    assert_eq!(good.headers["x-content-type-options"], "nosniff");
    good.expect(201);
}
