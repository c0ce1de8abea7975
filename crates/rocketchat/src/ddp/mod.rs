//! DDP on `/websocket`: Meteor's protocol as Rocket.Chat's clients speak it.

mod ears;
pub(crate) mod frame;
mod lately;
mod personal;
mod render;
mod session;
pub(crate) mod streams;
mod subscribing;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use parlor_live::{ClientAddress, Origins, upgrade};

pub(crate) use self::lately::Lately;
use self::session::Ddp;
pub use self::streams::{STREAMS, Stream};
use crate::Door;

/// Upgrades a request to a DDP connection. Any origin may connect: nothing is taken from cookies, a login needs a
/// token or password in a frame.
pub(crate) async fn websocket(State(door): State<Arc<Door>>, mut request: Request) -> Response {
    let address = request.extensions().get::<ClientAddress>().map(|a| a.0);
    match upgrade::accept(&door.live, &mut request, Origins::Any) {
        Ok(upgrade) => upgrade.start(move |outbox| Ddp::new(door, outbox, address)),
        Err(refused) => refused.into_response(),
    }
}
