//! WebSocket frames: any bytes are frames or a violation, the same ones however they are cut, and never more than allowed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parlor_live::ws::{Decoder, Incoming, Violation, WsLimits};

const LIMITS: WsLimits = WsLimits { message: 300, fragments: 4 };

/// Everything that the bytes bring, fed in pieces of this size.
fn read(data: &[u8], piece: usize) -> (Vec<String>, Option<Violation>) {
    let mut decoder = Decoder::new(LIMITS);
    let (mut input, mut seen) = (Vec::new(), Vec::new());
    for piece in data.chunks(piece) {
        input.extend_from_slice(piece);
        loop {
            match decoder.step(&mut input) {
                Err(violation) => {
                    assert!((1002..=1009).contains(&violation.code()) && !violation.reason().is_empty());
                    return (seen, Some(violation));
                }
                Ok(None) => break,
                Ok(Some((size, incoming))) => {
                    match &incoming {
                        Incoming::Text(text) => assert!(text.len() <= LIMITS.message),
                        Incoming::Binary(bytes) => assert!(bytes.len() <= LIMITS.message),
                        Incoming::Ping(bytes) | Incoming::Pong(bytes) => assert!(bytes.len() <= 125),
                        Incoming::Fragment | Incoming::Close(_) => {}
                    }
                    seen.push(format!("{incoming:?}"));
                    input.drain(..size);
                }
            }
        }
    }
    (seen, None)
}

/// The bytes as a client's frames whose lengths and masks agree, which bytes taken at random hardly ever do: one that
/// says what kind of frame it is, one for its length (the last two mean the longer ways to write a length), its payload.
fn framed(mut data: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x5a, 0x00, 0xff, 0x81];
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = data {
        let size = usize::from(*length).min(rest.len());
        let (payload, rest) = rest.split_at(size);
        data = rest;
        frames.push(*first);
        match *length {
            254 => {
                frames.push(0x80 | 126);
                frames.extend((size as u16).to_be_bytes());
            }
            255 => {
                frames.push(0x80 | 127);
                frames.extend((size as u64).to_be_bytes());
            }
            _ if size < 126 => frames.push(0x80 | size as u8),
            _ => {
                frames.push(0x80 | 126);
                frames.extend((size as u16).to_be_bytes());
            }
        }
        frames.extend(MASK);
        frames.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    }
    frames
}

fuzz_target!(|data: &[u8]| {
    let Some((&piece, data)) = data.split_first() else { return };
    for bytes in [data.to_vec(), framed(data)] {
        assert_eq!(read(&bytes, usize::from(piece).max(1)), read(&bytes, bytes.len().max(1)));
    }
});
