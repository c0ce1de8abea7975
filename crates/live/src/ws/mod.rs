//! The server's side of RFC 6455 over bytes: no sockets, no time.
//!
//! [`encode`] builds complete frames as shared `Bytes`: a server doesn't mask, so one frame serves all
//! subscribers. [`Decoder`] reads the client's frames in place. Extensions (compression) are not spoken.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use self::decode::{Decoder, Incoming, Violation, WsLimits};
pub use self::encode::{
    FrameWriter, frame_binary, frame_close, frame_ping, frame_pong, frame_text, is_valid_close_code,
};
