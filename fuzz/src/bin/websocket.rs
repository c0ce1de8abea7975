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

fuzz_target!(|data: &[u8]| {
    let Some((&piece, data)) = data.split_first() else { return };
    assert_eq!(read(data, usize::from(piece).max(1)), read(data, data.len().max(1)));
});
