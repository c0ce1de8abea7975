//! What all live connections share: the WebSocket codec, the bounded outbox, heartbeat, limits, the accept
//! loop.
//!
//! A door implements [`Session`] and starts it from a request handler; everything else is here. One task per
//! connection polls the socket, the outbox and the requests in flight. Listeners push complete frames
//! (shared between all subscribers) into an [`Outbox`] and never wait; who is too slow is cut off with a
//! reason and resumes by position.
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Router, extract::Request, response::{IntoResponse, Response}, routing::any};
//! use parlor_live::{
//!     Class, Door, Live, Options, Origins, Outbox, Session, Step, frame_text, upgrade::accept,
//! };
//!
//! struct Shout { outbox: Arc<Outbox> }
//!
//! impl Session for Shout {
//!     type Answer = String;
//!
//!     /// Started in order, many in flight, answered in order.
//!     fn text(&mut self, text: &str) -> Step<String> {
//!         let text = text.to_owned();
//!         Step::Answer(Box::pin(async move { text.to_uppercase() }))
//!     }
//!
//!     fn answered(&mut self, text: String) -> Step<String> {
//!         self.outbox.push(frame_text(text.as_bytes()), Class::Reply);
//!         Step::Done
//!     }
//! }
//!
//! /// The handler; listeners elsewhere hold the outbox and push `Class::Event { topic }` to it.
//! fn shout(door: &Arc<Door>, mut request: Request) -> Response {
//!     match accept(door, &mut request, Origins::Any) {
//!         Ok(upgrade) => upgrade.start(|outbox| Shout { outbox }),
//!         Err(refused) => refused.into_response(),
//!     }
//! }
//!
//! let live = Live::new(Default::default());
//! let door = live.door("shout", Options::default());
//! let app: Router = Router::new().route("/shout", any(move |request| async move { shout(&door, request) }));
//! # drop(app);
//! // Then: parlor_live::serve(listener, app, live, ServeOptions::default(), shutdown).await
//! ```

pub mod address;
pub mod body;
pub mod caps;
pub mod close;
pub mod connection;
pub mod limits;
pub mod live;
pub mod metrics;
pub mod outbox;
pub mod serve;
pub mod serving;
pub mod sse;
pub mod upgrade;
pub mod ws;

pub use self::address::ClientAddress;
pub use self::caps::CapLimits;
pub use self::close::{Close, Closed};
pub use self::connection::{Answer, Idle, Session, Step};
pub use self::limits::{DEFAULT_LIMITS, Limit, Limits, Standing, TooOften};
pub use self::live::{Door, Live, Options};
pub use self::metrics::LiveMetrics;
pub use self::outbox::{Alone, Class, Dirty, Kick, Lost, Outbox, OutboxLimits, Pushed, Topic, gather, tell};
pub use self::serve::{Entrance, ServeOptions, serve};
pub use self::sse::frame_sse;
pub use self::upgrade::{Origins, RawStream, Refused, Upgrade};
pub use self::ws::{FrameWriter, WsLimits, frame_binary, frame_text};
