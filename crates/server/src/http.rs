//! What is mounted where: every door on one screen, and what they all share (CORS, the client's address, health,
//! metrics, panics kept to their request).

use std::sync::Arc;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use parlor_host::{Host, Problem};
use parlor_identity::token::same_secret;
use parlor_live::ClientAddress;
use parlor_web::{Asked, Web};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
    cors::{AllowOrigin, CorsLayer},
};

use crate::{config::Config, metrics::Metrics, wiring::Parts};

/// The whole server as one router.
pub fn router(parts: &Parts, config: &Arc<Config>) -> Router {
    let own = Own { config: config.clone(), metrics: parts.metrics.clone() };
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(own)
        .merge(parts.rocketchat.router().layer(cors(&config.cors_origins)))
        .merge(host_doors(&parts.host))
        .layer(middleware::from_fn(unknown_path))
        .layer(from_fn_with_state(Web::new(config.web_dir.clone()), web_app))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(1024).and(not_a_file)))
        .layer(CatchPanicLayer::custom(panicked))
}

/// What stands behind `/api/` in the paths of host applications.
const HOST_PATHS: [&str; 7] = ["auth", "users", "chat", "conversations", "tickets", "files", "websocket"];

/// The doors for host applications.
fn host_doors(host: &Host) -> Router {
    let mut doors = Router::new().merge(parlor_host::rest::router(host));
    doors = doors.merge(parlor_inbox::Door::new(host).router());
    doors = doors.merge(parlor_support::Door::new(host.clone()).router());
    doors = doors.merge(parlor_socketio::Door::new(host.clone()).router());
    doors = doors.merge(parlor_tickets::router(host));
    doors = doors.merge(parlor_rooms::router(host));
    let origins = host.options().origins.clone();
    doors.layer(middleware::from_fn(move |request: Request, next: Next| {
        let origins = origins.clone();
        async move {
            if let Some(answer) = origins.preflight(request.method(), request.headers()) {
                return answer;
            }
            let origin = request.headers().get(header::ORIGIN).cloned();
            let mut answer = next.run(request).await;
            origins.mark(origin.as_ref(), answer.headers_mut());
            answer
        }
    }))
}

/// Paths of host applications that none of their doors has are refused in their words.
async fn unknown_path(request: Request, next: Next) -> Response {
    let known = request.extensions().get::<MatchedPath>().is_some();
    let below = request.uri().path().strip_prefix("/api/").and_then(|rest| rest.split('/').next());
    if !known && below.is_some_and(|below| HOST_PATHS.contains(&below)) {
        return Problem::not_found("Path").detail("Path not found".into()).into_response();
    }
    next.run(request).await
}

#[derive(Clone)]
struct Own {
    config: Arc<Config>,
    metrics: Arc<Metrics>,
}

/// 200 as soon as requests are served.
async fn health() -> &'static str {
    "ok"
}

/// For Prometheus: from this machine, or with the configured token.
async fn metrics(State(own): State<Own>, request: Request) -> Response {
    let direct = request.extensions().get::<ClientAddress>().is_some_and(|c| c.0.is_loopback());
    let forwarded = request.headers().contains_key("x-forwarded-for")
        || request.headers().contains_key(header::FORWARDED);
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = own.config.metrics_token.as_deref().is_some_and(|token| {
        bearer.and_then(|b| b.strip_prefix("Bearer ")).is_some_and(|given| same_secret(given, token))
    });
    if !token && (!direct || forwarded) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], own.metrics.encode()).into_response()
}

/// What no route takes belongs to the web app, if it has it or a person opens it; the rest stays the doors'.
async fn web_app(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.extensions().get::<MatchedPath>().is_none() {
        let asked =
            Asked { method: request.method(), path: request.uri().path(), headers: request.headers() };
        if let Some(page) = web.answer(asked).await {
            return page;
        }
    }
    next.run(request).await
}

fn cors(origins: &[String]) -> CorsLayer {
    let headers = [
        "x-user-id",
        "x-auth-token",
        "content-type",
        "x-2fa-code",
        "x-2fa-method",
        "authorization",
        "x-requested-with",
    ];
    let layer = CorsLayer::new()
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::PATCH,
        ])
        .allow_headers(headers.map(HeaderName::from_static))
        .max_age(std::time::Duration::from_secs(600));
    if origins.iter().any(|o| o == "*") {
        return layer.allow_origin(AllowOrigin::any());
    }
    let listed: Vec<HeaderValue> = origins.iter().filter_map(|o| o.parse().ok()).collect();
    layer.allow_origin(AllowOrigin::list(listed)).allow_credentials(true)
}

/// Files are compressed already, and ranges of them must stay what they are.
fn not_a_file(
    _: StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/json"))
}

/// A panic ends its own request only.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    let body = r#"{"success":false,"error":"Internal server error"}"#;
    (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
