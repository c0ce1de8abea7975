//! What all live connections share: the WebSocket codec, the bounded outbox, heartbeat, limits, the accept
//! loop.
//!
//! A door implements [`Session`] and starts it from a request handler; everything else is here.
//! One task per connection polls the socket, the outbox and the requests in flight. Listeners push complete
//! frames (shared between all subscribers) into an [`Outbox`] and never wait.

pub mod caps;
pub mod close;
pub mod connection;
pub mod live;
pub mod metrics;
pub mod outbox;
pub mod upgrade;
pub mod ws;

pub use self::caps::CapLimits;
pub use self::close::{Close, Closed};
pub use self::connection::{Answer, Idle, Session, Step};
pub use self::live::{ClientAddress, Door, Live, Options};
pub use self::metrics::LiveMetrics;
pub use self::outbox::{Class, Dirty, Kick, Outbox, OutboxLimits, Pushed, Topic};
pub use self::upgrade::{Origins, Refused, Upgrade};
pub use self::ws::{FrameWriter, WsLimits, frame_binary, frame_text};
