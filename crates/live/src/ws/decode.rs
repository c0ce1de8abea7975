//! Reading a client's frames in place, one at a time.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::encode::{MAX_CONTROL, is_valid_close_code};

/// Bounds on what a client may send.
#[derive(Clone, Copy, Debug)]
pub struct WsLimits {
    /// Bytes of a message, all its fragments together. Default 256 KiB.
    pub message: usize,
    /// Fragments of a message. Default 256.
    pub fragments: u32,
}

impl Default for WsLimits {
    fn default() -> Self {
        Self { message: 256 * 1024, fragments: 256 }
    }
}

/// How a client broke the protocol; each ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A frame without a mask.
    Unmasked,
    /// A reserved bit is set, and no extension was agreed.
    ReservedBits,
    /// An opcode that doesn't exist.
    Opcode,
    /// A length that is not in its shortest form, or over 63 bits.
    Length,
    /// A control frame with more than 125 bytes.
    ControlTooLong,
    /// A control frame in fragments.
    ControlFragmented,
    /// A continuation of nothing.
    UnexpectedContinuation,
    /// A new message inside a fragmented one.
    ExpectedContinuation,
    /// A close frame of one byte, or with a code that must not be sent.
    CloseFrame,
    /// Text, or the reason of a close, is not UTF-8.
    Utf8,
    /// A message over the bound.
    TooBig,
    /// A message in too many fragments.
    TooManyFragments,
    /// A binary message where only text is spoken.
    Binary,
}

impl Violation {
    /// The close code of RFC 6455.
    pub fn code(self) -> u16 {
        match self {
            Self::Utf8 => 1007,
            Self::TooBig | Self::TooManyFragments => 1009,
            Self::Binary => 1003,
            _ => 1002,
        }
    }

    /// A short sentence for the client's developer.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unmasked => "frame without a mask",
            Self::ReservedBits => "reserved bit set",
            Self::Opcode => "unknown opcode",
            Self::Length => "length not in its shortest form",
            Self::ControlTooLong => "control frame over 125 bytes",
            Self::ControlFragmented => "control frame in fragments",
            Self::UnexpectedContinuation => "continuation of nothing",
            Self::ExpectedContinuation => "new message inside a fragmented one",
            Self::CloseFrame => "malformed close",
            Self::Utf8 => "not UTF-8",
            Self::TooBig => "message too big",
            Self::TooManyFragments => "message in too many fragments",
            Self::Binary => "text only",
        }
    }
}

