//! What long polls carry: packets parted by 0x1e, binary ones in base64. Pure functions between them and the WebSocket
//! frames that a connection speaks, so that one outbox serves both transports.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Parts packets within a payload.
const SEPARATOR: u8 = 0x1e;
/// Opcodes of RFC 6455.
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// Turns a posted payload into the frames that a WebSocket client would have sent; `None` when it is malformed: an
/// empty packet, one of no known type, or bad base64.
pub fn frames_of(payload: &str) -> Option<Vec<u8>> {
    let mut frames = Vec::with_capacity(payload.len() + 16);
    for packet in payload.split(char::from(SEPARATOR)) {
        match packet.as_bytes() {
            [b'b', data @ ..] => put_frame(&mut frames, BINARY, &STANDARD.decode(data).ok()?),
            [b'0'..=b'6', ..] => put_frame(&mut frames, TEXT, packet.as_bytes()),
            _ => return None,
        }
    }
    Some(frames)
}

/// A client's frame with a mask of zeros.
fn put_frame(frames: &mut Vec<u8>, opcode: u8, data: &[u8]) {
    frames.push(0x80 | opcode);
    match u16::try_from(data.len()) {
        Ok(length @ 0..=125) => frames.push(0x80 | length as u8),
        Ok(length) => {
            frames.push(0x80 | 126);
            frames.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            frames.push(0x80 | 127);
            frames.extend_from_slice(&(data.len() as u64).to_be_bytes());
        }
    }
    frames.extend_from_slice(&[0; 4]);
    frames.extend_from_slice(data);
}

/// Adds one of the server's frames to a payload. Pings and pongs of WebSocket mean nothing there and are left out; a
/// close becomes the packet that closes.
pub fn add_frame(payload: &mut Vec<u8>, frame: &[u8]) {
    let Some((opcode, data)) = open_frame(frame) else { return };
    if !matches!(opcode, TEXT | BINARY | CLOSE) {
        return;
    }
    if !payload.is_empty() {
        payload.push(SEPARATOR);
    }
    match opcode {
        TEXT => payload.extend_from_slice(data),
        BINARY => {
            payload.push(b'b');
            payload.extend_from_slice(STANDARD.encode(data).as_bytes());
        }
        _ => payload.push(b'1'),
    }
}

/// Opcode and payload of a complete frame without a mask.
fn open_frame(frame: &[u8]) -> Option<(u8, &[u8])> {
    let (&[first, length], rest) = frame.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        126 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (u64::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (u64::from(short), rest),
    };
    (rest.len() as u64 == length).then_some((first & 0x0f, rest))
}

#[cfg(test)]
mod tests {
    use parlor_live::{
        Close,
        ws::{Decoder, Incoming, WsLimits, frame_binary, frame_close, frame_ping, frame_text},
    };

    use super::*;

    fn read(frames: &mut [u8]) -> Vec<String> {
        let limits = WsLimits { message: 1 << 20, ..WsLimits::default() };
        let (mut decoder, mut at, mut all) = (Decoder::new(limits), 0, Vec::new());
        while let Some((size, incoming)) = decoder.step(&mut frames[at..]).unwrap() {
            all.push(match incoming {
                Incoming::Text(text) => text.to_owned(),
                Incoming::Binary(bytes) => format!("{bytes:?}"),
                other => panic!("{other:?}"),
            });
            at += size;
        }
        assert_eq!(at, frames.len());
        all
    }

    #[test]
    fn a_payload_becomes_the_frames_of_its_packets_in_order() {
        let mut frames = frames_of("3\u{1e}42[\"a\"]\u{1e}bAQID").unwrap();
        assert_eq!(read(&mut frames), ["3", "42[\"a\"]", "[1, 2, 3]"]);
        for length in [0, 125, 126, 65_535, 65_536] {
            let packet = format!("4{}", "x".repeat(length));
            assert_eq!(read(&mut frames_of(&packet).unwrap()), [packet]);
        }
    }

    #[test]
    fn a_malformed_payload_is_refused() {
        for bad in ["", "\u{1e}", "3\u{1e}", "7", "x", "b!", "bA", "3\u{1e}\u{1e}3"] {
            assert!(frames_of(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn frames_of_each_length_become_packets() {
        let mut payload = Vec::new();
        for length in [1, 126, 65_536] {
            add_frame(&mut payload, &frame_text("y".repeat(length).as_bytes()));
        }
        add_frame(&mut payload, &frame_ping(b"x"));
        add_frame(&mut payload, &frame_binary(&[1, 2, 3]));
        add_frame(&mut payload, &frame_close(&Close::normal()));
        let text = String::from_utf8(payload).unwrap();
        let packets: Vec<&str> = text.split('\u{1e}').collect();
        assert_eq!(packets.iter().map(|p| p.len()).collect::<Vec<_>>(), [1, 126, 65_536, 5, 1]);
        assert_eq!(packets[3..], ["bAQID", "1"]);
    }
}
