//! The Rocket.Chat door: REST v1 under `/api/v1`, DDP on `/websocket`, files, avatars and what else its clients
//! fetch. Translates; the core decides. See the README beside this crate for the subset it speaks.

mod avatar;
mod call;
mod date;
mod ddp;
mod draw;
pub mod fuzz;
mod login;
mod md;
mod method;
mod methods;
mod rates;
mod refusal;
mod rest;
mod route;
mod serve;
mod shape;
mod who;

use std::sync::Arc;

use axum::Router;
use parlor_core::chat::Chat;
use parlor_live::{Live, Options, WsLimits};

pub use self::{
    ddp::{STREAMS, Stream},
    method::Method,
    route::{Route, Verb},
    who::Who,
};

/// Rocket.Chat's version that clients are told: newer clients ask less of older servers.
pub const VERSION: &str = "8.5.0";

/// Silence after which a connection is asked for a sign of life, and the time it has to give one.
const PING: std::time::Duration = std::time::Duration::from_secs(30);

/// Largest message on a socket, in bytes.
const FRAME: usize = 1024 * 1024;

/// What the door must know beside the chat.
#[derive(Clone, Debug)]
pub struct Config {
    /// Public base URL without a trailing slash, for absolute links.
    pub root_url: String,
    /// Rocket.Chat's version that clients are told, e.g. `7.10.0`: newer clients ask less of older servers.
    pub version: String,
    /// For people who run client suites: no rate limits, errors carry a `stack`. Only on loopback.
    pub test_mode: bool,
    /// With this secret, holders of `user-generate-access-token` may open sessions for others; never without one.
    pub create_tokens_secret: Option<parlor_core::users_change::Secret>,
}

/// The door.
pub struct Door {
    pub(crate) chat: Arc<Chat>,
    pub(crate) config: Config,
    pub(crate) live: Arc<parlor_live::Door>,
    methods: std::collections::HashMap<&'static str, Method>,
    pub(crate) lately: ddp::Lately,
    pub(crate) rates: rates::Rates,
}

impl Door {
    /// A door to this chat.
    pub fn new(chat: Arc<Chat>, live: &Arc<Live>, config: Config) -> Arc<Self> {
        let methods = methods::all().into_iter().map(|m| (m.name, m)).collect();
        let ws = WsLimits { message: FRAME, ..WsLimits::default() };
        let live =
            live.door("ddp", Options { ws, ping_every: PING, ping_timeout: PING, ..Options::default() });
        Arc::new(Self { chat, config, live, methods, lately: Default::default(), rates: Default::default() })
    }

    /// Every REST route with who may use it: the data that the router is built from and that tests walk.
    pub fn routes() -> Vec<Route> {
        rest::all()
    }

    /// Every DDP method with who may use it.
    pub fn methods() -> Vec<Method> {
        methods::all()
    }

    /// The door as HTTP routes. Everything below `/api` that is not in the table answers Rocket.Chat's JSON error.
    pub fn router(self: &Arc<Self>) -> Router {
        route::router(self, Self::routes())
    }

    pub(crate) fn method(&self, name: &str) -> Option<&Method> {
        self.methods.get(name)
    }
}