/// What a frame brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A complete text message.
    Text(&'a str),
    /// A complete binary message.
    Binary(&'a [u8]),
    /// A fragment; its message is not complete yet.
    Fragment,
    /// A ping, to be answered by a pong with the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// The client closes, with its code if it gave one.
    Close(Option<u16>),
}

#[derive(Debug)]
struct Partial {
    data: Vec<u8>,
    text: bool,
    fragments: u32,
    /// Bytes known to be UTF-8 (a character may be cut by a fragment's end).
    valid: usize,
    complete: bool,
}

/// Reads frames from the front of a buffer; keeps only the fragments of an unfinished message.
#[derive(Debug)]
pub struct Decoder {
    limits: WsLimits,
    partial: Option<Box<Partial>>,
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new(limits: WsLimits) -> Self {
        Self { limits, partial: None }
    }

    /// Reads one frame from the front of `input`, unmasking it in place. `None`: not complete yet, call
    /// again with the same bytes and more. Otherwise the bytes that the frame took, and what it brought.
    pub fn step<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Option<(usize, Incoming<'a>)>, Violation> {
        self.partial.take_if(|partial| partial.complete);
        let mut cursor = Cursor::new(&*input);
        // The only way for a header to be wrong by itself is its opcode.
        let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| Violation::Opcode)? else {
            return Ok(None);
        };
        let start = cursor.position() as usize;
        self.check(&header, length, start)?;
        // The check has bounded the length, so this fits.
        let end = start + length as usize;
        let Some(payload) = input.get_mut(start..end) else { return Ok(None) };
        unmask(payload, header.mask.unwrap_or_default());
        let incoming = match header.opcode {
            OpCode::Control(control) => control_frame(control, payload)?,
            OpCode::Data(data) => self.data_frame(data, header.is_final, payload)?,
        };
        Ok(Some((end, incoming)))
    }

    /// Everything that can be refused before the payload is there.
    fn check(&self, header: &FrameHeader, length: u64, size: usize) -> Result<(), Violation> {
        let open = self.partial.as_deref();
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::ReservedBits);
        }
        if header.mask.is_none() {
            return Err(Violation::Unmasked);
        }
        if header.len(length) != size || length > i64::MAX as u64 {
            return Err(Violation::Length);
        }
        match header.opcode {
            OpCode::Control(_) if length > MAX_CONTROL as u64 => return Err(Violation::ControlTooLong),
            OpCode::Control(_) if !header.is_final => return Err(Violation::ControlFragmented),
            OpCode::Control(_) => return Ok(()),
            OpCode::Data(Data::Continue) if open.is_none() => return Err(Violation::UnexpectedContinuation),
            OpCode::Data(Data::Continue) => {}
            OpCode::Data(_) if open.is_some() => return Err(Violation::ExpectedContinuation),
            OpCode::Data(_) => {}
        }
        if open.map_or(0, |p| p.data.len() as u64).saturating_add(length) > self.limits.message as u64 {
            return Err(Violation::TooBig);
        }
        if open.map_or(0, |p| p.fragments) >= self.limits.fragments {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }

    fn data_frame<'a>(
        &'a mut self,
        opcode: Data,
        last: bool,
        payload: &'a [u8],
    ) -> Result<Incoming<'a>, Violation> {
        if last && opcode != Data::Continue {
            return if opcode == Data::Text { whole_text(payload) } else { Ok(Incoming::Binary(payload)) };
        }
        let text = opcode == Data::Text;
        let partial = self.partial.get_or_insert_with(|| {
            Box::new(Partial { data: Vec::new(), text, fragments: 0, valid: 0, complete: false })
        });
        partial.data.extend_from_slice(payload);
        partial.fragments += 1;
        partial.complete = last;
        if partial.text {
            partial.check_text()?;
        }
        match (last, partial.text) {
            (false, _) => Ok(Incoming::Fragment),
            (true, true) => whole_text(&partial.data),
            (true, false) => Ok(Incoming::Binary(&partial.data)),
        }
    }
}

impl Partial {
    /// Refuses bad text at the fragment that brings it, without looking again at what is known to be good.
    fn check_text(&mut self) -> Result<(), Violation> {
        match std::str::from_utf8(&self.data[self.valid..]) {
            Ok(_) => self.valid = self.data.len(),
            Err(error) if error.error_len().is_some() => return Err(Violation::Utf8),
            Err(error) => self.valid += error.valid_up_to(),
        }
        Ok(())
    }
}

fn whole_text(payload: &[u8]) -> Result<Incoming<'_>, Violation> {
    std::str::from_utf8(payload).map(Incoming::Text).map_err(|_| Violation::Utf8)
}

fn control_frame(opcode: Control, payload: &[u8]) -> Result<Incoming<'_>, Violation> {
    match opcode {
        Control::Ping => Ok(Incoming::Ping(payload)),
        Control::Pong => Ok(Incoming::Pong(payload)),
        Control::Close => close_frame(payload),
        Control::Reserved(_) => Err(Violation::Opcode),
    }
}

fn close_frame(payload: &[u8]) -> Result<Incoming<'static>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(Incoming::Close(None)),
        [_] => return Err(Violation::CloseFrame),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !is_valid_close_code(code) {
        return Err(Violation::CloseFrame);
    }
    std::str::from_utf8(reason).map_err(|_| Violation::Utf8)?;
    Ok(Incoming::Close(Some(code)))
}

/// Eight bytes at a time: a plain loop over bytes is not vectorised well.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}
