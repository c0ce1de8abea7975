//! The WebSocket at `/api/websocket/connect`.

mod desk;
mod ears;
mod joining;
mod marking;
mod opening;
mod requests;
mod session;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use parlor_host::{Call, Problem, QueryTokens};
use parlor_live::{Origins, Refused, upgrade};

use self::session::Support;
use crate::Door;

/// Upgrades a request. A bad token does not refuse it: browsers can't read why, so the first frame says it.
pub(crate) async fn connect(State(door): State<Arc<Door>>, mut request: Request) -> Response {
    if let Err(foreign) = door.host.options().origins.check(request.headers()) {
        return foreign.into_response();
    }
    let upgrade = match upgrade::accept(&door.live, &mut request, Origins::Any) {
        Ok(upgrade) => upgrade,
        Err(Refused::NotAHandshake) => {
            return Problem::new(426, "upgrade_required", "This path is for WebSockets").into_response();
        }
        Err(refused) => return refused.into_response(),
    };
    let call = Call::read(door.host.clone(), request, QueryTokens::Socket).await;
    let admitted = call.admitted().cloned();
    upgrade.start(move |outbox| Support::new(door, outbox, admitted))
}
