//! The table of REST routes, and the router that is built from it.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{MethodFilter, on},
};
use parking_lot::Mutex;
use parlor_core::second_factor::Ask;

use crate::{
    Door,
    call::{Call, drain},
    rates,
    refusal::Refused,
    who::Who,
};

/// HTTP verbs in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// What a handler gives back.
pub(crate) type Outcome = Result<Response, Refused>;
type Handler = Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// One route.
#[derive(Clone)]
pub struct Route {
    /// HTTP verb.
    pub verb: Verb,
    /// Full path, as axum writes it: `/api/v1/chat.sendMessage`, `/api/v1/settings/{id}`.
    pub path: String,
    /// Who may use it.
    pub who: Who,
    /// A request that is good for whoever may: a query string for GET, a JSON body otherwise, empty for a call
    /// without parameters. `/A/B ` before it fills the path's parameters; `form FIELD ` before a JSON object sends a
    /// form with a picture under that name. `$public`, `$private`, `$direct` (rooms), `$message` (the member's, in
    /// `$private`), `$user`, `$username` (another member), `$me`, `$name` (a fresh name) and what else the walk of the
    /// table knows are filled in.
    pub sample: &'static str,
    /// Not empty: a part of what whoever may is told when it is not here, or not possible with the sample.
    pub answer: &'static str,
    /// Whether it decides how the server works or who may do what: whoever has a second factor is asked for it.
    pub grave: bool,
    handler: Handler,
}

/// Largest body of JSON or of form fields, in bytes: room for sounds and pictures as data URIs. Forms with files stream,
/// and each bounds what it takes.
pub(crate) const BODY_LIMIT: usize = 4 * 1024 * 1024;

fn route<F, R>(verb: Verb, name: &str, who: Who, sample: &'static str, handler: F) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let path = if name.starts_with('/') { name.to_owned() } else { format!("/api/v1/{name}") };
    let handler: Handler = Arc::new(move |call| Box::pin(handler(call)));
    Route { verb, path, who, sample, answer: "", grave: false, handler }
}

/// A GET route. `name` is relative to `/api/v1/` unless it begins with a slash.
pub(crate) fn get<F, R>(name: &str, who: Who, sample: &'static str, handler: F) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    route(Verb::Get, name, who, sample, handler)
}

/// A POST route.
pub(crate) fn post<F, R>(name: &str, who: Who, sample: &'static str, handler: F) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    route(Verb::Post, name, who, sample, handler)
}

/// A PUT route.
pub(crate) fn put<F, R>(name: &str, who: Who, sample: &'static str, handler: F) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    route(Verb::Put, name, who, sample, handler)
}

/// A DELETE route.
pub(crate) fn delete<F, R>(name: &str, who: Who, sample: &'static str, handler: F) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    route(Verb::Delete, name, who, sample, handler)
}

impl Route {
    /// What whoever may can be refused with, all the same.
    pub(crate) fn answering(mut self, error: &'static str) -> Self {
        self.answer = error;
        self
    }

    /// Asks whoever has a second factor for it, before the call is read.
    pub(crate) fn grave(mut self) -> Self {
        self.grave = true;
        self
    }

    /// What a call that was let in is answered.
    pub(crate) async fn answer(&self, call: Call) -> Outcome {
        if self.grave {
            call.confirm(Ask::WhoeverHasOne).await?;
        }
        (self.handler)(call).await
    }
}

pub(crate) fn router(door: &Arc<Door>, routes: Vec<Route>) -> Router {
    let mut router = Router::new();
    for route in routes {
        let path = route.path.clone();
        let filter = route.verb.filter();
        let serve = move |State(door): State<Arc<Door>>, request: Request| serve(door, route, request);
        router = router.route(&path, on(filter, serve));
    }
    let router = router.route("/websocket", axum::routing::get(crate::ddp::websocket));
    router.method_not_allowed_fallback(not_found).fallback(not_found).with_state(door.clone())
}

async fn serve(door: Arc<Door>, route: Route, request: Request) -> Response {
    let test_mode = door.config.test_mode;
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(Some(body)));
    let told = rates::Told::new();
    let now = door.chat.now();
    let outcome = match Call::admit(door, &route, parts, body.clone(), &told).await {
        Ok(call) => route.answer(call).await,
        Err(refused) => Err(refused),
    };
    drain(&body).await;
    let mut answer = outcome.unwrap_or_else(|refused| refused.response(test_mode));
    if let Some(standing) = told.get() {
        rates::tell(answer.headers_mut(), standing, now.millis());
    }
    answer
}

/// Whatever is not in the table: Rocket.Chat's JSON, never HTML.
async fn not_found(request: Request) -> Response {
    crate::rest::left_out::answer(request.method(), request.uri().path())
}
