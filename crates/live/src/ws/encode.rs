//! Server frames: header and payload in one piece of shared memory.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

use crate::close::Close;

/// The longest header of an unmasked frame.
const MAX_HEADER: usize = 10;

/// The longest payload of a control frame.
pub(super) const MAX_CONTROL: usize = 125;

/// A complete text frame. The caller has made sure that it is UTF-8 (JSON always is).
pub fn frame_text(payload: &[u8]) -> Bytes {
    frame(OpCode::Data(Data::Text), payload)
}

/// A complete binary frame.
pub fn frame_binary(payload: &[u8]) -> Bytes {
    frame(OpCode::Data(Data::Binary), payload)
}

/// A ping; at most 125 bytes of the payload are used.
pub fn frame_ping(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Ping), &payload[..payload.len().min(MAX_CONTROL)])
}

/// A pong; at most 125 bytes of the payload are used.
pub fn frame_pong(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Pong), &payload[..payload.len().min(MAX_CONTROL)])
}

/// A close frame. A code of 0 means one without a code; a reason over 123 bytes is cut at a character.
pub fn frame_close(close: &Close) -> Bytes {
    let opcode = OpCode::Control(Control::Close);
    if close.code == 0 {
        return frame(opcode, &[]);
    }
    let reason = &close.reason[..close.reason.floor_char_boundary(MAX_CONTROL - 2)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&close.code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    frame(opcode, &payload)
}

/// Whether this code may stand in a close frame.
pub fn is_valid_close_code(code: u16) -> bool {
    CloseCode::from(code).is_allowed()
}

fn frame(opcode: OpCode, payload: &[u8]) -> Bytes {
    let header = header(opcode);
    let length = payload.len() as u64;
    let mut out = BytesMut::with_capacity(header.len(length) + payload.len()).writer();
    header.format(length, &mut out).expect("memory takes every write");
    out.get_mut().extend_from_slice(payload);
    out.into_inner().freeze()
}

fn header(opcode: OpCode) -> FrameHeader {
    FrameHeader { is_final: true, opcode, ..FrameHeader::default() }
}

/// Builds a text frame by writing its payload, without copying it afterwards: give it to a serialiser.
#[derive(Debug)]
pub struct FrameWriter {
    /// Room for the longest header, then the payload.
    buffer: BytesMut,
}

impl FrameWriter {
    /// An empty text frame with room for about `capacity` bytes of payload.
    pub fn text(capacity: usize) -> Self {
        let mut buffer = BytesMut::with_capacity(MAX_HEADER + capacity);
        buffer.put_bytes(0, MAX_HEADER);
        Self { buffer }
    }

    /// The complete frame.
    pub fn finish(mut self) -> Bytes {
        let header = header(OpCode::Data(Data::Text));
        let length = (self.buffer.len() - MAX_HEADER) as u64;
        let start = MAX_HEADER - header.len(length);
        header.format(length, &mut &mut self.buffer[start..MAX_HEADER]).expect("memory takes every write");
        self.buffer.freeze().slice(start..)
    }
}

impl io::Write for FrameWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
